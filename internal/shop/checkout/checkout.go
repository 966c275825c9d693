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
	"strconv"
	"strings"
	"sync"
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
	// AtOnce says that the provider needs no page: its Start authorises the money or refuses. The unit is then claimed
	// before that, which saves a batch.
	AtOnce   bool
	Currency drop.Currency
	// Ended, if not nil, is called with the state in which a payment ends: captured, voided, refunded or failed. Two
	// servers that sell the unit of one payment at the same moment both call it.
	Ended func(state string)
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
	numbers  numbers
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
	ReturnURL   string      // where the provider sends the browser; {payment} in it becomes the payment's number
	// Describe says what the provider shows to the buyer. It is called if a checkout is opened; nil: nothing is shown.
	Describe func(context.Context, *drop.Reservation) (Details, error)
}

// Details is what a provider shows to a buyer.
type Details struct {
	Description string // the drop's name and the size
	Email       string // the buyer's, to fill the provider's form in; may be empty
}

// Start begins a payment of a reservation, or finds the one that its buyer has begun. The answer's URL is where to pay.
// It refuses with what drop.StartPayment refuses, with CodePaymentFailed if the provider says no, and with ErrProvider.
func (s *Service) Start(ctx context.Context, o Order) (drop.Payment, error) {
	p, of, err := s.begin(ctx, o)
	if err != nil {
		return p, err
	}
	switch {
	case p.Provider != s.provider.Name(), // the shop has changed its provider meanwhile
		of.Claim != 0 && p.Number != "" && p.Unsettled: // the money is being captured
		return p, drop.Refuse(drop.CodePaymentPending)
	case !p.Unsettled && p.State != drop.PaymentCaptured:
		return p, drop.Refuse(drop.CodePaymentFailed)
	case !p.Unsettled, p.URL != "":
		return p, nil
	}
	var show Details
	if o.Describe != nil {
		if show, err = o.Describe(ctx, &of); err != nil {
			return p, err
		}
	}
	return s.open(ctx, p, show)
}

// reservations returns the reservation with that number, if there is one.
func (s *Service) reservations(ctx context.Context, id drop.ReservationID) ([]drop.Reservation, error) {
	return engine.Ask(ctx, s.engine, func(st store.Records) ([]drop.Reservation, error) {
		return st.ReservationsIn(ctx, id.Drop(), []store.Run{{First: uint32(id), Length: 1}})
	})
}

