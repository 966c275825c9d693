// Package checkout sells units for money: it brings together what the lanes know of units and what a payment provider
// knows of money.
//
// A payment is a row (drop.Payment) that is written before the provider is asked for anything. Everything that happens
// to it is one function, step, that asks the provider what it knows and does the next thing. step can run at any time,
// on any server, and as often as one likes: each thing that it does has the same effect once. So a lost answer, a lost
// notification and a server that dies all end the same way: step runs again. Service.Run calls it for every payment
// that is due, and a notification calls it at once.
//
// Money is captured only for a unit that the payment has claimed (drop.ClaimUnit). Everything else is voided, or
// refunded if the provider took it at once.
package checkout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/store"
)

// Settings are what a shop decides about payments.
type Settings struct {
	// PayWithin is how long a buyer who pays keeps the unit, in whole milliseconds. A second payment keeps it once
	// more as long.
	PayWithin time.Duration
	// ClaimFor is how long the provider keeps authorised money set aside, in whole milliseconds. If it cannot be
	// captured by then, the unit goes on sale again.
	ClaimFor time.Duration
	Currency drop.Currency
}

// Service takes payments with one provider. Its methods can be called from several goroutines.
type Service struct {
	settings Settings
	engine   *engine.Engine
	provider payment.Provider
	log      *slog.Logger
	now      func() drop.Time
	woken    chan struct{} // has a value if Serve is to run at once
	looks    *rate.Limiter
}

// New returns a service. now is the clock that says when a payment is due.
func New(s Settings, e *engine.Engine, p payment.Provider, log *slog.Logger, now func() drop.Time) *Service {
	return &Service{
		settings: s, engine: e, provider: p, log: log, now: now, woken: make(chan struct{}, 1),
		looks: rate.NewLimiter(looksPerSecond, looksPerSecond),
	}
}

// looksPerSecond bounds the questions to the provider that buyers cause who wait for the end of their payments.
const looksPerSecond = 20

// ErrProvider is in an error that says that the provider could not be reached, or did not answer. Nothing is lost:
// repeat the call.
var ErrProvider = errors.New("the payment provider did not answer")

// Order is what a buyer asks for.
type Order struct {
	Reservation drop.ReservationID
	Owner       drop.UserID // whose reservation it must be; 0: anybody's
	ReturnURL   string      // where the provider sends the browser
	Email       string
	Description string
}

// Start begins a payment of a reservation, or finds the one that its buyer has begun. The answer's URL is where to pay.
// It refuses with what drop.StartPayment refuses, with CodePaymentFailed if the provider says no, and with ErrProvider.
func (s *Service) Start(ctx context.Context, o Order) (drop.Payment, error) {
	r, price, err := s.reservation(ctx, o)
	if err != nil {
		return drop.Payment{}, err
	}
	p, found, err := s.underway(ctx, r)
	if err != nil {
		return p, err
	}
	if !found {
		if p, err = s.begin(ctx, o, r, price); err != nil {
			return p, err
		}
	}
	switch {
	case !p.Unsettled && p.State != drop.PaymentCaptured:
		return p, drop.Refuse(drop.CodePaymentFailed)
	case !p.Unsettled, p.URL != "":
		return p, nil
	}
	return s.open(ctx, p, o.Description)
}

// reservation returns a reservation and the price at which it is held, which cannot change.
func (s *Service) reservation(ctx context.Context, o Order) (drop.Reservation, drop.Money, error) {
	id := o.Reservation
	v, err := s.engine.View(ctx, id.Drop())
	if drop.CodeOf(err) == drop.CodeDropNotFound {
		err = drop.Refuse(drop.CodeReservationNotFound)
	}
	if err != nil {
		return drop.Reservation{}, 0, err
	}
	found, err := s.reservations(ctx, id)
	switch {
	case err != nil:
		return drop.Reservation{}, 0, err
	case len(found) == 0 || o.Owner != 0 && found[0].UserID != o.Owner:
		return drop.Reservation{}, 0, drop.Refuse(drop.CodeReservationNotFound)
	}
	return found[0], v.Drop.Price, nil
}

// reservations returns the reservation with that number, if there is one.
func (s *Service) reservations(ctx context.Context, id drop.ReservationID) ([]drop.Reservation, error) {
	return engine.Ask(ctx, s.engine, func(st store.Records) ([]drop.Reservation, error) {
		return st.ReservationsIn(ctx, id.Drop(), []store.Run{{First: uint32(id), Length: 1}})
	})
}

// underway returns the payment that the buyer of a reservation has begun, if it is not over.
func (s *Service) underway(ctx context.Context, r drop.Reservation) (drop.Payment, bool, error) {
	if r.Payment == 0 || r.Status != drop.Active {
		return drop.Payment{}, false, nil
	}
	p, found, err := s.read(ctx, r.Payment)
	return p, found && p.Unsettled, err
}

func (s *Service) read(ctx context.Context, id drop.PaymentID) (p drop.Payment, found bool, err error) {
	type row struct {
		p     drop.Payment
		found bool
	}
	got, err := engine.Ask(ctx, s.engine, func(st store.Records) (r row, err error) {
		r.p, r.found, err = st.Payment(ctx, id)
		return r, err
	})
	return got.p, got.found, err
}

