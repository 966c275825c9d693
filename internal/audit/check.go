package audit

import (
	"fmt"
	"strings"

	"sneakerdrop/internal/drop"
)

// check is the audit of one drop: it is told the rows one by one, in the order of store.Books.
type check struct {
	report DropReport
	state  *drop.State
	sizes  map[string]int // label → index of state.Sizes

	ledger ledger
	rows   rows

	ledgerDone, reservationsDone bool
}

func newCheck(id drop.ID) *check {
	return &check{
		report: DropReport{ID: id},
		state:  &drop.State{},
		ledger: ledger{batches: make(map[drop.BatchID]bool), posted: make(map[posting]bool), moments: make(map[moment]*movement)},
	}
}

// differf records one difference.
func (c *check) differf(format string, args ...any) {
	c.report.Differences++
	if len(c.report.Sentences) < maxSentences {
		c.report.Sentences = append(c.report.Sentences, fmt.Sprintf("drop %d: ", c.report.ID)+fmt.Sprintf(format, args...))
	}
}

// head takes the drop's row and its sizes.
func (c *check) head(s *drop.State) error {
	c.state = s
	c.report.Name = s.Name
	c.sizes = make(map[string]int, len(s.Sizes))
	c.ledger.replay = make([]drop.Stock, len(s.Sizes))
	c.ledger.begun = make([]bool, len(s.Sizes))
	if len(s.Sizes) == 0 {
		c.differf("it has no stock: there must be at least one size")
	}
	for i := range s.Sizes {
		z := &s.Sizes[i]
		if _, twice := c.sizes[z.Label]; twice {
			c.differf("size %q is there twice", z.Label)
		}
		c.sizes[z.Label] = i
		if !z.Stock.Balanced() {
			c.differf("the stock%s must be made up of available, held and sold units: total is %d, available %d, held %d, sold %d",
				c.of(i), z.Stock.Total, z.Stock.Available, z.Stock.Held, z.Stock.Sold)
		}
	}
	if s.Purchased > s.Reserved {
		c.differf("its row counts %d purchases, more than its %d reservations", s.Purchased, s.Reserved)
	}
	return nil
}

// size finds where units of that label are counted: a drop without sizes has one stock, whatever a reservation notes.
func (c *check) size(label string) (int, bool) {
	if len(c.state.Sizes) == 1 && !c.state.Sized() {
		return 0, true
	}
	i, ok := c.sizes[label]
	return i, ok
}

// of names a size within a sentence, where there is more than one.
func (c *check) of(size int) string {
	if c.state.Sizes[size].Label == "" {
		return ""
	}
	return fmt.Sprintf(" of size %q", c.state.Sizes[size].Label)
}

// close compares what is left when all rows are read.
func (c *check) close() {
	c.closeLedger()
	c.closeReservations()
	c.closePurchases()
}

// numbers follows rows that are numbered without a gap from 1.
type numbers struct{ last int64 }

// repeats compares the number of the next row with those before it, and reports whether it was there before.
func (c *check) repeats(s *numbers, kind string, n int64) bool {
	want := s.last + 1
	s.last = max(s.last, n)
	switch {
	case n < want:
		c.differf("%s %d is there twice", kind, n)
	case n > want+1:
		c.differf("%s %d to %d are missing", plural(kind), want, n-1)
	case n > want:
		c.differf("%s %d is missing", kind, want)
	}
	return n < want
}

// checkLast compares the last row's number with n, which the drop's row says that it is.
func (c *check) checkLast(s *numbers, kind string, n int64) {
	switch {
	case s.last > n:
		c.differf("%s %d is there, and the drop's row says that the newest is number %d", kind, s.last, n)
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
	return kind + "s"
}
