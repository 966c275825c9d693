package engine

import "sneakerdrop/internal/drop"

const (
	// maxAhead is how many batches in a row may begin behind the COMMIT of the one before, so that a lane of another
	// replica, which waits for the drop's lock, gets its turn.
	maxAhead = 16
	// rivalsFor is for how many batches a lane reckons with others after it has found that another replica sold in
	// between.
	rivalsFor = 16
	// repeatsFor is for how many batches with keys a lane looks them up after one had a key that was used before, or
	// a refusal.
	repeatsFor = 64
)

// learnt is what a lane knows from its batches so far, and uses for the next. Only the lane's goroutine touches it.
type learnt struct {
	ahead   int // batches in a row that began behind the COMMIT of another
	rivals  rivals
	repeats int // for how many more batches keys are looked up
	// lasting is the batch up to which the store has confirmed what it holds: see confirm.go.
	lasting drop.BatchID
	// unsure: a batch may have made holds that nobody was told of, and no batch has looked the deadlines up since.
	// Until one has, the gate refuses nothing.
	unsure bool
}

// learn takes what a batch has shown that has taken effect.
func (k *learnt) learn(b *batch) {
	k.lasting = b.lasts()
	k.rivals.left(b.view.Drop.Version)
	switch {
	case b.lookUp && repeated(b.cmds, b.changes):
		k.repeats = repeatsFor
	case k.repeats > 0 && b.changes != nil && len(b.changes.Kept) > 0:
		k.repeats--
	}
	if b.needs.Deadline {
		k.unsure = false
	}
}

// rivals is what a lane knows of those of other replicas that sell the same drop. The row lock lets one in after the
// other, but a batch that begins behind a COMMIT is there before those who wait: among rivals no batch does.
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
