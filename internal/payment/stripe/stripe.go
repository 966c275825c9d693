// Package stripe takes payments with Stripe Checkout: Stripe's page takes the buyer's card, authorises the money, and
// the server captures it.
//
// A payment is a Checkout Session in mode payment with manual capture. Its number is the session's, cs_…. Its receipt
// is the payment intent's number, pi_…, by which Stripe's dashboard, exports and reports name it.
//
// Every call that changes something has an idempotency key made of the payment's ID and of what the call does. Stripe
// knows a key for at least a day. After that the state of the payment alone keeps a call from having its effect twice.
// For a refund it is the list of the payment's refunds.
package stripe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"sneakerdrop/internal/payment"
)

const (
	// shortest is how long Stripe keeps a checkout open at least, plus a margin for clocks and slow networks.
	shortest = 30*time.Minute + 2*time.Minute
	// longest is how long Stripe keeps a checkout open at most, plus a margin.
	longest = 24*time.Hour + time.Hour
	// keysOfCall is how many idempotency keys a call has: see post.
	keysOfCall = 8
	// pageSize is how many objects Stripe lists at once, at most.
	pageSize = 100
	// longestValue is how many bytes a value of metadata has at most.
	longestValue = 500
)

// Provider takes payments with Stripe. It implements payment.Provider and payment.Notified. Create one with New.
type Provider struct {
	settings Settings
	// backend makes the calls. The library's Client would do the same, but it keeps all of the library in the program.
	// That is 8 MB more of it, and 5 MB more memory of an idle server, against 1.3 MB and 1 MB.
	backend sdk.Backend
}

var (
	_ payment.Provider = (*Provider)(nil)
	_ payment.Notified = (*Provider)(nil)
)

// New returns a provider. It makes no call. It returns an error if a setting cannot be right; the error does not
// repeat a key.
func New(settings Settings) (*Provider, error) {
	if err := settings.check(); err != nil {
		return nil, err
	}
	url := settings.URL
	if url == "" {
		url = sdk.APIURL
	}
	backend := sdk.GetBackendWithConfig(sdk.APIBackend, &sdk.BackendConfig{
		URL:               &url,
		HTTPClient:        newHTTPClient(),
		EnableTelemetry:   new(false),
		LeveledLogger:     &sdk.LeveledLogger{Level: sdk.LevelNull},
		MaxNetworkRetries: sdk.Int64(0), // the caller asks again
	})
	return &Provider{settings: settings, backend: backend}, nil
}

// Name implements payment.Provider.
func (*Provider) Name() string { return "stripe" }

// String returns the name. It keeps the keys out of logs.
func (*Provider) String() string { return "stripe" }

// GoString returns the name. It keeps the keys out of logs.
func (*Provider) GoString() string { return "stripe" }

// Start implements payment.Provider. Stripe keeps a checkout open for at least 30 minutes, so this one closes itself
// only 32 minutes after Order.Expires, which may be at most 23 hours ahead. The moment depends on nothing else, because
// Stripe compares the parameters of calls under one idempotency key.
//
// Start returns a *payment.RefusedError if Stripe cannot take the amount or the currency.
func (p *Provider) Start(ctx context.Context, order payment.Order) (payment.Checkout, error) {
	action := fmt.Sprintf("start the Stripe checkout of payment %d", order.ID)
	amount, err := toStripe(order.Amount, order.Currency.Code)
	if err != nil {
		return payment.Checkout{}, err
	}
	s, err := p.create(ctx, "start", order, amount)
	if blames(err, "customer_email") { // the buyer can type another one
		order.Email = ""
		s, err = p.create(ctx, "start-without-email", order, amount)
	}
	switch {
	case differs(err):
		// The checkout is there, and was asked for with, for example, another description.
		if s, err = p.again(ctx, order, amount); err != nil {
			err = p.unread(action, err)
			if errors.Is(err, payment.ErrUnknown) {
				err = fmt.Errorf("%s: Stripe knows the idempotency key with other parameters, and no checkout", action)
			}
			return payment.Checkout{}, err
		}
	case err == nil && replayed(s.LastResponse):
		// Stripe repeats what it said at the time. Ask what is so now; a checkout that has ended has no URL any more.
		url := s.URL
		if s, err = p.retrieve(ctx, s.ID); err == nil {
			s.URL = url
		}
	}
	if err != nil {
		return payment.Checkout{}, p.fault(action, err)
	}
	found, err := p.found(s)
	if err != nil {
		return payment.Checkout{}, fmt.Errorf("%s: %w", action, err)
	}
	return payment.Checkout{Number: s.ID, URL: s.URL, Found: found}, nil
}

func (p *Provider) create(ctx context.Context, what string, o payment.Order, amount int64) (*sdk.CheckoutSession, error) {
	metadata := p.label(o.ID)
	metadata[keyReservation] = strconv.FormatInt(int64(o.Reservation), 10)
	params := &sdk.CheckoutSessionCreateParams{
		Expand:            withCharge("payment_intent."),
		Mode:              sdk.String(sdk.CheckoutSessionModePayment),
		ClientReferenceID: sdk.String(metadata[keyPayment]),
		Metadata:          metadata,
		SuccessURL:        &o.ReturnURL,
		CancelURL:         &o.ReturnURL,
		ExpiresAt:         new(o.Expires.Add(shortest).Unix()),
		PaymentIntentData: &sdk.CheckoutSessionCreatePaymentIntentDataParams{
			CaptureMethod: sdk.String(sdk.PaymentIntentCaptureMethodManual),
			Description:   &o.Description,
			Metadata:      metadata,
		},
		LineItems: []*sdk.CheckoutSessionCreateLineItemParams{{
			Quantity: sdk.Int64(1),
			PriceData: &sdk.CheckoutSessionCreateLineItemPriceDataParams{
				Currency:    sdk.String(strings.ToLower(o.Currency.Code)),
				UnitAmount:  &amount,
				ProductData: &sdk.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: &o.Description},
			},
		}},
		// The buyer pays in the shop's currency.
		AdaptivePricing: &sdk.CheckoutSessionCreateAdaptivePricingParams{Enabled: new(false)},
	}
	if o.Email != "" {
		params.CustomerEmail = &o.Email
	}
	return post(ctx, p.key(o.ID, what), func(common sdk.Params) (*sdk.CheckoutSession, error) {
		params.Params = common
		return call[sdk.CheckoutSession](p, http.MethodPost, sessions, params)
	})
}

// again returns the checkout of an order that Stripe knows with other parameters.
func (p *Provider) again(ctx context.Context, o payment.Order, amount int64) (*sdk.CheckoutSession, error) {
	s, err := p.search(ctx, o.ID)
	if err == nil && (s.AmountTotal != amount || !strings.EqualFold(string(s.Currency), o.Currency.Code)) {
		return nil, &payment.RefusedError{
			Code: string(sdk.ErrorTypeIdempotency), Reason: fmt.Sprintf("payment %d has a checkout of another amount", o.ID),
		}
	}
	return s, err
}
