package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
)

// Streams follow the stock; see package sse.
type Streams interface {
	// Serve streams to one client: what concerns one drop, or with id 0 all.
	Serve(w http.ResponseWriter, r *http.Request, id drop.ID) error
	// Count is how many are open.
	Count() int
}

func (a *api) eventRoutes() []route {
	if a.streams == nil {
		return nil
	}
	return []route{{
		method: http.MethodGet, path: dropsPath + "/events", serve: a.events, streams: true,
		id: "events", access: anybody, tag: tagDrops, summary: "Follow the stock as it moves",
		text: "Server-Sent Events, the same as over Socket.IO: stock_update, drop_update and purchase_complete. First comes the " +
			"current state, then each change, at most 40 a second; what a later event makes worthless may be left out.",
		params: []*huma.Param{{
			Name: "drop", In: "query", Description: "Of this drop only", Example: 1,
			Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0), Maximum: new(float64(drop.MaxID))},
		}},
		media: "text/event-stream",
		codes: []drop.Code{drop.CodeInvalid, drop.CodeDropNotFound, codeOverloaded},
	}}
}

func (a *api) events(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	id := drop.ID(q.number("drop", 1, int(drop.MaxID), 0))
	if q.err != nil {
		return q.err
	}
	if id != 0 {
		if _, err := a.engine.View(r.Context(), id); err != nil {
			return err
		}
	}
	return a.streams.Serve(w, r, id)
}
