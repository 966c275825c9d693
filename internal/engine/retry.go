package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

const (
	firstBackoff = 2 * time.Millisecond
	maxBackoff   = 250 * time.Millisecond
)

// retry spaces attempts at a failed store call. The waits double, with jitter, up to a deadline.
type retry struct {
	until  time.Time
	last   time.Duration
	jitter func(time.Duration) time.Duration
}

func (e *Engine) newRetry() retry {
	return retry{until: time.Now().Add(e.RetryFor), jitter: e.jitter}
}

// helps reports whether the same call may succeed later. That requires that it has had no effect so far.
func (r *retry) helps(err error) bool {
	if drop.CodeOf(err) != "" || errors.Is(err, ErrOutcomeUnknown) {
		return false
	}
	switch store.ClassOf(err) {
	case store.ClassRolledBack, store.ClassUnavailable, store.ClassExhausted:
		return true
	default:
		return false
	}
}

// wait pauses before the next attempt. It returns false if there is no time left for one.
func (r *retry) wait(ctx context.Context) bool {
	r.last = min(max(2*r.last, firstBackoff), maxBackoff)
	backoff := r.last/2 + r.jitter(r.last/2+1)
	if time.Now().Add(backoff).After(r.until) {
		return false
	}
	return pause(ctx, backoff)
}

// pause returns false if ctx ends first.
func pause(ctx context.Context, long time.Duration) bool {
	t := time.NewTimer(long)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Ask makes a store call that needs no lane. If the store fails without having done anything, Ask retries for
// RetryFor. It returns refusals and faults unchanged.
func Ask[T any](ctx context.Context, e *Engine, call func(store.Records) (T, error)) (T, error) {
	return again(ctx, e, func() (T, error) { return call(e.store) })
}

// again makes a store call that is not a batch, and retries it while it has had no effect.
func again[T any](ctx context.Context, e *Engine, call func() (T, error)) (T, error) {
	r := e.newRetry()
	for {
		v, err := call()
		switch {
		case err == nil || drop.CodeOf(err) != "":
			return v, err
		case store.ClassOf(err) == store.ClassUnknown:
			return v, fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
		case !r.helps(err):
			return v, err
		case !r.wait(ctx):
			return v, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}
