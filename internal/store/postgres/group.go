package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sneakerdrop/internal/store"
)

const (
	// maxGroup is the most batches in one transaction.
	maxGroup = 32
	// maxSkips is how often a batch may find its drop locked by another replica before it waits for the lock, alone.
	// After each skip it pauses, to leave the drop to the other: about twice skipPause the first time, and twice as
	// long each further time.
	maxSkips  = 3
	skipPause = 5 * time.Millisecond
	// lockTimeout is how long a batch keeps asking for the lock if too many others already wait for theirs. It equals
	// PostgreSQL's limit for a wait.
	lockTimeout = 5 * time.Second
	// turnTime is how long a transaction occupies a slot. After that another may start, because the batch may be
	// waiting for another replica, and other drops should not wait with it.
	turnTime = 100 * time.Millisecond
)

// groups limits how many transactions of batches run at once. Batches that arrive in the meantime wait. When a slot
// becomes free, the waiting ones run together in one transaction (group commit). With many hot drops, a few large
// transactions cost the server less than many small ones that get in each other's way.
type groups struct {
	most         int // the most transactions that occupy slots
	mostTimedOut int // the most transactions that have run past turnTime
	turnTime     time.Duration

	mu       sync.Mutex
	running  int
	timedOut int
	waiters  int // running transactions that may wait for a lock
	waiting  []*member
}

// member is a batch that waits for its turn.
type member struct {
	*loader

	since    time.Time
	deadline time.Time     // from its context; zero if there is none
	woken    chan struct{} // closed when the batch has its turn, or has been run
	turn     *turn
	group    []*member // the batches to run in that turn, starting with this one
	done     bool      // the batch was run in a group, and err is its result

	skips  int  // how often another replica held its drop's lock
	solo   bool // its group failed, and one of its batches may be the cause
	pauses bool // it will wait again
	left   bool // it will not wait again
}

// alone reports whether the batch no longer joins a group.
func (g *groups) alone(m *member) bool { return m.solo || m.skips >= maxSkips && g.mayWait() }

// mayWait reports whether one more transaction may wait for a lock. Each one that waits occupies a connection.
func (g *groups) mayWait() bool { return g.timedOut+g.waiters < g.mostTimedOut }

// late reports whether the batch's deadline has passed.
func (m *member) late() bool { return !m.deadline.IsZero() && !time.Now().Before(m.deadline) }

// turn is the right to run a transaction.
type turn struct {
	groups                   *groups
	timer                    *time.Timer
	mayWait, timedOut, ended bool // mayWait: the batch is alone and may wait for its drop's lock; a group never waits
}

// stop releases the turn's slot.
func (t *turn) stop() {
	t.groups.running--
	if t.mayWait {
		t.groups.waiters--
	}
}

// renew restarts turnTime for a turn that continues with another batch.
func (t *turn) renew() { t.timer.Reset(t.groups.turnTime) }

// timeOut releases the turn's slot, unless too many turns have already timed out: they use connections, which others
// need too.
func (t *turn) timeOut() {
	g := t.groups
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case t.ended || t.timedOut:
	case g.timedOut >= g.mostTimedOut:
		t.timer.Reset(g.turnTime)
	default:
		t.timedOut = true
		t.stop()
		g.timedOut++
		g.give()
	}
}

// end ends the turn. A nil turn was handed on to another batch.
func (t *turn) end() {
	if t == nil {
		return
	}
	g := t.groups
	g.mu.Lock()
	defer g.mu.Unlock()
	t.timer.Stop()
	switch {
	case t.ended:
	case t.timedOut:
		g.timedOut--
	default:
		t.stop()
	}
	t.ended = true
	g.give()
}

// await waits until the batch has its turn, or was run by another.
func (g *groups) await(ctx context.Context, m *member) error {
	select {
	case <-m.woken:
	case <-ctx.Done():
		if g.leave(m) {
			return ctx.Err()
		}
		<-m.woken
	}
	return nil
}

// join queues batches for their turn.
func (g *groups) join(members ...*member) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range members {
		m.pauses = false
		if !m.left {
			g.waiting = append(g.waiting, m)
		}
	}
	g.give()
}

