// Package limit keeps each caller to a rate, by a token bucket for each class of calls: it fills at a steady rate up to
// its burst, and each call takes one token.
//
// Memory is bounded: of too many callers those that have been away longest are forgotten, which is as if their buckets
// were full. Everything is safe for concurrent use. Time is monotonic, so a step of the clock locks nobody out.
package limit

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
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

// window is how long an empty bucket takes to fill.
func (r Rate) window() time.Duration { return r.fill(float64(r.Burst)) }

func (r Rate) fill(tokens float64) time.Duration {
	return time.Duration(math.Ceil(tokens / r.PerSecond * float64(time.Second)))
}

// Rules has the rate of each class; a class that is not in it is not limited.
type Rules map[Class]Rate

const maxRate = 1_000_000

var errRules = errors.New("must be off, or a list of read=RATE/BURST, buy=RATE/BURST and operate=RATE/BURST, such as buy=20/40,read=100/200")

// ParseRules reads rules from a setting: "off" or empty, or "buy=20/40,read=100/200" for 20 calls a second and 40 at once.
// Its error completes the sentence "<setting> …".
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
	// Burst and Remaining are calls: what a full bucket allows at once, and what is left of it.
	Burst, Remaining int
	// Window is how long an empty bucket takes to fill, Reset how long this one does.
	Window, Reset time.Duration
	// RetryAfter is how long until the next call is allowed; 0 where this one was.
	RetryAfter time.Duration
}

// Limiter has a bucket for each caller and class. K names a caller.
type Limiter[K comparable] struct {
	rules   Rules
	buckets map[Class]*lru.Cache[K, *rate.Limiter]
}

// MaxCallers is how many callers a Limiter remembers for each class: about 30 MB when it is full.
const MaxCallers = 100_000

// New returns a limiter that remembers at most so many callers for each class; 0 means MaxCallers.
func New[K comparable](rules Rules, callers int) *Limiter[K] {
	if callers == 0 {
		callers = MaxCallers
	}
	l := &Limiter[K]{rules: rules, buckets: make(map[Class]*lru.Cache[K, *rate.Limiter])}
	for class := range rules {
		cache, err := lru.New[K, *rate.Limiter](callers)
		if err != nil {
			panic(err) // for a size below 1 only
		}
		l.buckets[class] = cache
	}
	return l
}

// Take takes a token for a call. limited is false, and the verdict says nothing, where the class has no rule.
func (l *Limiter[K]) Take(c Class, caller K) (v Verdict, limited bool) {
	buckets := l.buckets[c]
	if buckets == nil {
		return Verdict{}, false
	}
	r := l.rules[c]
	bucket, ok := buckets.Get(caller)
	if !ok {
		bucket = rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst)
		if there, ok, _ := buckets.PeekOrAdd(caller, bucket); ok {
			bucket = there // another call of the same caller was quicker
		}
	}
	now := time.Now()
	v = Verdict{Allowed: bucket.AllowN(now, 1), Burst: r.Burst, Window: r.window()}
	tokens := max(bucket.TokensAt(now), 0)
	v.Remaining = int(tokens)
	v.Reset = r.fill(float64(r.Burst) - tokens)
	if !v.Allowed {
		v.RetryAfter = max(r.fill(1-tokens), time.Millisecond)
	}
	return v, true
}
