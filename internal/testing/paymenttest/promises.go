package paymenttest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"sneakerdrop/internal/payment"
)

func startTwice(f *fixture) {
	s := f.start()
	s.startsAgain()
	s.pays()
	s.does("Find", payment.Authorised)
	s.startsAgain() // which takes no second payment
	s.does("Find", payment.Authorised)
}

// startsAgain asks for the same order again.
func (s *started) startsAgain() {
	s.Helper()
	again, err := s.Provider.Start(s.ctx, s.order)
	if err != nil {
		s.Fatalf("Start of the same order: %v", err)
	}
	if again.Number != s.checkout.Number || again.URL != s.checkout.URL {
		s.Errorf("Start of the same order gave the checkout %q at %s, want %q at %s",
			again.Number, again.URL, s.checkout.Number, s.checkout.URL)
	}
}

func startAtOnce(f *fixture) {
	o := order()
	answers := make(chan payment.Checkout, 8)
	crowd(cap(answers), func() {
		c, err := f.Provider.Start(f.ctx, o)
		if err != nil {
			f.Errorf("Start: %v", err)
		}
		answers <- c
	})
	first := <-answers
	for len(answers) > 0 {
		if c := <-answers; c.Number != first.Number || c.URL != first.URL {
			f.Errorf("Start at once gave the checkouts %q at %s and %q at %s", c.Number, c.URL, first.Number, first.URL)
		}
	}
}

func startOthers(f *fixture) {
	one, other := f.start(), f.start()
	if one.checkout.Number == other.checkout.Number || one.checkout.URL == other.checkout.URL {
		f.Fatalf("two orders have the checkout %q at %s", one.checkout.Number, one.checkout.URL)
	}
	one.pays()
	one.does("Find", payment.Authorised)
	other.open()
}

func findFollows(f *fixture) {
	s := f.start()
	s.open()
	s.pays()
	s.does("Find", payment.Authorised)
	s.does("Capture", payment.Captured)
	if got := s.does("Find", payment.Captured); got.Refunded != 0 {
		f.Errorf("%s is refunded, although nobody asked for it", got.Refunded)
	}
}

func findByID(f *fixture) {
	s := f.paid()
	s.ref.Number = "" // as if the answer to Start was lost
	for _, call := range []struct {
		method string
		want   payment.State
	}{{"Find", payment.Authorised}, {"Close", payment.Authorised}, {"Capture", payment.Captured}} {
		s.does(call.method, call.want)
	}
	s.refunds("a", some, some)
	other := f.paid()
	other.ref.Number = ""
	other.does("Void", payment.Voided)
}

func findDeclined(f *fixture) {
	s := f.start()
	if err := f.Buyer.Decline(f.ctx, s.checkout); err != nil {
		f.Fatalf("the buyer's card is declined: %v", err)
	}
	got, err := s.call("Find")
	if err != nil {
		f.Fatalf("Find: %v", err)
	}
	if got.State == payment.Failed {
		s.check("Find", got, payment.Failed)
		if got.Reason == "" {
			f.Error("the payment has failed, and no reason is given")
		}
		return
	}
	s.check("Find", got, payment.Open)
	s.pays() // with another card
	s.does("Find", payment.Authorised)
}

func findAbandoned(f *fixture) {
	s := f.start()
	if err := f.Buyer.Abandon(f.ctx, s.checkout); err != nil {
		f.Fatalf("the buyer leaves: %v", err)
	}
	got, err := s.call("Find")
	if err != nil {
		f.Fatalf("Find: %v", err)
	}
	if got.State != payment.Failed {
		s.check("Find", got, payment.Open)
	}
	s.does("Close", payment.Failed)
}

func findPending(f *fixture) {
	late, ok := f.Buyer.(LateBuyer)
	if !ok {
		f.Skip("at this provider money is never on its way")
	}
	s := f.start()
	if err := late.PayLate(f.ctx, s.checkout); err != nil {
		f.Fatalf("the buyer pays late: %v", err)
	}
	s.does("Find", payment.Pending)
	s.does("Close", payment.Pending) // the buyer was faster
	if _, err := s.call("Capture"); err == nil {
		f.Error("Capture took money that is on its way")
	}
	if err := late.Arrive(f.ctx, s.checkout); err != nil {
		f.Fatalf("the money arrives: %v", err)
	}
	s.does("Find", payment.Authorised)
	s.does("Void", payment.Voided)
}

func captureOnce(f *fixture) {
	s := f.paid()
	first := s.does("Capture", payment.Captured)
	if again := s.does("Capture", payment.Captured); again != first {
		f.Errorf("Capture again gave %+v, want what the first one gave: %+v", again, first)
	}
	s.does("Close", payment.Captured)
}