// begin writes a payment, and then keeps the unit for it. A payment that another call has overtaken is over at once:
// nobody can have paid it.
func (s *Service) begin(ctx context.Context, o Order, r drop.Reservation, price drop.Money) (drop.Payment, error) {
	now := s.now()
	p, err := engine.Ask(ctx, s.engine, func(st store.Records) (drop.Payment, error) {
		return st.AddPayment(ctx, drop.Payment{
			Reservation: r.ID, User: r.UserID, Provider: s.provider.Name(), ReturnURL: o.ReturnURL, Email: o.Email,
			State: drop.PaymentOpen, Unsettled: true, Amount: price, Currency: s.settings.Currency.Code, Decimals: s.settings.Currency.Decimals,
			DueAt: now.Add(firstLook), ExpiresAt: now.Add(s.settings.PayWithin),
		})
	})
	if err != nil {
		return p, err
	}
	kept, err := s.engine.StartPayment(ctx, drop.StartPayment{
		Reservation: r.ID, Owner: o.Owner, Payment: p.ID, Instead: r.Payment, Within: s.settings.PayWithin,
	})
	over := p
	over.State, over.Unsettled, over.Reason = drop.PaymentFailed, false, "another payment began first"
	switch {
	case drop.CodeOf(err) != "":
		over.Reason = string(drop.CodeOf(err))
		_, _ = s.replace(ctx, p, over) // otherwise step finds the same
		return p, err
	case err != nil:
		return p, err
	case kept.Payment != p.ID:
		_, _ = s.replace(ctx, p, over)
		other, found, err := s.underway(ctx, kept)
		if err == nil && !found {
			err = drop.Refuse(drop.CodePaymentPending)
		}
		return other, err
	}
	to := p
	to.ExpiresAt = kept.ExpiresAt
	if done, err := s.replace(ctx, p, to); err != nil || done {
		return to, err
	}
	p, _, err = s.read(ctx, p.ID) // this took so long that a step has closed the payment
	return p, err
}

// open asks the provider for the checkout of a payment. A provider that has the buyer's card can authorise at once.
func (s *Service) open(ctx context.Context, p drop.Payment, description string) (drop.Payment, error) {
	made, err := s.provider.Start(ctx, payment.Order{
		ID: p.ID, Reservation: p.Reservation, Amount: p.Amount, Currency: currencyOf(&p), Description: description, Email: p.Email,
		ReturnURL: p.ReturnURL, Expires: p.ExpiresAt.Time(),
	})
	to := p
	if refused, ok := errors.AsType[*payment.RefusedError](err); ok {
		to.State, to.Unsettled, to.Reason = drop.PaymentFailed, false, refused.Error()
		if _, err := s.replace(ctx, p, to); err != nil {
			return p, err
		}
		return to, drop.Refuse(drop.CodePaymentFailed)
	}
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrProvider, err)
	}
	to.Number, to.URL, to.DueAt = made.Number, made.URL, s.nextLook(&to)
	done, err := s.replace(ctx, p, to)
	if err != nil {
		return p, err
	}
	if !done { // a step was faster. If it closed the payment, the checkout is closed now.
		return s.again(ctx, p.ID)
	}
	if made.Found.State != payment.Authorised && made.Found.State != payment.Captured {
		return to, nil
	}
	return s.Step(ctx, p.ID)
}

// again does a step of a payment even if it is settled.
func (s *Service) again(ctx context.Context, id drop.PaymentID) (drop.Payment, error) {
	p, found, err := s.read(ctx, id)
	if err != nil || !found {
		return p, err
	}
	to := p
	to.Unsettled, to.DueAt = true, s.now()
	if _, err := s.replace(ctx, p, to); err != nil {
		return p, err
	}
	return s.Step(ctx, id)
}

func currencyOf(p *drop.Payment) drop.Currency {
	return drop.Currency{Code: p.Currency, Decimals: p.Decimals}
}

func (s *Service) ref(p *drop.Payment) payment.Ref { return payment.Ref{ID: p.ID, Number: p.Number} }

// replace stores a payment. done is false if another step was faster.
func (s *Service) replace(ctx context.Context, old, to drop.Payment) (done bool, err error) {
	if old == to {
		return true, nil
	}
	return engine.Ask(ctx, s.engine, func(st store.Records) (bool, error) { return st.ReplacePayment(ctx, old, to) })
}

// firstLook is how long after a checkout began the provider is asked for the first time. A notification comes sooner.
const firstLook = 30 * time.Second

// nextLook returns when to look at a payment that the buyer can still pay: each time after twice as long, and when the
// time to pay is over.
func (s *Service) nextLook(p *drop.Payment) drop.Time {
	now := s.now()
	wait := max(firstLook, now.Sub(p.CreatedAt))
	next := now.Add(wait)
	if now < p.ExpiresAt {
		next = min(next, p.ExpiresAt)
	}
	return next
}
