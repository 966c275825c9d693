package stripe_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/fakestripe"
)

type change func(context.Context, payment.Ref) (payment.Found, error)

// kinds are the faults after which a caller asks again.
var kinds = []fakestripe.Kind{
	fakestripe.Lost, fakestripe.Unreached, fakestripe.Doubled, fakestripe.Failed, fakestripe.FailedAfter, fakestripe.TooMany,
	fakestripe.Busy, fakestripe.Garbled, fakestripe.Nonsense,
}

// Each change has its effect once, however often it is asked for, and whatever goes wrong.
func TestChanges_TakeEffectOnce(t *testing.T) {
	changes := map[string]struct {
		make func(*world) payment.Ref
		call func(*world) change
		want payment.State
		kind string // the event that there must be one of
	}{
		"close":   {func(w *world) payment.Ref { return w.start(1) }, func(w *world) change { return w.Close }, payment.Failed, "checkout.session.expired"},
		"capture": {func(w *world) payment.Ref { return w.authorised(1) }, func(w *world) change { return w.Capture }, payment.Captured, "charge.captured"},
		"void":    {func(w *world) payment.Ref { return w.authorised(1) }, func(w *world) change { return w.Void }, payment.Voided, "payment_intent.canceled"},
		"refund": {func(w *world) payment.Ref { return w.captured(1) }, func(w *world) change {
			return func(ctx context.Context, ref payment.Ref) (payment.Found, error) {
				f, err := w.Refund(ctx, ref, payment.Refund{Key: "first", Amount: 500, Reason: "a stain"})
				if err == nil && f.Refunded != 500 {
					err = fmt.Errorf("%+v is refunded", f)
				}
				return f, err
			}
		}, payment.Captured, "refund.created"},
	}
	for name, c := range changes {
		for _, kind := range append(kinds, "") {
			for _, method := range []string{"GET", "POST"} {
				t.Run(name+"/"+string(kind)+"/"+method, func(t *testing.T) {
					w := newWorld(t)
					ref := c.make(w)
					if kind != "" {
						w.fake.Harm(fakestripe.Fault{Kind: kind, Method: method, Times: 3})
					}
					for range 3 {
						f, err := keep(t, func() (payment.Found, error) { return c.call(w)(t.Context(), ref) })
						if err != nil || f.State != c.want || f.ID != 1 || f.Number != ref.Number {
							t.Fatalf("it is %+v, %v", f, err)
						}
						w.fake.Forget() // a day later
					}
					if n := count(w, c.kind); n != 1 {
						t.Errorf("there were %d of %s", n, c.kind)
					}
				})
			}
		}
	}
}

func count(w *world, kind string) (n int) {
	for _, e := range w.fake.Events() {
		if e.Type == kind {
			n++
		}
	}
	return n
}

// A caller who does not know the number has only the payment's ID.
func TestChanges_WorkWithoutANumber(t *testing.T) {
	w := newWorld(t)
	w.start(1)
	w.authorised(2)
	w.authorised(3)
	for id, c := range map[payment.ID]struct {
		call change
		want payment.State
	}{1: {w.Close, payment.Failed}, 2: {w.Capture, payment.Captured}, 3: {w.Void, payment.Voided}} {
		if f, err := c.call(t.Context(), payment.Ref{ID: id}); err != nil || f.State != c.want {
			t.Errorf("payment %d is %+v, %v", id, f, err)
		}
	}
}

// What each call answers in each state: a state, "refused" for a final no, or "again" for an
// error after which the caller asks again.
func TestChanges_InEachState(t *testing.T) {
	states := map[payment.State]func(*world) payment.Ref{
		payment.Open:       func(w *world) payment.Ref { return w.start(1) },
		payment.Pending:    func(w *world) payment.Ref { ref := w.start(1); w.pay(ref, fakestripe.Async); return ref },
		payment.Authorised: func(w *world) payment.Ref { return w.authorised(1) },
		payment.Captured:   func(w *world) payment.Ref { return w.captured(1) },
		payment.Voided:     func(w *world) payment.Ref { ref := w.authorised(1); w.Void(w.t.Context(), ref); return ref },
		payment.Failed:     func(w *world) payment.Ref { ref := w.start(1); w.fake.Expire(ref.Number); return ref },
	}
	refund := func(w *world) change {
		return func(ctx context.Context, ref payment.Ref) (payment.Found, error) {
			return w.Refund(ctx, ref, payment.Refund{Key: "a", Amount: 100})
		}
	}
	for _, c := range []struct {
		name string
		call func(*world) change
		want map[payment.State]string
	}{
		{"close", func(w *world) change { return w.Close }, map[payment.State]string{
			payment.Open: "failed", payment.Pending: "pending", payment.Authorised: "authorised", payment.Captured: "captured",
			payment.Voided: "voided", payment.Failed: "failed",
		}},
		{"capture", func(w *world) change { return w.Capture }, map[payment.State]string{
			payment.Open: "refused", payment.Pending: "again", payment.Authorised: "captured", payment.Captured: "captured",
			payment.Voided: "refused", payment.Failed: "refused",
		}},
		{"void", func(w *world) change { return w.Void }, map[payment.State]string{
			payment.Open: "failed", payment.Pending: "again", payment.Authorised: "voided", payment.Captured: "refused",
			payment.Voided: "voided", payment.Failed: "failed",
		}},
		{"refund", refund, map[payment.State]string{
			payment.Open: "refused", payment.Pending: "again", payment.Authorised: "refused", payment.Captured: "captured",
			payment.Voided: "refused", payment.Failed: "refused",
		}},
	} {
		for state, prepare := range states {
			w := newWorld(t)
			ref := prepare(w)
			if before := w.state(ref); before.State != state {
				t.Fatalf("the state is %s, want %s", before.State, state)
			}
			f, err := c.call(w)(t.Context(), ref)
			got := string(f.State)
			switch {
			case refusal(err) != nil:
				got = "refused"
			case err != nil:
				got = "again"
			}
			if got != c.want[state] || err != nil && f != (payment.Found{}) {
				t.Errorf("%s of a payment that is %s: %+v, %v", c.name, state, f, err)
			}
			secretless(t, err)
		}
	}
}

