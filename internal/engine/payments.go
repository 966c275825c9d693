package engine

import (
	"context"

	"sneakerdrop/internal/drop"
)

// StartPayment keeps a held unit for a buyer who begins to pay. The payment is nil if the reservation has another one,
// or if the command has no row. See drop.StartPayment.
func (e *Engine) StartPayment(ctx context.Context, cmd drop.StartPayment) (drop.Reservation, *drop.Payment, error) {
	cmd.Hold = e.Hold
	result, err := e.do(ctx, cmd.Reservation.Drop(), cmd, Retry{})
	return result.Reservation, result.Payment, notInDrop(err)
}

// ClaimUnit asks for a unit for money that is authorised. See drop.ClaimUnit.
func (e *Engine) ClaimUnit(ctx context.Context, cmd drop.ClaimUnit) (drop.Reservation, error) {
	result, err := e.do(ctx, cmd.Reservation.Drop(), cmd, Retry{})
	return result.Reservation, notInDrop(err)
}

// PurchasePaid is Purchase where buyers pay. It answers with the purchase of a unit that is sold. It refuses to sell
// another with CodePaymentRequired.
func (e *Engine) PurchasePaid(ctx context.Context, id drop.ReservationID, owner drop.UserID, r Retry) (drop.Purchase, error) {
	cmd := drop.MakePurchase{Reservation: id, Owner: owner, Unpaid: true}
	result, err := e.do(ctx, id.Drop(), r.under(id.Drop(), cmd), r)
	r.tell(result.Replayed)
	return result.Purchase, notInDrop(err)
}

// CompletePayment sells the unit of a claim whose money is captured. The payment is nil if none is stored. See
// drop.CompletePayment.
func (e *Engine) CompletePayment(ctx context.Context, cmd drop.CompletePayment) (drop.Purchase, *drop.Payment, error) {
	result, err := e.do(ctx, cmd.Reservation.Drop(), cmd, Retry{})
	return result.Purchase, result.Payment, notInDrop(err)
}

// OrderRefund notes that money of a purchase is to be refunded. The payment is nil if r repeats an earlier call. See
// drop.OrderRefund.
func (e *Engine) OrderRefund(ctx context.Context, cmd drop.OrderRefund, r Retry) (*drop.Payment, error) {
	id := cmd.Purchase.Drop()
	result, err := e.do(ctx, id, r.under(id, cmd), r)
	r.tell(result.Replayed)
	return result.Payment, err
}

// BookRefund notes in the drop's ledger what is refunded of a purchase. See drop.BookRefund.
func (e *Engine) BookRefund(ctx context.Context, cmd drop.BookRefund) (*drop.Payment, error) {
	result, err := e.do(ctx, cmd.Purchase.Drop(), cmd, Retry{})
	return result.Payment, err
}

// ReleaseClaim releases the unit of a claim whose money cannot be captured. See drop.ReleaseClaim.
func (e *Engine) ReleaseClaim(ctx context.Context, cmd drop.ReleaseClaim) (drop.Reservation, error) {
	result, err := e.do(ctx, cmd.Reservation.Drop(), cmd, Retry{})
	return result.Reservation, notInDrop(err)
}

// EndPayment settles a payment that nothing is sold for: it stores to in place of was and releases the claimed unit,
// as drop.EndPayment does. done is false if something else has changed the payment since was was read.
func (e *Engine) EndPayment(ctx context.Context, was, to drop.Payment, until drop.Time) (done bool, err error) {
	end := drop.EndPayment{Was: was, To: to, Unit: was.Unit, Until: until}
	for {
		result, err := e.do(ctx, was.Reservation.Drop(), end, Retry{})
		if err != nil || result.Reservation.ID == 0 {
			return result.Payment != nil, notInDrop(err)
		}
		end.Unit = result.Reservation.Claim
	}
}
