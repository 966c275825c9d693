// Package fakestripe is a small Stripe for tests: the calls of the API that internal/payment/stripe makes, with the
// state behind them, idempotency keys, signed notifications, and faults on request. It follows Stripe's documentation,
// and is the tests' own: what it does not know, it refuses.
//
// The methods of a Stripe may be called from several goroutines. Nothing happens by itself: time passes by Options.Now,
// buyers act by Pay and Settle, and notifications go out by Deliver. All that is random comes from one seed, which the
// test logs.
package fakestripe

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// What a test gives the provider, if Options name nothing else.
const (
	Key     = "sk_test_fakestripe"
	Signing = "whsec_fakestripe"
)

// Options are what a Stripe can be made with. The zero value is useful.
type Options struct {
	Key     string           // the only secret key that is accepted; empty: Key
	Signing []string         // each signs every notification; empty: Signing
	Now     func() time.Time // nil: time.Now
	// Seed decides all that is random. 0: that of the variable FAKESTRIPE, or a random one.
	Seed uint64
}

// Stripe is a fake of Stripe, and an http.Handler. Create one with New.
type Stripe struct {
	options Options
	t       testing.TB

	mu       sync.Mutex
	random   *rand.Rand
	numbers  int
	sessions []*session // the oldest first
	intents  map[string]*intent
	charges  map[string]*charge
	refunds  []*refund
	keys     map[string]*kept
	faults   []*Fault
	rate     float64
	kinds    []Kind
	events   []Event
	pending  []Event // not delivered yet
	requests []Request
}

// New returns an empty Stripe. It logs its seed.
func New(t testing.TB, options Options) *Stripe {
	t.Helper()
	if options.Key == "" {
		options.Key = Key
	}
	if len(options.Signing) == 0 {
		options.Signing = []string{Signing}
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Seed == 0 {
		options.Seed = rand.Uint64()
		if text := os.Getenv("FAKESTRIPE"); text != "" {
			seed, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				t.Fatalf("FAKESTRIPE: %v", err)
			}
			options.Seed = seed
		}
	}
	t.Logf("the fake of Stripe has the seed FAKESTRIPE=%d", options.Seed)
	return &Stripe{
		options: options, t: t, random: rand.New(rand.NewPCG(options.Seed, 0)),
		intents: make(map[string]*intent), charges: make(map[string]*charge), keys: make(map[string]*kept),
	}
}

// Listen serves s on a port of this machine until the test ends, and returns its URL.
func (s *Stripe) Listen() string {
	server := httptest.NewServer(s)
	s.t.Cleanup(server.Close)
	return server.URL
}

// How is how a buyer's attempt to pay goes.
type How string

// The ways that an attempt goes.
const (
	Authorise How = "authorise" // the money is set aside, and captured at once if the session says so
	Async     How = "async"     // the checkout is complete, and the money comes or not: see Settle
	Voucher   How = "voucher"   // the checkout is complete, and the buyer has to pay elsewhere: see Settle
	Ask       How = "ask"       // the bank asks the buyer first; the checkout stays open
	Decline   How = "decline"   // the bank refuses; the buyer may try again
)

// Pay is a buyer's attempt to pay in a session. It returns an error if the session is not open.
func (s *Stripe) Pay(number string, how How) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.open(number)
	if err != nil {
		return err
	}
	if c.intent == nil {
		c.intent = s.newIntent(c)
	}
	i := c.intent
	switch how {
	case Authorise:
		s.authorise(i)
		s.complete(c)
	case Async:
		i.status = "processing"
		s.emit("payment_intent.processing", i)
		s.complete(c)
	case Voucher:
		i.status = "requires_action"
		s.complete(c)
	case Ask:
		i.status = "requires_action"
	case Decline:
		s.decline(i)
	default:
		return fmt.Errorf("a buyer cannot %q", how)
	}
	return nil
}

// Settle ends a payment by Async or Voucher: the money comes or not.
func (s *Stripe) Settle(number string, paid bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.session(number)
	switch {
	case c == nil || c.intent == nil || c.status != "complete":
		return fmt.Errorf("%s is not paid", number)
	case c.intent.status != "processing" && c.intent.status != "requires_action":
		return fmt.Errorf("%s waits for nothing", number)
	}
	if !paid {
		s.decline(c.intent)
		s.emit("checkout.session.async_payment_failed", c)
		return nil
	}
	s.authorise(c.intent)
	s.emit("checkout.session.async_payment_succeeded", c)
	return nil
}

// Expire ends an open session, as its time does.
func (s *Stripe) Expire(number string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.open(number)
	if err != nil {
		return err
	}
	s.expire(c)
	return nil
}

// RefundByHand is a refund in the dashboard, which has no metadata.
func (s *Stripe) RefundByHand(number string, amount int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.session(number)
	if c == nil || c.intent == nil {
		return fmt.Errorf("%s has no payment", number)
	}
	if _, problem := s.refund(c.intent, amount, nil); problem != nil {
		return fmt.Errorf("refund %s: %s", number, problem.Message)
	}
	return nil
}

// FailRefunds makes a payment's refunds fail, as when the buyer's account is closed.
func (s *Stripe) FailRefunds(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.session(number)
	for _, r := range s.refunds {
		if r.intent == c.intent && r.status == "succeeded" {
			r.status, r.failure = "failed", "lost_or_stolen_card"
			c.intent.charge.refunded -= r.amount
			s.emit("charge.refund.updated", r)
			s.emit("refund.failed", r)
		}
	}
}

// Dispute is a buyer's bank that asks for the money back.
func (s *Stripe) Dispute(number string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.session(number)
	if c == nil || c.intent == nil || c.intent.status != "succeeded" {
		return fmt.Errorf("%s is not captured", number)
	}
	c.intent.charge.disputed = true
	s.emit("charge.dispute.created", dispute{id: s.number("du"), intent: c.intent})
	return nil
}

// Forget drops the idempotency keys, as Stripe does after a day.
func (s *Stripe) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.keys)
}

// Payment is the state of a session, for a test to compare.
type Payment struct {
	Session, Status    string // Status is open, complete or expired
	Intent, IntentIs   string // the payment intent's number and status; empty before the buyer's first attempt
	Amount, Captured   int64  // in Stripe's units; Amount is what the session asks for
	Refunded           int64
	Currency           string
	ExpiresAt          time.Time
	Email, ReferenceID string
	Metadata           map[string]string
	Refunds            int
}

// Payments returns the state of all sessions, the oldest first.
func (s *Stripe) Payments() []Payment {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pass()
	var all []Payment
	for _, c := range s.sessions {
		p := Payment{
			Session: c.id, Status: c.status, Amount: c.amount, Currency: c.currency, ExpiresAt: time.Unix(c.expires, 0),
			Email: c.email, ReferenceID: c.reference, Metadata: c.metadata,
		}
		if i := c.intent; i != nil {
			p.Intent, p.IntentIs, p.Captured = i.id, i.status, i.received
			if i.charge != nil && i.status == "succeeded" {
				p.Refunded = i.charge.refunded
			}
			for _, r := range s.refunds {
				if r.intent == i {
					p.Refunds++
				}
			}
		}
		all = append(all, p)
	}
	return all
}

// Request is one that came, for a test to look at.
type Request struct {
	Method, Path, Key string // Key is the idempotency key
	Header            map[string][]string
	Form              map[string][]string
}

// Requests returns all requests until now, in the order of their arrival.
func (s *Stripe) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}
