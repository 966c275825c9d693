package postgres

import (
	"context"
	"slices"
	"sync"
	"time"

	"sneakerdrop/internal/store"
)

const (
	// maxGroup bounds the batches of one transaction.
	maxGroup = 32
	// maxSkips is how often a batch may find its drop locked by another replica before it waits for the lock, alone.
	maxSkips = 2
	// patience is after how long a turn counts no more: its batch may wait for another replica, and no other drop should for it.
	patience = 100 * time.Millisecond
)

// groups bounds how many transactions of batches are under way at once. Those that come meanwhile wait, and those that wait when a turn
// ends go together, in one transaction: group commit. Of many hot drops a few large transactions cost the server less than many small ones
// that stand in each other's way.
type groups struct {
	most     int // transactions
	patience time.Duration

	mu      sync.Mutex
	running int
	waiting []*member
}

// member is a batch on its way to its turn.
type member struct {
	*loader

	deadline time.Time     // of its context; zero: none
	skips    int           // groups that could not run it
	woken    chan struct{} // closed when it has its turn, or when it is over
	turn     *turn
	group    []*member // to be run in that turn, itself first
	over     bool      // it was run in a group: err is what became of it
}

// turn is the right to run a transaction.
type turn struct {
	groups *groups
	timer  *time.Timer
	once   sync.Once
}

// renew gives a turn that goes on with another batch its time anew.
func (t *turn) renew() { t.timer.Reset(t.groups.patience) }

// end ends the turn; a nil one belongs to somebody else by now.
func (t *turn) end() {
	if t != nil {
		t.timer.Stop()
		t.once.Do(t.groups.pass)
	}
}

// await waits until the batch has its turn, or was run.
func (g *groups) await(ctx context.Context, m *member) error {
	m.deadline, _ = ctx.Deadline()
	m.woken = make(chan struct{})
	g.mu.Lock()
	g.waiting = append(g.waiting, m)
	g.give()
	g.mu.Unlock()
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

// give gives turns to those who wait, as long as there are any. Its caller has the lock.
func (g *groups) give() {
	for g.running < g.most && len(g.waiting) > 0 {
		g.running++
		first, t := g.waiting[0], &turn{groups: g}
		t.timer = time.AfterFunc(g.patience, func() { t.once.Do(g.pass) })
		first.turn, first.group = t, g.front()
		close(first.woken)
	}
}

// front takes the next group from those who wait: one batch of each drop.
func (g *groups) front() (group []*member) {
	g.waiting = slices.DeleteFunc(g.waiting, func(m *member) bool {
		twin := func(other *member) bool { return other.batch.Drop == m.batch.Drop }
		if len(group) > 0 && (len(group) == maxGroup || group[0].alone() || m.alone() || slices.ContainsFunc(group, twin)) {
			return false
		}
		group = append(group, m)
		return true
	})
	return group
}

// alone reports whether the batch is in no group any more.
func (m *member) alone() bool { return m.skips > maxSkips }

// leave reports whether the batch still waited.
func (g *groups) leave(m *member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, m)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	return i >= 0
}

// pass ends a turn.
func (g *groups) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	g.give()
}

// again has batches wait once more, before all others.
func (g *groups) again(members []*member) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.Insert(g.waiting, 0, members...)
	g.give()
}

// awaited reports whether a batch waits for its turn.
func (g *groups) awaited() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting) > 0
}

// runGroup runs batches in one transaction. Those whose drops are locked get into another group; where the whole fails for what one of them
// may have done, each is run alone.
func (s *Store) runGroup(ctx context.Context, group []*member) {
	defer func() {
		var again []*member
		for _, m := range group[1:] {
			if m.over {
				close(m.woken)
			} else {
				again = append(again, m)
			}
		}
		s.groups.again(again)
	}()
	ctx, cancel := shortest(ctx, group)
	defer cancel()
	batches := make([]*loader, len(group))
	for i, m := range group {
		batches[i] = m.loader
	}
	t, err := s.begin(ctx, nil, batches...)
	if err == nil {
		err = s.transact(ctx, t)
	}
	if err != nil {
		s.floors.forgetAll()
	}
	class := store.ClassOf(err)
	for _, m := range group {
		switch {
		case err != nil && (class == store.ClassFault || class == store.ClassRolledBack):
			m.skips = maxSkips
		case m.err == nil:
			m.over, m.err = true, err
		}
		if !m.over {
			m.skips++
			m.loader = newLoader(m.batch)
		}
	}
	if group[0].over {
		group[0].turn.end()
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
