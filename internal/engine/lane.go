package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// call is one command on its way through a lane.
type call struct {
	cmd    drop.Command
	result drop.Result
	err    error // not a refusal: see the Err variables
	since  time.Time
	done   chan struct{}
}

// lane takes the commands of one drop, batch by batch. Its goroutine lives while there is work.
type lane struct {
	engine *Engine
	id     drop.ID
	view   atomic.Pointer[View]

	mu     sync.Mutex
	queue  []*call
	busy   bool // the goroutine runs
	closed bool
	timer  *time.Timer

	// The goroutine's own.
	ahead  int // batches in a row that began behind the COMMIT of another
	rivals rivals

	// wakesAt is the drop.Time for which the timer is set, 0 if it is off. Written under mu, read by the gate without.
	wakesAt   atomic.Int64
	confirmed atomic.Pointer[confirmation]
	// lasting is the batch up to which the store has confirmed what it holds. Only the goroutine touches it.
	lasting drop.BatchID
}

// do runs a command through the lane and waits for its answer.
func (l *lane) do(ctx context.Context, cmd drop.Command, key drop.Key) (drop.Result, error) {
	c := &call{cmd: cmd, since: time.Now(), done: make(chan struct{})}
	if key.Given() {
		c.cmd = drop.Keyed{Key: key, Command: cmd}
	}
	if err := l.enqueue(c); err != nil {
		l.engine.Metrics.failed(cmd, err)
		return drop.Result{}, err
	}
	select {
	case <-c.done:
	case <-ctx.Done(): // the batch goes on without its caller
		return drop.Result{}, fmt.Errorf("wait for drop %d: %w", l.id, ctx.Err())
	}
	switch {
	case c.err != nil:
		l.engine.Metrics.failed(cmd, c.err)
		return drop.Result{}, c.err
	case c.result.Err != nil:
		l.engine.Metrics.refused(cmd, c.result.Err, false)
		return drop.Result{}, c.result.Err
	}
	l.engine.Metrics.done(cmd)
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

// close refuses further commands; the waiting ones are finished.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
}

// take removes the next batch from the queue, or ends the goroutine's life when there is none.
func (l *lane) take() []*call {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		l.queue = nil
		l.busy = false
		return nil
	}
	return l.front()
}

// front removes the next batch from the queue.
func (l *lane) front() []*call {
	n := min(len(l.queue), l.engine.MaxBatch)
	batch := l.queue[:n:n]
	l.queue = l.queue[n:]
	return batch
}

// takeAhead takes the batch that is to follow the one under way, an empty one only if open; false: none, or not so.
func (l *lane) takeAhead(open bool) ([]*call, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ahead++; len(l.queue) == 0 && !open || l.ahead > maxAhead || l.rivals.there() || l.engine.turns.awaited() {
		l.ahead = 0
		return nil, false
	}
	return l.front(), true
}

func (l *lane) run() {
	defer l.engine.running.Done()
	for l.turn() { // else another goroutine may run by now
	}
}

// turn runs a batch, and those that begin behind its COMMIT, when it is this lane's turn. It returns false when nothing waits. What came
// while it waited for its turn is in the batch.
func (l *lane) turn() bool {
	l.engine.turns.begin()
	defer l.engine.turns.end()
	calls := l.take()
	if calls == nil {
		return false
	}
	l.ahead = 0
	for b := newBatch(l, calls); b != nil; b = b.next {
		l.serve(b)
	}
	return true
}

