package engine

import "time"

const (
	// maxAhead is how many batches in a row may begin behind the COMMIT of the one before, so that a lane of another replica, which
	// waits for the drop's lock, gets its turn.
	maxAhead = 16
	// rivalsFor is for how many batches a lane gives way at each one after it has found that another replica sold in between.
	rivalsFor = 16
	// maxGiveWay bounds how long a lane lets its queue grow while others have their turn.
	maxGiveWay = 5 * time.Millisecond
)

// rivals is what a lane knows of those of other replicas that sell the same drop. The row lock lets one in after the other, but a batch that begins
// behind a COMMIT is there before those who wait: among rivals no batch does. And while they have their turns there is
// time for half of what was waited for the lock last: the queue grows meanwhile, and the batch costs the store no more for it.
type rivals struct {
	version int64 // as this lane left the drop; 0: not yet
	batches int   // for which they are reckoned with
	waited  time.Duration
}

// found takes the version at which a batch found the drop, and how long it had waited until then.
func (r *rivals) found(version int64, waited time.Duration) {
	r.waited = waited
	if r.version != 0 && version != r.version {
		r.batches = rivalsFor
	}
}

// left takes the version in which a batch left the drop.
func (r *rivals) left(version int64) {
	r.version = version
	r.batches = max(r.batches-1, 0)
}

func (r *rivals) there() bool { return r.batches > 0 }

// giveWay is how long to wait before the next batch.
func (r *rivals) giveWay() time.Duration {
	if !r.there() {
		return 0
	}
	return min(r.waited/2, maxGiveWay)
}
