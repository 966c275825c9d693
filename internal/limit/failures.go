package limit

import (
	"cmp"
	"sync"
	"time"
)

// Failures limits how often each caller may fail. Whoever has failed too often in a span of time must wait until the
// span is over, also with a call that would succeed. A span begins with a failure. Memory is bounded as in a
// Limiter.
type Failures[K comparable] struct {
	began  time.Time
	most   int
	within time.Duration

	mu  sync.Mutex
	all generations[K, failures]
}

// failures are those of one caller.
type failures struct {
	until       time.Duration // when the span ends
	count, open int           // failures in the span, and calls that have no outcome yet
}

// maxOpen is how many calls a caller may have under way: each may fail. It is for callers that share an address.
const maxOpen = 100

// NewFailures returns a limit of most failures within that time, and remembers at most the given number of callers; 0
// means MaxCallers.
func NewFailures[K comparable](most int, within time.Duration, callers int) *Failures[K] {
	return &Failures[K]{began: time.Now(), most: most, within: within, all: generationsOf[K, failures](cmp.Or(callers, MaxCallers))}
}

// Begin returns how long the caller must wait before a call; 0: not at all, and End must follow.
func (f *Failures[K]) Begin(caller K) (wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, c := f.get(caller)
	switch {
	case c.count >= f.most:
		return c.until - now
	case c.open >= maxOpen:
		return time.Second
	}
	c.open++
	f.put(caller, c)
	return 0
}

// End counts a failure, unless the call did not fail. It returns 0, or how long the caller must wait because others of
// its calls failed too often in the meantime. Then this one should not learn that it failed.
func (f *Failures[K]) End(caller K, failed bool) (wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, c := f.get(caller)
	c.open = max(c.open-1, 0) // 0 already if the caller was forgotten
	switch {
	case !failed:
	case c.count >= f.most:
		wait = c.until - now
	default:
		if c.count == 0 {
			c.until = now + f.within
		}
		c.count++
	}
	f.put(caller, c)
	return wait
}

// get returns the time, and a caller's failures in the span that is not over.
func (f *Failures[K]) get(caller K) (now time.Duration, c failures) {
	now = time.Since(f.began) // monotonic
	c = f.all.get(caller)
	if now >= c.until {
		c.until, c.count = 0, 0
	}
	return now, c
}

func (f *Failures[K]) put(caller K, c failures) {
	if c == (failures{}) {
		f.all.forget(caller)
		return
	}
	f.all.put(caller, c)
}
