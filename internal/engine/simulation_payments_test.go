package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
)

// payment is money for a reservation: begun, claimed a unit for, and then captured or voided, like a checkout does.
// Each step is asked until its outcome is known; recover asks what a client gave up. The money of a payment that gets
// no unit, or cannot be captured, is void by the time that void is asked.
type payment struct {
	id                drop.PaymentID
	of                drop.Reservation
	start, claim, end *deed
	void              *deed // nil: it is to buy its unit
	late              *deed // a claim while it is settled
	asks              drop.ClaimUnit
	fails             bool          // the provider refuses to capture
	lasts             time.Duration // of the claim
	patience          time.Duration // after which the caller of a step gives up, and the step goes on without it
}

// settled reports whether the outcome is known: an answer or a refusal.
func (d *deed) settled() bool { return d.answer != "" || d.code != "" }

// settle asks for the deed at one replica after the other, and gives up after a while.
func (c *client) settle(d *deed) bool {
	for range 6 {
		d.ask(c.sim, c.sim.replicas[c.rnd.IntN(2)])
		if d.settled() {
			return true
		}
		time.Sleep(rand0(c.rnd, 2*time.Second))
	}
	return false
}

// pay pays for a reservation that the client knows, sometimes from two windows. Buyers take their time: some holds end
// meanwhile.
func (c *client) pay() {
	of := c.mineRow()
	if of.ID == 0 {
		return
	}
	var begun []*payment
	for range 1 + c.rnd.IntN(4)/3 {
		p := c.sim.newPayment(c, of)
		if c.settle(p.start) && p.begun() {
			begun = append(begun, p)
		}
	}
	for _, p := range begun {
		time.Sleep(rand0(c.rnd, min(2*c.sim.plan.hold, 10*time.Second)))
		switch {
		case c.rnd.IntN(6) == 0: // the bank takes the money back
			c.race(p)
		case !c.settle(p.claim):
		case p.claim.answer != "":
			c.capture(p)
		default:
			c.settle(p.voided())
		}
	}
}

// race settles a payment whose money is void while a server that has slept claims a unit for it. Whoever comes first:
// nothing of it remains.
func (c *client) race(p *payment) {
	p.late = p.deed(c.name+" claims late a unit for", p.asks)
	pause, asks := rand0(c.rnd, 2*time.Second), *c
	asks.rnd = rand.New(rand.NewPCG(c.rnd.Uint64(), 0))
	first := c.rnd.IntN(2) == 0
	var both sync.WaitGroup
	settled, after := false, false
	both.Go(func() { settled = c.settle(p.voided()) })
	if first {
		both.Wait()
		after = settled
	}
	time.Sleep(pause)
	asks.settle(p.late)
	both.Wait()
	switch {
	case after && p.late.answer != "":
		c.sim.t.Errorf("%s was answered with %s, though the money was void before", p.late, p.late.answer)
	case p.late.answer != "":
		c.sim.count("claims as their payment was settled")
	case p.late.code == drop.CodePaymentFailed:
		c.sim.count("claims after their payment was settled")
	}
}

// capture ends a payment that has claimed a unit.
func (c *client) capture(p *payment) {
	time.Sleep(rand0(c.rnd, time.Second))
	switch c.rnd.IntN(4) { // from another window, where the buyer still sees the hold
	case 0:
		c.send(c.buy(p.of.ID))
	case 1:
		c.send(c.cancel(p.of.ID))
	}
	p.finish()
	c.bought = append(c.bought, p.end)
	if c.settle(p.end) && (p.fails || p.end.answer == "") {
		c.settle(p.voided())
	}
}

