// Package paymenttest tests every promise of package payment on a provider. Each provider's own test calls Run.
//
// The tests choose the numbers of their payments at random, and never expect a list to hold nothing else. So several
// of them may share one account of a provider.
package paymenttest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/testing/await"
)

// Harness is a provider, and a buyer who pays at its checkouts.
type Harness struct {
	Provider payment.Provider
	Buyer    Buyer
	// Derived says that Start makes no call: the provider learns of a payment when the buyer comes, or when the server
	// closes it. Until then the payment is unknown, and not open.
	Derived bool
}

// Buyer plays the person in front of the browser. Several goroutines may call its methods at once.
type Buyer interface {
	// Pay pays with a good card. It reports whether the checkout took the money; a checkout that is closed does not.
	// An error says that nobody knows, and fails the test.
	Pay(ctx context.Context, at payment.Checkout) (took bool, err error)
	// Decline tries a card that the bank declines.
	Decline(ctx context.Context, at payment.Checkout) error
	// Abandon opens the checkout, and leaves it without paying.
	Abandon(ctx context.Context, at payment.Checkout) error
}

// LateBuyer is a Buyer who can also pay so that the money takes its time.
type LateBuyer interface {
	Buyer
	// PayLate pays; the money is on its way when it returns.
	PayLate(ctx context.Context, at payment.Checkout) error
	// Arrive lets the money of PayLate arrive.
	Arrive(ctx context.Context, at payment.Checkout) error
}

// Run runs the whole suite. For each test, open returns a provider and its buyer, and closes what it opened with
// t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*fixture)
	}{
		{"Start_TwiceGivesTheSameCheckout", startTwice},
		{"Start_ManyAtOnceGiveTheSameCheckout", startAtOnce},
		{"Start_OrdersShareNoCheckout", startOthers},
		{"Find_FollowsTheBuyer", findFollows},
		{"Find_NeedsNoNumberOfTheProvider", findByID},
		{"Find_ADeclinedBuyerHasPaidNothing", findDeclined},
		{"Find_AnAbandonedCheckoutHasNoMoney", findAbandoned},
		{"Find_MoneyOnItsWayIsPending", findPending},
		{"Capture_TakesTheMoneyOnce", captureOnce},
		{"Capture_ManyAtOnceTakeTheMoneyOnce", captureAtOnce},
		{"Capture_WithoutMoneyIsRefused", captureNothing},
		{"Void_GivesTheMoneyUp", voids},
		{"Void_AfterACaptureIsRefused", voidCaptured},
		{"Void_AndCaptureAtOnceDoOneOfThem", voidOrCapture},
		{"Close_NobodyCanPayAfterwards", closes},
		{"Close_OfAPaidCheckoutTellsOfTheMoney", closePaid},
		{"Close_AndPayAtOnceAgree", closeOrPay},
		{"Refund_PartsAddUpToAll", refundParts},
		{"Refund_UnderOneKeyIsMadeOnce", refundOnce},
		{"Refund_TooMuchIsRefused", refundTooMuch},
		{"Refund_TwoAtOnceGiveBackNoMoreThanWasTaken", refundAtOnce},
		{"Refund_BeforeACaptureIsRefused", refundNothing},
		{"Unknown_PaymentsAreUnknown", unknown},
		{"Since_ListsWhatBeganInTime", since},
		{"Context_ACancelledCallDoesNothing", cancelled},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*await.Patience)
			t.Cleanup(cancel)
			test.run(&fixture{T: t, Harness: open(t), ctx: ctx})
		})
	}
}

// fixture is a test with its provider.
type fixture struct {
	*testing.T
	Harness
	ctx context.Context
}

var euro = drop.Currency{Code: "EUR", Decimals: 2}

const (
	price    drop.Money = 119_95
	someMore drop.Money = 90_00 // more than half the price
	some     drop.Money = 19_95
	rest     drop.Money = 100_00
)

// order is a new order. Its number is below 2^53, like those of the server.
func order() payment.Order {
	reservation := drop.NewReservationID(drop.ID(rand.Int32N(1<<20)+1), rand.Uint32())
	return payment.Order{
		ID: payment.ID(reservation), Reservation: reservation, Amount: price, Currency: euro,
		Description: "Comet “Größe” & more, 9.5", Email: "ann+drops@shop.example",
		ReturnURL: "https://shop.example/drops/7?paid=1", Expires: time.Now().Add(time.Hour),
	}
}

// started is a payment of the test.
type started struct {
	*fixture
	order    payment.Order
	checkout payment.Checkout
	ref      payment.Ref
}

func (f *fixture) start() *started {
	f.Helper()
	o := order()
	c, err := f.Provider.Start(f.ctx, o)
	if err != nil {
		f.Fatalf("Start: %v", err)
	}
	if c.URL == "" || c.Number == "" {
		f.Fatalf("Start gave the checkout %+v: it needs a number and a URL", c)
	}
	return &started{f, o, c, payment.Ref{ID: o.ID, Number: c.Number}}
}