// serve answers every call of a batch, and publishes what the batch changed.
func (l *lane) serve(b *batch) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*(l.engine.RetryFor+batchTimeout))
	defer cancel()
	err := b.commit(ctx)
	calls := b.calls
	switch {
	case err == nil:
		l.lasting = b.lasts()
		l.rivals.left(b.view.Drop.Version)
		v, _ := l.replace(b.view)
		l.settleClock(b)
		l.confirmed.Store(&confirmation{asked: b.asked, now: b.now})
		l.engine.Metrics.batch(b, calls)
		for i, c := range calls {
			c.result = b.results[i]
			close(c.done)
		}
		if b.changes != nil {
			c := b.changes
			l.engine.publish(Event{View: v, Ledger: c.Ledger, Purchases: c.Purchases, Made: c.Made, Ended: c.Ended})
		}
	case b.faulted(err) && len(calls) > 1:
		// One command may be what the store cannot take: each gets a batch of its own, so that it fails alone.
		l.engine.Log.Error("batch failed, trying its commands one by one", "drop", l.id, "commands", len(calls), "err", err)
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
		for _, c := range calls {
			c.err = err
			close(c.done)
		}
	}
}

// abandonQueue fails what waits when the store is away: those commands have waited as long as a batch is tried, and each
// would wait as long again.
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

// batch is one run through the store: its commands, and what the last attempt decided. One that follows another may have none.
type batch struct {
	lane  *lane
	calls []*call
	cmds  []drop.Command
	alone bool   // no batch may follow it at once
	next  *batch // follows it, whatever becomes of it
	given store.Batch
	// users are not in given.Need, since the drop was last seen without a rule for them; missed: it has one by now.
	users  []drop.UserID
	missed bool
	late   int // the first call that was admitted when the attempt was decided: see late.go

	began   time.Time
	id      drop.BatchID
	after   drop.Seq // of the state that the attempt was decided on
	version int64    // likewise
	// unless is the version of an attempt that came to nothing unless the drop has moved on (0: none), and unclear that it has.
	unless  int64
	unclear bool
	// before is the batch that had last changed the drop, and confirms: see lasting.go.
	before   drop.BatchID
	confirms bool
	results  []drop.Result
	changes  *drop.Changes
	view     *View
	// asked is by the local clock: the store read its own for the attempt no earlier. now is the batch's time, by the store's.
	asked time.Time
	now   drop.Time
	// deadline is the earliest end of a hold that the attempt saw; if given.Need.Deadline, of all holds.
	deadline drop.Time
}

func newBatch(l *lane, calls []*call) *batch {
	b := &batch{lane: l, calls: calls, began: time.Now(), cmds: make([]drop.Command, len(calls))}
	for i, c := range calls {
		b.cmds[i] = c.cmd
	}
	need := drop.NeedOf(b.cmds)
	// A timer may go off before the store's clock shows its moment, when that has been set since: its batch looks the deadline up
	// all the same, or there would be no timer any more.
	need.Deadline = l.overdue() || slices.Contains(b.cmds, drop.Command(drop.Expire{}))
	if !l.view.Load().Drop.Limited() && !need.Limits {
		b.users, need.Users = need.Users, nil
	}
	b.given = store.Batch{Drop: l.id, Need: need, Decide: b.decide, Confirm: func() bool { return b.confirms }, Next: b.follow}
	return b
}

// follow gives the store the batch that is to follow this one.
func (b *batch) follow() *store.Batch {
	if b.alone || b.next != nil { // it was given in an attempt before this
		return nil
	}
	calls, ok := b.lane.takeAhead(b.manyPlain())
	if !ok {
		return nil
	}
	b.next = newBatch(b.lane, calls)
	return &b.next.given
}

// abandonNext fails the batch that was to follow, as abandonQueue does those that wait.
func (b *batch) abandonNext() {
	if b.next == nil || b.next.given.Begun != nil {
		return
	}
	fail(b.next.calls)
	b.next = nil
}