func (s *simulation) newPayment(c *client, of drop.Reservation) *payment {
	p := &payment{of: of, fails: c.rnd.IntN(4) == 0, lasts: 7 * 24 * time.Hour, patience: 10 * time.Second}
	if c.rnd.IntN(2) == 0 {
		p.patience = 300 * time.Millisecond
	}
	if c.rnd.IntN(8) == 0 {
		p.lasts = time.Second // the money may be gone before it is captured
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var instead drop.PaymentID
	for _, other := range s.payments {
		if other.of.ID == of.ID {
			instead = other.id
		}
	}
	p.id = drop.PaymentID(len(s.payments) + 1)
	s.payments = append(s.payments, p)
	p.start = p.deed(c.name+" starts", drop.StartPayment{
		Reservation: of.ID, Owner: of.UserID, Payment: p.id, Instead: instead, Within: s.plan.hold / 4, Hold: s.plan.hold,
		Row: &drop.Payment{Provider: "test", State: drop.PaymentOpen, Unsettled: true, Currency: "EUR", Decimals: 2},
	})
	p.asks = drop.ClaimUnit{Reservation: of.ID, User: of.UserID, Payment: p.id, Within: p.lasts}
	p.claim = p.deed(c.name+" claims a unit for", p.asks)
	return p
}

// begun reports whether the buyer could pay: another payment may have been begun before.
func (p *payment) begun() bool { return p.start.answer != "" && p.start.reservation.Payment == p.id }

// finish decides what happens to the claimed unit.
func (p *payment) finish() {
	unit := p.claim.reservation.Claim
	if p.fails {
		p.end = p.deed("the server drops", drop.ReleaseClaim{Reservation: unit, Payment: p.id})
		return
	}
	p.end = p.deed("the server completes", drop.CompletePayment{Reservation: unit, Payment: p.id})
}

// voided settles the payment, whose money is void.
func (p *payment) voided() *deed {
	if p.void != nil {
		return p.void
	}
	var was drop.Payment // as first read
	p.void = p.deed("the server settles", nil)
	p.void.call = func(ctx context.Context, e *engine.Engine, _ engine.Retry) (any, error) {
		ctx, cancel := context.WithTimeout(ctx, p.patience)
		defer cancel()
		if was.ID == 0 {
			read, err := engine.Ask(ctx, e, func(st store.Records) (drop.Payment, error) {
				p, _, err := st.Payment(ctx, p.id)
				return p, err
			})
			if err != nil {
				return nil, err
			}
			was = read
		}
		to := was
		to.State, to.Unsettled = drop.PaymentVoided, false
		done, err := e.EndPayment(ctx, was, to, 0)
		return fmt.Sprintf("settled: %t", done), err
	}
	return p.void
}

func (p *payment) deed(what string, cmd drop.Command) *deed {
	id := p.of.ID.Drop()
	return &deed{
		what: fmt.Sprintf("%s payment %d of %d", what, p.id, p.of.ID), drop: id,
		call: func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) {
			ctx, cancel := context.WithTimeout(ctx, p.patience)
			defer cancel()
			result, err := engine.Do(ctx, e, id, cmd, r)
			if result.Purchase.ID != 0 {
				return result.Purchase, err
			}
			return result.Reservation, err
		},
	}
}

// recoverPayments finishes the payments that have no outcome yet, as a server does after it starts. One may be stored
// although its buyer does not know that it began.
func (s *simulation) recoverPayments() {
	finish := func(d *deed) {
		for _, r := range s.replicas {
			if !d.settled() {
				d.ask(s, r)
			}
		}
		if !d.settled() {
			s.t.Errorf("%s: no answer after the faults", d)
		}
	}
	for _, p := range s.payments {
		if p.begun() {
			finish(p.claim)
		}
		if p.claim.answer != "" {
			if p.end == nil {
				p.finish()
			}
			finish(p.end)
		}
		if row, stored, err := s.store.Payment(s.t.Context(), p.id); err != nil {
			s.t.Error(err)
		} else if stored && row.Unsettled {
			finish(p.voided())
		}
	}
}

