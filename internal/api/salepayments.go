package api

import (
	"context"
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// paymentColumns are the last columns of an export of purchases, if the server takes payments.
var paymentColumns = []string{"paymentNumber", "paymentAmount", "paymentCurrency", "paymentRefunded", "paymentStatus"}

// withPayments adds those columns.
func (a *api) withPayments(columns []string) []string {
	if a.checkout == nil {
		return columns
	}
	return slices.Concat(columns, paymentColumns)
}

// salePayments are the payments that units were sold for, by the reservations of the sales. It is nil if the server
// takes no payments.
type salePayments map[drop.ReservationID]drop.Payment

// paymentsFor reads the payments of a page of sales at once.
func (a *api) paymentsFor(ctx context.Context, units []drop.ReservationID) (salePayments, error) {
	if a.checkout == nil || len(units) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout.after)
	defer cancel()
	return a.checkout.ForSales(ctx, units)
}

func (a *api) paymentsOf(ctx context.Context, sales []store.Sale) (salePayments, error) {
	units := make([]drop.ReservationID, len(sales))
	for i := range sales {
		units[i] = sales[i].ReservationID
	}
	return a.paymentsFor(ctx, units)
}

// answer returns the payment of a sold unit, or nil if nobody paid for it here.
func (s salePayments) answer(unit drop.ReservationID) *paymentAnswer {
	p, paid := s[unit]
	if !paid {
		return nil
	}
	return answerPayment(&p)
}

// pay sets the payments of a page of answers. of returns a row's reservation, and where its payment goes.
func pay[T any](ctx context.Context, a *api, rows []T, of func(*T) (drop.ReservationID, **paymentAnswer)) error {
	units := make([]drop.ReservationID, len(rows))
	for i := range rows {
		units[i], _ = of(&rows[i])
	}
	paid, err := a.paymentsFor(ctx, units)
	if err != nil {
		return err
	}
	for i := range rows {
		_, to := of(&rows[i])
		*to = paid.answer(units[i])
	}
	return nil
}

// columns returns the cells of paymentColumns, or none if the server takes no payments.
func (s salePayments) columns(unit drop.ReservationID) []string {
	p, paid := s[unit]
	switch {
	case s == nil:
		return nil
	case !paid:
		return make([]string, len(paymentColumns))
	}
	return []string{p.Shown(), p.Amount.String(), p.Currency, p.Refunded.String(), p.State}
}

// harmlessAll makes all cells harmless.
func harmlessAll(cells []string) []string {
	for i, cell := range cells {
		cells[i] = harmless(cell)
	}
	return cells
}
