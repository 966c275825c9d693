package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"sneakerdrop/internal/drop"
)

// call is one command in a lane.
type call struct {
	cmd    drop.Command
	result drop.Result
	err    error // not a refusal: see the Err variables
	since  time.Time
	done   chan struct{}
}

// lane runs the commands of one drop, batch by batch. Its goroutine lives while there is work.
type lane struct {
	engine *Engine
	id     drop.ID
	view   atomic.Pointer[View]

	mu     sync.Mutex
	queue  []*call
	busy   bool // its goroutine is running
	closed bool
	timer  *time.Timer

	learnt

	// wakesAt is the drop.Time that the timer is set for, 0 if it is off. Writers hold mu; the gate reads it without.
	wakesAt   atomic.Int64
	confirmed atomic.Pointer[confirmation]
	paces     paces
}

// rehearses reports whether the lane's drop is one that a rehearsal sells.
func (l *lane) rehearses() bool { return l.view.Load().Drop.Rehearsal() }

// metrics count what the lane does: those of rehearsals are apart, and nobody collects them.
func (l *lane) metrics() *Metrics {
	if l.rehearses() {
		return l.engine.rehearsed
	}
	return l.engine.Metrics
}

// do runs a command through the lane and waits for its answer.
func (l *lane) do(ctx context.Context, cmd drop.Command) (drop.Result, error) {
	c := &call{cmd: cmd, since: time.Now(), done: make(chan struct{})}
	if err := l.enqueue(c); err != nil {
		l.metrics().failed(cmd, err)
		return drop.Result{}, err
	}
	select {
	case <-c.done:
	case <-ctx.Done(): // the batch continues without its caller
		return drop.Result{}, fmt.Errorf("wait for drop %d: %w", l.id, ctx.Err())
	}
	switch {
	case c.err != nil:
		l.metrics().failed(cmd, c.err)
		return drop.Result{}, c.err
	case c.result.Err != nil:
		l.metrics().refused(cmd, c.result.Err, false)
		return drop.Result{}, c.result.Err
	}
	l.metrics().done(cmd)
	return c.result, nil
}

func (l *lane) enqueue(c *call) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return ErrStopping
	case len(l.queue) >= l.engine.MaxQueue:
		return ErrOverloaded
	}
	l.queue = append(l.queue, c)
	if !l.busy {
		l.busy = true
		l.engine.running.Add(1)
		go l.run()
	}
	return nil
}

// close refuses further commands. The waiting ones are finished.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
}

// dequeue removes the next batch from the queue, or ends the goroutine if the queue is empty.
func (l *lane) dequeue() []*call {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		l.queue = nil
		l.busy = false
		return nil
	}
	return l.front(l.engine.MaxBatch)
}

// dequeueMore removes at most that many calls from the queue.
func (l *lane) dequeueMore(most int) []*call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.front(most)
}

// front removes at most that many calls from the queue.
func (l *lane) front(most int) []*call {
	n := min(len(l.queue), most)
	batch := l.queue[:n:n]
	l.queue = l.queue[n:]
	return batch
}

// dequeueNext takes the batch that is to follow the one under way. It takes an empty one only if open is set. It
// returns false if no batch may follow directly.
func (l *lane) dequeueNext(open bool) ([]*call, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ahead++; len(l.queue) == 0 && !open || l.ahead > maxAhead || l.rivals.there() {
		l.ahead = 0
		return nil, false
	}
	return l.front(l.engine.MaxBatch), true
}

func (l *lane) run() {
	defer l.engine.running.Done()
	for calls := l.dequeue(); calls != nil; calls = l.dequeue() { // after nil another goroutine may run
		l.ahead = 0
		for b := newBatch(l, calls); b != nil; b = b.next {
			b.fixed = b.begun != nil
			l.serve(b)
		}
	}
}

// serve answers every call of a batch and publishes what the batch changed.
func (l *lane) serve(b *batch) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*(l.engine.RetryFor+batchTimeout))
	defer cancel()
	err := b.commit(ctx)
	calls := b.calls
	switch {
	case err == nil:
		l.learn(b)
		wakes := b.wakes()
		l.wake(wakes) // before the view: see known
		v, _ := l.replace(b.view)
		if b.needs.Deadline {
			l.rewake(wakes)
		}
		if !l.unsure {
			l.confirmed.Store(&confirmation{asked: b.asked, now: b.now})
		}
		l.metrics().batch(b, calls)
		for i, c := range calls {
			c.result = b.results[i]
			close(c.done)
		}
		if b.changes != nil {
			c := b.changes
			l.engine.publish(Event{View: v, Ledger: c.Ledger, Purchases: c.Purchases, Made: c.Made, Ended: c.Ended})
		}
	case b.faulted(err) && len(calls) > 1:
		// The store may be unable to take one of the commands. Each command gets a batch of its own, so that only
		// that one fails.
		l.engine.Log.Error("batch failed; trying its commands one by one", "drop", l.id, "commands", len(calls), "err", err)
		for i := range calls {
			alone := newBatch(l, calls[i:i+1])
			alone.alone = true
			l.serve(alone)
		}
	default:
		if drop.CodeOf(err) == "" {
			l.engine.Log.Error("batch failed", "drop", l.id, "commands", len(calls), "err", err)
		}
		if errors.Is(err, ErrUnavailable) || errors.Is(err, ErrOutcomeUnknown) && !b.unclear {
			l.abandonQueue()
			b.abandonNext()
		}
		if errors.Is(err, ErrOutcomeUnknown) {
			l.unsure = true
			l.confirmed.Store(nil)
		}
		for _, c := range calls {
			c.err = err
			close(c.done)
		}
	}
}

// abandonQueue fails the waiting calls when the store is out of reach. They have already waited as long as a batch is
// retried, and each would wait as long again.
func (l *lane) abandonQueue() {
	l.mu.Lock()
	waiting := l.queue
	l.queue = nil
	l.mu.Unlock()
	fail(waiting)
}

func fail(waiting []*call) {
	for _, c := range waiting {
		c.err = fmt.Errorf("%w: gave up while waiting", ErrUnavailable)
		close(c.done)
	}
}
