package store

import (
	"context"
	"iter"

	"sneakerdrop/internal/drop"
)

// PaymentNumbers is how many numbers of payments a server takes at once. The schemas repeat it.
const PaymentNumbers = 64

// Payments is what the server knows of buyers' payments.
type Payments interface {
	// NextPayments returns the first of PaymentNumbers consecutive numbers that no payment has, and gives none of them
	// again. Payments are stored by batches; see drop.StartPayment.
	NextPayments(ctx context.Context) (drop.PaymentID, error)
	// drop.Payment returns a payment. found reports whether there is one.
	Payment(ctx context.Context, id drop.PaymentID) (p drop.Payment, found bool, err error)
	// ReplacePayment stores a payment in place of old, if it is still exactly old. done reports whether it was.
	ReplacePayment(ctx context.Context, old, to drop.Payment) (done bool, err error)
	// PaymentsFor returns the payments that claimed those reservations, in their order. There is at most one for each.
	PaymentsFor(ctx context.Context, units []drop.ReservationID) ([]drop.Payment, error)
	// PaymentsOfDrop passes all payments for a drop's reservations to each, in any order, as of one moment. An error of
	// each ends it and is returned unchanged.
	PaymentsOfDrop(ctx context.Context, id drop.ID, each func(drop.Payment) error) error
	// UnsettledPayments returns at most limit unsettled payments after that one, in ascending order of their numbers.
	UnsettledPayments(ctx context.Context, after drop.PaymentID, limit int) ([]drop.Payment, error)
	// DuePayments returns at most limit of those that are due at a moment or before.
	DuePayments(ctx context.Context, now drop.Time, after drop.PaymentID, limit int) ([]drop.Payment, error)
	// NewestPayments returns at most limit payments before that one, newest first. With before 0 it starts at the
	// newest.
	NewestPayments(ctx context.Context, before drop.PaymentID, limit int) ([]drop.Payment, error)
}

// AllPayments goes through a list of payments page by page. read reads a page, as UnsettledPayments does. After an
// error it ends.
func AllPayments(ctx context.Context, read func(ctx context.Context, after drop.PaymentID, limit int) ([]drop.Payment, error)) iter.Seq2[*drop.Payment, error] {
	const limit = 1000
	return func(yield func(*drop.Payment, error) bool) {
		for after := drop.PaymentID(0); ; {
			page, err := read(ctx, after, limit)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page {
				after = page[i].ID
				if !yield(&page[i], nil) {
					return
				}
			}
			if len(page) < limit {
				return
			}
		}
	}
}
