package histories

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

// The steps of a payment are no calls over HTTP: package checkout asks the lanes for them. So do the clients here, at
// servers of this process, and as often as they like: in any order, late, twice, and for another payment's unit.

// paid is a payment that a client knows of.
type paid struct {
	id    drop.PaymentID
	of    drop.ReservationID
	user  drop.UserID
	claim drop.ReservationID // the unit that it has claimed, 0 if nobody knows of one
	row   *drop.Payment      // as it was begun, nil if nobody was told
}

// claimFor is how long a claim lasts. No hold ends later than that, however its buyer pays, so that the end of a
// claimed unit tells when it was claimed.
func (h *history) claimFor() time.Duration { return 3 * h.hold }

// pay makes the next step of some payment.
func (c *client) pay() *call {
	o := c.drop()
	next := &call{drop: o.id}
	switch p, n := o.drawPaid(c.Rand, false), c.IntN(11); {
	case p.id == 0 || n < 4:
		next.cmd = c.start(o)
	case n < 5:
		next.cmd = c.begin(paid{id: p.id, of: p.of}, 0) // again
	case n < 7:
		if n == 6 { // late
			time.Sleep(c.h.hold)
		}
		next.cmd = drop.ClaimUnit{Reservation: p.of, User: p.user, Payment: p.id, Within: c.h.claimFor()}
	case n == 10:
		if p.row == nil {
			return &call{kind: reading, drop: o.id}
		}
		next.cmd = drop.EndPayment{Was: *p.row, To: failed(*p.row)}
	default:
		if p = o.drawPaid(c.Rand, true); p.claim == 0 {
			return &call{kind: reading, drop: o.id}
		}
		by := p.id
		if c.IntN(4) == 0 { // perhaps another one
			by = o.drawPaid(c.Rand, false).id
		}
		if next.cmd = (drop.CompletePayment{Reservation: p.claim, Payment: by, Number: "n", Receipt: "r"}); n == 9 {
			next.cmd = drop.ReleaseClaim{Reservation: p.claim, Payment: by}
		}
	}
	return next
}

// start begins a payment, in place of the newest one that a client knows of.
func (c *client) start(o *offer) drop.StartPayment {
	p := paid{id: drop.PaymentID(c.h.payments.Add(1)), of: o.draw(c.Rand)}
	o.mu.Lock()
	defer o.mu.Unlock()
	instead := drop.PaymentID(0)
	for _, other := range o.paid {
		if other.of == p.of {
			instead = max(instead, other.id)
		}
	}
	return c.begin(p, instead)
}

// failed is the payment once it is settled and nothing is sold for it.
func failed(p drop.Payment) drop.Payment {
	p.State, p.Unsettled, p.Reason = drop.PaymentFailed, false, "none"
	return p
}

func (c *client) begin(p paid, instead drop.PaymentID) drop.StartPayment {
	return drop.StartPayment{
		Reservation: p.of, Payment: p.id, Instead: instead, Hold: c.h.hold,
		Within: time.Duration(1+c.Int64N(c.h.hold.Milliseconds())) * time.Millisecond,
		Row:    &drop.Payment{Provider: "test", State: drop.PaymentOpen, Unsettled: true, Currency: "EUR", Decimals: 2},
	}
}

// drawPaid returns a payment that a client knows of, with a unit if it is to be claimed. It is zero if there is none.
func (o *offer) drawPaid(rnd interface{ IntN(n int) int }, claimed bool) paid {
	o.mu.Lock()
	defer o.mu.Unlock()
	var known []paid
	for _, p := range o.paid {
		if !claimed || p.claim != 0 {
			known = append(known, *p)
		}
	}
	if len(known) == 0 {
		return paid{}
	}
	return known[rnd.IntN(len(known))]
}

// learnPaid takes what a client was told of a payment.
func (o *offer) learnPaid(c *call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := &c.answer.result.Reservation
	switch cmd := c.cmd.(type) {
	case drop.StartPayment:
		if r.Payment == cmd.Payment && o.known(cmd.Payment) == nil {
			o.paid = append(o.paid, &paid{id: cmd.Payment, of: cmd.Reservation, user: r.UserID})
		}
		if row := c.answer.result.Payment; row != nil && row.ID == cmd.Payment {
			o.known(cmd.Payment).row = row
		}
	case drop.ClaimUnit:
		o.known(cmd.Payment).claim = r.Claim
		o.highest = max(o.highest, numberOf(r.Claim))
	}
}