// paid is a payment that the buyer has paid.
func (f *fixture) paid() *started {
	f.Helper()
	s := f.start()
	s.pays()
	return s
}

// captured is a payment whose money is taken.
func (f *fixture) captured() *started {
	f.Helper()
	s := f.paid()
	s.does("Capture", payment.Captured)
	return s
}

func (s *started) pays() {
	s.Helper()
	if took, err := s.Buyer.Pay(s.ctx, s.checkout); err != nil || !took {
		s.Fatalf("the buyer pays: the checkout took the money: %t, %v", took, err)
	}
}

// call calls the method of a name.
func (s *started) call(method string) (payment.Found, error) {
	switch method {
	case "Find":
		return s.Provider.Find(s.ctx, s.ref)
	case "Close":
		return s.Provider.Close(s.ctx, s.ref)
	case "Capture":
		return s.Provider.Capture(s.ctx, s.ref)
	case "Void":
		return s.Provider.Void(s.ctx, s.ref)
	default:
		panic("no method " + method)
	}
}

// does calls a method and checks that the payment has a state afterwards, by its answer and by Find's.
func (s *started) does(method string, want payment.State) payment.Found {
	s.Helper()
	got, err := s.call(method)
	if err != nil {
		s.Fatalf("%s: %v", method, err)
	}
	s.check(method, got, want)
	if method != "Find" {
		s.does("Find", want)
	}
	return got
}

// check checks what the provider found.
func (s *started) check(method string, got payment.Found, want payment.State) {
	s.Helper()
	if got.State != want {
		s.Fatalf("%s: the state is %s, want %s", method, got.State, want)
	}
	if got.ID != s.order.ID || got.Number != s.checkout.Number {
		s.Errorf("%s: it is payment %d with the number %q, want %d with %q", method, got.ID, got.Number, s.order.ID, s.checkout.Number)
	}
	switch want {
	case payment.Authorised, payment.Captured:
		if got.Amount != s.order.Amount || got.Currency != s.order.Currency.Code {
			s.Errorf("%s: the amount is %s %s, want %s %s", method, got.Amount, got.Currency, s.order.Amount, s.order.Currency.Code)
		}
	case payment.Open:
		if got.Amount != 0 || got.Currency != "" {
			s.Errorf("%s: the amount is %s %s, although the buyer has not paid", method, got.Amount, got.Currency)
		}
	case payment.Pending, payment.Voided, payment.Failed: // some providers tell the amount, others do not
	}
	if got.Disputed {
		s.Errorf("%s: the payment is disputed", method)
	}
}

// open checks that the payment is there, and no money.
func (s *started) open() {
	s.Helper()
	got, err := s.Provider.Find(s.ctx, s.ref)
	if s.Derived && errors.Is(err, payment.ErrUnknown) {
		return
	}
	if err != nil {
		s.Fatalf("Find: %v", err)
	}
	s.check("Find", got, payment.Open)
}

// refunds asks for a refund, and checks how much was refunded in all.
func (s *started) refunds(key string, amount, all drop.Money) {
	s.Helper()
	got, err := s.Provider.Refund(s.ctx, s.ref, payment.Refund{Key: key, Amount: amount, Reason: "wrong size"})
	if err != nil {
		s.Fatalf("Refund of %s under %q: %v", amount, key, err)
	}
	s.check("Refund", got, payment.Captured)
	if got.Refunded != all {
		s.Errorf("Refund of %s under %q: %s refunded in all, want %s", amount, key, got.Refunded, all)
	}
	s.refunded(all)
}

// refunded checks how much was refunded, by Find's answer.
func (s *started) refunded(all drop.Money) {
	s.Helper()
	if got := s.does("Find", payment.Captured); got.Refunded != all {
		s.Errorf("Find: %s refunded in all, want %s", got.Refunded, all)
	}
}

// refused checks that an error is a final no, with a word and a sentence.
func (f *fixture) refused(what string, err error) {
	f.Helper()
	if no, ok := errors.AsType[*payment.RefusedError](err); !ok || no.Code == "" || no.Reason == "" {
		f.Errorf("%s: %v, want a *payment.RefusedError with a code and a reason", what, err)
	}
}

// refusedUnpaid checks the answer to a call that needs money, where nobody has paid.
func (f *fixture) refusedUnpaid(what string, err error) {
	f.Helper()
	if !f.Derived || !errors.Is(err, payment.ErrUnknown) {
		f.refused(what, err)
	}
}

// together calls functions at the same time, and returns when all have.
func together(calls ...func()) {
	var all sync.WaitGroup
	begin := make(chan struct{})
	for _, call := range calls {
		all.Go(func() {
			<-begin
			call()
		})
	}
	close(begin)
	all.Wait()
}

// crowd is n calls of one function at the same time.
func crowd(n int, call func()) {
	calls := make([]func(), n)
	for i := range calls {
		calls[i] = call
	}
	together(calls...)
}
