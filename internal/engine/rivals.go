package engine

const (
	// maxAhead is how many batches in a row may begin behind the COMMIT of the one before, so that a lane of another replica, which
	// waits for the drop's lock, gets its turn.
	maxAhead = 16
	// rivalsFor is for how many batches a lane reckons with others after it has found that another replica sold in between.
	rivalsFor = 16
)

// rivals is what a lane knows of those of other replicas that sell the same drop. The row lock lets one in after the other, but a batch that begins
// behind a COMMIT is there before those who wait: among rivals no batch does.
type rivals struct {
	version int64 // as this lane left the drop; 0: not yet
	batches int   // for which they are reckoned with
}

// found takes the version at which a batch found the drop.
func (r *rivals) found(version int64) {
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
