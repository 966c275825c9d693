package live

import (
	"strconv"
	"strings"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

// The events that clients receive. Their names are part of the protocol; do not change them.
const (
	StockUpdate      = "stock_update"
	DropUpdate       = "drop_update"
	PurchaseComplete = "purchase_complete"
	// ReservationUpdate goes only to the reservation's buyer.
	ReservationUpdate = "reservation_update"
)

// RoomAll is the room of the clients that watch every drop.
const RoomAll = "drops"

// RoomOf returns the room of the clients that watch one drop.
func RoomOf(id drop.ID) string { return "drop:" + strconv.FormatInt(int64(id), 10) }

// OfDrop reports whether a room is for one drop.
func OfDrop(room string) bool { return strings.HasPrefix(room, "drop:") }

// RoomOfUser returns the room of everything that one buyer signed in with.
func RoomOfUser(id drop.UserID) string { return "user:" + strconv.FormatInt(int64(id), 10) }

// Update is one event, encoded once for all recipients. Its content is absolute, so a later update with the same
// Replace key makes an earlier unsent one unnecessary.
type Update struct {
	Event   string
	Drop    drop.ID
	JSON    []byte // one JSON object
	Replace string // empty: must not be replaced
}

// stockUpdate tells watchers a drop's stock. reason is empty in a snapshot.
func stockUpdate(v *engine.View, reason drop.Reason) Update {
	d := &v.Drop
	b := open(d.ID)
	b = append(b, `,"available_stock":`...)
	b = strconv.AppendInt(b, d.Stock().Available, 10)
	if reason != "" {
		b = append(b, `,"reason":"`...)
		b = append(append(b, reason...), '"')
	}
	b = appendVersion(b, d)
	if d.Sized() {
		b = append(b, `,"sizes":[`...)
		for i := range d.Sizes {
			s := &d.Sizes[i]
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, `{"size":`...)
			b = appendString(b, s.Label)
			b = append(b, `,"total_stock":`...)
			b = strconv.AppendInt(b, s.Stock.Total, 10)
			b = append(b, `,"available_stock":`...)
			b = append(strconv.AppendInt(b, s.Stock.Available, 10), '}')
		}
		b = append(b, ']')
	}
	return Update{Event: StockUpdate, Drop: d.ID, JSON: append(b, '}'), Replace: "stock:" + strconv.FormatInt(int64(d.ID), 10)}
}

// dropUpdate tells watchers that an operator changed a drop or its early access, or that its draw has a result, so that
// they read it again.
func dropUpdate(v *engine.View) Update {
	d := &v.Drop
	b := append(open(d.ID), `,"paused":`...)
	b = strconv.AppendBool(b, d.Paused)
	b = append(appendVersion(b, d), '}')
	return Update{Event: DropUpdate, Drop: d.ID, JSON: b, Replace: "drop:" + strconv.FormatInt(int64(d.ID), 10)}
}

// purchaseComplete tells watchers about a purchase, with the number to show for its buyer.
func purchaseComplete(p *drop.Purchase, buyer int64) Update {
	id := p.ReservationID.Drop()
	b := append(open(id), `,"userId":`...)
	b = strconv.AppendInt(b, buyer, 10)
	b = append(b, `,"purchaseId":`...)
	b = append(strconv.AppendInt(b, int64(p.ID), 10), '}')
	return Update{Event: PurchaseComplete, Drop: id, JSON: b}
}

// reservationUpdate tells a buyer the state of a reservation.
func reservationUpdate(r *drop.Reservation) Update {
	return Update{Event: ReservationUpdate, Drop: r.ID.Drop(), JSON: ReservationJSON(r)}
}

// ReservationJSON encodes a reservation in the same form as the API.
func ReservationJSON(r *drop.Reservation) []byte {
	b := append(make([]byte, 0, 192), `{"id":`...)
	b = strconv.AppendInt(b, int64(r.ID), 10)
	b = append(b, `,"dropId":`...)
	b = strconv.AppendInt(b, int64(r.ID.Drop()), 10)
	b = append(b, `,"userId":`...)
	b = strconv.AppendInt(b, int64(r.UserID), 10)
	b = append(b, `,"status":"`...)
	b = append(b, r.Status.String()...)
	b = append(b, `","expires_at":"`...)
	b = r.ExpiresAt.AppendFormat(b)
	b = append(b, `","createdAt":"`...)
	b = append(r.CreatedAt.AppendFormat(b), '"')
	if r.Size != "" {
		b = appendString(append(b, `,"size":`...), r.Size)
	}
	if r.Offer {
		b = append(b, `,"offer":true`...)
	}
	return append(b, '}')
}

func open(id drop.ID) []byte {
	return strconv.AppendInt(append(make([]byte, 0, 128), `{"dropId":`...), int64(id), 10)
}

func appendVersion(b []byte, d *drop.Drop) []byte {
	return strconv.AppendInt(append(b, `,"version":`...), d.Version, 10)
}

// appendString appends a JSON string. Labels have no control characters (drop.CheckLabel).
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}
