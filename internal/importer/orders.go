package importer

import (
	"slices"
	"strings"

	"sneakerdrop/internal/drop"
)

// orders are the reservations and purchases of one drop.
type orders struct {
	books     *books
	all       []*held // in the order of their numbers in the source
	byID      map[int64]*held
	unpaid    map[kind][]*held      // oldest first
	purchases []*bought             // oldest first
	made      map[drop.UserID]*held // the newest reservation that was made for a purchase without one
	over      int64                 // holds past their end that the source has not expired yet
}

// kind is what a purchase looks for: its buyer's reservations with one status.
type kind struct {
	user   drop.UserID
	status drop.Status
}

// held is one of the source's reservations, on its way to becoming one of ours.
type held struct {
	id      int64 // in the source; 0 if made here
	user    drop.UserID
	status  drop.Status
	created drop.Time
	expires drop.Time
	updated drop.Time
	paid    *bought
}

// bought is one of the source's purchases.
type bought struct {
	id          int64 // in the source; 0 if made here
	user        drop.UserID
	reservation *int64
	at          drop.Time
	pays        *held // the reservation that it paid for, or duplicates
}

func newOrders(b *books) *orders {
	return &orders{books: b, byID: make(map[int64]*held), unpaid: make(map[kind][]*held), made: make(map[drop.UserID]*held)}
}

var statuses = map[string]drop.Status{
	"active": drop.Active, "completed": drop.Completed, "expired": drop.Expired, "cancelled": drop.Cancelled, "canceled": drop.Cancelled,
}

func (o *orders) addReservation(r *sourceReservation) {
	status, ok := statuses[strings.ToLower(value(r.status))]
	if !ok {
		o.books.stopf("reservation %d has the status %q; the known ones are active, completed, expired and cancelled", r.id, value(r.status))
		return
	}
	h := &held{id: r.id, user: o.books.buyer(r.user, "reservation", r.id), status: status}
	switch {
	case r.created != nil && r.expires != nil:
		h.created, h.expires = *r.created, *r.expires
	case r.expires != nil:
		h.created, h.expires = *r.expires-holdMillis, *r.expires
	case r.created != nil:
		h.created, h.expires = *r.created, *r.created+holdMillis
	default:
		o.books.stopf("reservation %d must have an expires_at", r.id)
		return
	}
	if h.created > o.books.now {
		o.books.report.addf(FutureTime, "reservation %d", r.id)
		h.created = o.books.now
	}
	h.updated = h.expires
	if r.updated != nil {
		h.updated = *r.updated
	}
	o.all = append(o.all, h)
	o.byID[h.id] = h
	k := kind{user: h.user, status: h.status}
	o.unpaid[k] = append(o.unpaid[k], h)
}

func (o *orders) addPurchase(p *sourcePurchase) {
	b := &bought{id: p.id, user: o.books.buyer(p.user, "purchase", p.id), reservation: p.reservation, at: o.books.now}
	if p.created != nil {
		b.at = *p.created
	}
	if b.at > o.books.now {
		o.books.report.addf(FutureTime, "purchase %d", p.id)
		b.at = o.books.now
	}
	o.purchases = append(o.purchases, b)
}

// write decides what happened to each reservation, and writes reservations and purchases under our numbers.
func (o *orders) write(id drop.ID, price drop.Money, to *drop.Changes) {
	for _, hs := range o.unpaid {
		slices.SortStableFunc(hs, func(a, b *held) int { return inOrder(a.created, b.created, a.id, b.id) })
	}
	slices.SortStableFunc(o.purchases, func(a, b *bought) int { return inOrder(a.at, b.at, a.id, b.id) })
	o.match()
	sold := make([]*held, 0, len(o.purchases))
	rows := make(map[*held]*drop.Reservation, len(o.all))
	for i, h := range o.all {
		r := o.row(h)
		r.ID = drop.NewReservationID(id, uint32(i+1))
		to.Made = append(to.Made, r)
		rows[h] = r
		if h.paid != nil {
			sold = append(sold, h)
		}
	}
	slices.SortStableFunc(sold, func(a, b *held) int { return inOrder(rows[a].EndedAt, rows[b].EndedAt, a.paid.id, b.paid.id) })
	for i, h := range sold {
		r := rows[h]
		to.Purchases = append(to.Purchases, drop.Purchase{
			ID: drop.NewPurchaseID(id, uint32(i+1)), ReservationID: r.ID, UserID: r.UserID, Price: price, CreatedAt: r.EndedAt,
		})
	}
}

// row returns the reservation as we store it. No time is later than the import, and the times are in order.
func (o *orders) row(h *held) *drop.Reservation {
	now := o.books.now
	r := &drop.Reservation{UserID: h.user, Status: h.status, CreatedAt: h.created, ExpiresAt: max(h.expires, h.created)}
	switch h.status {
	case drop.Completed:
		if h.paid.at < h.created {
			o.books.report.addf(MadeLate, "%d", h.id)
			r.CreatedAt = h.paid.at
		}
		r.EndedAt = h.paid.at
	case drop.Cancelled:
		r.EndedAt = min(max(h.updated, h.created), now)
	case drop.Expired:
		r.EndedAt = min(max(h.updated, r.ExpiresAt), now)
		r.ExpiresAt = min(r.ExpiresAt, r.EndedAt)
	case drop.Active:
		if r.ExpiresAt <= now {
			o.over++
			o.books.report.addf(HoldOver, "%d", h.id)
			r.Status, r.EndedAt = drop.Expired, now
		}
	}
	if r.Status != drop.Active {
		r.EndedAt = max(r.EndedAt, 1) // 0, the first moment of 1970, would mean that it has not ended
	}
	return r
}
