package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
)

// Streams sends stock events to clients; see package sse.
type Streams interface {
	// Serve streams to one client until the request's context ends. The client gets the events of one drop, or of all
	// drops if id is 0, and the buyer's private events unless buyer is 0.
	Serve(w http.ResponseWriter, r *http.Request, id drop.ID, buyer drop.UserID) error
	// Count returns the number of open streams.
	Count() int
}

// The data of the events that package live encodes. A reservation_update has the members of reservationAnswer.
type (
	stockUpdate struct {
		DropID    drop.ID      `json:"dropId"`
		Available int64        `json:"available_stock" doc:"Available units"`
		Reason    drop.Reason  `json:"reason,omitzero" enum:"created,restocked,reserved,reservation_expired,reservation_cancelled" doc:"Why the stock last changed. Absent in the first state, and when a hidden drop becomes visible again"`
		Version   int64        `json:"version" doc:"Grows with every change of the drop. A lower version is older"`
		Sizes     []sizeAnswer `json:"sizes,omitempty" nullable:"false" doc:"Absent for a drop without sizes"`
	}
	dropUpdate struct {
		DropID  drop.ID `json:"dropId"`
		Paused  bool    `json:"paused"`
		Version int64   `json:"version" doc:"Grows with every change of the drop. A lower version is older"`
	}
	purchaseComplete struct {
		DropID     drop.ID         `json:"dropId"`
		UserID     int64           `json:"userId" doc:"The buyer. If the shop uses sign-in, watchers get an alias of 4503599627370496 or above instead. Signed-in buyers also get an event with their own number for each of their purchases"`
		PurchaseID drop.PurchaseID `json:"purchaseId"`
	}
)

func (a *api) eventRoutes() []route {
	if a.streams == nil {
		return nil
	}
	rt := route{
		method: http.MethodGet, path: dropsPath + "/events", serve: a.events, streams: true,
		id: "events", access: watchers, tag: tagDrops, summary: "Follow the stock live",
		text: "Server-Sent Events, the same as over Socket.IO: stock_update (data: StockUpdate), drop_update (DropUpdate) and " +
			"purchase_complete (PurchaseComplete). The current state comes first, then each change, at most 40 a second. The server may skip an event " +
			"that a later one replaces. The schema and the example of the answer describe the data of one event.",
		params: []*huma.Param{{
			Name: "drop", In: "query", Description: "Only events of this drop, by its id", Example: 1,
			Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0), Maximum: new(float64(drop.MaxID))},
		}},
		media:  "text/event-stream",
		events: []reflect.Type{reflect.TypeFor[stockUpdate](), reflect.TypeFor[dropUpdate](), reflect.TypeFor[purchaseComplete]()},
		mediaExample: `{"dropId":1,"available_stock":47,"reason":"reserved","version":8,` +
			`"sizes":[{"size":"9.5","total_stock":50,"available_stock":47}]}`,
		codes: []drop.Code{drop.CodeInvalid, drop.CodeDropNotFound, codeOverloaded},
	}
	if a.identity != nil {
		rt.text += " With a buyer's token the stream also has what is told to that buyer alone: each reservation_update (Reservation) and each " +
			"purchase_complete with the buyer's own number. It ends when the token does: connect again with a new one."
		rt.events = append(rt.events, reflect.TypeFor[reservationAnswer]())
	}
	return []route{rt}
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
	who := callerOf(w)
	if who.buyer.ID != 0 {
		ctx, cancel := context.WithDeadline(r.Context(), who.until)
		defer cancel()
		r = r.WithContext(ctx)
	}
	return a.streams.Serve(w, r, id, who.buyer.ID)
}
