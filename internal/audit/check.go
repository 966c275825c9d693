package audit

import (
	"fmt"
	"strings"

	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
)

// check is the audit of one drop. It receives the rows one by one, in the order of store.Books.
type check struct {
	report DropReport
	state  *drop.State
	sizes  map[string]int // label → index of state.Sizes

	ledger ledger
	rows   rows
	line   waitlist
	draw   drawing
	early  early

	ledgerDone, reservationsDone, purchasesDone bool
}

func newCheck(id drop.ID) *check {
	return &check{
		report: DropReport{ID: id},
		state:  &drop.State{},
		ledger: ledger{
			batches: make(map[drop.BatchID]bool), posted: make(map[posting]bool), moments: make(map[moment]*movement),
			started: make(map[uint32]bool), refunded: make(map[uint32]bool),
		},
		draw: drawing{
			buyers: make(map[draw.EntryID]drop.UserID), in: make(map[drop.UserID]drop.EntryID), offered: make(map[drop.UserID]drop.EntryID),
		},
		early: early{uses: make(map[drop.PassID]int64), hashes: make(map[drop.Hash]drop.PassID)},
		line:  waitlist{offers: make(map[drop.ReservationID]*offer), waiting: make(map[place]drop.EntryID)},
	}
}

// differf records one difference.
func (c *check) differf(format string, args ...any) {
	c.report.Differences++
	if len(c.report.Sentences) < maxSentences {
		c.report.Sentences = append(c.report.Sentences, fmt.Sprintf("drop %d: ", c.report.ID)+fmt.Sprintf(format, args...))
	}
}

// head receives the drop's row and its sizes.
func (c *check) head(s *drop.State) error {
	c.state = s
	c.report.Name = s.Name
	c.sizes = make(map[string]int, len(s.Sizes))
	c.ledger.replay = make([]drop.Stock, len(s.Sizes))
	c.ledger.begun = make([]bool, len(s.Sizes))
	c.ledger.kept = make([]int64, len(s.Sizes))
	c.line.lines = make([]lineRead, len(s.Sizes))
	if len(s.Sizes) == 0 {
		c.differf("it has no stock: there must be at least one size")
	}
	for i := range s.Sizes {
		z := &s.Sizes[i]
		if _, twice := c.sizes[z.Label]; twice {
			c.differf("size %q appears twice", z.Label)
		}
		c.sizes[z.Label] = i
		if !z.Stock.Balanced() {
			c.differf("the stock%s must be the sum of available, held and sold units: total is %d, available %d, held %d, sold %d",
				c.of(i), z.Stock.Total, z.Stock.Available, z.Stock.Held, z.Stock.Sold)
		}
	}
	c.headOfLines()
	c.headOfDraw()
	c.headOfAccess()
	if s.Purchased > s.Reserved {
		c.differf("its row counts %d purchases, more than its %d reservations", s.Purchased, s.Reserved)
	}
	return nil
}

// size finds the stock that counts units of that label. A drop without sizes has one stock, whatever note a
// reservation has.
func (c *check) size(label string) (int, bool) {
	if len(c.state.Sizes) == 1 && !c.state.Sized() {
		return 0, true
	}
	i, ok := c.sizes[label]
	return i, ok
}

// of names a size within a sentence, if the drop has several.
func (c *check) of(size int) string {
	if c.state.Sizes[size].Label == "" {
		return ""
	}
	return fmt.Sprintf(" of size %q", c.state.Sizes[size].Label)
}

// close compares what remains once all rows are read.
func (c *check) close() {
	c.closeLedger()
	c.closeReservations()
	c.closePurchases()
	c.closeDraw()
	c.closeAccess()
	c.closeWaitlist()
	c.closePlaces()
}

// numbers follows rows that are numbered from 1 without gaps.
type numbers struct{ last int64 }

// repeats compares the number of the next row with those before it, and reports whether it already appeared.
func (c *check) repeats(s *numbers, kind string, n int64) bool {
	want := s.last + 1
	s.last = max(s.last, n)
	switch {
	case n < want:
		c.differf("%s %d appears twice", kind, n)
	case n > want+1:
		c.differf("%s %d to %d are missing", plural(kind), want, n-1)
	case n > want:
		c.differf("%s %d is missing", kind, want)
	}
	return n < want
}

// checkLast compares the last row's number with n, the number in the drop's row.
func (c *check) checkLast(s *numbers, kind string, n int64) {
	switch {
	case s.last > n:
		c.differf("%s %d exists, but the drop's row says that the newest is number %d", kind, s.last, n)
	case s.last+1 < n:
		c.differf("%s %d to %d are missing: the drop's row says that the newest is number %d", plural(kind), s.last+1, n, n)
	case s.last < n:
		c.differf("%s %d is missing: the drop's row says that the newest is number %d", kind, n, n)
	}
}

func plural(kind string) string {
	if singular, ok := strings.CutSuffix(kind, "y"); ok {
		return singular + "ies"
	}
	if strings.HasSuffix(kind, "s") {
		return kind + "es"
	}
	return kind + "s"
}
