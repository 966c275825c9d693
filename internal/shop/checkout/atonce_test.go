package checkout_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/shop/checkout"
	"sneakerdrop/internal/store/memory"
)

// quick is a teller whose Start takes a time, and answers what answer says.
type quick struct {
	*teller
	takes  time.Duration
	answer func() (payment.State, error)
}

func (p *quick) Start(ctx context.Context, o payment.Order) (payment.Checkout, error) {
	made, err := p.teller.Start(ctx, o)
	if err != nil {
		return made, err
	}
	time.Sleep(p.takes)
	state, err := p.answer()
	if state != "" {
		p.says(state)
	}
	made.Found = p.state()
	return made, err
}

// quickShop is a shop with such a provider, and a buyer who holds its one pair for a minute.
func quickShop(t *testing.T) (*scene, checkout.Order, *quick) {
	t.Helper()
	now := func() drop.Time { return drop.TimeOf(time.Now()) }
	st := memory.New(now)
	provider := &quick{teller: &teller{}}
	s := &scene{T: t, store: st, provider: provider.teller}
	s.engine = engine.New(st, engine.Config{Hold: time.Minute, Log: slog.New(slog.DiscardHandler)})
	if err := s.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.engine.Stop(context.Background()) })
	one := int64(1)
	v, err := s.engine.Create(t.Context(), drop.Spec{Name: "Air Test", Price: 12_050, TotalStock: &one, StartTime: 1}, engine.Retry{})
	if err != nil {
		t.Fatal(err)
	}
	s.id = v.Drop.ID
	r, err := s.engine.Reserve(t.Context(), s.id, buyer, "", engine.Retry{})
	if err != nil {
		t.Fatal(err)
	}
	settings := checkout.Settings{PayWithin: time.Hour, ClaimFor: time.Hour, AtOnce: true, Currency: euro}
	s.service = checkout.New(settings, s.engine, provider, slog.New(slog.DiscardHandler), now)
	return s, checkout.Order{Reservation: r.ID, Owner: buyer, ReturnURL: "/"}, provider
}

// A buyer pays at a provider that says at once whether it has the money, in the last second of a hold of a minute.
func TestStart_AtAProviderThatAnswersAtOnce(t *testing.T) {
	declined := &payment.RefusedError{Code: "card_declined", Reason: "the card was declined"}
	for name, c := range map[string]struct {
		takes time.Duration
		state payment.State // what the provider has after Start
		err   error
		fail  string // the call that takes effect and whose answer is lost

		code   drop.Code // of Start's error
		failed bool      // Start's error has no code: nobody knows
		status string    // of the payment after Start
		claim  bool      // the unit is claimed, or sold, after Start
		left   time.Duration
		sold   bool // in the end
		calls  []string
	}{
		"the money is there":              {state: payment.Authorised, status: drop.PaymentCaptured, claim: true, sold: true, calls: []string{"capture"}},
		"it is taken at once":             {state: payment.Captured, status: drop.PaymentCaptured, claim: true, sold: true},
		"it is there late":                {takes: 25 * time.Second, state: payment.Authorised, status: drop.PaymentCaptured, claim: true, sold: true, calls: []string{"capture"}},
		"it is there after the hold":      {takes: 35 * time.Second, state: payment.Authorised, status: drop.PaymentCaptured, claim: true, sold: true, calls: []string{"capture"}},
		"declined":                        {err: declined, code: drop.CodePaymentFailed, status: drop.PaymentFailed, left: 30 * time.Second},
		"declined late":                   {takes: 20 * time.Second, err: declined, code: drop.CodePaymentFailed, status: drop.PaymentFailed, left: 10 * time.Second},
		"the buyer has to go to a page":   {state: payment.Open, status: drop.PaymentOpen, left: 30 * time.Second},
		"the answer is lost, with money":  {state: payment.Authorised, err: errBroken, failed: true, status: drop.PaymentClaimed, claim: true, left: 30 * time.Second, sold: true},
		"the answer is lost, without any": {state: unheard, err: errBroken, failed: true, status: drop.PaymentClaimed, claim: true, left: 30 * time.Second},
		"the capture's answer is lost":    {state: payment.Authorised, fail: "capture", failed: true, status: drop.PaymentClaimed, claim: true, left: 30 * time.Second, sold: true, calls: []string{"capture"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, order, provider := quickShop(t)
				provider.fail, provider.takes, provider.answer = c.fail, c.takes, func() (payment.State, error) { return c.state, c.err }
				time.Sleep(time.Minute - time.Second)
				p, err := s.service.Start(t.Context(), order)
				if drop.CodeOf(err) != c.code || (err != nil) != (c.failed || c.code != "") {
					t.Errorf("Start: %+v, %v", p, err)
				}
				if calls := provider.calls; !slices.Equal(calls, c.calls) {
					t.Errorf("the provider was asked to %q", calls)
				}
				r := s.reservation(order.Reservation)
				p = s.stored(r.Payment)
				if p.State != c.status || (r.Claim != 0) != c.claim {
					t.Errorf("after Start: %+v, %+v", p, r)
				}
				if left := r.ExpiresAt.Sub(drop.TimeOf(time.Now())); c.left != 0 && (r.Status != drop.Active || left != c.left) {
					t.Errorf("the buyer keeps the unit for %s: %+v", left, r)
				}

				for range 40 {
					time.Sleep(time.Second)
					if err := s.service.Run(t.Context()); err != nil {
						t.Log(err)
					}
				}
				p = s.stored(p.ID)
				if p.State == drop.PaymentOpen {
					return // as with any other provider
				}
				if p.Unsettled || (p.Purchase != 0) != c.sold {
					t.Errorf("in the end: %+v", p)
				}
				s.sound(p)
			})
		})
	}
}

