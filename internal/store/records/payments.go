package records

import (
	"context"
	"fmt"
	"math"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Payments contains rows of type drop.Payment.
var Payments = table[drop.Payment](Table{Name: "payments", Key: "id", Sequence: "payments_id_seq", Serves: true, Rights: "SELECT, INSERT, UPDATE"},
	number("id", func(p *drop.Payment) *drop.PaymentID { return &p.ID }).numbered(),
	number("reservation_id", func(p *drop.Payment) *drop.ReservationID { return &p.Reservation }).fixed(),
	number("user_id", func(p *drop.Payment) *drop.UserID { return &p.User }).fixed(),
	text("provider", func(p *drop.Payment) *string { return &p.Provider }).needed().fixed(),
	text("number", func(p *drop.Payment) *string { return &p.Number }).orNull(),
	text("receipt", func(p *drop.Payment) *string { return &p.Receipt }).orNull(),
	text("url", func(p *drop.Payment) *string { return &p.URL }).orNull(),
	text("return_url", func(p *drop.Payment) *string { return &p.ReturnURL }).fixed(),
	text("state", func(p *drop.Payment) *string { return &p.State }).needed(),
	flag("unsettled", func(p *drop.Payment) *bool { return &p.Unsettled }),
	number("amount", func(p *drop.Payment) *drop.Money { return &p.Amount }).fixed(),
	text("currency", func(p *drop.Payment) *string { return &p.Currency }).fixed(),
	number("decimals", func(p *drop.Payment) *int { return &p.Decimals }).small().fixed(),
	number("refunded", func(p *drop.Payment) *drop.Money { return &p.Refunded }),
	number("booked", func(p *drop.Payment) *drop.Money { return &p.Booked }),
	number("unit_id", func(p *drop.Payment) *drop.ReservationID { return &p.Unit }).orNull(),
	number("purchase_id", func(p *drop.Payment) *drop.PurchaseID { return &p.Purchase }).orNull(),
	text("reason", func(p *drop.Payment) *string { return &p.Reason }).orNull(),
	number("tries", func(p *drop.Payment) *int { return &p.Tries }),
	number("due_at", func(p *drop.Payment) *drop.Time { return &p.DueAt }),
	number("expires_at", func(p *drop.Payment) *drop.Time { return &p.ExpiresAt }).fixed(),
	number("created_at", func(p *drop.Payment) *drop.Time { return &p.CreatedAt }).timed().fixed(),
)

// NextPayments implements store.Store.
func (s Store) NextPayments(ctx context.Context) (drop.PaymentID, error) {
	first, err := s.engine.Numbers(ctx, "take numbers of payments", Payments, store.PaymentNumbers)
	return drop.PaymentID(first), err
}

// Payment implements store.Store.
func (s Store) Payment(ctx context.Context, id drop.PaymentID) (p drop.Payment, found bool, err error) {
	p.ID = id
	found, err = s.one(ctx, fmt.Sprintf("read payment %d", id), Payments, Payments.Column("id"), &p)
	return p, found, err
}

// ReplacePayment implements store.Store.
func (s Store) ReplacePayment(ctx context.Context, old, to drop.Payment) (done bool, err error) {
	return s.engine.Swap(ctx, fmt.Sprintf("change payment %d", old.ID), Payments, &old, &to)
}

// PaymentsFor implements store.Store. A reservation names the payment that claimed it, so each is found by its key.
func (s Store) PaymentsFor(ctx context.Context, units []drop.ReservationID) ([]drop.Payment, error) {
	claimed := make([]*[]drop.PaymentID, len(units))
	queries := make([]Query, len(units))
	for i, id := range units {
		queries[i] = OfUnit(id)
		claimed[i] = list(&queries[i], new(drop.Reservation), func(r *drop.Reservation) drop.PaymentID { return r.Payment })
	}
	if err := s.read(ctx, "read which payments claimed reservations", queries); err != nil {
		return nil, err
	}
	var paid []Query
	var all []drop.Payment
	for i, numbers := range claimed {
		for _, id := range *numbers {
			if id == 0 {
				continue
			}
			p := new(drop.Payment)
			by := Payments.Column("id")
			paid = append(paid, Query{Table: Payments, Where: by, Is: by.Of(&drop.Payment{ID: id}), AnyOrder: true, Row: p, Each: func() error {
				if p.Unit == units[i] { // else its buyer has only begun to pay
					all = append(all, *p)
				}
				return nil
			}})
		}
	}
	err := s.read(ctx, "read the payments for reservations", paid)
	return all, err
}

// read is Read for any number of queries.
func (s Store) read(ctx context.Context, op string, queries []Query) error {
	if len(queries) == 0 {
		return nil
	}
	return s.engine.Read(ctx, op, queries...)
}

// PaymentsOfDrop implements store.Store.
func (s Store) PaymentsOfDrop(ctx context.Context, id drop.ID, each func(drop.Payment) error) error {
	q := OfDrop(id)
	p := new(drop.Payment)
	q.Row, q.Each = p, func() error { return each(*p) }
	return s.engine.Read(ctx, fmt.Sprintf("read the payments of drop %d", id), q)
}

// OfDrop asks for the payments for a drop's reservations, whose numbers begin with the drop's.
func OfDrop(id drop.ID) Query {
	by := Payments.Column("reservation_id")
	return Query{
		Table: Payments, AtLeast: by, Least: int64(drop.NewReservationID(id, 0)), AtMost: by, Most: int64(drop.NewReservationID(id, math.MaxUint32)),
		AnyOrder: true,
	}
}

// UnsettledPayments implements store.Store.
func (s Store) UnsettledPayments(ctx context.Context, after drop.PaymentID, limit int) ([]drop.Payment, error) {
	q := unsettled(after, limit)
	found := list(&q, new(drop.Payment), one)
	err := s.engine.Read(ctx, "read the unsettled payments", q)
	return *found, err
}

func unsettled(after drop.PaymentID, limit int) Query {
	by := Payments.Column("unsettled")
	return Query{Table: Payments, Where: by, Is: by.Of(&drop.Payment{Unsettled: true}), Page: &Page{From: int64(after), Limit: limit}}
}

// OfUnit asks for a reservation, which names the payment that claimed it.
func OfUnit(id drop.ReservationID) Query {
	by := Reservations.Column("id")
	return Query{Table: Reservations, Of: id.Drop(), Where: by, Is: by.Of(&drop.Reservation{ID: id}), AnyOrder: true}
}

// Due asks for the payments that are due at a moment; see store.Payments.DuePayments.
func Due(now drop.Time, after drop.PaymentID, limit int) Query {
	q := unsettled(after, limit)
	q.AtMost, q.Most = Payments.Column("due_at"), int64(now)
	return q
}

// DuePayments implements store.Store.
func (s Store) DuePayments(ctx context.Context, now drop.Time, after drop.PaymentID, limit int) ([]drop.Payment, error) {
	q := Due(now, after, limit)
	found := list(&q, new(drop.Payment), one)
	err := s.engine.Read(ctx, "read the payments that are due", q)
	return *found, err
}

// NewestPayments implements store.Store.
func (s Store) NewestPayments(ctx context.Context, before drop.PaymentID, limit int) ([]drop.Payment, error) {
	q := Query{Table: Payments, Page: Before(int64(before), limit)}
	found := list(&q, new(drop.Payment), one)
	err := s.engine.Read(ctx, "read the payments", q)
	return *found, err
}

func one(p *drop.Payment) drop.Payment { return *p }
