package stores

import (
	"context"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// WithoutCheckout is a store in whose lanes payments claim and buy units, without the checkout that keeps their rows.
// It has the rows that the checkout would have of those that bought.
type WithoutCheckout struct{ store.Store }

// PaymentsOfDrop implements store.Payments.
func (s WithoutCheckout) PaymentsOfDrop(ctx context.Context, id drop.ID, each func(drop.Payment) error) error {
	books, err := ReadBooks(ctx, s.Store, id)
	if err != nil {
		return err
	}
	sold := make(map[drop.ReservationID]drop.Purchase)
	for _, p := range books.Purchases {
		sold[p.ReservationID] = p
	}
	late := make(map[drop.ReservationID]bool)
	for _, r := range books.Reservations {
		late[r.Claim] = late[r.Claim] || r.Claim != r.ID
		sale, found := sold[r.Claim]
		if !found || r.Claim == r.ID && late[r.ID] { // the expired one comes first
			continue
		}
		if err := each(drop.Payment{
			ID: r.Payment, Reservation: r.ID, User: r.UserID, Provider: "test", State: drop.PaymentCaptured, Amount: sale.Price, Currency: "EUR",
			Decimals: 2, Unit: r.Claim, Purchase: sale.ID, CreatedAt: r.CreatedAt,
		}); err != nil {
			return err
		}
	}
	return nil
}
