// Package limit limits each caller's rate, with a token bucket for each class of calls. A bucket fills at a steady
// rate up to its burst, and each call takes one token.
//
// Memory is bounded. If there are too many callers, those that have been away longest are forgotten, as if their
// buckets were full. Everything is safe for concurrent use. Time is monotonic, so a changed clock locks nobody out.
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

// Class is a kind of call; the calls of one class share a bucket.
type Class string

// The classes: reading, buyers' calls and operators' calls.
const (
	Read    Class = "read"
	Buy     Class = "buy"
	Operate Class = "operate"
)

// Rate is how many calls a caller may make: per second in the long run, and at once.
type Rate struct {
	PerSecond float64 // more than 0
	Burst     int     // at least 1
}

// Window returns how long an empty bucket takes to fill.
func (r Rate) Window() time.Duration { return r.fill(float64(r.Burst)) }

func (r Rate) fill(tokens float64) time.Duration {
	return time.Duration(math.Ceil(tokens / r.PerSecond * float64(time.Second)))
}

// Rules has the rate of each class. A class without a rule is not limited.
type Rules map[Class]Rate

const maxRate = 1_000_000

var errRules = errors.New("must be off, or a list of read=RATE/BURST, buy=RATE/BURST and operate=RATE/BURST, such as buy=20/40,read=100/200")

// ParseRules reads rules from a setting: "off" or empty, or "buy=20/40,read=100/200" for 20 calls per second and 40
// at once. Its error completes the sentence "<setting> …".
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
			return nil, fmt.Errorf("must name each class once, but names %s twice", name)
		}
		r, rErr := strconv.ParseFloat(perSecond, 64)
		b, bErr := strconv.Atoi(burst)
		if rErr != nil || bErr != nil || !(r >= 0.001 && r <= maxRate) || b < 1 || b > maxRate {
			return nil, fmt.Errorf("must have a rate from 0.001 to %d and a burst from 1 to %d, but has %q", maxRate, maxRate, item)
		}
		rules[class] = Rate{PerSecond: r, Burst: b}
	}
	return rules, nil
}

// Verdict is the decision on one call.
type Verdict struct {
	Allowed bool
	// Remaining is how many more calls are allowed right now.
	Remaining int
	// Reset is how long until the bucket is full again.
	Reset time.Duration
	// RetryAfter is how long until the next call is allowed; 0 if this one was allowed.
	RetryAfter time.Duration
}

// Limiter has a bucket for each caller and class. K identifies a caller. If K has no pointers, the buckets cost the
// garbage collector nothing.
type Limiter[K comparable] struct {
	began   time.Time
	classes map[Class]*class[K]
}

// class has the buckets of one class. For each it stores when the bucket will be full again.
type class[K comparable] struct {
	rate     Rate
	interval time.Duration // the time that one token takes to arrive

	mu   sync.Mutex
	full generations[K, time.Duration]
}

// MaxCallers is how many callers a Limiter remembers for each class, in about 5 MB.
const MaxCallers = 100_000

// New returns a limiter that remembers at most the given number of callers for each class; 0 means MaxCallers.
func New[K comparable](rules Rules, callers int) *Limiter[K] {
	callers = cmp.Or(callers, MaxCallers)
	l := &Limiter[K]{began: time.Now(), classes: make(map[Class]*class[K])}
	for name, r := range rules {
		l.classes[name] = &class[K]{rate: r, interval: r.fill(1), full: generationsOf[K, time.Duration](callers)}
	}
	return l
}

// Take takes a token for a call. If the class has no rule, limited is false and the verdict has no meaning.
func (l *Limiter[K]) Take(name Class, caller K) (v Verdict, limited bool) {
	c := l.classes[name]
	if c == nil {
		return Verdict{}, false
	}
	now := time.Since(l.began) // monotonic
	c.mu.Lock()
	defer c.mu.Unlock()
	whole := time.Duration(c.rate.Burst) * c.interval
	rest, allowed := spend(c.full.get(caller)-now, c.interval, whole)
	if v = (Verdict{Allowed: allowed, Remaining: int((whole - rest) / c.interval), Reset: rest}); allowed {
		c.full.put(caller, now+rest)
	} else {
		v.RetryAfter = max(rest+c.interval-whole, time.Millisecond)
	}
	return v, true
}

// spend takes a token from a bucket that is full again after rest. It returns after how long the bucket is then full.
//
// This is the generic cell rate algorithm (ITU-T I.371, annex A). For each caller it needs only the moment at which
// the bucket is full again. There is a token if that moment, moved by one token, is no further away than the time to
// fill a whole bucket.
func spend(rest, interval, whole time.Duration) (after time.Duration, allowed bool) {
	if rest = max(rest, 0); rest+interval > whole {
		return rest, false
	}
	return rest + interval, true
}

// Bucket is the bucket of a single caller, and initially full. Only one goroutine may use it at a time.
type Bucket struct{ full time.Time }

// Take takes a token and reports whether there was one.
func (b *Bucket) Take(now time.Time, r Rate) bool {
	interval := r.fill(1)
	rest, allowed := spend(b.full.Sub(now), interval, time.Duration(r.Burst)*interval)
	if allowed {
		b.full = now.Add(rest)
	}
	return allowed
}
