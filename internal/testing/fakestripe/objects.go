package fakestripe

import (
	"fmt"
	"time"
)

type session struct {
	id, status, url, currency, email, reference, capture, success string
	amount, created, expires                                      int64
	metadata, intentMetadata                                      map[string]string
	intent                                                        *intent // nil before the buyer's first attempt
}

type intent struct {
	id, status, currency, capture, cancelled string
	amount, capturable, received, created    int64
	metadata                                 map[string]string
	charge                                   *charge // the latest
	session                                  *session
	failure                                  *Problem // of the last attempt
}

type charge struct {
	id, status       string
	amount, refunded int64
	captured         bool
	disputed         bool
	created          int64
	intent           *intent
}

type refund struct {
	id, status, failure string
	amount, created     int64
	metadata            map[string]string
	intent              *intent
}

type dispute struct {
	id     string
	intent *intent
}

// object is anything that an event or an answer has.
type object interface {
	// render makes its JSON. expand has the names of the objects to show whole, below this one.
	render(expand []string) map[string]any
}

func (c *session) render(expand []string) map[string]any {
	paid := "unpaid"
	if c.intent != nil && c.intent.status == "succeeded" {
		paid = "paid"
	}
	m := map[string]any{
		"id": c.id, "object": "checkout.session", "mode": "payment", "status": c.status, "payment_status": paid,
		"amount_total": c.amount, "currency": c.currency, "created": c.created, "expires_at": c.expires,
		"client_reference_id": c.reference, "metadata": c.metadata, "success_url": c.success, "payment_intent": nil,
		"url": nil,
	}
	if c.intent != nil {
		m["payment_intent"] = shown(c.intent, c.intent.id, "payment_intent", expand)
	}
	if c.status == "open" {
		m["url"] = c.url
	}
	return m
}

func (i *intent) render(expand []string) map[string]any {
	m := map[string]any{
		"id": i.id, "object": "payment_intent", "status": i.status, "currency": i.currency, "amount": i.amount,
		"amount_capturable": i.capturable, "amount_received": i.received, "created": i.created, "metadata": i.metadata,
		"capture_method": i.capture, "client_secret": i.id + "_secret_fake", "latest_charge": nil, "last_payment_error": nil,
		"cancellation_reason": nil,
	}
	if i.charge != nil {
		m["latest_charge"] = shown(i.charge, i.charge.id, "latest_charge", expand)
	}
	if i.failure != nil {
		m["last_payment_error"] = i.failure
	}
	if i.cancelled != "" {
		m["cancellation_reason"] = i.cancelled
	}
	return m
}

func (c *charge) render([]string) map[string]any {
	captured := int64(0)
	if c.captured {
		captured = c.amount
	}
	return map[string]any{
		"id": c.id, "object": "charge", "status": c.status, "amount": c.amount, "amount_captured": captured,
		"amount_refunded": c.refunded, "captured": c.captured, "refunded": c.refunded == c.amount, "disputed": c.disputed,
		"paid": c.status == "succeeded", "currency": c.intent.currency, "payment_intent": c.intent.id, "created": c.created,
		"metadata": c.intent.metadata,
	}
}

func (r *refund) render([]string) map[string]any {
	m := map[string]any{
		"id": r.id, "object": "refund", "status": r.status, "amount": r.amount, "currency": r.intent.currency,
		"payment_intent": r.intent.id, "charge": r.intent.charge.id, "metadata": r.metadata, "created": r.created,
	}
	if r.failure != "" {
		m["failure_reason"] = r.failure
	}
	return m
}

func (d dispute) render([]string) map[string]any {
	return map[string]any{
		"id": d.id, "object": "dispute", "amount": d.intent.amount, "currency": d.intent.currency,
		"payment_intent": d.intent.id, "charge": d.intent.charge.id, "status": "needs_response", "metadata": map[string]string{},
	}
}

// shown is an object inside another one: its number, or all of it if it is to be expanded.
func shown(o object, id, name string, expand []string) any {
	whole, below := false, []string(nil)
	for _, path := range expand {
		if path == name {
			whole = true
		} else if len(path) > len(name) && path[:len(name)+1] == name+"." {
			whole, below = true, append(below, path[len(name)+1:])
		}
	}
	if !whole {
		return id
	}
	return o.render(below)
}

// number makes the number of an object.
func (s *Stripe) number(prefix string) string {
	s.numbers++
	return fmt.Sprintf("%s_test_%d%08x", prefix, s.numbers, s.random.Uint32())
}

