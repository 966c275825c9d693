package audit

import (
	"sneakerdrop/internal/drop"
)

// ledger is what has been read of a drop's ledger.
type ledger struct {
	numbers
	replay  []drop.Stock // by index of Sizes
	begun   []bool       // the size has an entry
	first   drop.Time    // of the first entry
	at      drop.Time    // of the batch being read
	batch   drop.BatchID // the one being read
	batches map[drop.BatchID]bool
	posted  map[posting]bool // in this batch

	moments map[moment]*movement
	order   []*movement // as they came
}

// posting is what a batch has one entry for.
type posting struct {
	size   int
	reason drop.Reason
}

// moment is what ledger and rows both count by: several batches may share a millisecond.
type moment struct {
	at drop.Time
	posting
}

// movement is what the ledger moved at a moment, and what the rows account for.
type movement struct {
	moment
	seq         drop.Seq // of the first entry
	units, rows int64
}

// entry takes the next ledger entry.
func (c *check) entry(e drop.LedgerEntry) error {
	l := &c.ledger
	c.report.LedgerEntries++
	if c.repeats(&l.numbers, "ledger entry", int64(e.Seq)) {
		return nil
	}
	c.checkOrder(&e)
	i, ok := c.size(e.Size)
	if !ok || len(c.state.Sizes) == 1 && e.Size != c.state.Sizes[0].Label {
		c.differf("ledger entry %d is of size %q, which the drop has not", e.Seq, e.Size)
		return nil
	}
	p := posting{size: i, reason: e.Reason}
	if l.posted[p] {
		c.differf("ledger entry %d is the second one for %q%s in its batch", e.Seq, e.Reason, c.of(i))
	}
	l.posted[p] = true
	c.begin(&e, i)
	if least := leastUnits(e.Reason); e.Units < least {
		c.differf("ledger entry %d has %d units, and %q moves at least %d", e.Seq, e.Units, e.Reason, least)
	}
	if err := l.replay[i].Post(e.Reason, e.Units); err != nil {
		c.differf("ledger entry %d has the unknown reason %q", e.Seq, e.Reason)
		return nil //nolint:nilerr // a difference is no error
	}
	if want := l.replay[i].Available; e.Available != want {
		c.differf("ledger entry %d says that %d units%s are available after it, and the entries up to it give %d",
			e.Seq, e.Available, c.of(i), want)
	}
	if e.Reason != drop.Created && e.Reason != drop.Restocked {
		l.count(&e, p)
	}
	return nil
}

// checkOrder checks an entry's batch and time against the entry before.
func (c *check) checkOrder(e *drop.LedgerEntry) {
	l := &c.ledger
	if len(l.batches) > 0 && e.Batch == l.batch {
		if e.At != l.at {
			c.differf("ledger entry %d is of %s, and its batch is of %s", e.Seq, e.At, l.at)
		}
		return
	}
	if len(l.batches) == 0 {
		l.first = e.At
	} else {
		c.closeBatch(e.Seq - 1)
		if e.At < l.at {
			c.differf("ledger entry %d is of %s, earlier than the entry before it (%s)", e.Seq, e.At, l.at)
		}
	}
	if l.batches[e.Batch] {
		c.differf("ledger entry %d is of batch %x, which had ended before", e.Seq, e.Batch)
	}
	l.batches[e.Batch] = true
	l.batch, l.at = e.Batch, e.At
	clear(l.posted)
}

// begin checks that a size's ledger begins with its creation, in the first batch, and has no second one.
func (c *check) begin(e *drop.LedgerEntry, size int) {
	begun := c.ledger.begun[size]
	c.ledger.begun[size] = true
	switch created := e.Reason == drop.Created; {
	case created && begun:
		c.differf("ledger entry %d creates the stock%s a second time", e.Seq, c.of(size))
	case created && len(c.ledger.batches) > 1:
		c.differf("ledger entry %d creates the stock%s after the drop's first batch", e.Seq, c.of(size))
	case !created && !begun:
		c.differf("ledger entry %d is the first one%s and has the reason %q in place of %q", e.Seq, c.of(size), e.Reason, drop.Created)
	}
}

// closeBatch checks that no counter is below zero when a batch is over; within one it may be, because its entries stand
// in the order of their reasons.
func (c *check) closeBatch(newest drop.Seq) {
	for i, s := range c.ledger.replay {
		if !s.Balanced() {
			c.differf("ledger entry %d ends its batch with a stock%s that cannot be: available %d, held %d, sold %d",
				newest, c.of(i), s.Available, s.Held, s.Sold)
		}
	}
}

func leastUnits(r drop.Reason) int64 {
	switch r {
	case drop.Restocked:
		return -drop.MaxStock
	case drop.Created:
		return 0
	default:
		return 1
	}
}

func (l *ledger) count(e *drop.LedgerEntry, p posting) {
	k := moment{at: e.At, posting: p}
	m := l.moments[k]
	if m == nil {
		m = &movement{moment: k, seq: e.Seq}
		l.moments[k] = m
		l.order = append(l.order, m)
	}
	m.units += e.Units
}

// closeLedger compares the ledger with the drop's row and counters.
func (c *check) closeLedger() {
	if c.ledgerDone {
		return
	}
	c.ledgerDone = true
	l := &c.ledger
	c.closeBatch(drop.Seq(l.last))
	c.checkLast(&l.numbers, "ledger entry", int64(c.state.Seq))
	for i := range c.state.Sizes {
		if !l.begun[i] {
			c.differf("no ledger entry creates the stock%s", c.of(i))
		}
		c.compareStock(i)
	}
	c.compareRow()
}

func (c *check) compareStock(size int) {
	have, want := c.state.Sizes[size].Stock, c.ledger.replay[size]
	for _, counter := range []struct {
		name       string
		have, want int64
	}{
		{"available", have.Available, want.Available},
		{"held", have.Held, want.Held},
		{"sold", have.Sold, want.Sold},
		{"total", have.Total, want.Total},
	} {
		if counter.have != counter.want {
			c.differf("the counter %q%s is %d, and the ledger gives %d", counter.name, c.of(size), counter.have, counter.want)
		}
	}
}

// compareRow compares the drop's row with the newest ledger entry. Each batch makes a version, also one that moved no
// units and so left no entry: a batch on the row that the ledger does not know must have been such.
func (c *check) compareRow() {
	s, l := c.state, &c.ledger
	moved := int64(len(l.batches))
	switch {
	case moved == 0:
	case s.Version < moved:
		c.differf("its version is %d, and the ledger has %d batches, each of which made one", s.Version, moved)
	case s.Batch == l.batch && s.LastAt != l.at:
		c.differf("its row says that its last batch was of %s, and the ledger that it was of %s", s.LastAt, l.at)
	case s.Batch != l.batch && l.batches[s.Batch]:
		c.differf("its row names batch %x as its last one, and the ledger goes on to batch %x", s.Batch, l.batch)
	case s.Batch != l.batch && s.Version == moved:
		c.differf("its row names batch %x as its last one, and the ledger batch %x", s.Batch, l.batch)
	case s.LastAt < l.at:
		c.differf("its row says that its last batch was of %s, and the newest ledger entry is of %s", s.LastAt, l.at)
	case s.CreatedAt > l.first:
		c.differf("it was made at %s, after its first ledger entry (%s)", s.CreatedAt, l.first)
	}
}
