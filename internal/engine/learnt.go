package engine

import "sneakerdrop/internal/drop"

const (
	// maxAhead is how many batches in a row may begin behind the COMMIT of the one before. After that, a lane of
	// another replica that waits for the drop's lock gets its turn.
	maxAhead = 16
	// rivalsFor is for how many batches a lane assumes that others sell the drop, after it has seen another replica's
	// sale.
	rivalsFor = 16
	// repeatsFor is for how many batches with keys a lane looks the keys up, after one batch had a used key or a
	// refusal.
	repeatsFor = 64
)

// learnt is what a lane has learned from its batches and uses for the next ones. Only the lane's goroutine touches
// it.
type learnt struct {
	ahead   int // batches in a row that began behind another's COMMIT
	rivals  rivals
	repeats int // for how many more batches the lane looks keys up
	// lasting is the newest batch that the store has confirmed: see confirm.go.
	lasting drop.BatchID
	// unsure: a batch with an unknown outcome may have made holds, and no batch has looked the deadlines up since.
	// Until one does, the gate refuses nothing.
	unsure bool
}

// learn takes in a batch that has taken effect.
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

// rivals tells whether lanes of other replicas sell the same drop. The row lock admits waiting batches one after the
// other, but a batch that begins behind a COMMIT gets in before them. So among rivals no batch begins that way.
type rivals struct {
	version int64 // version in which this lane left the drop; 0 before the first batch
	batches int   // for how many more batches to assume rivals
}

// found takes the version that a batch found on the drop.
func (r *rivals) found(version int64) {
	if r.version != 0 && version != r.version {
		r.batches = rivalsFor
	}
}

// left takes the version that a batch left on the drop.
func (r *rivals) left(version int64) {
	r.version = version
	r.batches = max(r.batches-1, 0)
}

func (r *rivals) there() bool { return r.batches > 0 }
