package api

import (
	"cmp"

	"sneakerdrop/internal/drop"
)

// paymentAnswer is a payment, as everybody who may see it gets it.
type paymentAnswer struct {
	ID     drop.PaymentID `json:"id"`
	Status string         `json:"status" enum:"open,pending,claimed,captured,voided,refunded,failed" doc:"open: the buyer can pay. pending: the money is on its way. claimed: it is being taken. captured: it is taken, and the unit is sold. voided and refunded: there was no unit for it, and the buyer has it back. failed: the buyer did not pay"`
	// Unsettled is also true while a refund waits for the provider.
	Unsettled bool    `json:"unsettled" doc:"Whether the server still waits for the buyer or the provider. If refunded is above 0: whether the provider has not confirmed a refund"`
	Amount    price   `json:"amount"`
	Currency  string  `json:"currency" doc:"ISO 4217 code"`
	Refunded  price   `json:"refunded" doc:"How much of amount is refunded, or will be"`
	Provider  string  `json:"provider" doc:"Who takes the money: stripe, external or demo"`
	Number    *string `json:"number" doc:"The provider's number. null: not known yet"`
	ExpiresAt instant `json:"expires_at" doc:"The buyer can pay until then"`
	CreatedAt instant `json:"createdAt"`
}

// answerPayment writes a payment. The number is the one that the provider shows to people, if there is one.
func answerPayment(p *drop.Payment) *paymentAnswer {
	return &paymentAnswer{
		ID: p.ID, Status: p.State, Unsettled: p.Unsettled, Amount: price(p.Amount), Currency: p.Currency, Refunded: price(p.Refunded),
		Provider: p.Provider, Number: unlessZero(new(cmp.Or(p.Receipt, p.Number))),
		ExpiresAt: instant(p.ExpiresAt), CreatedAt: instant(p.CreatedAt),
	}
}