func (s *Stripe) now() int64 { return s.options.Now().Unix() }

// session returns a session, or nil.
func (s *Stripe) session(number string) *session {
	s.pass()
	for _, c := range s.sessions {
		if c.id == number {
			return c
		}
	}
	return nil
}

func (s *Stripe) open(number string) (*session, error) {
	c := s.session(number)
	switch {
	case c == nil:
		return nil, fmt.Errorf("no session %s", number)
	case c.status != "open":
		return nil, fmt.Errorf("the session %s is %s", number, c.status)
	}
	return c, nil
}

// authorisationLasts is how long Stripe keeps the money of a card set aside.
const authorisationLasts = 7 * 24 * time.Hour

// pass does what happens by the time.
func (s *Stripe) pass() {
	now := s.now()
	for _, c := range s.sessions {
		if c.status == "open" && now >= c.expires {
			s.expire(c)
		}
		if i := c.intent; i != nil && i.status == "requires_capture" && now >= i.charge.created+int64(authorisationLasts/time.Second) {
			s.cancel(i, "automatic")
		}
	}
}

func (s *Stripe) newIntent(c *session) *intent {
	i := &intent{
		id: s.number("pi"), status: "requires_payment_method", currency: c.currency, capture: c.capture, amount: c.amount,
		created: s.now(), metadata: c.intentMetadata, session: c,
	}
	s.intents[i.id] = i
	s.emit("payment_intent.created", i)
	return i
}

func (s *Stripe) newCharge(i *intent, status string) {
	i.charge = &charge{id: s.number("ch"), status: status, amount: i.amount, created: s.now(), intent: i}
	s.charges[i.charge.id] = i.charge
}

func (s *Stripe) authorise(i *intent) {
	s.newCharge(i, "succeeded")
	i.failure = nil
	if i.capture != "manual" {
		s.captured(i)
		return
	}
	i.status, i.capturable = "requires_capture", i.amount
	s.emit("payment_intent.amount_capturable_updated", i)
}

func (s *Stripe) captured(i *intent) {
	i.status, i.capturable, i.received, i.charge.captured = "succeeded", 0, i.amount, true
	s.emit("charge.captured", i.charge)
	s.emit("payment_intent.succeeded", i)
}

func (s *Stripe) decline(i *intent) {
	s.newCharge(i, "failed")
	i.status = "requires_payment_method"
	i.failure = &Problem{Type: "card_error", Code: "card_declined", Message: "Your card was declined."}
	s.emit("payment_intent.payment_failed", i)
}

func (s *Stripe) cancel(i *intent, reason string) {
	if i.capturable > 0 {
		i.charge.refunded = i.charge.amount // that is how Stripe shows it
	}
	i.status, i.capturable, i.cancelled = "canceled", 0, reason
	s.emit("payment_intent.canceled", i)
}

func (s *Stripe) complete(c *session) {
	c.status = "complete"
	s.emit("checkout.session.completed", c)
}

func (s *Stripe) expire(c *session) {
	c.status = "expired"
	if c.intent != nil {
		s.cancel(c.intent, "abandoned")
	}
	s.emit("checkout.session.expired", c)
}

func (s *Stripe) refund(i *intent, amount int64, metadata map[string]string) (*refund, *Problem) {
	switch {
	case i.status != "succeeded":
		return nil, &Problem{Type: "invalid_request_error", Code: "payment_intent_unexpected_state", Message: "This payment has no successful charge to refund."}
	case i.charge.disputed:
		return nil, &Problem{Type: "invalid_request_error", Code: "charge_disputed", Message: "The charge has been charged back."}
	case i.charge.refunded == i.charge.amount:
		return nil, &Problem{Type: "invalid_request_error", Code: "charge_already_refunded", Message: "The charge has already been refunded."}
	case amount < 1 || amount > i.charge.amount-i.charge.refunded:
		return nil, &Problem{Type: "invalid_request_error", Param: "amount", Message: "The refund is greater than the unrefunded amount on the charge."}
	}
	r := &refund{id: s.number("re"), status: "succeeded", amount: amount, created: s.now(), metadata: metadata, intent: i}
	i.charge.refunded += amount
	s.refunds = append(s.refunds, r)
	s.emit("refund.created", r)
	s.emit("charge.refunded", i.charge)
	return r, nil
}
