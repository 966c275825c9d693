package api

import (
	"context"
	"net/http"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
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
	// A caller who goes away wants the refund all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), a.timeout.after)
	defer cancel()
	answer, err := a.refund(ctx, id, &in, retry)
	if err != nil {
		return err
	}
	made(w, "payment", int64(answer.Payment.ID))
	writeJSON(w, answer)
	return nil
}

// refund refunds a part of a purchase's money, or all that is left.
func (a *api) refund(ctx context.Context, id drop.PurchaseID, in *refundRequest, retry engine.Retry) (*purchaseAnswer, error) {
	sale, err := a.sale(ctx, id) // first, because once money moves the answer must not fail
	if err != nil {
		return nil, err
	}
	paid, err := a.checkout.ForSales(ctx, []drop.ReservationID{sale.ReservationID})
	if err != nil {
		return nil, err
	}
	before, found := paid[sale.ReservationID]
	if !found {
		return nil, &drop.Error{Code: codePaymentNotFound, Rule: "The unit was not paid for here; refund the buyer where they paid"}
	}
	var sum drop.Money // 0: all that is left
	if in.Amount != nil {
		if sum, err = moneyIn(&drop.Currency{Code: before.Currency, Decimals: before.Decimals}, "amount", *in.Amount); err != nil {
			return nil, err
		}
		if sum == 0 {
			return nil, drop.Invalid("amount", "must be above 0; leave it out to refund all that is left")
		}
	}
	p, err := a.checkout.Refund(ctx, drop.OrderRefund{Purchase: id, Payment: before.ID, Amount: sum, Reason: optional(in.Reason)}, retry)
	switch {
	case drop.CodeOf(err) == drop.CodePaymentFailed && p.Reason != "":
		return nil, &drop.Error{Code: drop.CodePaymentFailed, Rule: "The payment provider did not refund it: " + p.Reason}
	case err != nil:
		return nil, err
	}
	answer := answerPurchase(&sale.Purchase)
	answer.Payment = answerPayment(&p)
	return answer, nil
}
