package audit

import (
	"fmt"
	"slices"

	"sneakerdrop/internal/drop"
)

// early is what has been read of a drop's early access so far.
type early struct {
	accesses []accessRead // by their numbers, the first one's is 1
	kept     []int64      // units that the ledger says are kept for early access, by index of Sizes
	// uses are the uses of passes that the rows name. hashes are those of the passes.
	uses   map[drop.PassID]int64
	hashes map[drop.Hash]drop.PassID
	// unread: what the drop's row says of early access is lost.
	unread, done bool
}

// accessRead is what has been read of one access.
type accessRead struct {
	numbers
	kind string // of its passes, in a sentence
	used int64  // as its passes say
	// taken are the units that its buyers hold or have bought, by index of Sizes; nil: none are kept for it. shares are
	// those of each buyer; nil: it has no limit.
	taken  []int64
	shares map[drop.UserID]int
}

// headOfAccess checks what the drop's row says of early access.
func (c *check) headOfAccess() {
	s := c.state
	c.early.accesses = make([]accessRead, len(s.Accesses))
	c.early.kept = make([]int64, len(s.Sizes))
	if len(s.Accesses) == 1 && s.Accesses[0].Damaged() {
		c.early.unread = true
		c.differf("its early access cannot be read")
		return
	}
	for i := range s.Accesses {
		x, read := &s.Accesses[i], &c.early.accesses[i]
		read.kind = fmt.Sprintf("early access %d: pass", i+1)
		if x.Units > 0 {
			read.taken = make([]int64, len(s.Sizes))
		}
		if x.PerBuyer > 0 {
			read.shares = make(map[drop.UserID]int)
		}
		c.soundAccess(i+1, x)
	}
	for i := range s.Sizes {
		c.report.KeptEarly += s.KeptOf(i)
	}
}

// soundAccess checks an access on its own.
func (c *check) soundAccess(n int, x *drop.Access) {
	s := c.state
	switch {
	case x.Uses < 1 || x.PerBuyer < 0 || x.Units < 0:
		c.differf("early access %d has impossible terms: %d uses of each pass, %d units a buyer, %d units kept", n, x.Uses, x.PerBuyer, x.Units)
	case x.Ends != 0 && x.Ends < x.Starts:
		c.differf("early access %d ends at %s, before it starts (%s)", n, x.Ends, x.Starts)
	case x.Passes > drop.MaxPasses:
		c.differf("early access %d has %d passes, more than %d", n, x.Passes, drop.MaxPasses)
	case x.Used < 0:
		c.differf("early access %d was used %d times", n, x.Used)
	case len(x.Kept) > len(s.Sizes):
		c.differf("early access %d keeps units of %d sizes, but the drop has %d", n, len(x.Kept), len(s.Sizes))
	}
	for _, size := range x.Sizes {
		if size < 0 || size >= len(s.Sizes) {
			c.differf("early access %d is good for size number %d, but the drop has %d sizes", n, size, len(s.Sizes))
		}
	}
	// A draw keeps what is kept until its last place in line is given.
	over := s.LastAt >= s.End(x) && !s.HasDraw()
	for size, kept := range x.Kept {
		switch {
		case size >= len(s.Sizes):
		case kept < 0 || kept > max(x.Units, 0):
			c.differf("early access %d keeps %d units%s, but was given %d", n, kept, c.of(size), x.Units)
		case kept > 0 && !x.Covers(size):
			c.differf("early access %d keeps %d units%s, which it is not good for", n, kept, c.of(size))
		case kept > 0 && over:
			c.differf("early access %d ended at %s, but keeps %d units%s", n, s.End(x), kept, c.of(size))
		}
	}
}

// access returns the access of a pass, and what was read of it. It returns nil if there is no such pass, as far as the
// drop's row tells.
func (c *check) access(id drop.PassID) (*drop.Access, *accessRead) {
	x := c.state.Access(id.Access())
	if x == nil || id.Drop() != c.report.ID || id.Number() < 1 || uint64(id.Number()) > uint64(x.Passes) {
		return nil, nil
	}
	return x, &c.early.accesses[id.Access()-1]
}

// compareKept compares what is kept for early access with the ledger.
func (c *check) compareKept(size int) {
	if have, want := c.state.KeptOf(size), c.early.kept[size]; have != want && !c.early.unread {
		c.differf("%d units%s are kept for early access, but the ledger gives %d", have, c.of(size), want)
	}
}

// letIn checks the pass that let the buyer of a reservation in.
func (c *check) letIn(r *drop.Reservation, size int) {
	if r.Pass == 0 || c.early.unread {
		return
	}
	x, read := c.access(r.Pass)
	n := r.Pass.Access()
	switch {
	case r.Offer:
		c.differf("reservation %d is an offer, but has pass %d", r.ID, r.Pass)
	case x == nil:
		c.differf("reservation %d has pass %d, but there is none with that number", r.ID, r.Pass)
	case !x.Covers(size):
		c.differf("reservation %d has pass %d, but early access %d is not good for size %q", r.ID, r.Pass, n, c.state.Sizes[size].Label)
	case r.CreatedAt < x.Starts, c.past(r, x):
		c.differf("reservation %d was made at %s, but its early access %d lasted from %s to %s", r.ID, r.CreatedAt, n, x.Starts, c.state.End(x))
	}
	if x == nil || r.Status.Unpaid() {
		return
	}
	c.early.uses[r.Pass]++
	if read.taken != nil {
		read.taken[size]++
	}
	if read.shares == nil || r.Status == drop.Active && !r.LiveAt(c.state.LastAt) {
		return
	}
	if read.shares[r.UserID]++; read.shares[r.UserID] == x.PerBuyer+1 {
		c.differf("reservation %d is one more than the %d that early access %d allows user %d", r.ID, x.PerBuyer, n, r.UserID)
	}
}

