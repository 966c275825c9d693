package checkout_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/shop/checkout"
	"sneakerdrop/internal/store/memory"
)

// talker is a teller that sends notifications. Their body names a payment, and their header is right or not.
type talker struct {
	teller

	listed atomic.Int64
}

func (*talker) Read(header http.Header, body []byte, _ time.Time) (payment.Notice, error) {
	if header.Get("Signed") != "yes" {
		return payment.Notice{}, payment.ErrForged
	}
	id, err := strconv.ParseInt(string(body), 10, 64)
	if err != nil {
		return payment.Notice{}, payment.ErrMalformed
	}
	switch {
	case id == 0:
		return payment.Notice{ID: "about nothing of ours"}, nil
	case id < 0:
		return payment.Notice{ID: "by hand", Refs: []payment.Ref{{Number: "n"}}}, nil
	}
	return payment.Notice{ID: "n", Refs: []payment.Ref{{ID: payment.ID(id)}}}, nil
}

func (t *talker) Since(context.Context, time.Time) iter.Seq2[payment.Found, error] {
	t.listed.Add(1)
	return func(func(payment.Found, error) bool) {}
}

func (t *talker) asked() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.calls)
}

// spoken is a shop with a buyer who pays, in a bubble of synctest, whose provider sends notifications.
type spoken struct {
	*testing.T
	service  *checkout.Service
	provider *talker
	payment  drop.Payment
	// with returns a service of the same shop with another provider.
	with func(payment.Provider) *checkout.Service
}

func speak(t *testing.T, f func(*spoken)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		now := func() drop.Time { return drop.TimeOf(time.Now()) }
		st := memory.New(now)
		defer func() { _ = st.Close() }()
		log := slog.New(slog.DiscardHandler)
		e := engine.New(st, engine.Config{Hold: time.Minute, Log: log})
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = e.Stop(context.Background()) }()
		one := int64(1)
		v, err := e.Create(t.Context(), drop.Spec{Name: "Air Test", Price: 12_050, TotalStock: &one, StartTime: 1}, engine.Retry{})
		if err != nil {
			t.Fatal(err)
		}
		s := &spoken{T: t, provider: &talker{}}
		s.with = func(p payment.Provider) *checkout.Service {
			return checkout.New(checkout.Settings{PayWithin: 10 * time.Minute, ClaimFor: time.Hour, Currency: euro}, e, p, log, now)
		}
		s.service = s.with(s.provider)
		r, err := e.Reserve(t.Context(), v.Drop.ID, buyer, "", engine.Retry{})
		if err == nil {
			s.payment, err = s.service.Start(t.Context(), checkout.Order{Reservation: r.ID, Owner: buyer, ReturnURL: "/drops/1?payment={payment}"})
		}
		if err != nil {
			t.Fatal(err)
		}
		f(s)
	})
}

func (s *spoken) now() drop.Payment {
	s.Helper()
	p, found, err := s.service.Payment(s.Context(), s.payment.ID)
	if err != nil || !found {
		s.Fatalf("the payment: %t, %v", found, err)
	}
	return p
}

func (s *spoken) notify(signed string, body any) error {
	return s.service.Notify(s.Context(), http.Header{"Signed": {signed}}, []byte(fmt.Sprint(body)))
}

// serves runs Serve while f runs.
func (s *spoken) serves(f func()) {
	ctx, cancel := context.WithCancel(s.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.service.Serve(ctx)
	}()
	f()
	cancel()
	<-done
}

func TestStart_TheReturnURLGetsThePaymentsNumber(t *testing.T) {
	speak(t, func(s *spoken) {
		if want := fmt.Sprintf("/drops/1?payment=%d", s.payment.ID); s.payment.ReturnURL != want || s.provider.price.ReturnURL != want {
			s.Errorf("%q, and the provider got %q", s.payment.ReturnURL, s.provider.price.ReturnURL)
		}
	})
}

// A notification that is forged, cannot be read or is about another shop changes nothing.
func TestNotify_BelievesOnlyItsProvider(t *testing.T) {
	speak(t, func(s *spoken) {
		before := s.now()
		for _, c := range []struct {
			signed string
			body   any
			want   error
		}{
			{"no", s.payment.ID, payment.ErrForged}, {"yes", "?", payment.ErrMalformed}, {"yes", s.payment.ID + 1000, nil}, {"yes", 0, nil},
		} {
			if err := s.notify(c.signed, c.body); !errors.Is(err, c.want) {
				s.Errorf("%s, %v: %v", c.signed, c.body, err)
			}
		}
		if after := s.now(); after != before {
			s.Errorf("%+v, before %+v", after, before)
		}
		silent := checkout.New(checkout.Settings{Currency: euro}, nil, struct{ payment.Provider }{&teller{}}, slog.New(slog.DiscardHandler), nil)
		if err := silent.Notify(s.Context(), nil, nil); !errors.Is(err, checkout.ErrNoNotifications) {
			s.Errorf("a provider that sends none: %v", err)
		}
	})
}

// What a notification asks for is stored when Notify returns, and done at once by Serve; a second and a third one
// change nothing more.
func TestNotify_IsStoredAndThenDone(t *testing.T) {
	speak(t, func(s *spoken) {
		s.provider.says(payment.Authorised)
		for range 3 {
			if err := s.notify("yes", s.payment.ID); err != nil {
				s.Fatal(err)
			}
		}
		if p := s.now(); !p.Unsettled || p.DueAt > drop.TimeOf(time.Now()) || p.Purchase != 0 {
			s.Errorf("stored: %+v", p)
		}
		s.serves(func() {
			synctest.Wait()
			sold := s.now()
			if sold.State != drop.PaymentCaptured || sold.Purchase == 0 {
				s.Errorf("done: %+v", sold)
			}
			if err := s.notify("yes", s.payment.ID); err != nil {
				s.Fatal(err)
			}
			synctest.Wait()
			if p := s.now(); p.Purchase != sold.Purchase || p.Unsettled || p.State != sold.State {
				s.Errorf("after another one: %+v", p)
			}
		})
	})
}