// checkPayments checks that a unit is sold for each payment that was captured, and for no other. A payment gets at most
// one unit, and a reservation is paid at most once.
func (b *books) checkPayments() {
	units := make(map[drop.PaymentID]drop.Reservation)
	for _, r := range b.reservations {
		if r.Claim == r.ID {
			if other, twice := units[r.Payment]; twice {
				b.t.Errorf("one payment, two units: %+v and %+v", other, r)
			}
			units[r.Payment] = r
		}
	}
	paid := make(map[drop.ReservationID]*payment)
	for _, p := range b.payments {
		unit, claimed := units[p.id]
		delete(units, p.id)
		if p.claim.answer == "" {
			released := unit.Status == drop.Expired || unit.Status == drop.Cancelled && (p.late != nil || p.claim.unknown > 0)
			if claimed && !released {
				b.t.Errorf("%s was refused with %q, and has %+v", p.claim, p.claim.code, unit)
			}
			if claimed && unit.Status == drop.Cancelled && p.late == nil {
				b.count("claims that took effect although another server refused them")
			}
			if p.claim.code != "" {
				b.count("payments voided")
			}
			continue
		}
		if other := paid[p.of.ID]; other != nil {
			b.t.Errorf("payments %d and %d both have a unit for %+v", other.id, p.id, p.of)
		}
		paid[p.of.ID] = p
		of := b.reservations[p.of.ID]
		if !claimed || unit.ID != p.claim.reservation.Claim || of.Claim != unit.ID || of.Payment != p.id || unit.UserID != p.of.UserID || unit.Size != p.of.Size {
			b.t.Errorf("%s was answered with %s, the rows are %+v and %+v", p.claim, p.claim.answer, of, unit)
		}
		b.checkCaptured(p, unit)
	}
	for id, unit := range units {
		b.t.Errorf("nobody pays with payment %d: %+v", id, unit)
	}
}

func (b *books) checkCaptured(p *payment, unit drop.Reservation) {
	sale, sold := b.purchases[unit.ID]
	lapsed := unit.Status == drop.Expired && p.lasts < time.Minute
	switch {
	case p.fails && (sold || unit.Status != drop.Cancelled && !lapsed),
		!p.fails && p.end.answer != "" && asSold(sale) != asSold(p.end.purchase),
		!p.fails && p.end.answer == "" && (sold || !lapsed):
		b.t.Errorf("%s was answered with %q, refused with %q, the rows are %+v and %+v", p.end, p.end.answer, p.end.code, unit, sale)
	case lapsed:
		b.count("claims that lapsed")
	case p.fails:
		b.count("claims dropped")
	case unit.ID != p.of.ID:
		b.count("payments captured for another unit")
	default:
		b.count("payments captured")
	}
}

// asSold returns a purchase as it was made.
func asSold(p drop.Purchase) drop.Purchase {
	p.Return, p.ReturnedAt = drop.NotReturned, 0
	return p
}

// takeBack takes a sold unit back that the client knows of.
func (c *client) takeBack() *deed {
	var known []drop.PurchaseID
	for _, d := range c.bought[max(0, len(c.bought)-6):] {
		if d.purchase.ID != 0 {
			known = append(known, d.purchase.ID)
		}
	}
	if len(known) == 0 {
		return nil
	}
	cmd := drop.ReturnPurchase{Purchase: known[c.rnd.IntN(len(known))], Restock: c.rnd.IntN(2) == 0}
	return c.add(&deed{
		what: fmt.Sprintf("takes purchase %d back, restock %t", cmd.Purchase, cmd.Restock), drop: cmd.Purchase.Drop(), back: cmd,
		call: func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) { return e.Return(ctx, cmd, r) },
	})
}

// checkReturned checks that each confirmed return is in the records, and that nobody else's is.
func (b *books) checkReturned() {
	asked := make(map[drop.PurchaseID][]*deed)
	for _, d := range b.deeds {
		if d.back.Purchase == 0 {
			continue
		}
		if row := b.sold[d.back.Purchase]; d.answer != "" && row != d.purchase {
			b.t.Errorf("%s was answered with %s, the row is %+v", d, d.answer, row)
		}
		if d.answer != "" || d.unknown > 0 {
			asked[d.back.Purchase] = append(asked[d.back.Purchase], d)
		}
	}
	for id, p := range b.sold {
		if p.Return == drop.NotReturned {
			continue
		}
		explained := false
		for _, d := range asked[id] {
			explained = explained || d.back.Restock == (p.Return == drop.BackOnSale)
		}
		if !explained {
			b.t.Errorf("nobody took %+v back", p)
		}
		b.count("units " + p.Return.String())
	}
}
