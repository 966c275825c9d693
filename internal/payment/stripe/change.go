package stripe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	sdk "github.com/stripe/stripe-go/v85"

	"sneakerdrop/internal/payment"
)

// Close implements payment.Provider.
func (p *Provider) Close(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	action := "close " + name(ref)
	if ref.ID == 0 || !strings.HasPrefix(ref.Number, "cs_") {
		s, f, err := p.touch(ctx, ref, action)
		if err != nil || f.State != payment.Open {
			return f, err
		}
		ref = payment.Ref{ID: f.ID, Number: s.ID}
	}
	s, err := post(ctx, p.key(ref.ID, "close", ref.Number), func(common sdk.Params) (*sdk.CheckoutSession, error) {
		params := &sdk.CheckoutSessionExpireParams{Params: common, Expand: withCharge("payment_intent.")}
		return call[sdk.CheckoutSession](p, http.MethodPost, sdk.FormatURLPath(sessions+"/%s/expire", ref.Number), params)
	})
	if err != nil {
		f, err := p.settle(ctx, ref, p.fault(action, err), payment.Open)
		return f, soft(action, err) // it is still open: perhaps the buyer pays at this moment
	}
	f, err := p.meaning(s, ref)
	if err != nil {
		return payment.Found{}, fmt.Errorf("%s: %w", action, err)
	}
	return f, nil
}

// settle decides what a refusal means. If the payment has left the state in which the call makes sense, somebody was
// faster. Then the answer is what has become of it.
func (p *Provider) settle(ctx context.Context, ref payment.Ref, refusal error, before payment.State) (payment.Found, error) {
	if _, ok := errors.AsType[*payment.RefusedError](refusal); !ok {
		return payment.Found{}, refusal
	}
	f, err := p.Find(ctx, ref)
	if err == nil && f.State == before {
		err = refusal
	}
	if err != nil {
		return payment.Found{}, err
	}
	return f, nil
}

// Capture implements payment.Provider. It is a *payment.RefusedError if no money is set aside. While the money is on
// its way, it is another error.
func (p *Provider) Capture(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	action := "capture " + name(ref)
	s, f, err := p.touch(ctx, ref, action)
	if err == nil && f.State == payment.Authorised {
		key := p.key(f.ID, "capture", s.PaymentIntent.ID)
		intent, fault := post(ctx, key, func(common sdk.Params) (*sdk.PaymentIntent, error) {
			params := &sdk.PaymentIntentCaptureParams{Params: common, Expand: withCharge("")}
			return call[sdk.PaymentIntent](p, http.MethodPost, sdk.FormatURLPath(intents+"/%s/capture", s.PaymentIntent.ID), params)
		})
		f, err = p.now(ctx, s, intent, action, fault)
	}
	switch {
	case err != nil:
		return payment.Found{}, err
	case f.State == payment.Captured:
		return f, nil
	case f.State == payment.Pending:
		return payment.Found{}, fmt.Errorf("%s: the money is on its way", action)
	case f.State == payment.Authorised:
		return payment.Found{}, fmt.Errorf("%s: it is %s", action, f.State)
	}
	return payment.Found{}, &payment.RefusedError{Code: string(f.State), Reason: "no money is set aside to capture"}
}

// now is what a payment is after a call that gave its payment intent, or an error.
func (p *Provider) now(
	ctx context.Context, s *sdk.CheckoutSession, intent *sdk.PaymentIntent, action string, fault error,
) (payment.Found, error) {
	if fault != nil {
		ref := payment.Ref{ID: p.owner(s.Metadata), Number: s.ID}
		return p.settle(ctx, ref, p.fault(action, fault), payment.Authorised)
	}
	after := *s
	after.PaymentIntent = intent
	f, err := p.found(&after)
	if err != nil {
		return payment.Found{}, fmt.Errorf("%s: %w", action, err)
	}
	return f, nil
}

