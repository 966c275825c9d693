package api

import (
	"context"
	"sync/atomic"
	"time"
)

// timeouts bounds how long requests may wait for their outcome. Requests that begin within a fortieth of that time
// share one timer, because a timer for each request of a crowd is expensive and hardly ever fires.
type timeouts struct {
	after   time.Duration
	current atomic.Pointer[window]
}

// window is the time in which a group of requests begins, and the time at which they expire.
type window struct {
	until time.Time // in which requests begin
	end   time.Time
	done  chan struct{} // closed when they expire
}

// expiring is the context of one request.
type expiring struct {
	context.Context //nolint:containedctx // it is one itself; that one has no end of its own

	window *window
}

func (e *expiring) Deadline() (time.Time, bool) { return e.window.end, true }
func (e *expiring) Done() <-chan struct{}       { return e.window.done }

func (e *expiring) Err() error {
	select {
	case <-e.window.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// bound returns a context that ends after the timeout, at most a fortieth of it late. If parent can end, the context
// has its own timer.
func (t *timeouts) bound(parent context.Context, began time.Time, room *expiring) (context.Context, context.CancelFunc) {
	if parent.Done() != nil {
		return context.WithTimeout(parent, t.after)
	}
	*room = expiring{parent, t.windowAt(began)}
	return room, func() {}
}

func (t *timeouts) windowAt(now time.Time) *window {
	w := t.current.Load()
	if w != nil && now.Before(w.until) {
		return w
	}
	opened := &window{until: now.Add(t.after / 40), done: make(chan struct{})}
	opened.end = opened.until.Add(t.after)
	if !t.current.CompareAndSwap(w, opened) {
		return t.windowAt(now)
	}
	time.AfterFunc(time.Until(opened.end), func() { close(opened.done) })
	return opened
}