// The state changes between our look and our call: the answer is what has become of the payment.
func TestChanges_SomebodyWasFaster(t *testing.T) {
	w := newWorld(t)
	ref := w.authorised(1)
	race := func(first, second change) (payment.Found, error) {
		until := make(chan struct{})
		w.fake.Harm(fakestripe.Fault{Kind: fakestripe.Late, Method: "GET", Until: until})
		type answer struct {
			f   payment.Found
			err error
		}
		done := make(chan answer, 1)
		seen := len(w.fake.Requests())
		go func() {
			f, err := second(t.Context(), ref)
			done <- answer{f, err}
		}()
		await.Until(t, "the second has looked", func() bool { return len(w.fake.Requests()) > seen })
		if _, err := first(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		close(until)
		a := <-done
		return a.f, a.err
	}
	if f, err := race(w.Capture, w.Void); refusal(err) == nil {
		t.Errorf("a void after a capture: %+v, %v", f, err)
	}
	ref = w.authorised(2)
	if f, err := race(w.Void, w.Capture); refusal(err) == nil {
		t.Errorf("a capture after a void: %+v, %v", f, err)
	}
	ref = w.authorised(3)
	other := w.provider(shop)
	if f, err := race(w.Capture, other.Capture); err != nil || f.State != payment.Captured {
		t.Errorf("a capture after a capture: %+v, %v", f, err)
	}
}

func TestCapture_ThatTheBankRefusesIsFinalInStripesWords(t *testing.T) {
	w := newWorld(t)
	ref := w.authorised(1)
	w.fake.Harm(fakestripe.Fault{Kind: fakestripe.Refused, Method: "POST"})
	_, err := w.Capture(t.Context(), ref)
	if r := refusal(err); r == nil || *r != (payment.RefusedError{Code: "card_declined", Reason: "Your card was declined."}) {
		t.Errorf("the error is %v", err)
	}
}

// A checkout that stays open must be closed later, so no refusal is final.
func TestClose_ThatStripeRefusesIsAskedAgain(t *testing.T) {
	w := newWorld(t)
	ref := w.start(1)
	w.fake.Harm(fakestripe.Fault{Kind: fakestripe.Refused, Method: "POST"})
	_, err := w.Close(t.Context(), ref)
	again(t, err)
	if f, err := w.Close(t.Context(), ref); err != nil || f.State != payment.Failed {
		t.Errorf("it is %+v, %v", f, err)
	}
}

func TestVoid_AfterACaptureThatFailed(t *testing.T) {
	w := newWorld(t)
	ref := w.authorised(1)
	w.fake.Harm(fakestripe.Fault{Kind: fakestripe.Failed, Method: "POST"})
	_, err := w.Capture(t.Context(), ref)
	again(t, err)
	if f, err := w.Void(t.Context(), ref); err != nil || f.State != payment.Voided {
		t.Errorf("it is %+v, %v", f, err)
	}
}

// After a failure of Stripe's, a payment may have a checkout that nobody was shown. It can be closed too.
func TestClose_OfBothCheckouts(t *testing.T) {
	w := newWorld(t)
	w.fake.Harm(fakestripe.Fault{Kind: fakestripe.FailedAfter, Method: "POST"})
	if _, err := keep(t, func() (payment.Checkout, error) { return w.Start(t.Context(), w.order(1)) }); err != nil {
		t.Fatal(err)
	}
	both := w.fake.Payments()
	if len(both) != 2 {
		t.Fatalf("there are %d", len(both))
	}
	for _, p := range both {
		if f, err := w.Close(t.Context(), payment.Ref{ID: 1, Number: p.Session}); err != nil || f.State != payment.Failed {
			t.Errorf("it is %+v, %v", f, err)
		}
	}
}

func TestRefund_OfManyKeys(t *testing.T) {
	w := newWorld(t)
	ref := w.captured(1)
	refund := func(key string, amount drop.Money) (payment.Found, error) {
		return w.Refund(t.Context(), ref, payment.Refund{Key: key, Amount: amount, Reason: strings.Repeat("ü", 400)})
	}
	long := strings.Repeat("key ", 1000)
	for _, c := range []struct {
		key      string
		amount   drop.Money
		refunded drop.Money // 0: it is refused
	}{
		{"a", 1000, 1000},
		{long, 999, 1999},
		{"a", 1000, 1999},
		{"a", 1001, 0}, // another amount under the same key
		{"b", 10_001, 0},
		{"c", 0, 0},
		{"d", 10_000, 11_999},
		{"e", 1, 11_999}, // all is refunded already
	} {
		f, err := refund(c.key, c.amount)
		if c.refunded == 0 && refusal(err) == nil || c.refunded > 0 && (err != nil || f.Refunded != c.refunded) {
			t.Errorf("refund %s by %q: %+v, %v", c.amount, c.key[:1], f, err)
		}
		secretless(t, err)
	}
	if p := w.fake.Payments()[0]; p.Refunds != 3 || p.Refunded != 11_999 {
		t.Errorf("Stripe has %+v", p)
	}
}

func TestRefund_IsFoundAmongMany(t *testing.T) {
	w := newWorld(t)
	ref := w.captured(1)
	refund := func(i int) {
		if _, err := w.Refund(t.Context(), ref, payment.Refund{Key: strconv.Itoa(i), Amount: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 101 { // more than a page
		refund(i)
	}
	w.fake.Forget()
	refund(0)
	if p := w.fake.Payments()[0]; p.Refunds != 101 {
		t.Errorf("there are %d refunds", p.Refunds)
	}
}

func TestRefund_ThatDidNotReachTheBuyerIsRefused(t *testing.T) {
	w := newWorld(t)
	ref := w.captured(1)
	refund := payment.Refund{Key: "a", Amount: 1000}
	if _, err := w.Refund(t.Context(), ref, refund); err != nil {
		t.Fatal(err)
	}
	w.fake.FailRefunds(ref.Number)
	if _, err := w.Refund(t.Context(), ref, refund); refusal(err) == nil {
		t.Errorf("the error is %v", err)
	}
	if f := w.state(ref); f.Refunded != 0 {
		t.Errorf("it is %+v", f)
	}
}

func TestRefund_OfADisputedPaymentIsRefusedInStripesWords(t *testing.T) {
	w := newWorld(t)
	ref := w.captured(1)
	if err := w.fake.Dispute(ref.Number); err != nil {
		t.Fatal(err)
	}
	_, err := w.Refund(t.Context(), ref, payment.Refund{Key: "a", Amount: 1})
	if r := refusal(err); r == nil || r.Code != "charge_disputed" || r.Reason == "" {
		t.Errorf("the error is %v", err)
	}
}

// Many payments at once, each with faults at random: at the end each has exactly the effects that were asked for.
func TestChaos_EachPaymentHasItsEffectsOnce(t *testing.T) {
	w := newWorld(t)
	w.fake.Chaos(0.4, kinds...)
	random := rand.New(rand.NewPCG(1, 2))
	want := make(map[payment.ID]payment.State)
	for id := payment.ID(1); id <= 60; id++ {
		order := w.order(id)
		checkout, err := keep(t, func() (payment.Checkout, error) { return w.Start(t.Context(), order) })
		if err != nil {
			t.Fatal(err)
		}
		ref := payment.Ref{ID: id, Number: checkout.Number}
		if random.IntN(3) == 0 {
			ref.Number = "" // the answer to Start was lost, and the payment's row is there
		}
		paid := random.IntN(4) > 0
		if paid {
			w.pay(payment.Ref{Number: checkout.Number}, fakestripe.Authorise)
		}
		call := []change{w.Close, w.Capture, w.Void}[random.IntN(3)]
		if !paid {
			call = w.Close
		}
		f, err := keep(t, func() (payment.Found, error) { return call(t.Context(), ref) })
		if err != nil {
			t.Fatal(err)
		}
		if f.State == payment.Captured && random.IntN(2) == 0 {
			refund := payment.Refund{Key: fmt.Sprint("refund ", id), Amount: 100}
			if f, err = keep(t, func() (payment.Found, error) { return w.Refund(t.Context(), ref, refund) }); err != nil || f.Refunded != 100 {
				t.Fatalf("refund: %+v, %v", f, err)
			}
		}
		want[id] = f.State
	}
	w.fake.Chaos(0)
	for _, p := range w.fake.Payments() {
		if p.Refunds > 1 || p.Refunded > 100 || p.IntentIs == "succeeded" && p.Captured != 11999 {
			t.Errorf("Stripe has %+v", p)
		}
	}
	for f, err := range w.Since(t.Context(), w.clock.Now()) {
		if err != nil {
			t.Fatal(err)
		}
		if f.State != want[f.ID] && f.State != payment.Open { // Open: nobody was shown it
			t.Errorf("payment %d is %s, want %s", f.ID, f.State, want[f.ID])
		}
	}
}
