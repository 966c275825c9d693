package engine

import (
	"time"

	"sneakerdrop/internal/drop"
)

// confirmedFor is how long a view is trusted after a batch has seen the drop under its lock. With several replicas a
// refusal may be stale by as much; within one it never is, since whatever changes the drop replaces the view.
const confirmedFor = 500 * time.Millisecond

// confirmation is a moment at which the view was the truth: the store's clock showed now some time after asked.
type confirmation struct {
	asked time.Time
	now   drop.Time
}

// gate refuses from the view what the lane would refuse anyway, so that the crowd that came too late costs nothing.
// It says nothing (nil) of a reserve under a limit of one, which may repeat a live one, nor on a view that is not
// confirmed or may have a hold whose time is over: that reserve goes to the lane, and its batch confirms the view
// again.
func (l *lane) gate(c drop.Reserve) *drop.Error {
	known := l.confirmed.Load()
	if known == nil {
		return nil
	}
	// Before the view: a batch that ends a hold first replaces the view and then sets the next deadline. Read the
	// other way round, the view could be from before that and the deadline from after it, and the unit that came back
	// would be refused.
	deadline := drop.Time(l.wakesAt.Load())
	v := l.view.Load()
	age := time.Since(known.asked)
	if age > confirmedFor || v.Drop.LimitPerUser == 1 {
		return nil
	}
	// No later than this can it be by the store's clock: what was asked after it showed less.
	latest := known.now.Add(age) + 1
	if deadline != 0 && deadline <= latest {
		return nil
	}
	if start := v.Drop.StartTime; known.now < start && start <= latest {
		return nil // it may or may not have started
	}
	return v.Drop.RefuseReserve(c.Size, latest)
}
