package engine

import (
	"context"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
)

// clockOffset is how far the local clock is ahead of the store's. It keeps the smallest value seen since the last
// sweep, because the delay between the two readings can only make the value larger. Only timers use it, never a
// decision.
type clockOffset struct {
	mu    sync.Mutex
	known bool
	ahead time.Duration
}

func (o *clockOffset) sample(now drop.Time) {
	ahead := time.Since(now.Time())
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.known || ahead < o.ahead {
		o.known, o.ahead = true, ahead
	}
}

// restart drops all samples except one, so that the offset follows a clock that was set.
func (o *clockOffset) restart(now drop.Time) {
	o.mu.Lock()
	o.known = false
	o.mu.Unlock()
	o.sample(now)
}

func (o *clockOffset) get() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ahead
}

// until returns how long it takes until the store's clock reaches t.
func (o *clockOffset) until(t drop.Time) time.Duration {
	return time.Until(t.Time().Add(o.get()))
}

// atOnce is a moment that has always come.
const atOnce drop.Time = 1

// wake makes the lane run a batch when the store's clock reaches t, or at once if it already has. 0 does nothing. If
// an earlier moment is already set, that stays: its batch looks up the next one.
func (l *lane) wake(t drop.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if set := drop.Time(l.wakesAt.Load()); t != 0 && (set == 0 || t < set) {
		l.setTimer(t)
	}
}

// rewake is like wake, for a caller who knows the earliest deadline of all. It replaces any moment that was set
// before.
func (l *lane) rewake(t drop.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.setTimer(t)
}

// setTimer needs l.mu.
func (l *lane) setTimer(t drop.Time) {
	if l.closed {
		return
	}
	l.wakesAt.Store(int64(t)) // first, in one step: a gate that saw 0 in between would refuse a due unit
	switch {
	case t == 0 && l.timer != nil:
		l.timer.Stop()
	case t == 0:
	case l.timer == nil:
		l.timer = time.AfterFunc(l.engine.offset.until(t), l.expire)
	default:
		l.timer.Reset(l.engine.offset.until(t))
	}
}

// expire queues an Expire command. If the queue is full, the batches that work it off expire what is due.
func (l *lane) expire() {
	_ = l.enqueue(&call{cmd: drop.Expire{}, since: time.Now(), done: make(chan struct{})})
}

// overdue reports whether the timer's moment has come, so that the next batch has to look up the next deadline.
func (l *lane) overdue() bool {
	set := drop.Time(l.wakesAt.Load())
	return set != 0 && l.engine.offset.until(set) <= 0
}

func (e *Engine) sweepLoop(ctx context.Context) {
	defer close(e.sweepDone)
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	var failing bool
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.hurry:
			if !pause(ctx, hurryEvery) { // several requests at once share one sweep
				return
			}
		case <-tick.C:
		}
		err := e.sweep(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			e.Log.Warn("the database does not answer; drops may look out of date", "err", err)
		}
		if err == nil && failing {
			e.Log.Info("the database answers again")
		}
		failing = err != nil
	}
}

// ForgetKeys deletes up to 20,000 expired answers, in small batches so that no lane waits for long. Called once a
// minute, it can keep up with more than 300 calls per second.
func (e *Engine) ForgetKeys(ctx context.Context) error {
	before := drop.TimeOf(time.Now().Add(-e.offset.get() - keepAnswers))
	for range forgetBatches {
		n, err := e.store.Forget(ctx, before, forgetBatch)
		if err != nil || n < forgetBatch {
			return err
		}
	}
	return nil
}
