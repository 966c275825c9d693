package postgres

import (
	"encoding/json"
	"errors"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// deadlineBounds remembers for each drop a lower bound of the deadlines of its active holds. A batch looks up due
// holds from there on: the holds before it have ended, and while any session has an old snapshot each of them is
// still in the index.
//
// A bound that was true stays true. Batches end what is due before they do anything else, holds begin at the time of
// their batch, that time never steps back, and what has ended stays ended. Only a database that was restored, or lost
// commits in a failover, has another past: a drop that is older than its bound, and any failure of a batch, makes the
// store forget what it remembers. And Pulse looks without bounds once a minute. The zero value is ready.
type deadlineBounds struct {
	mu     sync.Mutex
	of     map[drop.ID]deadlineBound
	looked time.Time // when Pulse last looked without
}

// deadlineBound is of a drop made at created, as it was at version. The zero value says nothing.
type deadlineBound struct {
	at, created drop.Time
	version     int64
}

const (
	// maxBounds is of how many drops a bound is remembered; one more, and all are forgotten.
	maxBounds = 4096
	// unboundedEvery is how often Pulse looks without bounds.
	unboundedEvery = time.Minute
)

func (b *deadlineBounds) get(id drop.ID) deadlineBound {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of[id]
}

func (b *deadlineBounds) set(id drop.ID, to deadlineBound) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.of[id]; b.of == nil || !known && len(b.of) >= maxBounds {
		b.of = make(map[drop.ID]deadlineBound)
	}
	b.of[id] = to
}

func (b *deadlineBounds) forget(id drop.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.of, id)
}

func (b *deadlineBounds) forgetAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.of = nil
}

// failed forgets all bounds after an error that may mean that the database has another past.
func (b *deadlineBounds) failed(err error) {
	if err != nil && drop.CodeOf(err) == "" && !errors.Is(err, store.ErrKeyUsed) {
		b.forgetAll()
	}
}

// all returns the bounds of all drops, and as JSON those that Pulse looks from: none once a minute.
func (b *deadlineBounds) all() (known map[drop.ID]drop.Time, sent []byte, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known = make(map[drop.ID]drop.Time, len(b.of))
	for id, bound := range b.of {
		known[id] = bound.at
	}
	if now := time.Now(); now.Sub(b.looked) >= unboundedEvery {
		b.looked = now
		return known, []byte("{}"), nil
	}
	sent, err = json.Marshal(known)
	return known, sent, err
}

// denies reports whether the drop that was loaded is older than the bound, or another drop.
func (b deadlineBound) denies(d *drop.Drop) bool {
	return b.version != 0 && (d.Version < b.version || d.CreatedAt != b.created)
}

// boundAfter returns the bound once the batch has taken effect; ended is how many holds it has ended.
func (l *loader) boundAfter(ended int) deadlineBound {
	s := &l.state
	if ended < l.dues { // whatever Decide had in mind: some holds that are due live on
		return l.bound
	}
	b := deadlineBound{at: min(l.to, s.LastAt), created: s.CreatedAt, version: s.Version}
	if l.rest != 0 {
		b.at = min(b.at, l.rest)
	}
	return b
}