// Void implements payment.Provider. It closes a checkout that nobody has paid.
func (p *Provider) Void(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	action := "void " + name(ref)
	s, f, err := p.touch(ctx, ref, action)
	switch {
	case err == nil && f.State == payment.Open:
		f, err = p.Close(ctx, ref)
	case err == nil && f.State == payment.Authorised:
		key := p.key(f.ID, "void", s.PaymentIntent.ID)
		intent, fault := post(ctx, key, func(common sdk.Params) (*sdk.PaymentIntent, error) {
			params := &sdk.PaymentIntentCancelParams{Params: common, Expand: withCharge("")}
			return call[sdk.PaymentIntent](p, http.MethodPost, sdk.FormatURLPath(intents+"/%s/cancel", s.PaymentIntent.ID), params)
		})
		f, err = p.now(ctx, s, intent, action, fault)
	}
	switch {
	case err != nil:
		return payment.Found{}, err
	case f.State == payment.Captured:
		return payment.Found{}, &payment.RefusedError{Code: string(f.State), Reason: "the money is captured: refund it"}
	case f.State == payment.Pending:
		return payment.Found{}, fmt.Errorf("%s: the money is on its way", action)
	case f.State.Final():
		return f, nil
	}
	return payment.Found{}, fmt.Errorf("%s: it is %s", action, f.State)
}

// Refund implements payment.Provider. Stripe makes a refund without end once: it finds one of the same key among the
// payment's refunds. It is a *payment.RefusedError if that one has another amount or has failed.
func (p *Provider) Refund(ctx context.Context, ref payment.Ref, refund payment.Refund) (payment.Found, error) {
	action := "refund " + name(ref)
	s, f, err := p.touch(ctx, ref, action)
	switch {
	case err != nil:
		return payment.Found{}, err
	case f.State == payment.Pending:
		return payment.Found{}, fmt.Errorf("%s: the money is on its way", action)
	case f.State != payment.Captured:
		return payment.Found{}, &payment.RefusedError{Code: string(f.State), Reason: "no money was captured, so there is nothing to refund"}
	}
	amount, err := toStripe(refund.Amount, f.Currency)
	if err != nil {
		return payment.Found{}, err
	}
	made, err := p.refund(ctx, s, refund, amount)
	e, answered := errors.AsType[*sdk.Error](err)
	switch {
	case answered && e.Code == sdk.ErrorCodeChargeAlreadyRefunded: // all of it
	case err != nil:
		return payment.Found{}, p.fault(action, err)
	case made.Amount != amount:
		return payment.Found{}, &payment.RefusedError{
			Code: string(sdk.ErrorTypeIdempotency), Reason: "a refund under the same key was made with another amount",
		}
	case made.Status == sdk.RefundStatusFailed || made.Status == sdk.RefundStatusCanceled:
		return payment.Found{}, &payment.RefusedError{
			Code: "refund_" + string(made.Status), Reason: "the refund did not reach the buyer: " + string(made.FailureReason),
		}
	}
	return p.Find(ctx, payment.Ref{ID: f.ID, Number: s.ID})
}

// refund returns the payment's refund with a key, which it makes if there is none.
func (p *Provider) refund(
	ctx context.Context, s *sdk.CheckoutSession, refund payment.Refund, amount int64,
) (*sdk.Refund, error) {
	digest := sha256.Sum256([]byte(refund.Key)) // a key may be longer than Stripe takes
	key := hex.EncodeToString(digest[:])
	made, err := p.madeRefund(ctx, s.PaymentIntent.ID, key)
	if err != nil || made != nil {
		return made, err
	}
	owner := p.owner(s.Metadata)
	metadata := p.label(owner)
	metadata[keyRefund] = key
	if refund.Reason != "" {
		metadata[keyReason] = strings.ToValidUTF8(refund.Reason[:min(len(refund.Reason), longestValue)], "")
	}
	return post(ctx, p.key(owner, "refund", key), func(common sdk.Params) (*sdk.Refund, error) {
		return call[sdk.Refund](p, http.MethodPost, refunds, &sdk.RefundCreateParams{
			Params: common, PaymentIntent: &s.PaymentIntent.ID, Amount: &amount, Metadata: metadata,
		})
	})
}

// madeRefund returns a payment's refund with a key, or nil if there is none.
func (p *Provider) madeRefund(ctx context.Context, intent, key string) (*sdk.Refund, error) {
	params := &sdk.RefundListParams{PaymentIntent: &intent}
	params.Limit = sdk.Int64(pageSize)
	for {
		page := &sdk.RefundList{}
		if err := p.read(ctx, refunds, params, page); err != nil {
			return nil, err
		}
		for _, made := range page.Data {
			if made.Metadata[keyRefund] == key {
				return made, nil
			}
			params.StartingAfter = &made.ID
		}
		if !page.HasMore || len(page.Data) == 0 {
			return nil, nil
		}
	}
}