func (s *scene) stored(id drop.PaymentID) drop.Payment {
	s.Helper()
	p, found, err := s.store.Payment(s.Context(), id)
	if err != nil || !found {
		s.Fatalf("payment %d: %t, %v", id, found, err)
	}
	return p
}

// A buyer whose call was lost calls again: the provider is asked again, or the money is being captured.
func TestStart_AgainWhileAClaimStands(t *testing.T) {
	for name, c := range map[string]struct {
		state payment.State
		err   error
		fail  string
		code  drop.Code
	}{
		"the provider's answer was lost": {state: payment.Authorised, err: errBroken},
		"the money is being captured":    {state: payment.Authorised, fail: "capture", code: drop.CodePaymentPending},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, order, provider := quickShop(t)
				provider.fail, provider.answer = c.fail, func() (payment.State, error) { return c.state, c.err }
				if p, err := s.service.Start(t.Context(), order); err == nil {
					t.Fatalf("%+v", p)
				}
				provider.answer = func() (payment.State, error) { return c.state, nil }
				p, err := s.service.Start(t.Context(), order)
				if drop.CodeOf(err) != c.code || c.code == "" && (err != nil || p.State != drop.PaymentCaptured || p.Purchase == 0) {
					t.Errorf("again: %+v, %v", p, err)
				}
			})
		})
	}
}

// A provider that has never heard of the payment half a minute later will not: the buyer may try again.
func TestStep_AnAnswerThatNeverCameFreesTheHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, order, provider := quickShop(t)
		provider.answer = func() (payment.State, error) { return unheard, errBroken }
		if p, err := s.service.Start(t.Context(), order); err == nil {
			t.Fatalf("%+v", p)
		}
		held := s.reservation(order.Reservation)
		for range 31 {
			time.Sleep(time.Second)
			if err := s.service.Run(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if r := s.reservation(order.Reservation); r.Status != drop.Active || r.Claim != 0 || r.ExpiresAt != held.ExpiresAt {
			t.Errorf("%+v, which was %+v", r, held)
		}
		provider.answer = func() (payment.State, error) { return payment.Authorised, nil }
		if p, err := s.service.Start(t.Context(), order); err != nil || p.Purchase == 0 {
			t.Errorf("the second payment: %+v, %v", p, err)
		}
	})
}

// A claim that came with the payment is made to last once, however often and late that is asked, also of a sold unit.
func TestClaim_ThatCameWithThePaymentIsMadeToLastOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, order, provider := quickShop(t)
		provider.fail, provider.answer = "capture", func() (payment.State, error) { return payment.Authorised, nil }
		p, err := s.service.Start(t.Context(), order)
		if err == nil {
			t.Fatalf("%+v", p)
		}
		made := s.reservation(order.Reservation)
		claim := drop.ClaimUnit{Reservation: made.ID, User: buyer, Payment: made.Payment, Within: time.Hour}
		for range 3 {
			time.Sleep(10 * time.Second)
			r, err := s.engine.ClaimUnit(t.Context(), claim)
			if err != nil || r.Claim != r.ID || r.ExpiresAt != made.CreatedAt.Add(time.Hour) {
				t.Errorf("%+v, %v", r, err)
			}
		}
		if p, err = s.service.Step(t.Context(), made.Payment); err != nil || p.Purchase == 0 {
			t.Fatalf("%+v, %v", p, err)
		}
		if r, err := s.engine.ClaimUnit(t.Context(), claim); err != nil || r.Claim != r.ID {
			t.Errorf("after the sale: %+v, %v", r, err)
		}
	})
}

func TestClaim_OfASaleAtOnceIsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, order, provider := quickShop(t)
		provider.answer = func() (payment.State, error) { return payment.Authorised, nil }
		p, err := s.service.Start(t.Context(), order)
		if err != nil || p.Purchase == 0 {
			t.Fatalf("%+v, %v", p, err)
		}
		r, err := s.engine.ClaimUnit(t.Context(), drop.ClaimUnit{Reservation: p.Reservation, User: buyer, Payment: p.ID, Within: time.Hour})
		if err != nil || r.Claim != r.ID || r.Status != drop.Completed {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
