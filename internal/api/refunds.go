package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/shop/checkout"
)

const refundPurchaseID = "refund-purchase"

type refundRequest struct {
	Amount *amount `json:"amount,omitzero" nullable:"true" doc:"Above 0, in the payment's currency; at most what was paid and is not refunded. Left out: all of that"`
	Reason *string `json:"reason,omitzero" maxLength:"500" doc:"Why, for the operators' log"`
}

func (a *api) refundPurchase(w http.ResponseWriter, r *http.Request) error {
	n, err := pathNumber(r)
	if err != nil {
		return err
	}
	id := drop.PurchaseID(n)
	concerns(w, id.Drop())
	in, retry, err := asked[refundRequest](w, r)
	if err != nil {
		return err
	}
	if err := drop.CheckReason(optional(in.Reason)); err != nil {
		return err
	}
	request := fmt.Sprintf("%d %s %q", id, optional(in.Amount), optional(in.Reason))
	return a.newRefunds.serve(w, r, keptCall{refundPurchaseID, retry, request, "payment"}, func() (any, int64, error) {
		// A caller who goes away must find the answer under the key: without it the next call would refund again.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), a.timeout.after)
		defer cancel()
		return a.refund(ctx, id, in.Amount)
	})
}

// refund refunds a part of a purchase's money, or all that is left, and returns the purchase and the number of its
// payment.
func (a *api) refund(ctx context.Context, id drop.PurchaseID, part *amount) (any, int64, error) {
	sale, err := a.sale(ctx, id) // first, because once money moves the answer must not fail
	if err != nil {
		return nil, 0, err
	}
	paid, err := a.checkout.ForSales(ctx, []drop.ReservationID{sale.ReservationID})
	if err != nil {
		return nil, 0, err
	}
	before, found := paid[sale.ReservationID]
	if !found {
		return nil, 0, &drop.Error{Code: codePaymentNotFound, Rule: "The unit was not paid for here; refund the buyer where they paid"}
	}
	var sum drop.Money // 0: all that is left
	if part != nil {
		if sum, err = moneyIn(&drop.Currency{Code: before.Currency, Decimals: before.Decimals}, "amount", *part); err != nil {
			return nil, 0, err
		}
		if sum == 0 {
			return nil, 0, drop.Invalid("amount", "must be above 0; leave it out to refund all that is left")
		}
	}
	p, err := a.checkout.Refund(ctx, id, sum)
	switch underway := p.Unsettled && p.Refunded.TenThousandths() > before.Refunded.TenThousandths(); {
	case errors.Is(err, checkout.ErrProvider) && underway: // Nobody must ask again: the server does, and twice would be two refunds.
	case drop.CodeOf(err) == drop.CodePaymentFailed && p.Reason != "":
		return nil, 0, &drop.Error{Code: drop.CodePaymentFailed, Rule: "The payment provider did not refund it: " + p.Reason}
	case err != nil:
		return nil, 0, err
	}
	answer := answerPurchase(&sale.Purchase)
	answer.Payment = answerPayment(&p)
	return answer, int64(p.ID), nil
}