// Payment returns a payment. found reports whether there is one.
func (s *Service) Payment(ctx context.Context, id drop.PaymentID) (p drop.Payment, found bool, err error) {
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

// begin keeps the unit for a new payment, or finds the one that the buyer has begun. A lane does the one or the other,
// so of two calls at once both get the same payment.
func (s *Service) begin(ctx context.Context, o Order) (p drop.Payment, of drop.Reservation, err error) {
	id, err := s.number(ctx)
	if err != nil {
		return p, of, err
	}
	row := drop.Payment{
		Provider: s.provider.Name(), ReturnURL: returnURL(o.ReturnURL, id), State: drop.PaymentOpen, Unsettled: true,
		Currency: s.settings.Currency.Code, Decimals: s.settings.Currency.Decimals, DueAt: s.now().Add(firstLook),
	}
	within := s.settings.PayWithin
	if s.settings.AtOnce {
		within = firstLook
	}
	for instead := drop.PaymentID(0); ; {
		r, begun, err := s.engine.StartPayment(ctx, drop.StartPayment{
			Reservation: o.Reservation, Owner: o.Owner, Payment: id, Instead: instead, Within: within,
			AtOnce: s.settings.AtOnce, Row: &row,
		})
		if err != nil {
			return p, of, err
		}
		if begun != nil {
			return *begun, r, nil
		}
		other, found, err := s.Payment(ctx, r.Payment)
		if err != nil || found && other.Unsettled {
			return other, r, err
		}
		instead = r.Payment // it is over: the buyer begins another one
	}
}

// returnURL fills a payment's number in where the caller asked for it.
func returnURL(url string, id drop.PaymentID) string {
	if !strings.ContainsAny(url, "{%") {
		return url
	}
	number := strconv.FormatInt(int64(id), 10)
	return strings.NewReplacer("{payment}", number, "%7Bpayment%7D", number, "%7bpayment%7d", number).Replace(url)
}

// numbers are the numbers of payments that this server has taken and not used.
type numbers struct {
	mu   sync.Mutex
	next drop.PaymentID
	left int
}

// number returns a number that no payment has.
func (s *Service) number(ctx context.Context) (drop.PaymentID, error) {
	n := &s.numbers
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.left == 0 {
		first, err := engine.Ask(ctx, s.engine, func(st store.Records) (drop.PaymentID, error) { return st.NextPayments(ctx) })
		if err != nil {
			return 0, err
		}
		n.next, n.left = first, store.PaymentNumbers
	}
	id := n.next
	n.next++
	n.left--
	return id, nil
}

// open asks the provider for the checkout of a payment. A provider that has the buyer's card can authorise at once.
func (s *Service) open(ctx context.Context, p drop.Payment, show Details) (drop.Payment, error) {
	made, err := s.provider.Start(ctx, payment.Order{
		ID: p.ID, Reservation: p.Reservation, Amount: p.Amount, Currency: currencyOf(&p), Description: show.Description, Email: show.Email,
		ReturnURL: p.ReturnURL, Expires: p.ExpiresAt.Time(),
	})
	to := p
	if refused, ok := errors.AsType[*payment.RefusedError](err); ok {
		without(&to, drop.PaymentFailed, refused.Error())
		if _, err := s.replace(ctx, p, to); err != nil {
			return p, err
		}
		return to, drop.Refuse(drop.CodePaymentFailed)
	}
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrProvider, err)
	}
	if state := made.Found.State; state == payment.Authorised || state == payment.Captured { // at once: the buyer's card is known
		was := p
		p.Number = made.Number
		err := s.act(ctx, &p, &made.Found)
		return s.finish(ctx, was, p, err)
	}
	if to.State == drop.PaymentClaimed { // the buyer has to go to a page after all
		if err := s.releaseClaim(ctx, &to); err != nil {
			return p, err
		}
		to.State = drop.PaymentOpen
	}
	to.Number, to.URL, to.DueAt = made.Number, made.URL, s.nextLook(&to)
	done, err := s.replace(ctx, p, to)
	if err != nil {
		return p, err
	}
	if !done { // a step was faster. If it closed the payment, the checkout is closed now.
		return s.again(ctx, p.ID)
	}
	return to, nil
}

// again does a step of a payment even if it is settled.
func (s *Service) again(ctx context.Context, id drop.PaymentID) (drop.Payment, error) {
	p, found, err := s.Payment(ctx, id)
	if err != nil || !found {
		return p, err
	}
	to := p
	to.Unsettled, to.DueAt = true, s.now()
	done, err := s.replace(ctx, p, to)
	switch {
	case err != nil:
		return p, err
	case !done:
		return s.Step(ctx, id)
	}
	return s.advance(ctx, to)
}

func currencyOf(p *drop.Payment) drop.Currency {
	return drop.Currency{Code: p.Currency, Decimals: p.Decimals}
}

func (s *Service) ref(p *drop.Payment) payment.Ref { return payment.Ref{ID: p.ID, Number: p.Number} }

// replace stores a payment. One that nothing is sold for also releases the unit that it has claimed. done is false if
// another step was faster.
func (s *Service) replace(ctx context.Context, old, to drop.Payment) (done bool, err error) {
	switch {
	case old == to:
		return true, nil
	case !to.Unsettled && to.Purchase == 0:
		done, err = s.engine.EndPayment(ctx, old, to, keptUntil(&to))
	default:
		done, err = engine.Ask(ctx, s.engine, func(st store.Records) (bool, error) { return st.ReplacePayment(ctx, old, to) })
	}
	if done && !to.Unsettled && to.State != old.State {
		s.ended(to.State)
	}
	return done, err
}

// ended tells that a payment has ended.
func (s *Service) ended(state string) {
	if s.settings.Ended != nil {
		s.settings.Ended(state)
	}
}

// firstLook is how long after a checkout began the provider is asked for the first time. A notification comes sooner.
// Until then nobody releases a claim that came with the payment.
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
