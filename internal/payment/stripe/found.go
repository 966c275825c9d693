package stripe

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	sdk "github.com/stripe/stripe-go/v85"

	"sneakerdrop/internal/payment"
)

// The metadata of sessions, payment intents and refunds. They are stored at Stripe; do not change them.
const (
	keyPayment     = "sneakerdrop_payment"
	keyReservation = "sneakerdrop_reservation"
	keyShop        = "sneakerdrop_shop" // absent if the shop has no name
	keyRefund      = "sneakerdrop_refund"
	keyReason      = "sneakerdrop_reason"
)

// label makes the metadata that names a payment.
func (p *Provider) label(id payment.ID) map[string]string {
	metadata := map[string]string{keyPayment: strconv.FormatInt(int64(id), 10)}
	if p.settings.Shop != "" {
		metadata[keyShop] = p.settings.Shop
	}
	return metadata
}

// owner reads the payment from metadata. It is 0 if the metadata names none of this shop.
func (p *Provider) owner(metadata map[string]string) payment.ID {
	id, err := strconv.ParseInt(metadata[keyPayment], 10, 64)
	if err != nil || id < 1 || metadata[keyShop] != p.settings.Shop {
		return 0
	}
	return payment.ID(id)
}

// found says what a session with its payment intent and charge means. The session must have been asked for with
// withCharge.
func (p *Provider) found(s *sdk.CheckoutSession) (payment.Found, error) {
	f := payment.Found{ID: p.owner(s.Metadata), Number: s.ID}
	intent := s.PaymentIntent
	if intent == nil { // Stripe makes one when the buyer confirms
		switch s.Status {
		case sdk.CheckoutSessionStatusOpen:
			f.State = payment.Open
		case sdk.CheckoutSessionStatusExpired:
			f.State, f.Reason = payment.Failed, "the checkout expired"
		default:
			return payment.Found{}, fmt.Errorf("read the Stripe session %s: it is %q without a payment intent", s.ID, s.Status)
		}
		return f, nil
	}
	f.Receipt = intent.ID
	var amount int64
	switch intent.Status {
	case sdk.PaymentIntentStatusProcessing:
		f.State = payment.Pending
	case sdk.PaymentIntentStatusRequiresCapture:
		f.State, amount = payment.Authorised, intent.AmountCapturable
	case sdk.PaymentIntentStatusSucceeded:
		f.State, amount = payment.Captured, intent.AmountReceived
	case sdk.PaymentIntentStatusCanceled:
		f.State, f.Reason = payment.Failed, unpaid(intent, "the payment was canceled")
		if c := intent.LatestCharge; c != nil && c.Status == sdk.ChargeStatusSucceeded {
			f.State, f.Reason, amount = payment.Voided, "", c.Amount
		}
	case sdk.PaymentIntentStatusRequiresAction, sdk.PaymentIntentStatusRequiresConfirmation,
		sdk.PaymentIntentStatusRequiresPaymentMethod:
		f.State, f.Reason = waiting(s)
	default:
		return payment.Found{}, fmt.Errorf("read the Stripe payment intent %s: its status is %q", intent.ID, intent.Status)
	}
	if err := fill(&f, intent, amount); err != nil {
		return payment.Found{}, fmt.Errorf("read the Stripe payment intent %s: %w", intent.ID, err)
	}
	return f, nil
}

// waiting is the state while the payment intent waits for the buyer.
func waiting(s *sdk.CheckoutSession) (payment.State, string) {
	switch {
	case s.Status == sdk.CheckoutSessionStatusOpen:
		return payment.Open, ""
	case s.Status == sdk.CheckoutSessionStatusExpired:
		return payment.Failed, unpaid(s.PaymentIntent, "the checkout expired")
	case s.PaymentIntent.Status == sdk.PaymentIntentStatusRequiresPaymentMethod:
		// The checkout is complete, and the money did not come.
		return payment.Failed, unpaid(s.PaymentIntent, "the payment failed")
	}
	return payment.Pending, "" // the buyer has, for example, a voucher to pay at a shop
}

// unpaid is why no money came, in Stripe's words if it has any.
func unpaid(intent *sdk.PaymentIntent, otherwise string) string {
	if e := intent.LastPaymentError; e != nil && e.Msg != "" {
		return e.Msg
	}
	return otherwise
}

// fill adds the amounts to f, if there are any.
func fill(f *payment.Found, intent *sdk.PaymentIntent, amount int64) (err error) {
	if f.State != payment.Captured && f.State != payment.Authorised && f.State != payment.Voided {
		return nil
	}
	charge := intent.LatestCharge
	if charge == nil || charge.Status == "" {
		return errors.New("it has money, and no charge")
	}
	f.Currency = strings.ToUpper(string(intent.Currency))
	f.Disputed = charge.Disputed
	if f.Amount, err = fromStripe(amount, f.Currency); err != nil || f.State != payment.Captured {
		return err // a charge whose authorisation was given up has a refund too, which nobody got
	}
	f.Refunded, err = fromStripe(charge.AmountRefunded, f.Currency)
	return err
}
