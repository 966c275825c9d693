package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

// closing is a moment at which all who waited stopped waiting.
type closing struct {
	of     drop.ID
	closed uint32 // the last entry that waited
	at     drop.Time
}

// committed checks a state that a batch commits. closed is the last entry of closed lines before the batch, and was the
// drop.
func (s *simulation) committed(state *drop.State, changes *drop.Changes, closed uint32, was *drop.Drop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checkKept("committed", &state.Drop)
	if state.ID == s.drawn() {
		s.commitsDraw(was.DrawState, state)
	} else if state.HandsOver() { // fewer wait than one batch offers units to
		s.t.Errorf("units are kept and not offered: %+v", state.Drop)
	}
	if s.hasEarly(state.ID) {
		s.commitsEarly(was, state, changes)
	}
	if state.LineClosed != closed {
		s.closings = append(s.closings, closing{state.ID, state.LineClosed, state.LastAt})
		s.counts["lines closed"]++
	}
}

// checkKept checks that no unit is on sale while somebody waits for one.
func (s *simulation) checkKept(what string, d *drop.Drop) {
	for _, size := range d.Sizes {
		if size.Waiting > size.Pending && size.Stock.Available > 0 {
			s.t.Errorf("%s while %d wait: %+v", what, size.Waiting, d)
		}
	}
}

// wait is what clients do about the waitlist.
func (c *client) wait() {
	switch n := c.rnd.IntN(16); {
	case n < 8:
		c.send(c.join())
	case n < 11:
		c.look()
	case n < 13:
		if d := c.leave(); d != nil {
			c.send(d)
		}
	case n < 14:
		c.edit("archives", drop.Edit{Archived: new(true)})
		time.Sleep(rand0(c.rnd, time.Second))
		c.edit("brings back", drop.Edit{Archived: new(false)})
	case n < 15:
		c.edit("closes the waitlist of", drop.Edit{Waitlist: new(false)})
		c.edit("opens the waitlist of", drop.Edit{Waitlist: new(true)})
	default:
		c.look()
		c.end(true)
	}
}

// join lets a buyer wait: a new one, or one who reaches the limit again and again.
func (c *client) join() *deed {
	id := c.sim.lined(c.rnd)
	who := pair{user: drop.UserID(1000*c.number + c.calls), size: []string{"8", "9"}[c.rnd.IntN(2)]}
	if c.rnd.IntN(2) == 0 {
		who.user = 1
	}
	d := c.add(&deed{
		what: fmt.Sprintf("joins the line of %d as %d, size %q", id, who.user, who.size), drop: id, joined: who,
		call: func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) {
			p, err := e.Join(ctx, id, who.user, who.size, r)
			p.Estimate = 0 // it depends on what this replica has seen
			return p, err
		},
	})
	c.joins = append(c.joins, d)
	return d
}

// known returns a join with an answer, or nil.
func (c *client) known() *deed {
	var known []*deed
	for _, d := range c.joins[max(0, len(c.joins)-4):] {
		if d.answer != "" {
			known = append(known, d)
		}
	}
	if len(known) == 0 {
		return nil
	}
	return known[c.rnd.IntN(len(known))]
}

// look finds out what became of a buyer's entries. Offers are reservations like any other.
func (c *client) look() {
	if of := c.known(); of != nil {
		c.lookAt(of.drop, of.joined.user)
	}
}

func (c *client) lookAt(id drop.ID, user drop.UserID) {
	e, ctx := c.sim.replicas[c.rnd.IntN(2)].reach()
	if e == nil {
		return
	}
	places, err := e.Places(ctx, id, user)
	if err != nil {
		return
	}
	for _, p := range places {
		if p.Status == drop.Waiting != (p.Position > 0) || p.Status == drop.Offered && p.Reservation == nil {
			c.sim.t.Errorf("user %d has the place %+v", user, p)
		}
		if p.Reservation != nil {
			c.own = append(c.own, &deed{answer: "offered", reservation: *p.Reservation})
			c.sim.count("offers seen")
		}
	}
}

func (c *client) leave() *deed {
	of := c.known()
	if of == nil {
		return nil
	}
	id, owner := of.place.ID, of.place.UserID
	return c.add(&deed{
		what: fmt.Sprintf("gives up entry %d", id), drop: id.Drop(), leaves: id,
		call: func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) {
			return e.Leave(ctx, id, owner, r)
		},
	})
}

