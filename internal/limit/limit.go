// Package limit keeps each caller to a rate, by a token bucket for each class of calls: it fills at a steady rate up to
// its burst, and each call takes one token.
//
// Memory is bounded: of too many callers those that have been away longest are forgotten, which is as if their buckets
// were full. Everything is safe for concurrent use. Time is monotonic, so a step of the clock locks nobody out.
package limit

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Class is a kind of calls that have a bucket together.
type Class string

// The classes: looking, what a buyer does, what an operator does.
const (
	Read    Class = "read"
	Buy     Class = "buy"
	Operate Class = "operate"
)

// Rate is how many calls a second a caller may make in the long run, and how many at once.
type Rate struct {
	PerSecond float64 // above 0
	Burst     int     // 1 or more
}

// Window is how long an empty bucket takes to fill.
func (r Rate) Window() time.Duration { return r.fill(float64(r.Burst)) }

func (r Rate) fill(tokens float64) time.Duration {
	return time.Duration(math.Ceil(tokens / r.PerSecond * float64(time.Second)))
}

// Rules has the rate of each class; a class that is not in it is not limited.
type Rules map[Class]Rate

const maxRate = 1_000_000

var errRules = errors.New("must be off, or a list of read=RATE/BURST, buy=RATE/BURST and operate=RATE/BURST, such as buy=20/40,read=100/200")

// ParseRules reads rules from a setting: "off" or empty, or "buy=20/40,read=100/200" for 20 calls a second and 40 at
// once. Its error completes the sentence "<setting> …".
func ParseRules(text string) (Rules, error) {
	rules := make(Rules)
	if text == "off" || text == "" {
		return rules, nil
	}
	for item := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(item), "=")
		perSecond, burst, both := strings.Cut(value, "/")
		if !ok || !both {
			return nil, fmt.Errorf("%w; %q is neither", errRules, item)
		}
		class := Class(name)
		if class != Read && class != Buy && class != Operate {
			return nil, fmt.Errorf("%w; there is no class %q", errRules, name)
		}
		if _, twice := rules[class]; twice {
			return nil, fmt.Errorf("must name each class once, and names %s twice", name)
		}
		r, rErr := strconv.ParseFloat(perSecond, 64)
		b, bErr := strconv.Atoi(burst)
		if rErr != nil || bErr != nil || !(r >= 0.001 && r <= maxRate) || b < 1 || b > maxRate {
			return nil, fmt.Errorf("must have a rate from 0.001 to %d and a burst from 1 to %d, and has %q", maxRate, maxRate, item)
		}
		rules[class] = Rate{PerSecond: r, Burst: b}
	}
	return rules, nil
}

// Verdict is what became of one call.
type Verdict struct {
	Allowed bool
	// Remaining calls are allowed at once.
	Remaining int
	// Reset is how long the bucket takes to be full again.
	Reset time.Duration
	// RetryAfter is how long until the next call is allowed; 0 where this one was.
	RetryAfter time.Duration
}

// Limiter has a bucket for each caller and class. K names a caller; one without pointers costs the garbage collector
// nothing.
type Limiter[K comparable] struct {
	began   time.Time
	classes map[Class]*class[K]
}

// class has the buckets of one class. Of each is kept when it will be full again, in two generations: whoever calls
// is in the young one, and when that is full the old one goes.
type class[K comparable] struct {
	rate     Rate
	interval time.Duration // that one token takes to come
	most     int           // callers in a generation

	mu         sync.Mutex
	young, old map[K]time.Duration
}

// MaxCallers is how many callers a Limiter remembers for each class: about 5 MB when it is full.
const MaxCallers = 100_000

// New returns a limiter that remembers at most so many callers for each class; 0 means MaxCallers.
func New[K comparable](rules Rules, callers int) *Limiter[K] {
	callers = cmp.Or(callers, MaxCallers)
	l := &Limiter[K]{began: time.Now(), classes: make(map[Class]*class[K])}
	for name, r := range rules {
		l.classes[name] = &class[K]{rate: r, interval: r.fill(1), most: max(callers/2, 1), young: make(map[K]time.Duration)}
	}
	return l
}

// Take takes a token for a call. limited is false, and the verdict says nothing, where the class has no rule.
func (l *Limiter[K]) Take(name Class, caller K) (v Verdict, limited bool) {
	c := l.classes[name]
	if c == nil {
		return Verdict{}, false
	}
	now := time.Since(l.began) // monotonic
	c.mu.Lock()
	defer c.mu.Unlock()
	whole := time.Duration(c.rate.Burst) * c.interval
	rest, allowed := spend(c.get(caller)-now, c.interval, whole)
	if v = (Verdict{Allowed: allowed, Remaining: int((whole - rest) / c.interval), Reset: rest}); allowed {
		c.put(caller, now+rest)
	} else {
		v.RetryAfter = max(rest+c.interval-whole, time.Millisecond)
	}
	return v, true
}

// spend takes a token of a bucket that is full again after rest, and returns after how long it is then.
//
// It is the generic cell rate algorithm (ITU-T I.371, annex A), which needs one moment of each caller: that at which
// the bucket is full again. A token is there if that moment, moved on by the token, is no further away than a whole
// bucket takes.
func spend(rest, interval, whole time.Duration) (after time.Duration, allowed bool) {
	if rest = max(rest, 0); rest+interval > whole {
		return rest, false
	}
	return rest + interval, true
}

// Bucket is that of one caller alone, and full at first. It is for one goroutine at a time.
type Bucket struct{ full time.Time }

// Take takes a token, and reports whether there was one.
func (b *Bucket) Take(now time.Time, r Rate) bool {
	interval := r.fill(1)
	rest, allowed := spend(b.full.Sub(now), interval, time.Duration(r.Burst)*interval)
	if allowed {
		b.full = now.Add(rest)
	}
	return allowed
}

func (c *class[K]) get(caller K) time.Duration {
	if full, ok := c.young[caller]; ok {
		return full
	}
	return c.old[caller]
}

func (c *class[K]) put(caller K, full time.Duration) {
	if _, there := c.young[caller]; !there && len(c.young) >= c.most {
		c.old, c.young = c.young, make(map[K]time.Duration)
	}
	c.young[caller] = full
}