func captureAtOnce(f *fixture) {
	s := f.paid()
	crowd(8, func() {
		if got, err := f.Provider.Capture(f.ctx, s.ref); err != nil || got.State != payment.Captured || got.Amount != price {
			f.Errorf("Capture: %+v, %v", got, err)
		}
	})
	s.does("Find", payment.Captured)
}

func captureNothing(f *fixture) {
	s := f.start()
	_, err := s.call("Capture")
	f.refusedUnpaid("Capture of an open payment", err)
	s.open()
	s.does("Close", payment.Failed)
	_, err = s.call("Capture")
	f.refused("Capture of a closed payment", err)
	s.does("Find", payment.Failed)

	s = f.paid()
	s.does("Void", payment.Voided)
	_, err = s.call("Capture")
	f.refused("Capture of a voided payment", err)
	s.does("Find", payment.Voided)
}

func voids(f *fixture) {
	s := f.paid()
	s.does("Void", payment.Voided)
	s.does("Void", payment.Voided)
	s.does("Close", payment.Voided)
	if took, err := f.Buyer.Pay(f.ctx, s.checkout); took || err != nil {
		f.Errorf("the buyer pays again after Void: the checkout took the money: %t, %v", took, err)
	}
	s.does("Find", payment.Voided)
}

func voidCaptured(f *fixture) {
	s := f.captured()
	_, err := s.call("Void")
	f.refused("Void of a captured payment", err)
	s.refunded(0)
}

func voidOrCapture(f *fixture) {
	for range 8 {
		s := f.paid()
		var captured, voided error
		together(
			func() { _, captured = f.Provider.Capture(f.ctx, s.ref) },
			func() { _, voided = f.Provider.Void(f.ctx, s.ref) },
		)
		switch {
		case captured == nil && voided != nil:
			f.refused("Void, which Capture was faster than", voided)
			s.does("Find", payment.Captured)
		case captured != nil && voided == nil:
			f.refused("Capture, which Void was faster than", captured)
			s.does("Find", payment.Voided)
		default:
			f.Fatalf("Capture and Void at once: %v and %v, want one of them to be refused", captured, voided)
		}
	}
}

func closes(f *fixture) {
	s := f.start()
	s.does("Close", payment.Failed)
	s.does("Close", payment.Failed)
	if took, err := f.Buyer.Pay(f.ctx, s.checkout); took || err != nil {
		f.Errorf("the buyer pays after Close: the checkout took the money: %t, %v", took, err)
	}
	if got := s.does("Find", payment.Failed); got.Refunded != 0 {
		f.Errorf("%s is refunded of a payment that nobody made", got.Refunded)
	}
	if again, err := f.Provider.Start(f.ctx, s.order); err == nil && again.Number != s.checkout.Number { // there may be no URL
		f.Errorf("Start of a closed payment gave the checkout %q, want %q", again.Number, s.checkout.Number)
	}
	s.does("Find", payment.Failed)
}

func closePaid(f *fixture) {
	s := f.paid()
	s.does("Close", payment.Authorised)
	s.does("Capture", payment.Captured)
	s.does("Close", payment.Captured)
}

func closeOrPay(f *fixture) {
	for range 8 {
		s := f.start()
		var took bool
		var paid, closed error
		var found payment.Found
		together(
			func() { took, paid = f.Buyer.Pay(f.ctx, s.checkout) },
			func() { found, closed = f.Provider.Close(f.ctx, s.ref) },
		)
		if paid != nil || closed != nil {
			f.Fatalf("Pay: %v; Close: %v", paid, closed)
		}
		want := payment.Failed
		if took {
			want = payment.Authorised
		}
		s.check("Close", found, want)
		s.does("Find", want)
	}
}

func refundParts(f *fixture) {
	s := f.captured()
	s.refunds("a", some, some)
	s.refunds("b", rest, price)
	whole := f.captured()
	whole.refunds("a", price, price)
}

func refundOnce(f *fixture) {
	s := f.captured()
	s.refunds("a", some, some)
	s.refunds("a", some, some)
	crowd(4, func() {
		if _, err := f.Provider.Refund(f.ctx, s.ref, payment.Refund{Key: "b", Amount: rest}); err != nil {
			f.Errorf("Refund under one key at once: %v", err)
		}
	})
	s.refunded(price)
	s.refunds("a", some, price) // also when nothing is left
	other := f.captured()
	other.refunds("a", some, some) // the key belongs to one payment
}

