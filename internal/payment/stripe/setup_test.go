package stripe_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/payment/stripe"
	"sneakerdrop/internal/testing/fakestripe"
)

// clock is the fake's time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a provider, and the Stripe that it talks to.
type world struct {
	*stripe.Provider

	t     *testing.T
	fake  *fakestripe.Stripe
	url   string
	clock *clock
}

const shop = "testshop"

func newWorld(t *testing.T) *world {
	t.Helper()
	c := &clock{now: time.Now()}
	fake := fakestripe.New(t, fakestripe.Options{Now: c.Now})
	w := &world{t: t, fake: fake, url: fake.Listen(), clock: c}
	w.Provider = w.provider(shop)
	return w
}

// provider returns one of another shop with the same account.
func (w *world) provider(shop string) *stripe.Provider {
	w.t.Helper()
	p, err := stripe.New(stripe.Settings{
		Key: fakestripe.Key, Signing: []stripe.Secret{fakestripe.Signing}, Shop: shop, URL: w.url,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

var euro = drop.Currency{Code: "EUR", Decimals: 2}

func (w *world) order(id payment.ID) payment.Order {
	return payment.Order{
		ID: id, Reservation: drop.ReservationID(id) + 1000, Amount: 11999, Currency: euro, Description: "Air Seven, EU 42",
		Email: "ada@example.com", ReturnURL: "https://shop.example/drops/7", Expires: w.clock.Now().Add(time.Minute),
	}
}

// start opens a checkout, and returns how to name its payment.
func (w *world) start(id payment.ID) payment.Ref {
	w.t.Helper()
	checkout, err := w.Start(w.t.Context(), w.order(id))
	if err != nil {
		w.t.Fatalf("start payment %d: %v", id, err)
	}
	return payment.Ref{ID: id, Number: checkout.Number}
}

// pay is an attempt of the buyer.
func (w *world) pay(ref payment.Ref, how fakestripe.How) {
	w.t.Helper()
	if err := w.fake.Pay(ref.Number, how); err != nil {
		w.t.Fatal(err)
	}
}

// authorised is a payment whose money is set aside.
func (w *world) authorised(id payment.ID) payment.Ref {
	w.t.Helper()
	ref := w.start(id)
	w.pay(ref, fakestripe.Authorise)
	return ref
}

// captured is a payment whose money is taken.
func (w *world) captured(id payment.ID) payment.Ref {
	w.t.Helper()
	ref := w.authorised(id)
	if f, err := w.Capture(w.t.Context(), ref); err != nil || f.State != payment.Captured {
		w.t.Fatalf("capture payment %d: %+v, %v", id, f, err)
	}
	return ref
}

// state looks a payment up.
func (w *world) state(ref payment.Ref) payment.Found {
	w.t.Helper()
	f, err := w.Find(w.t.Context(), ref)
	if err != nil {
		w.t.Fatalf("find payment %d: %v", ref.ID, err)
	}
	return f
}

// keep calls until there is no error that a caller would ask again after.
func keep[T any](t *testing.T, call func() (T, error)) (T, error) {
	t.Helper()
	for range 100 {
		answer, err := call()
		if err == nil || refusal(err) != nil || errors.Is(err, payment.ErrUnknown) {
			return answer, err
		}
		secretless(t, err)
	}
	panic("a hundred errors in a row")
}

// refusal returns the final no in an error, or nil.
func refusal(err error) *payment.RefusedError {
	refused, _ := errors.AsType[*payment.RefusedError](err)
	return refused
}

// again fails the test unless a caller would ask again after an error.
func again(t *testing.T, err error) {
	t.Helper()
	if err == nil || refusal(err) != nil || errors.Is(err, payment.ErrUnknown) {
		t.Errorf("the error is %v, not one after which the caller asks again", err)
	}
	secretless(t, err)
}

// secretless fails the test if an error repeats a secret.
func secretless(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, secret := range []string{fakestripe.Key, fakestripe.Signing, "_secret_", "fakestripe", "****"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error %q contains %q", err, secret)
		}
	}
}
