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

// retry spaces attempts at something that the store failed to do: doubling waits with jitter, up to a moment.
type retry struct {
	until  time.Time
	last   time.Duration
	jitter func(time.Duration) time.Duration
}

func (e *Engine) newRetry() retry {
	return retry{until: time.Now().Add(e.RetryFor), jitter: e.jitter}
}

// helps reports whether the same call may succeed later, nothing having been done so far.
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

// wait pauses before the next attempt; false means that there is no time for one.
func (r *retry) wait(ctx context.Context) bool {
	r.last = min(max(2*r.last, firstBackoff), maxBackoff)
	backoff := r.last/2 + r.jitter(r.last/2+1)
	if time.Now().Add(backoff).After(r.until) {
		return false
	}
	return pause(ctx, backoff)
}

// pause returns false when ctx ends first.
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

// Ask makes a call to the store that no lane has to order. Where the store fails and has done nothing it makes the
// call again, for RetryFor. Refusals and faults come back as they are.
func Ask[T any](ctx context.Context, e *Engine, call func(store.Records) (T, error)) (T, error) {
	return again(ctx, e, func() (T, error) { return call(e.store) })
}

// again runs a store call that is not a batch, repeating it where nothing was done.
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