func (o *offer) known(id drop.PaymentID) *paid {
	for _, p := range o.paid {
		if p.id == id {
			return p
		}
	}
	return nil
}

// isStep reports whether a call is a step of a payment, and which one's.
func (c *call) isStep() (drop.PaymentID, bool) {
	switch cmd := c.cmd.(type) {
	case drop.StartPayment:
		return cmd.Payment, true
	case drop.ClaimUnit:
		return cmd.Payment, true
	case drop.CompletePayment:
		return cmd.Payment, true
	case drop.ReleaseClaim:
		return cmd.Payment, true
	case drop.EndPayment:
		return cmd.Was.ID, true
	}
	return 0, false
}

// doStep asks a server's lane for a step of a payment. A client that gives up, or whose connection breaks, does not
// wait for the answer.
func (h *history) doStep(c *call, f fate) {
	wait := f.timeout
	if f.cut {
		wait = f.pause
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	e := h.replicas[c.replica].engine
	var r drop.Result
	var err error
	c.began, c.from = time.Since(h.began), now()
	switch cmd := c.cmd.(type) {
	case drop.StartPayment:
		r.Reservation, r.Payment, err = e.StartPayment(ctx, cmd)
	case drop.ClaimUnit:
		r.Reservation, err = e.ClaimUnit(ctx, cmd)
	case drop.CompletePayment:
		r.Purchase, r.Payment, err = e.CompletePayment(ctx, cmd)
	case drop.ReleaseClaim:
		r.Reservation, err = e.ReleaseClaim(ctx, cmd)
	case drop.EndPayment:
		var done bool
		if done, err = e.EndPayment(ctx, cmd.Was, cmd.To, 0); done {
			r.Payment = &cmd.To
		}
	}
	c.to, c.ended = now(), time.Since(h.began)
	refused, isRefused := errors.AsType[*drop.Error](err)
	switch {
	case isRefused:
		r.Err = refused
		c.answer = answer{refused: refused.Code, text: stepText(&r)}
	case errors.Is(err, engine.ErrOutcomeUnknown): // also if the store was unavailable after that
		c.answer = answer{unknown: true, raw: err.Error()}
	case errors.Is(err, engine.ErrOverloaded), errors.Is(err, engine.ErrUnavailable):
		c.answer.nothing = true
	case err != nil:
		c.answer = answer{unknown: true, raw: err.Error()}
	default:
		c.answer = answer{result: &r, text: stepText(&r), at: r.Purchase.CreatedAt, id: int64(r.Purchase.ID)}
		if _, starts := c.cmd.(drop.StartPayment); starts && r.Payment != nil {
			c.answer.at = r.Payment.CreatedAt
		}
		h.offer(c.drop).learnPaid(c)
	}
	h.record(c)
}

// stepText words the answer to a step.
func stepText(r *drop.Result) string {
	if r.Err != nil {
		return textOf(r, false)
	}
	text := fmt.Sprintf("%+v %+v", bare(r.Reservation), r.Purchase)
	if r.Payment != nil {
		text += fmt.Sprintf(" %+v", *r.Payment)
	}
	return text
}

// claimedAt is when the unit of a reservation was claimed, 0 if the rows do not say.
func (m *model) claimedAt(of drop.Reservation, within time.Duration) drop.Time {
	if of.Claim == of.ID && of.Offer { // which lasts longer than any claim here
		return 0
	}
	if of.Claim == of.ID {
		return of.ExpiresAt.Add(-within)
	}
	return m.rows.byID[of.Claim].CreatedAt
}

// hint returns a moment at which the call may have taken effect, by its answer or the rows; 0 if nothing says it.
func (m *model) hint(c *call) drop.Time {
	if cmd, claims := c.cmd.(drop.ClaimUnit); claims && c.answer.result != nil {
		return m.claimedAt(c.answer.result.Reservation, cmd.Within)
	}
	return c.answer.at
}

// command returns the call's command. The end of a payment is asked for until it names the unit that it has claimed.
func (b *book) command(c *call) drop.Command {
	if end, ok := c.cmd.(drop.EndPayment); ok {
		if n := numberOf(end.Was.Reservation); n <= len(b.reservations) && b.reservations[n-1].Payment == end.Was.ID {
			end.Unit = b.reservations[n-1].Claim
		}
		return end
	}
	return keyed(c.key, c.cmd)
}

// text words a result like the answer to the call.
func (c *call) text(r *drop.Result) string {
	if _, step := c.isStep(); step {
		return stepText(r)
	}
	return textOf(r, true)
}

// stepTook reports whether the rows show that a step took effect, which had one only once, and when: 0 if they
// do not say.
func (m *model) stepTook(c *call) (at drop.Time, took bool) {
	switch cmd := c.cmd.(type) {
	case drop.StartPayment:
		p, begun := m.rows.payments[c.drop][cmd.Payment]
		return p.CreatedAt, begun
	case drop.ClaimUnit:
		of := m.rows.byID[cmd.Reservation]
		return m.claimedAt(of, cmd.Within), of.Claim != 0 && of.Payment == cmd.Payment
	case drop.CompletePayment:
		sale, sold := m.rows.paid[cmd.Reservation]
		return sale.CreatedAt, sold && m.claims(cmd.Reservation, cmd.Payment)
	case drop.ReleaseClaim:
		r := m.rows.byID[cmd.Reservation]
		return r.EndedAt, r.Status == drop.Cancelled && m.claims(cmd.Reservation, cmd.Payment)
	case drop.EndPayment:
		return 0, m.rows.payments[c.drop][cmd.Was.ID] == cmd.To
	}
	return 0, false
}

// claims reports whether a payment has claimed that unit.
func (m *model) claims(unit drop.ReservationID, by drop.PaymentID) bool {
	r := m.rows.byID[unit]
	return r.Claim == unit && r.Payment == by
}

// stepDone reports whether a step whose effect the rows show has had it in the book, and whether it cannot have it yet.
func (m *model) stepDone(b *book, c *call) (done, early bool) {
	reservation := func(id drop.ReservationID) *drop.Reservation {
		if n := numberOf(id); n <= len(b.reservations) {
			return &b.reservations[n-1]
		}
		return nil
	}
	switch cmd := c.cmd.(type) {
	case drop.StartPayment:
		_, done = b.payments[cmd.Payment]
	case drop.ClaimUnit:
		r := reservation(cmd.Reservation)
		done, early = r != nil && r.Claim != 0, r == nil
	case drop.CompletePayment:
		n := int(uint32(m.rows.paid[cmd.Reservation].ID))
		done, early = n <= len(b.purchases), n > len(b.purchases)+1
	case drop.ReleaseClaim:
		r := reservation(cmd.Reservation)
		done, early = r != nil && r.Status == drop.Cancelled, r == nil
	case drop.EndPayment:
		done = b.payments[cmd.Was.ID] == cmd.To
	}
	return done, early
}

// shows reports whether the answer to other shows that the step c, whose outcome is unknown, has taken effect.
func (c *call) shows(other *call) bool {
	mine, _ := c.isStep()
	its, step := other.isStep()
	if !step || its != mine || other.answer.result == nil {
		return false
	}
	switch c.cmd.(type) {
	case drop.StartPayment:
		return other.answer.result.Reservation.Payment == mine || other.answer.id != 0
	case drop.ClaimUnit:
		return other.answer.result.Reservation.Claim != 0 || other.answer.id != 0
	case drop.CompletePayment:
		return other.answer.id != 0
	case drop.EndPayment:
		_, ends := other.cmd.(drop.EndPayment)
		return ends && other.answer.result.Payment != nil
	default:
		_, release := other.cmd.(drop.ReleaseClaim)
		return release && other.answer.result.Reservation.Status == drop.Cancelled
	}
}

// settled checks what the model cannot, because it follows the same rules. A unit is sold once, a claimed unit is kept
// for its payment alone, a completed payment names one purchase, and one that has ended has no unit.
func (h *history) settled(m *model) {
	for _, o := range h.offers {
		sold := make(map[drop.ReservationID]drop.PurchaseID)
		for _, p := range m.rows.purchases[o.id] {
			if other, twice := sold[p.ReservationID]; twice {
				h.t.Errorf("purchases %d and %d have one unit", other, p.ID)
			}
			sold[p.ReservationID] = p.ID
		}
		h.keptFor(m, o)
		h.completed(m, o)
	}
	for _, c := range h.calls {
		end, ends := c.cmd.(drop.EndPayment)
		if !ends || c.answer.result == nil || c.answer.result.Payment == nil {
			continue
		}
		for _, unit := range m.rows.reservations[c.drop] {
			if m.claims(unit.ID, end.Was.ID) && (unit.Status == drop.Completed || min(unit.ExpiresAt, cmp.Or(unit.EndedAt, unit.ExpiresAt)) > c.to) {
				h.t.Errorf("%s\nbut its unit is still claimed: %+v", c, unit)
			}
		}
	}
	for _, c := range h.calls {
		cmd, claims := c.cmd.(drop.ClaimUnit)
		if !claims || c.answer.result == nil {
			continue
		}
		of := m.rows.byID[cmd.Reservation]
		unit := m.rows.byID[c.answer.result.Reservation.Claim]
		if !m.claims(unit.ID, cmd.Payment) || of.Claim != unit.ID || unit.UserID != cmd.User || unit.Size != of.Size {
			h.t.Errorf("%s\nthe rows are %+v and %+v", c, of, unit)
		}
	}
}

// keptFor checks that each claimed unit was kept for its payment as long as the claim lasts.
func (h *history) keptFor(m *model, o *offer) {
	units := make(map[drop.PaymentID]drop.ReservationID)
	for _, unit := range m.rows.reservations[o.id] {
		if unit.Claim != unit.ID {
			continue
		}
		if other, twice := units[unit.Payment]; twice {
			h.t.Errorf("payment %d has claimed two units: %d and %d", unit.Payment, other, unit.ID)
		}
		units[unit.Payment] = unit.ID
		sale := m.rows.paid[unit.ID]
		claimed, completes, releases := m.end, false, false
		for _, c := range h.calls {
			if by, step := c.isStep(); !step || by != unit.Payment || c.answer.nothing || c.answer.refused != "" {
				continue
			}
			switch c.cmd.(type) {
			case drop.ClaimUnit:
				claimed = min(claimed, c.from)
			case drop.CompletePayment:
				completes = completes || c.from <= sale.CreatedAt && (c.answer.unknown || sale.CreatedAt <= c.to)
			case drop.ReleaseClaim, drop.EndPayment:
				releases = true
			}
		}
		switch {
		case unit.Status == drop.Active && unit.Offer:
		case unit.Status == drop.Completed && completes && m.rows.payments[o.id][unit.Payment].Purchase == sale.ID, unit.Status == drop.Cancelled && releases,
			unit.Status == drop.Expired && min(unit.ExpiresAt, unit.EndedAt) >= claimed.Add(h.claimFor()):
		default:
			h.t.Errorf("payment %d claimed this unit at %s, but others ended that: %+v", unit.Payment, claimed, unit)
		}
		h.count("units claimed, and then " + unit.Status.String())
	}
	for _, r := range m.rows.reservations[o.id] {
		if r.Claim != 0 && r.Claim != r.ID {
			h.count("claims of another unit, for late money")
		}
	}
}

// completed checks the payments of a drop, and that all answers name the purchases that they have.
func (h *history) completed(m *model, o *offer) {
	buyers := make(map[drop.PurchaseID]drop.PaymentID)
	for id, p := range m.rows.payments[o.id] {
		sale, sold := m.rows.sold[p.Purchase]
		if other, twice := buyers[p.Purchase]; sold && twice {
			h.t.Errorf("payments %d and %d have one purchase: %+v", id, other, sale)
		}
		buyers[p.Purchase] = id
		captured := p.State == drop.PaymentCaptured && !p.Unsettled
		if captured != sold || sold && (sale.ReservationID != p.Unit || !m.claims(p.Unit, id) || sale.UserID != p.User || sale.Price != p.Amount) {
			h.t.Errorf("%+v has the purchase %+v", p, sale)
		}
	}
	for _, c := range h.calls {
		cmd, completes := c.cmd.(drop.CompletePayment)
		if !completes || c.drop != o.id || c.answer.result == nil {
			continue
		}
		if p := m.rows.payments[o.id][cmd.Payment]; p.Purchase != drop.PurchaseID(c.answer.id) || c.answer.result.Payment == nil {
			h.t.Errorf("%s\nbut the payment is %+v", c, p)
		}
	}
}
