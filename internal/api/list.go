package api

import (
	"compress/gzip"
	"net/http"
	"sync"
	"sync/atomic"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/negotiate"
)

// list keeps the encoded answer of GET /api/drops until a drop changes.
type list struct {
	making  sync.Mutex // one goroutine encodes; the others use its result
	current atomic.Pointer[listing]
}

// listing is the list of drops at one generation of the engine's views, or a later one.
type listing struct {
	*negotiate.Body

	generation uint64
	until      drop.Time // when the phase of a draw in it changes; 0: never
}

// at returns a listing that includes everything committed before the call. It reads the generation before the views:
// the other way around, the generation could include a change that the views do not show yet.
func (l *list) at(e *engine.Engine, encode func(*engine.View) []byte) *listing {
	generation := e.Generation()
	if have := l.current.Load(); have.fits(e, generation) {
		return have
	}
	l.making.Lock()
	defer l.making.Unlock()
	if have := l.current.Load(); have.fits(e, generation) {
		return have
	}
	generation = e.Generation()
	now, until, views := e.Now(), drop.Time(0), e.Views()
	parts := make([][]byte, len(views))
	for i, v := range views {
		if turn := nextPhase(&v.Drop, now); turn != 0 && (until == 0 || turn < until) {
			until = turn
		}
		parts[i] = encode(v)
	}
	made := &listing{generation: generation, until: until, Body: negotiate.NewBody(jsonType[0], joinArray(parts), gzip.BestSpeed)}
	l.current.Store(made)
	return made
}

// fits reports whether a listing can be the answer to a call that came when the views had that generation.
func (l *listing) fits(e *engine.Engine, generation uint64) bool {
	return l != nil && l.generation >= generation && (l.until == 0 || e.Now() < l.until)
}

func (a *api) listDrops(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-cache")
	a.list.at(a.engine, a.encoded).ServeHTTP(w, r)
	return nil
}
