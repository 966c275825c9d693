package audit

import (
	"sneakerdrop/internal/drop"
)

// ledger is what has been read of a drop's ledger so far.
type ledger struct {
	numbers
	replay  []drop.Stock // by index of Sizes
	begun   []bool       // the size has an entry
	kept    []int64      // units that are kept for who waits, by index of Sizes
	first   drop.Time    // of the first entry
	at      drop.Time    // of the batch being read
	batch   drop.BatchID // of the batch being read
	batches map[drop.BatchID]bool
	posted  map[posting]bool // in this batch

	misnamed []misnamed

	// started are the numbers of the reservations whose buyers began to pay.
	started map[uint32]bool
	// refunded are the numbers of the purchases whose buyers have money back.
	refunded map[uint32]bool

	moments map[moment]*movement
	order   []*movement // in the order in which they came
}

// misnamed is an entry that names more or fewer reservations or purchases than it has units.
type misnamed struct {
	seq          drop.Seq
	units, named int64
}

// posting identifies an entry within a batch.
type posting struct {
	size   int
	reason drop.Reason
}

// moment is the unit by which ledger and rows are compared, because several batches may share a millisecond.
type moment struct {
	at drop.Time
	posting
}

// movement is what the ledger moved at a moment, and how much of it the rows account for.
type movement struct {
	moment
	seq         drop.Seq // of the first entry
	units, rows int64
}

// entry receives the next ledger entry.
func (c *check) entry(e drop.LedgerEntry) error {
	l := &c.ledger
	c.report.LedgerEntries++
	if c.repeats(&l.numbers, "ledger entry", int64(e.Seq)) {
		return nil
	}
	c.checkOrder(&e)
	i, ok := c.size(e.Size)
	if !ok || len(c.state.Sizes) == 1 && e.Size != c.state.Sizes[0].Label {
		c.differf("ledger entry %d has size %q, which the drop does not have", e.Seq, e.Size)
		return nil
	}
	p := posting{size: i, reason: e.Reason}
	if l.posted[p] {
		c.differf("ledger entry %d is the second one for %q%s in its batch", e.Seq, e.Reason, c.of(i))
	}
	l.posted[p] = true
	c.begin(&e, i)
	if least := leastUnits(e.Reason); e.Units < least {
		c.differf("ledger entry %d has %d units, but %q moves at least %d", e.Seq, e.Units, e.Reason, least)
	}
	if n, err := e.Numbers.Count(); err != nil || n != e.Units && e.Numbers != "" {
		l.misnamed = append(l.misnamed, misnamed{e.Seq, e.Units, n})
	}
	if err := l.replay[i].Post(e.Reason, e.Units); err != nil {
		c.differf("ledger entry %d has the unknown reason %q", e.Seq, e.Reason)
		return nil //nolint:nilerr // a difference is no error
	}
	if want := l.replay[i].Available; e.Available != want {
		c.differf("ledger entry %d says that %d units%s are available after it, but the entries up to it give %d",
			e.Seq, e.Available, c.of(i), want)
	}
	switch e.Reason {
	case drop.Created, drop.Restocked:
	case drop.WaitlistKept:
		l.kept[i] += e.Units
	case drop.WaitlistFreed:
		l.kept[i] -= e.Units
	case drop.AccessKept:
		c.early.kept[i] += e.Units
	case drop.AccessFreed:
		c.early.kept[i] -= e.Units
	case drop.PaymentStarted:
		for n := range e.Numbers.All() {
			l.started[n] = true
		}
	case drop.MoneyRefunded:
		for n := range e.Numbers.All() {
			l.refunded[n] = true
		}
	default:
		l.count(&e, p)
	}
	return nil
}

// checkOrder checks an entry's batch and time against the entry before it.
func (c *check) checkOrder(e *drop.LedgerEntry) {
	l := &c.ledger
	if len(l.batches) > 0 && e.Batch == l.batch {
		if e.At != l.at {
			c.differf("ledger entry %d is dated %s, but its batch %s", e.Seq, e.At, l.at)
		}
		return
	}
	if len(l.batches) == 0 {
		l.first = e.At
	} else {
		c.closeBatch(e.Seq - 1)
		if e.At < l.at {
			c.differf("ledger entry %d is dated %s, earlier than the entry before it (%s)", e.Seq, e.At, l.at)
		}
	}
	if l.batches[e.Batch] {
		c.differf("ledger entry %d belongs to batch %x, which had already ended", e.Seq, e.Batch)
	}
	l.batches[e.Batch] = true
	l.batch, l.at = e.Batch, e.At
	clear(l.posted)
}

// begin checks that a size's ledger starts with its creation, in the first batch, and that there is no second
// creation.
func (c *check) begin(e *drop.LedgerEntry, size int) {
	begun := c.ledger.begun[size]
	c.ledger.begun[size] = true
	switch created := e.Reason == drop.Created; {
	case created && begun:
		c.differf("ledger entry %d creates the stock%s a second time", e.Seq, c.of(size))
	case created && len(c.ledger.batches) > 1:
		c.differf("ledger entry %d creates the stock%s after the drop's first batch", e.Seq, c.of(size))
	case !created && !begun:
		c.differf("ledger entry %d is the first one%s but has the reason %q instead of %q", e.Seq, c.of(size), e.Reason, drop.Created)
	}
}

// closeBatch checks that no counter is negative after a batch. Within a batch one may be, because its entries are
// ordered by reason. It notes what a draw may draw for.
func (c *check) closeBatch(newest drop.Seq) {
	for i, s := range c.ledger.replay {
		if !s.Balanced() {
			c.differf("ledger entry %d ends its batch with an impossible stock%s: available %d, held %d, sold %d",
				newest, c.of(i), s.Available, s.Held, s.Sold)
		}
		if c.state.HasDraw() {
			c.draw.stock(i, c.ledger.at, s.Available+c.ledger.kept[i])
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
	for _, m := range l.misnamed {
		c.differf("ledger entry %d has %d units, but names %d reservations or purchases", m.seq, m.units, m.named)
	}
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
		{"pending", c.state.Sizes[size].Pending, c.ledger.kept[size]},
	} {
		if counter.have != counter.want {
			c.differf("the counter %q%s is %d, but the ledger gives %d", counter.name, c.of(size), counter.have, counter.want)
		}
	}
	c.compareKept(size)
}

// compareRow compares the drop's row with the newest ledger entry. Each batch makes a version, even one that moved no
// units and so left no entry. If the row names a batch that the ledger does not know, it must be such a batch.
func (c *check) compareRow() {
	s, l := c.state, &c.ledger
	moved := int64(len(l.batches))
	switch {
	case moved == 0:
	case s.Version < moved:
		c.differf("its version is %d, but the ledger has %d batches, and each makes a version", s.Version, moved)
	case s.Batch == l.batch && s.LastAt != l.at:
		c.differf("its row dates its last batch %s, but the ledger %s", s.LastAt, l.at)
	case s.Batch != l.batch && l.batches[s.Batch]:
		c.differf("its row names batch %x as its last one, but the ledger continues to batch %x", s.Batch, l.batch)
	case s.Batch != l.batch && s.Version == moved:
		c.differf("its row names batch %x as its last one, but the ledger batch %x", s.Batch, l.batch)
	case s.LastAt < l.at:
		c.differf("its row dates its last batch %s, but the newest ledger entry is dated %s", s.LastAt, l.at)
	case s.CreatedAt > l.first:
		c.differf("it was made at %s, after its first ledger entry (%s)", s.CreatedAt, l.first)
	}
}