// lined returns a drop with a waitlist.
func (s *simulation) lined(rnd *rand.Rand) drop.ID {
	if s.plan.draw == 0 && s.plan.early.waitlist && rnd.IntN(2) == 0 {
		return s.drops[4]
	}
	return s.drops[3]
}

// edit changes the drop with the waitlist, once and without a key.
func (c *client) edit(what string, cmd drop.Edit) {
	id := c.sim.lined(c.rnd)
	c.send(&deed{
		what: fmt.Sprintf("%s %s %d", c.name, what, id), drop: id,
		call: func(ctx context.Context, e *engine.Engine, _ engine.Retry) (any, error) { return e.Edit(ctx, id, cmd) },
	})
}

// closeLines ends the wait of everybody after the faults, so that all holds can end.
func (s *simulation) closeLines() {
	e, ctx := s.replicas[1].reach()
	for i := range s.specs {
		if !s.specs[i].Waitlist {
			continue
		}
		v, err := e.Edit(ctx, s.drops[i], drop.Edit{Waitlist: new(false)})
		if err != nil || v.Drop.Waiting() != 0 {
			s.t.Errorf("close the lines: %+v, %v", v, err)
		}
	}
}

// checkWaitlist checks that each answer about an entry is in the records, and that units went to those who waited, in
// their order.
func (b *books) checkWaitlist() {
	for _, d := range b.deeds {
		row := b.entries[d.place.ID]
		switch {
		case d.answer == "" || d.joined == pair{} && d.leaves == 0:
		case d.joined != pair{}:
			if p := d.place; row.UserID != d.joined.user || row.Size != d.joined.size || p.Status != drop.Waiting && row != p.Entry {
				b.t.Errorf("%s was answered with %s, the row is %+v", d, d.answer, row)
			}
		case row != d.place.Entry:
			b.t.Errorf("%s was answered with %s, the row is %+v", d, d.answer, row)
		}
	}
	for _, e := range b.entries {
		b.count("entries " + e.Status.String())
		if e.Status == drop.Offered {
			b.checkTurn(e)
		}
		if e.ID.Drop() != b.drawn() && !slices.ContainsFunc(b.deeds, func(d *deed) bool { return d.joined == pair{e.UserID, e.Size} && (d.answer != "" || d.unknown > 0) }) {
			b.t.Errorf("nobody asked for %+v", e)
		}
	}
	late := make(map[drop.ReservationID]bool) // in a pause, late money may take a unit that is kept for nobody
	for _, r := range b.reservations {
		late[r.Claim] = late[r.Claim] || r.Claim != r.ID
	}
	for _, r := range b.reservations {
		lined := r.ID.Drop() == b.drops[3] || r.ID.Drop() == b.drawn() || b.plan.early.waitlist && b.hasEarly(r.ID.Drop())
		if lined && !r.Offer && !late[r.ID] && !b.fromKept(r) {
			b.checkNobodyWaited(r)
		}
	}
}

// until returns when an entry stopped waiting.
func (b *books) until(e drop.Entry) drop.Time {
	if e.EndedAt != 0 {
		return e.EndedAt
	}
	for _, c := range b.closings {
		if drop.NewEntryID(c.of, c.closed) >= e.ID && c.of == e.ID.Drop() {
			return c.at
		}
	}
	b.t.Errorf("%+v waits for ever", e)
	return 0
}

// checkTurn checks that everybody who came before an offered entry had stopped waiting by then.
func (b *books) checkTurn(e drop.Entry) {
	if r := b.reservations[e.Offer]; !r.Offer || r.UserID != e.UserID || r.Size != e.Size || r.CreatedAt != e.EndedAt {
		b.t.Errorf("%+v was offered %+v", e, r)
	}
	for _, first := range b.entries {
		if first.ID.Drop() == e.ID.Drop() && first.Line == e.Line && first.ID < e.ID && b.until(first) > e.EndedAt {
			b.t.Errorf("%+v came before %+v, which waited until %s", e, first, b.until(first))
		}
	}
}

// checkNobodyWaited checks that nobody waited for a unit that was reserved. Entries of the same millisecond may have
// come later.
func (b *books) checkNobodyWaited(r drop.Reservation) {
	for _, e := range b.entries {
		if e.ID.Drop() == r.ID.Drop() && e.Size == r.Size && e.CreatedAt < r.CreatedAt && r.CreatedAt < b.until(e) {
			b.t.Errorf("%+v was made while %+v waited", r, e)
		}
	}
	b.count("reserves while nobody waited")
}
