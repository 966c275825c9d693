package stripe_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/testing/fakestripe"
)

func TestFind_SaysWhatHasBecomeOfAPayment(t *testing.T) {
	paid := payment.Found{Amount: 11999, Currency: "EUR"}
	with := func(f payment.Found, state payment.State) payment.Found { f.State = state; return f }
	for name, c := range map[string]struct {
		happens func(w *world, ref payment.Ref)
		want    payment.Found // without ID, Number and Receipt
	}{
		"nothing yet":    {func(*world, payment.Ref) {}, payment.Found{State: payment.Open}},
		"declined":       {func(w *world, ref payment.Ref) { w.pay(ref, fakestripe.Decline) }, payment.Found{State: payment.Open}},
		"the bank asks":  {func(w *world, ref payment.Ref) { w.pay(ref, fakestripe.Ask) }, payment.Found{State: payment.Open}},
		"on its way":     {func(w *world, ref payment.Ref) { w.pay(ref, fakestripe.Async) }, payment.Found{State: payment.Pending}},
		"a voucher":      {func(w *world, ref payment.Ref) { w.pay(ref, fakestripe.Voucher) }, payment.Found{State: payment.Pending}},
		"authorised":     {func(w *world, ref payment.Ref) { w.pay(ref, fakestripe.Authorise) }, with(paid, payment.Authorised)},
		"paid by a bank": {func(w *world, ref payment.Ref) { w.pay(ref, fakestripe.Async); w.fake.Settle(ref.Number, true) }, with(paid, payment.Authorised)},
		"the money did not come": {
			func(w *world, ref payment.Ref) { w.pay(ref, fakestripe.Async); w.fake.Settle(ref.Number, false) },
			payment.Found{State: payment.Failed, Reason: "Your card was declined."},
		},
		"expired": {
			func(w *world, ref payment.Ref) { w.fake.Expire(ref.Number) },
			payment.Found{State: payment.Failed, Reason: "the checkout expired"},
		},
		"expired by its time": {
			func(w *world, _ payment.Ref) { w.clock.add(time.Hour) },
			payment.Found{State: payment.Failed, Reason: "the checkout expired"},
		},
		"declined, then expired": {
			func(w *world, ref payment.Ref) { w.pay(ref, fakestripe.Decline); w.fake.Expire(ref.Number) },
			payment.Found{State: payment.Failed, Reason: "Your card was declined."},
		},
		"the bank asked, then expired": {
			func(w *world, ref payment.Ref) { w.pay(ref, fakestripe.Ask); w.fake.Expire(ref.Number) },
			payment.Found{State: payment.Failed, Reason: "the payment was canceled"},
		},
		"never captured": {
			func(w *world, ref payment.Ref) { w.pay(ref, fakestripe.Authorise); w.clock.add(8 * 24 * time.Hour) },
			with(paid, payment.Voided),
		},
		"captured, then disputed": {
			func(w *world, ref payment.Ref) {
				w.pay(ref, fakestripe.Authorise)
				w.Capture(w.t.Context(), ref)
				w.fake.Dispute(ref.Number)
			},
			payment.Found{State: payment.Captured, Amount: 11999, Currency: "EUR", Disputed: true},
		},
		"captured, then refunded by hand": {
			func(w *world, ref payment.Ref) {
				w.pay(ref, fakestripe.Authorise)
				w.Capture(w.t.Context(), ref)
				w.fake.RefundByHand(ref.Number, 999)
			},
			payment.Found{State: payment.Captured, Amount: 11999, Currency: "EUR", Refunded: 999},
		},
	} {
		w := newWorld(t)
		ref := w.start(1)
		c.happens(w, ref)
		f := w.state(ref)
		if f.ID != 1 || f.Number != ref.Number || f.Receipt != w.fake.Payments()[0].Intent {
			t.Errorf("%s: found %+v", name, f)
		}
		f.ID, f.Number, f.Receipt = 0, "", ""
		if f != c.want {
			t.Errorf("%s: found %+v, want %+v", name, f, c.want)
		}
	}
}

func TestFind_WithoutANumberFindsThePayment(t *testing.T) {
	w := newWorld(t)
	w.clock.add(-20 * time.Hour)
	want := w.start(1)
	w.clock.add(20 * time.Hour)
	for id := range payment.ID(150) { // more than a page
		w.start(id + 2)
	}
	if f := w.state(payment.Ref{ID: 1}); f.Number != want.Number {
		t.Errorf("found %+v, want %s", f, want.Number)
	}
	if _, err := w.Find(t.Context(), payment.Ref{ID: 1000}); !errors.Is(err, payment.ErrUnknown) {
		t.Errorf("for a payment that nobody started, the error is %v", err)
	}
}

func TestFind_WithoutANumberSearchesForAnOldPayment(t *testing.T) {
	w := newWorld(t)
	w.clock.add(-48 * time.Hour)
	want := w.authorised(1)
	w.start(2)
	w.clock.add(48 * time.Hour)
	if f := w.state(payment.Ref{ID: 1}); f.Number != want.Number || f.State != payment.Authorised {
		t.Errorf("found %+v, want %s", f, want.Number)
	}
	if _, err := w.Find(t.Context(), payment.Ref{ID: 2}); !errors.Is(err, payment.ErrUnknown) {
		t.Errorf("for a payment that nobody paid, the error is %v", err)
	}
}