// rejoin queues batches again that could not be run. Those whose drops were locked come back after a pause.
func (g *groups) rejoin(members []*member) {
	var now []*member
	g.mu.Lock()
	for _, m := range members {
		switch {
		case m.late(): // its deadline would also end the next group's time
			m.done = true
			m.err = &store.Error{Op: fmt.Sprintf("wait for the turn of drop %d", m.batch.Of()), Class: store.ClassUnavailable, Err: context.DeadlineExceeded}
			close(m.woken)
		case m.solo:
			now = append(now, m)
		default:
			m.pauses = true
			time.AfterFunc(skipPause<<min(m.skips, maxSkips), func() { g.join(m) })
		}
	}
	g.mu.Unlock()
	g.join(now...)
}

// leave reports whether the batch was still waiting.
func (g *groups) leave(m *member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, m)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	m.left = i >= 0 || m.pauses
	return m.left
}

// give hands turns to waiting batches while there are free slots. The caller holds the lock.
func (g *groups) give() {
	for g.running < g.most && len(g.waiting) > 0 {
		g.running++
		first, t := g.waiting[0], &turn{groups: g}
		t.timer = time.AfterFunc(g.turnTime, t.timeOut)
		first.turn, first.group = t, g.front()
		if t.mayWait = len(first.group) == 1 && g.mayWait(); t.mayWait {
			g.waiters++
		}
		close(first.woken)
	}
}

// front removes the next group from the queue, with one batch of each drop.
func (g *groups) front() (group []*member) {
	g.waiting = slices.DeleteFunc(g.waiting, func(m *member) bool {
		twin := func(other *member) bool { return other.batch.Of() == m.batch.Of() }
		if len(group) > 0 && (len(group) == maxGroup || g.alone(group[0]) || g.alone(m) || slices.ContainsFunc(group, twin)) {
			return false
		}
		group = append(group, m)
		return true
	})
	return group
}

// awaited reports whether any batch waits for its turn.
func (g *groups) awaited() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting) > 0
}

// runGroup runs batches in one transaction, in the turn of the first. Batches whose drops are locked wait for another
// turn. If the transaction fails, and one of its batches may be the cause, each waits for a turn of its own.
func (s *Store) runGroup(ctx context.Context, group []*member) {
	t := group[0].turn
	group[0].turn, group[0].woken = nil, make(chan struct{})
	group[0].left = true // in case Decide panics
	defer func() {
		var again []*member
		for _, m := range group {
			if m.done {
				close(m.woken)
				continue
			}
			m.loader = newLoader(m.batch)
			again = append(again, m)
		}
		s.groups.rejoin(again)
	}()
	defer t.end()
	ctx, cancel := shortest(ctx, group)
	defer cancel()
	batches := make([]*loader, len(group))
	for i, m := range group {
		batches[i] = m.loader
	}
	together, err := s.begin(ctx, nil, batches...)
	if err == nil {
		err = s.transact(ctx, together)
	}
	s.bounds.failed(err)
	for _, m := range group {
		s.bounds.undecided(m.loader)
		m.judge(err, len(group) > 1)
	}
	group[0].left = false
}

// judge applies the group's result to the batch.
func (m *member) judge(err error, others bool) {
	class := store.ClassOf(err)
	switch {
	case errors.Is(m.err, errOlder), errors.Is(m.err, errWaiting):
		m.solo = true
	case m.err != nil: // it was not decided: its drop is locked or does not exist
		m.skips++
		if time.Since(m.since) > lockTimeout {
			m.done, m.err = true, &store.Error{Op: fmt.Sprintf("lock drop %d", m.batch.Of()), Class: store.ClassRolledBack, Err: errLocked}
		}
	case err == nil, class == store.ClassUnknown && !m.writes:
		m.done = true
	case others && (class == store.ClassFault || class == store.ClassRolledBack):
		m.solo = true
	default:
		m.done, m.err = true, err
	}
}

// shortest returns a context with the earliest of the batches' deadlines.
func shortest(ctx context.Context, group []*member) (context.Context, context.CancelFunc) {
	var first time.Time
	for _, m := range group {
		if !m.deadline.IsZero() && (first.IsZero() || m.deadline.Before(first)) {
			first = m.deadline
		}
	}
	if ctx = context.WithoutCancel(ctx); first.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, first)
}
