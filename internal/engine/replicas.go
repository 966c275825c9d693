package engine

import (
	"context"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Receive takes over what a lane of another replica has committed, as its Publish was told, and publishes it here. It
// returns false for a state that is no news. A drop that is not known here is looked up in the store, soon.
//
// What others tell is shown and never decided on, but for the gate's refusals: a wrong state costs what a stale one
// does, until the next sweep.
func (e *Engine) Receive(ev Event) (news bool) {
	ev.Elsewhere = true
	if ev.View == nil {
		e.publish(ev)
		return true
	}
	e.mu.RLock()
	l := e.lanes[ev.View.Drop.ID]
	e.mu.RUnlock()
	if l == nil {
		e.Refresh()
		return true
	}
	ev.Created = false // it is known
	if ev.View, news = l.replace(ev.View); news || len(ev.Purchases) > 0 {
		e.publish(ev)
	}
	return news
}

// Refresh has all drops compared with the store now, not only within the second. It does not wait.
func (e *Engine) Refresh() {
	select {
	case e.hurry <- struct{}{}:
	default: // somebody has asked already
	}
}

// sweep takes over what other replicas did and ends the holds that one of them left overdue.
func (e *Engine) sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	before := e.versions()
	sent := time.Now()
	pulse, err := e.store.Pulse(ctx)
	if err != nil {
		return err
	}
	e.skew.add(pulse.Now, sent, time.Now(), e.Log)
	e.offset.restart(pulse.Now)
	for _, p := range pulse.Drops {
		e.mu.RLock()
		l := e.lanes[p.ID]
		e.mu.RUnlock()
		if v := l.current(); v == nil || v.stale() || v.Drop.Version < p.Version || before[p.ID] > p.Version {
			if l, err = e.reload(ctx, p.ID, v, before[p.ID] > p.Version); err != nil {
				return err
			}
		}
		switch {
		case p.Deadline == 0:
		case p.Deadline <= pulse.Now:
			l.rewake(p.Deadline) // even if a timer that fired for it came to nothing
		case p.Deadline <= pulse.Now.Add(2*sweepEvery):
			l.wake(p.Deadline) // whoever made the hold may have died
		}
	}
	return nil
}

// versions are those of all views.
func (e *Engine) versions() map[drop.ID]int64 {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := make(map[drop.ID]int64, len(e.lanes))
	for id, l := range e.lanes {
		all[id] = l.view.Load().Drop.Version
	}
	return all
}

// reload takes a drop's state from the store, before being the view so far. A view that is ahead of the store shows
// what is not, or no longer, so: a failover has lost it, or somebody told lies.
func (e *Engine) reload(ctx context.Context, id drop.ID, before *View, ahead bool) (*lane, error) {
	s, err := e.store.Drop(ctx, id)
	if err != nil {
		return nil, err
	}
	ev := Event{Created: true, Elsewhere: true}
	if before != nil && s.Purchased > before.listed {
		if ev.Purchases, err = e.newestPurchase(ctx, s); err != nil {
			return nil, err
		}
	}
	if ahead && before != nil && e.setBack(viewOf(s), before) {
		e.Log.Warn("a drop was shown as it is not; it is shown as the database has it now",
			"drop", id, "version_shown", before.Drop.Version, "version", s.Drop.Version)
	}
	return e.update(s, ev)
}

// newestPurchase is what a drop sold last.
func (e *Engine) newestPurchase(ctx context.Context, s store.Snapshot) ([]drop.Purchase, error) {
	sales, err := e.store.Purchases(ctx, s.Drop.ID, drop.NewPurchaseID(s.Drop.ID, s.Purchased-1), 1)
	if err != nil || len(sales) == 0 {
		return nil, err
	}
	return []drop.Purchase{sales[0].Purchase}, nil
}

// setBack puts v in the place of a view that is ahead of the store.
func (e *Engine) setBack(v, ahead *View) bool {
	e.mu.RLock()
	l := e.lanes[v.Drop.ID]
	e.mu.RUnlock()
	l.mu.Lock()
	set := v.Drop.Version < ahead.Drop.Version && l.view.CompareAndSwap(ahead, v)
	l.mu.Unlock()
	if set {
		e.generation.Add(1)
		e.publish(Event{View: v, Back: true, Elsewhere: true})
	}
	return set
}

// current returns the lane's view, or nil where there is no lane.
func (l *lane) current() *View {
	if l == nil {
		return nil
	}
	return l.view.Load()
}