// A refund that a person makes at the provider reaches the payment by a notification, although it was settled.
func TestNotify_ReopensWhatWasSettled(t *testing.T) {
	speak(t, func(s *spoken) {
		s.provider.says(payment.Authorised)
		if _, err := s.service.Step(s.Context(), s.payment.ID); err != nil {
			s.Fatal(err)
		}
		s.provider.mu.Lock()
		s.provider.found.Refunded = 2_000
		s.provider.mu.Unlock()
		s.serves(func() {
			if err := s.notify("yes", s.payment.ID); err != nil {
				s.Fatal(err)
			}
			synctest.Wait()
		})
		if p := s.now(); p.Refunded != 2_000 || p.Booked != 2_000 || p.Unsettled {
			s.Errorf("%+v", p)
		}
	})
}

// A dispute, or what a person did at the provider, names only the provider's number. The provider knows which payment
// that is.
func TestNotify_AsksWhichPaymentANumberIs(t *testing.T) {
	speak(t, func(s *spoken) {
		s.provider.says(payment.Authorised)
		s.provider.found.ID = s.payment.ID
		s.provider.fail = "find"
		if err := s.notify("yes", -1); !errors.Is(err, checkout.ErrProvider) {
			s.Errorf("while the provider does not answer: %v", err)
		}
		before := s.now()
		if err := s.notify("yes", -1); err != nil {
			s.Fatal(err)
		}
		if p := s.now(); p.DueAt >= before.DueAt {
			s.Errorf("not due: %+v", p)
		}
		s.provider.known = false
		if err := s.notify("yes", -1); err != nil {
			s.Errorf("one that the provider does not know: %v", err)
		}
	})
}

// A server with another provider leaves a payment alone, and says why.
func TestStep_LeavesPaymentsOfAnotherProviderAlone(t *testing.T) {
	speak(t, func(s *spoken) {
		s.provider.says(payment.Authorised)
		other := &named{teller: &s.provider.teller}
		service := s.with(other)
		p, err := service.Step(s.Context(), s.payment.ID)
		if !errors.Is(err, checkout.ErrProvider) || !p.Unsettled || p.State != drop.PaymentOpen || p.Tries != 1 || !strings.Contains(p.Reason, "teller") {
			s.Errorf("%+v, %v", p, err)
		}
		if n := s.provider.asked(); n != 0 {
			s.Errorf("the other provider was asked %d times", n)
		}
		if _, err := service.Start(s.Context(), checkout.Order{Reservation: s.payment.Reservation, Owner: buyer, ReturnURL: "/"}); drop.CodeOf(err) != drop.CodePaymentPending {
			s.Errorf("a second payment: %v", err)
		}
	})
}

// named is a teller with another name.
type named struct{ *teller }

func (named) Name() string { return "other" }

// Without any notification the money is found, and what the provider lists is compared every ten minutes.
func TestServe_FindsWhatNobodyToldIt(t *testing.T) {
	speak(t, func(s *spoken) {
		s.provider.says(payment.Authorised)
		s.serves(func() {
			time.Sleep(32 * time.Second)
			synctest.Wait()
			if p := s.now(); p.State != drop.PaymentCaptured {
				s.Errorf("after half a minute: %+v", p)
			}
			asked := s.provider.asked()
			time.Sleep(21 * time.Minute)
			if n := s.provider.asked(); n != asked {
				s.Errorf("the provider was asked %d times more about a settled payment", n-asked)
			}
			if n := s.provider.listed.Load(); n != 2 {
				s.Errorf("it listed its payments %d times in 21 minutes", n)
			}
		})
	})
}

// A buyer who comes back sees what has become of the payment. If thousands wait, the provider is asked at most 20
// times a second, and the others see what is known.
func TestLook_DoesTheNextStepWithinABound(t *testing.T) {
	speak(t, func(s *spoken) {
		s.provider.says(payment.Open)
		for range 1_000 {
			if p, found, err := s.service.Look(s.Context(), s.payment.ID); err != nil || !found || p.State != drop.PaymentOpen {
				s.Fatalf("%+v, %t, %v", p, found, err)
			}
		}
		if n := s.provider.asked(); n != 20 {
			s.Errorf("1,000 looks in one moment asked the provider %d times", n)
		}
		s.provider.says(payment.Authorised)
		if p, _, err := s.service.Look(s.Context(), s.payment.ID); err != nil || p.State != drop.PaymentOpen {
			s.Errorf("beyond the bound: %+v, %v", p, err)
		}
		time.Sleep(time.Second)
		s.provider.fail = "find"
		if p, found, err := s.service.Look(s.Context(), s.payment.ID); err != nil || !found || p.Purchase != 0 {
			s.Errorf("while the provider does not answer: %+v, %t, %v", p, found, err)
		}
		if p, _, err := s.service.Look(s.Context(), s.payment.ID); err != nil || p.Purchase == 0 {
			s.Errorf("after it: %+v, %v", p, err)
		}
		if _, found, err := s.service.Look(s.Context(), s.payment.ID+1); err != nil || found {
			s.Errorf("of no payment: %t, %v", found, err)
		}
	})
}
