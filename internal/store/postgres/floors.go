package postgres

import (
	"encoding/json"
	"errors"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// floors remembers for each drop a moment that no active hold ends before. A batch looks up due holds from there on: what lies
// before it are holds that have ended, and while any session holds an old snapshot each of them is still in the index.
//
// A floor that was true stays true. Batches end what is due before they do anything else, holds begin at the time of their batch,
// that time never steps back, and what has ended stays ended. Only a database that was put back, or lost commits in a failover, has
// another past: a drop that is older than its floor, and any failure of a batch, ends what is remembered. And Pulse looks without
// floors once a minute. The zero value is ready.
type floors struct {
	mu     sync.Mutex
	of     map[drop.ID]floor
	looked time.Time // when Pulse last looked without
}

// floor is of a drop made at created, as it was at version. The zero value says nothing.
type floor struct {
	at, created drop.Time
	version     int64
}

const (
	// maxFloors bounds the drops that are remembered; where there is one more, all are forgotten.
	maxFloors = 4096
	// distrustFloors is how often Pulse looks without them.
	distrustFloors = time.Minute
)

func (f *floors) get(id drop.ID) floor {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.of[id]
}

func (f *floors) set(id drop.ID, to floor) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.of[id]; f.of == nil || !known && len(f.of) >= maxFloors {
		f.of = make(map[drop.ID]floor)
	}
	f.of[id] = to
}

func (f *floors) forget(id drop.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.of, id)
}

func (f *floors) forgetAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.of = nil
}

// distrust forgets all floors after an error that may mean that the database has another past.
func (s *Store) distrust(err error) {
	if err != nil && drop.CodeOf(err) == "" && !errors.Is(err, store.ErrKeyUsed) {
		s.floors.forgetAll()
	}
}

// all returns the floors of all drops, and as JSON those to go by: none when it is time to distrust them.
func (f *floors) all() (known map[drop.ID]drop.Time, sent []byte, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known = make(map[drop.ID]drop.Time, len(f.of))
	for id, floor := range f.of {
		known[id] = floor.at
	}
	if now := time.Now(); now.Sub(f.looked) >= distrustFloors {
		f.looked = now
		return known, []byte("{}"), nil
	}
	sent, err = json.Marshal(known)
	return known, sent, err
}

// denies reports whether the drop that was loaded is another than the floor is of, or older.
func (f floor) denies(d *drop.Drop) bool {
	return f.version != 0 && (d.Version < f.version || d.CreatedAt != f.created)
}

// floorAfter returns the floor that a batch leaves behind when it has taken effect; ended is how many holds it has ended.
func (l *loader) floorAfter(ended int) floor {
	s := &l.state
	if ended < l.dues { // whatever Decide had in mind: some that are due live on
		return l.floor
	}
	f := floor{at: min(l.to, s.LastAt), created: s.CreatedAt, version: s.Version}
	if l.rest != 0 {
		f.at = min(f.at, l.rest)
	}
	return f
}
