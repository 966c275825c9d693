package api

import (
	"compress/gzip"
	"net/http"
	"sync"
	"sync/atomic"

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
}

// at returns a listing that includes everything committed before the call. It reads the generation before the views:
// the other way around, the generation could include a change that the views do not show yet.
func (l *list) at(e *engine.Engine, encode func(*engine.View) []byte) *listing {
	generation := e.Generation()
	if have := l.current.Load(); have != nil && have.generation >= generation {
		return have
	}
	l.making.Lock()
	defer l.making.Unlock()
	if have := l.current.Load(); have != nil && have.generation >= generation {
		return have
	}
	generation = e.Generation()
	views := e.Views()
	parts := make([][]byte, len(views))
	for i, v := range views {
		parts[i] = v.Encoded(encode)
	}
	made := &listing{generation: generation, Body: negotiate.NewBody(jsonType[0], joinArray(parts), gzip.BestSpeed)}
	l.current.Store(made)
	return made
}

func (a *api) listDrops(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-cache")
	a.list.at(a.engine, a.encodeDrop).ServeHTTP(w, r)
	return nil
}