// past reports whether a reservation was made after an access was over. One that was over in the reservation's own
// batch was open before. While nobody holds or has bought a unit, the start can move, and with it an end.
func (c *check) past(r *drop.Reservation, x *drop.Access) bool {
	if x.Ends != 0 {
		return r.CreatedAt > x.Ends
	}
	return r.CreatedAt >= c.state.StartTime && !r.Status.Unpaid()
}

// keptFor reports whether a pass brings units that are kept, which are not drawn for.
func (c *check) keptFor(id drop.PassID) bool {
	x, _ := c.access(id)
	return c.early.unread && id != 0 || x != nil && x.Units > 0
}

// enteredEarly checks the pass that let an entry of the draw in.
func (c *check) enteredEarly(e *drop.DrawEntry) {
	if e.Pass == 0 || c.early.unread {
		return
	}
	x, _ := c.access(e.Pass)
	switch {
	case x == nil:
		c.differf("draw entry %d has pass %d, but there is none with that number", e.ID, e.Pass)
		return
	case e.WithdrawnAt != 0:
		c.differf("draw entry %d is withdrawn, but has pass %d", e.ID, e.Pass)
	case e.CreatedAt >= c.state.Draw.Opens:
		c.differf("draw entry %d came at %s, when the draw was open (%s), but has pass %d", e.ID, e.CreatedAt, c.state.Draw.Opens, e.Pass)
	case !x.CoversAll(e.Sizes.Places()):
		c.differf("draw entry %d has the sizes %q, but pass %d, whose early access is not good for all of them", e.ID, e.Sizes, e.Pass)
	}
	c.early.uses[e.Pass]++
}

// couldEnter reports whether some pass may have let in who entered the draw at that time. An entry that was withdrawn
// has lost its pass, and keeps its time when the buyer enters again.
func (c *check) couldEnter(at drop.Time, sizes []int) bool {
	return c.early.unread || slices.ContainsFunc(c.state.Accesses, func(x drop.Access) bool {
		return x.Starts <= at && at <= c.state.End(&x) && x.CoversAll(sizes)
	})
}

// pass receives the next pass.
func (c *check) pass(p drop.Pass) error {
	c.closeLedger()
	c.closeReservations()
	c.closePurchases()
	c.closeDraw()
	c.report.Passes++
	n := p.ID.Access()
	x := c.state.Access(n)
	switch {
	case c.early.unread:
		return nil
	case x == nil || p.ID.Drop() != c.report.ID || p.ID.Number() < 1:
		c.differf("pass %d belongs to no early access of the drop", p.ID)
		return nil
	}
	read := &c.early.accesses[n-1]
	if c.repeats(&read.numbers, read.kind, int64(p.ID.Number())) {
		return nil
	}
	if other := c.early.hashes[p.Hash]; other != 0 {
		c.differf("pass %d has the hash of pass %d", p.ID, other)
	}
	c.early.hashes[p.Hash] = p.ID
	read.used += int64(p.Used)
	c.report.Uses += c.early.uses[p.ID]
	switch uses := c.early.uses[p.ID]; {
	case int64(p.Used) != uses:
		c.differf("pass %d was used %d times, but %d reservations and draw entries have it", p.ID, p.Used, uses)
	case p.Used > x.Uses:
		c.differf("pass %d was used %d times, but the passes of early access %d are good for %d", p.ID, p.Used, n, x.Uses)
	}
	return nil
}

// closeAccess compares the passes and the units of each access with the drop's row.
func (c *check) closeAccess() {
	if c.early.done || c.early.unread {
		return
	}
	c.early.done, c.early.hashes, c.early.uses = true, nil, nil
	for i := range c.state.Accesses {
		x, read := &c.state.Accesses[i], &c.early.accesses[i]
		c.checkLast(&read.numbers, read.kind, int64(x.Passes))
		if x.Used != read.used {
			c.differf("early access %d was used %d times, but its passes %d times", i+1, x.Used, read.used)
		}
		for size, taken := range read.taken {
			c.compareUnits(i+1, size, taken)
		}
	}
}

// compareUnits compares the units that an access was given with those that are kept for its buyers, and those that they
// took. Once it is over, what was left has gone back.
func (c *check) compareUnits(n, size int, taken int64) {
	x := c.state.Access(n)
	given, kept := x.Units, int64(0)
	if !x.Covers(size) {
		given = 0
	}
	if size < len(x.Kept) {
		kept = x.Kept[size]
	}
	sum := kept + taken
	if sum > given || sum < given && c.state.LastAt < c.state.End(x) {
		c.differf("early access %d was given %d units%s, but keeps %d, and its buyers hold or bought %d", n, given, c.of(size), kept, taken)
	}
}
