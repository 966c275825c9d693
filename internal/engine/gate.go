package engine

import (
	"time"

	"sneakerdrop/internal/drop"
)

// confirmedFor is how long a view is trusted after a batch has seen the drop under its lock. With several replicas a
// refusal may be stale by that much. With one it never is, because every change of the drop replaces the view.
const confirmedFor = 500 * time.Millisecond

// confirmation records that the view was the current state when the store's clock showed now, which was after asked.
type confirmation struct {
	asked time.Time
	now   drop.Time
}

// gate refuses from the view what the lane would refuse anyway, so that a crowd that comes too late costs nothing. It
// returns nil, which sends the reserve to the lane, in three cases:
//
//   - a limit of one, because the reserve may repeat a live one
//   - a view that is not confirmed
//   - a hold, or what is kept for early access, that may be past its end
//
// The lane's batch then confirms the view again.
func (l *lane) gate(c drop.Reserve) *drop.Error {
	known := l.confirmed.Load()
	if known == nil {
		return nil
	}
	v, deadline, ok := l.known()
	if !ok {
		return nil
	}
	age := time.Since(known.asked)
	if age > confirmedFor || v.Drop.LimitPerUser == 1 {
		return nil
	}
	// The store's clock cannot be later than this: it showed less when asked, and age has passed since then.
	latest := known.now.Add(age) + 1
	if deadline != 0 && deadline <= latest {
		return nil
	}
	if start := v.Drop.StartTime; known.now < start && start <= latest {
		return nil // it may or may not have started
	}
	for i := range v.Drop.Accesses { // or early access may have, or may be over
		x := &v.Drop.Accesses[i]
		if end := v.Drop.End(x); known.now < x.Starts && x.Starts <= latest || known.now < end && end <= latest {
			return nil
		}
	}
	return v.Drop.RefuseReserve(c.Size, c.With, latest)
}

// known returns the view and a moment before which none of its holds ends, or 0 if it has no holds. It returns false
// if the view was replaced in the meantime.
//
// A batch sets the timer for its holds, then replaces the view, and only then sets a later moment. So the moment is
// right for a view that is the current one both before and after the moment is read. A lane may be paused between any
// two of these steps for longer than a hold lasts. Without this order, a reserve would be refused a unit whose hold
// has ended.
func (l *lane) known() (v *View, deadline drop.Time, ok bool) {
	v = l.view.Load()
	deadline = drop.Time(l.wakesAt.Load())
	return v, deadline, l.view.Load() == v
}