func TestFind_TakesThePaymentIntentsNumber(t *testing.T) {
	w := newWorld(t)
	ref := w.authorised(1)
	w.authorised(2)
	intent := w.fake.Payments()[0].Intent
	for _, id := range []payment.ID{0, 1} {
		if f := w.state(payment.Ref{ID: id, Number: intent}); f.Number != ref.Number || f.ID != 1 {
			t.Errorf("found %+v", f)
		}
	}
	if f, err := w.Capture(t.Context(), payment.Ref{Number: intent}); err != nil || f.State != payment.Captured {
		t.Errorf("captured %+v, %v", f, err)
	}
}

func TestFind_KnowsNothingOfOthers(t *testing.T) {
	w := newWorld(t)
	ref := w.start(1)
	for _, number := range []string{"cs_test_other", "pi_other", "..", "x", "demo-1"} {
		if _, err := w.Find(t.Context(), payment.Ref{ID: 1, Number: number}); !errors.Is(err, payment.ErrUnknown) {
			t.Errorf("for the number %q, the error is %v", number, err)
		}
	}
	// A mistake of the caller must not touch another buyer's money.
	_, err := w.Find(t.Context(), payment.Ref{ID: 2, Number: ref.Number})
	again(t, err)
}

func TestSince_ListsAllOfThisShop(t *testing.T) {
	w := newWorld(t)
	w.start(1)
	w.clock.add(time.Minute)
	from := w.clock.Now()
	const n = 230
	for id := range payment.ID(n) {
		w.start(id + 2)
	}
	w.authorised(n + 2)
	if _, err := w.provider("other").Start(t.Context(), w.order(1)); err != nil {
		t.Fatal(err)
	}
	found := make(map[payment.ID]payment.State)
	for f, err := range w.Since(t.Context(), from) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := found[f.ID]; twice || f.ID < 2 {
			t.Errorf("listed payment %d", f.ID)
		}
		found[f.ID] = f.State
	}
	if len(found) != n+1 || found[n+2] != payment.Authorised || found[2] != payment.Open {
		t.Errorf("listed %d payments: %v", len(found), found)
	}
	for range w.Since(t.Context(), time.Time{}) {
		break // the caller may end it
	}
}

func TestSince_EndsAfterAnError(t *testing.T) {
	w := newWorld(t)
	for id := range payment.ID(101) {
		w.start(id + 1)
	}
	from := w.clock.Now().Add(-time.Hour)
	for f, err := range w.Since(t.Context(), from) {
		if err != nil || f.ID == 0 {
			t.Fatalf("listed %+v, %v", f, err)
		}
	}
	w.fake.Harm(fakestripe.Fault{Kind: fakestripe.TooMany, Method: "GET"})
	n := 0
	for _, err := range w.Since(t.Context(), from) {
		n++
		again(t, err)
	}
	if n != 1 {
		t.Errorf("the list has %d entries", n)
	}
}

// After these errors nobody knows what Stripe did, so they are neither final nor say that the payment is unknown.
func TestErrors_ThatEndNothing(t *testing.T) {
	calls := map[string]func(context.Context, *world, payment.Ref) error{
		"find": func(ctx context.Context, w *world, ref payment.Ref) error { _, err := w.Find(ctx, ref); return err },
		"find by ID": func(ctx context.Context, w *world, ref payment.Ref) error {
			_, err := w.Find(ctx, payment.Ref{ID: ref.ID})
			return err
		},
		"close":   func(ctx context.Context, w *world, ref payment.Ref) error { _, err := w.Close(ctx, ref); return err },
		"capture": func(ctx context.Context, w *world, ref payment.Ref) error { _, err := w.Capture(ctx, ref); return err },
		"void":    func(ctx context.Context, w *world, ref payment.Ref) error { _, err := w.Void(ctx, ref); return err },
		"refund": func(ctx context.Context, w *world, ref payment.Ref) error {
			_, err := w.Refund(ctx, ref, payment.Refund{Key: "a", Amount: 1})
			return err
		},
		"start": func(ctx context.Context, w *world, _ payment.Ref) error {
			_, err := w.Start(ctx, w.order(2))
			return err
		},
	}
	for name, call := range calls {
		for _, kind := range []fakestripe.Kind{
			fakestripe.Failed, fakestripe.TooMany, fakestripe.Busy, fakestripe.Unreached, fakestripe.Lost, fakestripe.Garbled,
			fakestripe.Nonsense,
		} {
			t.Run(name+"/"+string(kind), func(t *testing.T) {
				w := newWorld(t)
				ref := w.authorised(1)
				w.fake.Harm(fakestripe.Fault{Kind: kind, Times: 3}) // net/http itself repeats what was cut off
				again(t, call(t.Context(), w, ref))
			})
		}
		t.Run(name+"/cancelled", func(t *testing.T) {
			w := newWorld(t)
			ref := w.authorised(1)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := call(ctx, w, ref)
			again(t, err)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestErrors_AKeyThatStripeDoesNotTakeIsNotFinal(t *testing.T) {
	w := newWorld(t)
	ref := w.authorised(1)
	stranger := fakestripe.New(t, fakestripe.Options{Key: "sk_test_replaced"})
	w.url = stranger.Listen()
	w.Provider = w.provider(shop)
	_, err := w.Capture(t.Context(), ref)
	again(t, err)
	_, err = w.Start(t.Context(), w.order(2))
	again(t, err)
}
