package engine

import (
	"context"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Receive applies a change that a lane of another replica has committed and published, and publishes it here. It
// returns false if the state is not news. If this process does not know the drop yet, it looks it up in the store
// soon.
//
// A state from another replica is shown, but nothing is decided on it except the gate's refusals. A wrong one does as
// much harm as a stale one, until the next sweep.
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
	ev.Created = false // this process knows the drop already
	if ev.View, news = l.replace(ev.View); news || len(ev.Purchases) > 0 {
		e.publish(ev)
	}
	return news
}

// Refresh asks for a sweep now instead of within the second. It does not wait for it.
func (e *Engine) Refresh() {
	select {
	case e.hurry <- struct{}{}:
	default: // a sweep is already requested
	}
}

// sweep applies what other replicas did, expires the holds that one of them left overdue, and offers the units that one
// of them left kept for a line.
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
		d := &l.view.Load().Drop
		switch deadline := earlier(p.Deadline, d.KeptUntil()); {
		case d.HandsOver():
			l.rewake(atOnce)
		case deadline == 0:
		case deadline <= pulse.Now:
			l.rewake(deadline) // even if a timer that fired for it had no effect
		case deadline <= pulse.Now.Add(2*sweepEvery):
			l.wake(deadline) // the replica that made the hold may have died
		}
	}
	return nil
}

// versions returns the versions of all views.
func (e *Engine) versions() map[drop.ID]int64 {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := make(map[drop.ID]int64, len(e.lanes))
	for id, l := range e.lanes {
		all[id] = l.view.Load().Drop.Version
	}
	return all
}

// reload loads a drop's state from the store and compares it with the view before. A view that is ahead of the store
// shows a state that does not exist: a failover has lost it, or a message was false.
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
		e.Log.Warn("a drop was ahead of the database; it now shows what the database has",
			"drop", id, "version_shown", before.Drop.Version, "version", s.Drop.Version)
	}
	return e.update(s, ev)
}

// newestPurchase returns the drop's newest purchase.
func (e *Engine) newestPurchase(ctx context.Context, s store.Snapshot) ([]drop.Purchase, error) {
	sales, err := e.store.Purchases(ctx, s.Drop.ID, drop.NewPurchaseID(s.Drop.ID, s.Purchased-1), 1)
	if err != nil || len(sales) == 0 {
		return nil, err
	}
	return []drop.Purchase{sales[0].Purchase}, nil
}

// setBack replaces a view that is ahead of the store with v.
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

// current returns the lane's view, or nil if there is no lane.
func (l *lane) current() *View {
	if l == nil {
		return nil
	}
	return l.view.Load()
}
