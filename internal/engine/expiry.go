package engine

import (
	"context"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
)

// clockOffset is how far the local clock is ahead of the store's, the smallest that was seen since the last sweep:
// what lies between the store reading its clock and us reading ours only ever makes it larger. Timers use it; no
// decision does.
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

// restart forgets the samples but one, so that a clock that was set is followed.
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

// until returns how long it takes from now until the store's clock shows t.
func (o *clockOffset) until(t drop.Time) time.Duration {
	return time.Until(t.Time().Add(o.get()))
}

// wake sees to it that the lane runs a batch when the store's clock shows t, or as soon as possible if it has. 0 means
// nothing; a later moment than one that is already set changes nothing: that batch looks up the next.
func (l *lane) wake(t drop.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if set := drop.Time(l.wakesAt.Load()); t != 0 && (set == 0 || t < set) {
		l.setTimer(t)
	}
}

// rewake is wake for who knows the earliest deadline of all: what was set before is forgotten.
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
	l.wakesAt.Store(int64(t)) // at once: a gate that saw 0 in between would refuse what is due
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

// expire posts an empty batch. When the queue is full, the batches that work it off expire what is due.
func (l *lane) expire() {
	_ = l.enqueue(&call{cmd: drop.Expire{}, since: time.Now(), done: make(chan struct{})})
}

// overdue reports whether the next batch is the one that the timer was set for, and so has to look up the next
// deadline.
func (l *lane) overdue() bool {
	set := drop.Time(l.wakesAt.Load())
	return set != 0 && l.engine.offset.until(set) <= 0
}

// setTimerAfter sets the timer by what a committed batch saw. A batch that could not run leaves the timer off; the
// sweep finds what is due then.
func (l *lane) setTimerAfter(b *batch) {
	if b.needs.Deadline {
		l.rewake(b.deadline)
	} else {
		l.wake(b.deadline)
	}
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
			if !pause(ctx, hurryEvery) { // several that ask at once get one sweep
				return
			}
		case <-tick.C:
		}
		err := e.sweep(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			e.Log.Warn("the database does not answer, drops may be shown as they were", "err", err)
		}
		if err == nil && failing {
			e.Log.Info("the database answers again")
		}
		failing = err != nil
	}
}

// ForgetKeys deletes answers that have been kept long enough, up to 20,000 in small batches, so that no lane waits
// for it. Once a minute that is more than 300 a second.
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
