package stripe_test

import (
	"context"
	"testing"

	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/testing/fakestripe"
	"sneakerdrop/internal/testing/paymenttest"
)

// buyer pays at the fake.
type buyer struct{ fake *fakestripe.Stripe }

func (b buyer) Pay(_ context.Context, at payment.Checkout) (bool, error) {
	return b.fake.Pay(at.Number, fakestripe.Authorise) == nil, nil
}

func (b buyer) Decline(_ context.Context, at payment.Checkout) error {
	return b.fake.Pay(at.Number, fakestripe.Decline)
}

func (buyer) Abandon(context.Context, payment.Checkout) error { return nil }

func (b buyer) PayLate(_ context.Context, at payment.Checkout) error {
	return b.fake.Pay(at.Number, fakestripe.Async)
}

func (b buyer) Arrive(_ context.Context, at payment.Checkout) error {
	return b.fake.Settle(at.Number, true)
}

func TestStripe_KeepsThePromisesOfAProvider(t *testing.T) {
	paymenttest.Run(t, func(t *testing.T) paymenttest.Harness {
		w := newWorld(t)
		return paymenttest.Harness{Provider: w, Buyer: buyer{w.fake}}
	})
}
