package audit

import (
	"maps"
	"slices"

	"sneakerdrop/internal/drop"
)

// waitlist is what has been read of a drop's waitlist so far.
type waitlist struct {
	entries numbers
	lines   []lineRead // by index of Sizes
	// offers are the reservations that were offered to buyers who waited.
	offers map[drop.ReservationID]*offer
	// waiting are the entries that wait. A buyer waits in a line once.
	waiting map[place]drop.EntryID
}

// lineRead is what has been read of one line.
type lineRead struct {
	waiting int64
	// last is the entry that left the line last, and at when.
	last drop.EntryID
	at   drop.Time
	// first is the first one that still waits, 0 if none does.
	first drop.EntryID
}

// offer is what the reservation of an offer says about its entry.
type offer struct {
	user  drop.UserID
	size  string
	made  drop.Time
	entry drop.EntryID // 0: not read yet
}

// place is a buyer's place in a line.
type place struct {
	line int
	user drop.UserID
}

// headOfLines checks what the drop's row and its sizes say of lines. Units are on sale only if nobody waits for them.
func (c *check) headOfLines() {
	s := c.state
	if s.LineClosed > s.Waited {
		c.differf("its row says that lines were closed after entry number %d, but that the newest is number %d", s.LineClosed, s.Waited)
	}
	for i := range s.Sizes {
		z := &s.Sizes[i]
		c.report.Kept += z.Pending
		switch {
		case z.Waiting < 0 || z.Pending < 0 || z.Pending > z.Waiting:
			c.differf("%d units%s are kept for %d entries that wait", z.Pending, c.of(i), z.Waiting)
		case z.Stock.Available > 0 && z.Waiting > z.Pending:
			c.differf("%d units%s are on sale, while %d entries wait and %d units are kept for them", z.Stock.Available, c.of(i), z.Waiting, z.Pending)
		}
	}
}

// waits receives the next entry of the waitlist, in its stored form.
func (c *check) waits(e drop.Entry) error {
	c.closeLedger()
	c.closeReservations()
	c.closePurchases()
	c.closeDraw()
	c.closeAccess()
	c.report.Entries++
	n := c.number(int64(e.ID))
	if c.repeats(&c.line.entries, "waitlist entry", n) || !c.soundEntry(&e) {
		return nil
	}
	c.given(&e)
	c.inTurn(&e)
	l := &c.line.lines[e.Line]
	switch {
	case e.Status != drop.Waiting:
		if e.EndedAt >= l.at {
			l.last, l.at = e.ID, e.EndedAt
		}
	case n <= int64(c.state.LineClosed): // it may have waited until any of the times at which the line was closed
	default:
		if l.first == 0 {
			l.first = e.ID
		}
		c.report.Waiting++
		l.waiting++
		in := place{e.Line, e.UserID}
		if other := c.line.waiting[in]; other != 0 {
			c.differf("user %d waits twice%s: waitlist entries %d and %d", e.UserID, c.of(e.Line), other, e.ID)
		}
		c.line.waiting[in] = e.ID
	}
	if e.Status == drop.Offered {
		c.offered(&e)
	}
	return nil
}

// soundEntry checks an entry on its own.
func (c *check) soundEntry(e *drop.Entry) bool {
	known := e.Line >= 0 && e.Line < len(c.state.Sizes)
	switch {
	case !known:
		c.differf("waitlist entry %d is in line %d, but the drop has %d sizes", e.ID, e.Line, len(c.state.Sizes))
	case c.state.Sized() && e.Size != c.state.Sizes[e.Line].Label:
		c.differf("waitlist entry %d has size %q, but is in the line%s", e.ID, e.Size, c.of(e.Line))
	case e.Status < drop.Waiting || e.Status > drop.Skipped:
		c.differf("waitlist entry %d has the unknown status %d", e.ID, int8(e.Status))
	case e.Status == drop.Waiting && e.EndedAt != 0:
		c.differf("waitlist entry %d waits, but left the line at %s", e.ID, e.EndedAt)
	case e.Status != drop.Waiting && e.EndedAt < e.CreatedAt:
		c.differf("waitlist entry %d (%s) left the line at %s, but joined it at %s", e.ID, e.Status, e.EndedAt, e.CreatedAt)
	case max(e.CreatedAt, e.EndedAt) > c.state.LastAt:
		c.differf("waitlist entry %d was changed at %s, after the drop's last batch (%s)", e.ID, max(e.CreatedAt, e.EndedAt), c.state.LastAt)
	case (e.Status == drop.Offered) != (e.Offer != 0):
		c.differf("waitlist entry %d is %s, but its reservation is %d", e.ID, e.Status, e.Offer)
	case (e.Status == drop.Skipped) != (e.Why != ""):
		c.differf("waitlist entry %d is %s, but the rule that it broke is %q", e.ID, e.Status, e.Why)
	default:
		return true
	}
	return false
}

// inTurn checks that nobody who came before an entry in its line still waited when it was that entry's turn.
func (c *check) inTurn(e *drop.Entry) {
	if e.Status != drop.Offered && e.Status != drop.Skipped {
		return
	}
	l := &c.line.lines[e.Line]
	before := l.first
	if l.at > e.EndedAt {
		before = l.last
	}
	if before != 0 {
		c.differf("waitlist entry %d was %s at %s, while entry %d waited before it%s", e.ID, e.Status, e.EndedAt, before, c.of(e.Line))
	}
}

// offered compares an entry with the reservation that its buyer was offered.
func (c *check) offered(e *drop.Entry) {
	r := c.line.offers[e.Offer]
	switch {
	case r == nil:
		c.differf("waitlist entry %d was offered reservation %d, but there is no offer with that number", e.ID, e.Offer)
		return
	case r.entry != 0:
		c.differf("waitlist entry %d was offered reservation %d, like entry %d", e.ID, e.Offer, r.entry)
	case r.user != e.UserID:
		c.differf("waitlist entry %d is user %d's, but reservation %d, which was offered, is user %d's", e.ID, e.UserID, e.Offer, r.user)
	case r.size != e.Size:
		c.differf("waitlist entry %d has size %q, but reservation %d, which was offered, has size %q", e.ID, e.Size, e.Offer, r.size)
	case r.made != e.EndedAt:
		c.differf("waitlist entry %d was offered reservation %d at %s, but that was made at %s", e.ID, e.Offer, e.EndedAt, r.made)
	}
	r.entry = e.ID
}

// closeWaitlist compares the entries with the sizes' counters, and finds offers that no entry has.
func (c *check) closeWaitlist() {
	c.checkLast(&c.line.entries, "waitlist entry", int64(c.state.Waited))
	for i := range c.state.Sizes {
		if have, want := c.state.Sizes[i].Waiting, c.line.lines[i].waiting; have != want {
			c.differf("the counter \"waiting\"%s is %d, but %d entries wait", c.of(i), have, want)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.line.offers)) {
		if c.line.offers[id].entry == 0 {
			c.differf("reservation %d is an offer, but no waitlist entry has it", id)
		}
	}
}