func (b *batch) decide(s *drop.State, now drop.Time) *drop.Changes {
	b.lane.engine.offset.sample(now)
	b.confirms = false
	b.unclear = b.unless != 0 && b.unless != s.Version
	if b.unclear {
		return nil
	}
	if b.missed = len(b.users) > 0 && s.Limited(); b.missed {
		return nil
	}
	b.lane.rivals.found(s.Version)
	b.after, b.version, b.unless = s.Seq, s.Version, 0
	b.now, b.before = max(now, s.LastAt), s.Batch
	b.admit(s)
	b.results, b.changes = drop.Apply(s, now, b.id, b.cmds)
	b.dismiss()
	b.view = viewAfter(s, b.given.Need.Recent, b.lane.view.Load())
	b.deadline = s.Deadline
	b.confirms = b.changes == nil && b.before != b.lane.lasting && b.saysYes()
	return b.changes
}

var errHidden = errors.New("other batches came in between")

// commit tries the batch until it has taken effect once, is refused, or the store has failed for RetryFor.
func (b *batch) commit(ctx context.Context) error {
	err := b.try(ctx)
	if err != nil && b.unless != 0 {
		err = fmt.Errorf("%w: a look-up could not tell: %w", ErrOutcomeUnknown, err)
	} else if err != nil && b.confirms && drop.CodeOf(err) == "" {
		err = fmt.Errorf("%w: it is there, and not confirmed: %w", ErrOutcomeUnknown, err)
	}
	return err
}

func (b *batch) try(ctx context.Context) error {
	e := b.lane.engine
	r := e.newRetry()
	for {
		b.id = newBatchID()
		err := b.attempt(ctx)
		switch {
		case store.ClassOf(err) == store.ClassUnknown && b.confirms: // nothing was to be written, so there is nothing to look up
			err = &store.Error{Op: "confirm", Class: store.ClassRolledBack, Err: err}
		case err != nil && store.ClassOf(err) == store.ClassUnknown:
			var committed bool
			if committed, err = b.resolve(ctx, err); committed {
				return nil
			}
			b.doubt()
		}
		switch {
		case err == nil && b.unclear:
			return errHidden
		case err == nil && b.missed:
			b.given.Need.Users, b.users = append(b.given.Need.Users, b.users...), nil
			continue
		}
		if err == nil || !r.helps(err) {
			return err
		}
		if !r.wait(ctx) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}

// doubt says that the attempt, which a look-up did not find, may be hidden all the same: one that moved no units has its id on
// the drop alone, until the next batch of another replica.
func (b *batch) doubt() {
	if b.changes != nil && len(b.changes.Ledger) == 0 {
		b.unless = b.version
	}
}

// faulted reports that the store cannot take this batch, whatever is tried, and that nothing was written.
func (b *batch) faulted(err error) bool {
	return store.ClassOf(err) == store.ClassFault && drop.CodeOf(err) == "" && !errors.Is(err, ErrOutcomeUnknown)
}

func (b *batch) attempt(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	given := b.given
	given.Begun, b.given.Begun = b.given.Begun, nil // another attempt begins anew
	if b.asked = time.Now(); given.Begun != nil {
		b.asked = b.began // the store has read its clock since, behind the COMMIT of the batch before
	}
	err := b.lane.engine.store.RunBatch(ctx, given)
	if err != nil && drop.CodeOf(err) == "" {
		b.lane.engine.Metrics.storeError(err)
	}
	return err
}

// resolve finds out whether a commit whose answer was lost took place. When it did not, the error it returns is one
// after which the batch can be tried again.
func (b *batch) resolve(ctx context.Context, cause error) (bool, error) {
	e := b.lane.engine
	r := e.newRetry()
	e.Log.Warn("the outcome of a commit is unknown, looking it up", "drop", b.lane.id, "err", cause)
	for {
		committed, err := e.store.Committed(ctx, b.lane.id, b.id, b.after)
		if err == nil && committed {
			return true, nil
		}
		if err == nil {
			return false, &store.Error{Op: "commit", Class: store.ClassRolledBack, Err: cause}
		}
		if !r.wait(ctx) {
			return false, fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
		}
	}
}

func newBatchID() (id drop.BatchID) {
	_, _ = rand.Read(id[:]) // never fails, says its documentation
	return id
}
