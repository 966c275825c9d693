package engine

import (
	"context"

	"sneakerdrop/internal/drop"
)

// StartPayment keeps a held unit for a buyer who begins to pay. See drop.StartPayment.
func (e *Engine) StartPayment(ctx context.Context, cmd drop.StartPayment) (drop.Reservation, error) {
	cmd.Hold = e.Hold
	result, err := e.do(ctx, cmd.Reservation.Drop(), cmd, Retry{})
	return result.Reservation, notInDrop(err)
}

// ClaimUnit asks for a unit for money that is authorised. See drop.ClaimUnit.
func (e *Engine) ClaimUnit(ctx context.Context, cmd drop.ClaimUnit) (drop.Reservation, error) {
	result, err := e.do(ctx, cmd.Reservation.Drop(), cmd, Retry{})
	return result.Reservation, notInDrop(err)
}

// CompletePayment sells the unit of a claim whose money is captured. See drop.CompletePayment.
func (e *Engine) CompletePayment(ctx context.Context, cmd drop.CompletePayment) (drop.Purchase, error) {
	result, err := e.do(ctx, cmd.Reservation.Drop(), cmd, Retry{})
	return result.Purchase, notInDrop(err)
}

// ReleaseClaim releases the unit of a claim whose money cannot be captured. See drop.ReleaseClaim.
func (e *Engine) ReleaseClaim(ctx context.Context, cmd drop.ReleaseClaim) (drop.Reservation, error) {
	result, err := e.do(ctx, cmd.Reservation.Drop(), cmd, Retry{})
	return result.Reservation, notInDrop(err)
}
