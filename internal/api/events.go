package api

import (
	"net/http"
	"reflect"

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

// What the events say that package live encodes. A reservation_update has what a reservationAnswer has.
type (
	stockUpdate struct {
		DropID    drop.ID      `json:"dropId"`
		Available int64        `json:"available_stock" doc:"Units on sale"`
		Reason    drop.Reason  `json:"reason,omitzero" enum:"created,restocked,reserved,reservation_expired,reservation_cancelled" doc:"Why the stock moved last. Absent in the state that comes first, and where nothing moved: the drop is shown again"`
		Version   int64        `json:"version" doc:"Grows with every change of the drop: what has a lower one is older"`
		Sizes     []sizeAnswer `json:"sizes,omitempty" nullable:"false" doc:"Absent for a drop without sizes"`
	}
	dropUpdate struct {
		DropID  drop.ID `json:"dropId"`
		Paused  bool    `json:"paused"`
		Version int64   `json:"version" doc:"Grows with every change of the drop: what has a lower one is older"`
	}
	purchaseComplete struct {
		DropID     drop.ID         `json:"dropId"`
		UserID     int64           `json:"userId" doc:"The buyer. Where buyers sign in, everybody is told a number from 4503599627370496 on in its place, which no buyer has; a buyer who signed in over Socket.IO is told of its own purchases once more, with its own number"`
		PurchaseID drop.PurchaseID `json:"purchaseId"`
	}
)

func (a *api) eventRoutes() []route {
	if a.streams == nil {
		return nil
	}
	return []route{{
		method: http.MethodGet, path: dropsPath + "/events", serve: a.events, streams: true,
		id: "events", access: anybody, tag: tagDrops, summary: "Follow the stock as it moves",
		text: "Server-Sent Events, the same as over Socket.IO: stock_update (its data is a StockUpdate), drop_update (DropUpdate) and " +
			"purchase_complete (PurchaseComplete). First comes the current state, then each change, at most 40 a second; what a later event " +
			"makes worthless may be left out. Over Socket.IO, a buyer who signed in also gets reservation_update (Reservation) of its own " +
			"reservations. The schema and the example of the answer are of one event's data.",
		params: []*huma.Param{{
			Name: "drop", In: "query", Description: "Of this drop only", Example: 1,
			Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0), Maximum: new(float64(drop.MaxID))},
		}},
		media:  "text/event-stream",
		events: []reflect.Type{reflect.TypeFor[stockUpdate](), reflect.TypeFor[dropUpdate](), reflect.TypeFor[purchaseComplete]()},
		mediaExample: `{"dropId":1,"available_stock":47,"reason":"reserved","version":8,` +
			`"sizes":[{"size":"9.5","total_stock":50,"available_stock":47}]}`,
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