func refundTooMuch(f *fixture) {
	s := f.captured()
	_, err := f.Provider.Refund(f.ctx, s.ref, payment.Refund{Key: "a", Amount: price + 1})
	f.refused("Refund of more than was captured", err)
	s.refunded(0)
	s.refunds("b", some, some)
	_, err = f.Provider.Refund(f.ctx, s.ref, payment.Refund{Key: "c", Amount: rest + 1})
	f.refused("Refund of more than is left", err)
	s.refunded(some)
}

func refundAtOnce(f *fixture) {
	s := f.captured()
	var made atomic.Int32
	refund := func(key string) func() {
		return func() {
			_, err := f.Provider.Refund(f.ctx, s.ref, payment.Refund{Key: key, Amount: someMore})
			if err == nil {
				made.Add(1)
				return
			}
			f.refused("Refund, which another one was faster than", err)
		}
	}
	together(refund("a"), refund("b"))
	if n := made.Load(); n != 1 {
		f.Errorf("%d refunds of %s were made of %s, want 1", n, someMore, price)
	}
	s.refunded(someMore)
}

func refundNothing(f *fixture) {
	s := f.start()
	ask := func() error {
		_, err := f.Provider.Refund(f.ctx, s.ref, payment.Refund{Key: "a", Amount: some})
		return err
	}
	f.refusedUnpaid("Refund of an open payment", ask())
	s.pays()
	f.refused("Refund of an authorised payment", ask())
	s.does("Void", payment.Voided)
	f.refused("Refund of a voided payment", ask())
}

func unknown(f *fixture) {
	f.start() // another one
	s := &started{fixture: f, order: order()}
	s.ref.ID = s.order.ID
	for _, method := range []string{"Find", "Capture", "Void"} {
		if got, err := s.call(method); !errors.Is(err, payment.ErrUnknown) {
			f.Errorf("%s of an unknown payment: %+v, %v, want ErrUnknown", method, got, err)
		}
	}
	if got, err := f.Provider.Refund(f.ctx, s.ref, payment.Refund{Key: "a", Amount: some}); !errors.Is(err, payment.ErrUnknown) {
		f.Errorf("Refund of an unknown payment: %+v, %v, want ErrUnknown", got, err)
	}
	got, err := s.call("Close")
	switch {
	case f.Derived && err == nil && got.State == payment.Failed: // it may be one whose buyer has not come
	case !errors.Is(err, payment.ErrUnknown):
		f.Errorf("Close of an unknown payment: %+v, %v, want ErrUnknown", got, err)
	}
}

func since(f *fixture) {
	before := time.Now().Add(-time.Hour) // longer than clocks differ
	paid, captured := f.paid(), f.captured()
	found := make(map[payment.ID]payment.Found)
	for got, err := range f.Provider.Since(f.ctx, before) {
		if err != nil {
			f.Fatalf("Since: %v", err)
		}
		if _, twice := found[got.ID]; twice && got.ID != 0 {
			f.Errorf("Since lists payment %d twice", got.ID)
		}
		found[got.ID] = got
	}
	paid.check("Since", found[paid.order.ID], payment.Authorised)
	captured.check("Since", found[captured.order.ID], payment.Captured)

	for got, err := range f.Provider.Since(f.ctx, time.Now().Add(time.Hour)) {
		if err != nil {
			f.Fatalf("Since a moment in the future: %v", err)
		}
		if got.ID == paid.order.ID || got.ID == captured.order.ID {
			f.Errorf("Since a moment in the future lists payment %d, which began before", got.ID)
		}
	}
	for range f.Provider.Since(f.ctx, before) {
		break // a caller may have enough
	}
}

func cancelled(f *fixture) {
	s := f.paid()
	gone, cancel := context.WithCancel(f.ctx)
	cancel()
	f.ctx, gone = gone, f.ctx
	if _, err := f.Provider.Start(f.ctx, order()); !errors.Is(err, context.Canceled) {
		f.Errorf("Start with a cancelled context: %v, want context.Canceled", err)
	}
	for _, method := range []string{"Find", "Close", "Capture", "Void"} {
		if _, err := s.call(method); !errors.Is(err, context.Canceled) {
			f.Errorf("%s with a cancelled context: %v, want context.Canceled", method, err)
		}
	}
	if _, err := f.Provider.Refund(f.ctx, s.ref, payment.Refund{Key: "a", Amount: some}); !errors.Is(err, context.Canceled) {
		f.Errorf("Refund with a cancelled context: %v, want context.Canceled", err)
	}
	var ended error
	for _, ended = range f.Provider.Since(f.ctx, time.Now().Add(-time.Hour)) {
		continue
	}
	if !errors.Is(ended, context.Canceled) {
		f.Errorf("Since with a cancelled context: %v, want context.Canceled", ended)
	}
	f.ctx = gone
	s.does("Find", payment.Authorised)
}
