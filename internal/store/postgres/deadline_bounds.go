package postgres

import (
	"encoding/json"
	"errors"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// deadlineBounds remembers a lower bound for the ends of each drop's active holds. A batch searches for due holds
// only from there. Earlier holds have ended, but while any session has an old snapshot, the index still contains
// them.
//
// A true bound stays true. Batches expire due holds before anything else, holds begin at their batch's time, that
// time never steps back, and an ended hold stays ended.
//
// Only a database that was restored, or that lost commits in a failover, can contradict a bound. The store therefore
// forgets its bounds if a drop is older than its bound, and after any failed batch. In addition, Pulse searches
// without bounds once a minute. The zero value is ready.
type deadlineBounds struct {
	mu     sync.Mutex
	of     map[drop.ID]deadlineBound
	looked time.Time // when Pulse last searched without bounds
}

// deadlineBound is the bound of the drop created at created, when it was at version. The zero value says nothing.
type deadlineBound struct {
	at, created drop.Time
	version     int64
	// lines says that buyers wait, and where the first of them is.
	lines lineBound
}

// lineBound is where to search for the first entries in lines: in this many sizes, after that entry. Of zero sizes
// nobody waits, as far as is known.
type lineBound struct {
	sizes int
	since drop.EntryID
	// drawn says that a draw gave places in them.
	drawn bool
}

const (
	// maxBounds is how many drops can have a bound. One more, and the store forgets them all.
	maxBounds = 4096
	// unboundedEvery is how often Pulse searches without bounds.
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

// failed forgets all bounds after an error which may mean that the database has another past.
func (b *deadlineBounds) failed(err error) {
	if err != nil && drop.CodeOf(err) == "" && !errors.Is(err, store.ErrKeyUsed) {
		b.forgetAll()
	}
}

// undecided learns from a batch that could not be decided.
func (b *deadlineBounds) undecided(l *loader) {
	if !errors.Is(l.err, errWaiting) {
		b.failed(l.err)
		return
	}
	bound := l.bound
	bound.lines = l.lineBound(drop.NewEntryID(l.state.ID, l.state.LineClosed))
	b.set(l.batch.Of(), bound)
}

// linesAfter returns the bound of the lines for when the batch has taken effect.
func (l *loader) linesAfter() lineBound {
	if l.state.Waiting() == 0 {
		return lineBound{}
	}
	first := l.state.FirstInLine()
	if first == 0 {
		return l.lineBound(max(l.bound.lines.since, drop.NewEntryID(l.state.ID, l.state.LineClosed)))
	}
	return l.lineBound(first - 1)
}

func (l *loader) lineBound(since drop.EntryID) lineBound {
	return lineBound{sizes: len(l.state.Sizes), since: since, drawn: l.state.DrawState.Lined > 0}
}

// all returns the bounds of all drops and, as JSON, those that Pulse uses. Once a minute the latter are empty.
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

// denies reports whether the loaded drop is older than the bound, or another drop.
func (b deadlineBound) denies(d *drop.Drop) bool {
	return b.version != 0 && (d.Version < b.version || d.CreatedAt != b.created)
}

// boundAfter returns the bound for when the batch has taken effect. ended is how many holds the batch has ended.
func (l *loader) boundAfter(ended int) deadlineBound {
	s := &l.state
	if ended < l.dues { // Decide did not end all due holds, whatever the reason
		b := l.bound
		b.lines = l.linesAfter()
		return b
	}
	b := deadlineBound{at: min(l.to, s.LastAt), created: s.CreatedAt, version: s.Version, lines: l.linesAfter()}
	if l.rest != 0 {
		b.at = min(b.at, l.rest)
	}
	return b
}
