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
	// maxGroup bounds the batches of one transaction.
	maxGroup = 32
	// maxSkips is how often a batch may find its drop locked by another replica before it waits for the lock, alone.
	// Twice skipPause is how long it leaves the drop to the other the first time; then twice as long each time.
	maxSkips  = 3
	skipPause = 5 * time.Millisecond
	// lockTimeout is how long it asks for the lock where too many others wait for theirs: as long as PostgreSQL lets
	// one wait.
	lockTimeout = 5 * time.Second
	// turnTime is after how long a turn counts no more: its batch may wait for another replica, and no other drop
	// should for it.
	turnTime = 100 * time.Millisecond
)

// groups bounds how many transactions of batches are under way at once. Those that come meanwhile wait, and those
// that wait when a turn ends go together, in one transaction: group commit. Of many hot drops a few large
// transactions cost the server less than many small ones that stand in each other's way.
type groups struct {
	most         int // transactions whose turn counts
	mostTimedOut int // transactions whose turn has timed out, at most
	turnTime     time.Duration

	mu       sync.Mutex
	running  int
	timedOut int
	waiters  int // of those running, that may wait for a lock
	waiting  []*member
}

// member is a batch on its way to its turn.
type member struct {
	*loader

	since    time.Time
	deadline time.Time     // of its context; zero: none
	woken    chan struct{} // closed when it has its turn, or when it is over
	turn     *turn
	group    []*member // to be run in that turn, itself first
	done     bool      // it was run in a group: err is what became of it

	skips  int  // how often another replica had its drop's lock
	solo   bool // its group failed, and one of its batches may be why
	pauses bool // it will wait again
	left   bool // it will not
}

// alone reports whether the batch is in no group any more.
func (g *groups) alone(m *member) bool { return m.solo || m.skips >= maxSkips && g.mayWait() }

// mayWait reports whether one more transaction may wait for a lock: each that does has a connection.
func (g *groups) mayWait() bool { return g.timedOut+g.waiters < g.mostTimedOut }

// late reports whether the batch's time is over.
func (m *member) late() bool { return !m.deadline.IsZero() && !time.Now().Before(m.deadline) }

// turn is the right to run a transaction.
type turn struct {
	groups                   *groups
	timer                    *time.Timer
	mayWait, timedOut, ended bool // mayWait: its batch is alone, and may wait for its drop's lock; a group never does
}

// stop has the turn count no more.
func (t *turn) stop() {
	t.groups.running--
	if t.mayWait {
		t.groups.waiters--
	}
}

// renew gives a turn that goes on with another batch its time anew.
func (t *turn) renew() { t.timer.Reset(t.groups.turnTime) }

// timeOut has the turn count no more, unless that is so of too many: they have connections, which others need too.
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

// end ends the turn; a nil one belongs to somebody else by now.
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

// await waits until the batch has its turn, or was run.
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

// join has batches wait for their turn.
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

// rejoin has batches that could not be run wait again, those whose drops were locked after a pause.
func (g *groups) rejoin(members []*member) {
	var now []*member
	g.mu.Lock()
	for _, m := range members {
		switch {
		case m.late(): // it would end its next group's time too
			m.done = true
			m.err = &store.Error{Op: fmt.Sprintf("await the turn of drop %d", m.batch.Of()), Class: store.ClassUnavailable, Err: context.DeadlineExceeded}
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

// leave reports whether the batch still waited.
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

// give gives turns to those who wait, as long as there are any. Its caller has the lock.
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

// front takes the next group from those who wait: one batch of each drop.
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

// awaited reports whether a batch waits for its turn.
func (g *groups) awaited() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting) > 0
}

// runGroup runs batches in one transaction, in the turn of the first. Those whose drops are locked wait for another
// turn, and so does each, alone, where the whole fails for what one of them may have done.
func (s *Store) runGroup(ctx context.Context, group []*member) {
	t := group[0].turn
	group[0].turn, group[0].woken = nil, make(chan struct{})
	group[0].left = true // if Decide panics
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
		s.bounds.failed(m.err)
		m.judge(err, len(group) > 1)
	}
	group[0].left = false
}

// judge takes what became of the group.
func (m *member) judge(err error, others bool) {
	class := store.ClassOf(err)
	switch {
	case errors.Is(m.err, errOlder):
		m.solo = true
	case m.err != nil: // it was not decided: its drop is locked, or not there
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

// shortest is a context that ends with the first of the batches' deadlines.
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
