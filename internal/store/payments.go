package store

import (
	"context"

	"sneakerdrop/internal/drop"
)

// Payments is what the server knows of buyers' payments.
type Payments interface {
	// AddPayment stores a payment at the store's time, and returns it with its new number.
	AddPayment(ctx context.Context, p Payment) (Payment, error)
	// Payment returns a payment. found reports whether there is one.
	Payment(ctx context.Context, id drop.PaymentID) (p Payment, found bool, err error)
	// ReplacePayment stores a payment in place of old, if it is still exactly old. done reports whether it was.
	ReplacePayment(ctx context.Context, old, to Payment) (done bool, err error)
	// PaymentsOf returns the payments that buyers began for a reservation, in ascending order of their numbers.
	PaymentsOf(ctx context.Context, id drop.ReservationID) ([]Payment, error)
	// PaymentsFor returns the payments that claimed those reservations, in their order, as of one moment. There is at
	// most one for each.
	PaymentsFor(ctx context.Context, units []drop.ReservationID) ([]Payment, error)
	// UnsettledPayments returns at most limit unsettled payments after that one, in ascending order of their numbers.
	UnsettledPayments(ctx context.Context, after drop.PaymentID, limit int) ([]Payment, error)
	// NewestPayments returns at most limit payments before that one, newest first. With before 0 it starts at the
	// newest.
	NewestPayments(ctx context.Context, before drop.PaymentID, limit int) ([]Payment, error)
}

// Payment is a buyer's payment for a reservation. Package checkout says what its states mean.
type Payment struct {
	ID          drop.PaymentID
	Reservation drop.ReservationID
	User        drop.UserID
	Provider    string
	Number      string // the provider's own number; empty: not known
	Receipt     string // the number that the provider shows to people; empty: there is none
	URL         string // where the buyer pays; empty: not known
	ReturnURL   string
	Email       string
	State       string
	Unsettled   bool // the server still has to do something
	Amount      drop.Money
	Currency    string
	Decimals    int
	Refunded    drop.Money         // refunded, or about to be
	Unit        drop.ReservationID // the reservation that it claimed; 0: none
	Purchase    drop.PurchaseID    // 0: none
	Reason      string             // why nothing was sold, or why the last try failed
	Tries       int                // failed tries since the last success
	DueAt       drop.Time          // when the server does the next step
	ExpiresAt   drop.Time          // the buyer can pay until then
	CreatedAt   drop.Time
}
