package events

import (
	"encoding/binary"

	"sneakerdrop/internal/drop"
)

// stub is an event whose rows have not been read yet.
type stub struct {
	kind    Type
	seq     int64
	at      drop.Time
	version int64
	number  uint32 // of the reservation or purchase; 0: the data is already there
	data    any
	after   Position
	skipped int
}

// group is what one batch did: some ledger entries, a revision, or both.
type group struct {
	entries  []drop.LedgerEntry
	revision *drop.Revision
}

// groups puts entries and revisions in the order in which they happened. A revision of a batch without entries comes
// behind the entry that was the newest then. Entries that belong to one batch must all be there.
func groups(entries []drop.LedgerEntry, revisions []drop.Revision) []group {
	var all []group
	for len(entries) > 0 || len(revisions) > 0 {
		n := 0
		for n < len(entries) && entries[n].Batch == entries[0].Batch {
			n++
		}
		switch {
		case n == 0 || len(revisions) > 0 && revisions[0].Seq < entries[0].Seq:
			all = append(all, group{revision: &revisions[0]})
			revisions = revisions[1:]
		default:
			g := group{entries: entries[:n]}
			if len(revisions) > 0 && revisions[0].Version == entries[0].Version {
				g.revision, revisions = &revisions[0], revisions[1:]
			}
			all, entries = append(all, g), entries[n:]
		}
	}
	return all
}

// markOf identifies a batch in a Position.
func markOf(b drop.BatchID) uint32 { return binary.BigEndian.Uint32(b[:]) }

// planner turns groups into stubs.
type planner struct {
	currency string
	// older returns the numbers of an entry that does not name them; see older.go.
	older func(e *drop.LedgerEntry) drop.Numbers

	at    Position // behind the last whole group
	stubs []stub
	err   error
}

// add adds the events of a group, without the first skip ones, and moves the position behind them.
func (p *planner) add(g group) {
	skip := p.at.Skip
	p.at.Skip = 0
	before := p.at
	from := len(p.stubs)
	after := p.after(g)
	p.list(g, after.Available)
	made := p.stubs[from:]
	for i := range made {
		made[i].seq = before.Event + int64(i) + 1
		made[i].after = before
		made[i].after.Skip = int64(i) + 1
	}
	after.Event = before.Event + int64(len(made))
	if n := len(made); n > 0 {
		made[n-1].after = after
	}
	p.stubs = append(p.stubs[:from], made[min(skip, int64(len(made))):]...)
	p.at = after
}

// after returns the position behind a group, without Event.
func (p *planner) after(g group) Position {
	after := p.at
	for i := range g.entries {
		e := &g.entries[i]
		switch e.Reason {
		case drop.Created, drop.Restocked, drop.ReservationExpired, drop.ReservationCancelled, drop.Returned,
			drop.OfferExpired, drop.OfferDeclined, drop.WaitlistFreed, drop.AccessFreed:
			after.Available += e.Units
		case drop.Reserved, drop.WaitlistOffered, drop.WaitlistKept, drop.AccessKept:
			after.Available -= e.Units
		case drop.Purchased, drop.PaymentStarted, drop.WrittenOff, drop.MoneyRefunded:
		}
		after.Seq, after.Mark = e.Seq, markOf(e.Batch)
		after.Version = max(after.Version, e.Version)
	}
	if g.revision != nil {
		after.Version = max(after.Version, g.revision.Version)
	}
	return after
}

// ends are the ends of holds, in the order in which a batch's events tell them.
var ends = [...]struct {
	reason drop.Reason
	kind   Type
}{
	{drop.ReservationExpired, HoldExpired},
	{drop.ReservationCancelled, HoldCancelled},
	{drop.OfferExpired, WaitlistOfferExpired},
	{drop.OfferDeclined, WaitlistOfferDeclined},
}

// list adds the stubs of a group. The order within a batch is one that is possible: what ended comes before what
// began, except for holds that ended in the batch that made them. What is on sale is what the batch left on sale: a
// unit that went to the waitlist was not.
func (p *planner) list(g group, available int64) {
	created := len(g.entries) > 0 && g.entries[0].Reason == drop.Created
	if created {
		p.put(g, DropCreated, 0, p.created(g))
	}
	made := p.made(g)
	earlier := func(n uint32) bool { return !made[n] }
	all := func(uint32) bool { return true }
	for _, end := range ends {
		p.each(g, end.reason, end.kind, earlier)
	}
	p.each(g, drop.Returned, PurchaseReturned, all)
	p.each(g, drop.WrittenOff, PurchaseReturned, all)
	for i := range g.entries {
		if e := &g.entries[i]; e.Reason == drop.Restocked {
			p.put(g, DropUpdated, 0, &StockData{Changed: []drop.Change{ChangedStock}, Size: unlessEmpty(e.Size), Add: e.Units, Available: available})
		}
	}
	if g.revision != nil && !created {
		p.put(g, DropUpdated, 0, p.settings(g.revision))
	}
	p.each(g, drop.WaitlistOffered, WaitlistOffered, all)
	p.each(g, drop.Reserved, HoldCreated, all)
	for _, end := range ends {
		p.each(g, end.reason, end.kind, func(n uint32) bool { return made[n] })
	}
	p.each(g, drop.Purchased, PurchaseCompleted, all)
	p.each(g, drop.MoneyRefunded, PurchaseRefunded, all)
	switch {
	case p.at.Available > 0 && available == 0:
		p.put(g, DropSoldOut, 0, &StockData{})
	case p.at.Available == 0 && available > 0 && !created:
		p.put(g, DropBackInStock, 0, &StockData{Available: available})
	}
}

// put adds the stub of one event of a group.
func (p *planner) put(g group, kind Type, number uint32, data any) {
	s := stub{kind: kind, number: number, data: data}
	if len(g.entries) > 0 {
		s.at, s.version = g.entries[0].At, g.entries[0].Version
	} else {
		s.at, s.version = g.revision.At, g.revision.Version
	}
	p.stubs = append(p.stubs, s)
}

// each adds a stub for each row that the entries with that reason name and that is wanted.
func (p *planner) each(g group, reason drop.Reason, kind Type, wanted func(number uint32) bool) {
	for i := range g.entries {
		if e := &g.entries[i]; e.Reason == reason {
			for n := range p.numbers(e).All() {
				if wanted(n) {
					p.put(g, kind, n, nil)
				}
			}
		}
	}
}

// made returns the reservations that the batch made, if it may also have ended some of them.
func (p *planner) made(g group) map[uint32]bool {
	ended := false
	for i := range g.entries {
		for _, end := range ends {
			ended = ended || g.entries[i].Reason == end.reason
		}
	}
	if !ended {
		return nil
	}
	made := make(map[uint32]bool)
	for i := range g.entries {
		if e := &g.entries[i]; e.Reason == drop.Reserved || e.Reason == drop.WaitlistOffered {
			for n := range p.numbers(e).All() {
				made[n] = true
			}
		}
	}
	return made
}

// numbers returns what an entry is about. An entry with a version and without numbers was made up by an import: there
// was no such moment.
func (p *planner) numbers(e *drop.LedgerEntry) drop.Numbers {
	if e.Numbers == "" && e.Version == 0 {
		return p.older(e)
	}
	return e.Numbers
}

func (p *planner) created(g group) any {
	stock := StoredDropData{}
	for i := range g.entries {
		if e := &g.entries[i]; e.Reason == drop.Created {
			stock.TotalStock += e.Units
			if e.Size != "" {
				stock.Sizes = append(stock.Sizes, SizeData{e.Size, e.Units})
			}
		}
	}
	if g.revision == nil {
		return &stock
	}
	data := p.settings(g.revision)
	data.TotalStock, data.Sizes = &stock.TotalStock, stock.Sizes
	return data
}

func (p *planner) settings(r *drop.Revision) *SettingsData {
	s, changed, err := drop.DecodeSettings(r.Settings)
	if err != nil && p.err == nil {
		p.err = err
	}
	return settingsData(&s, changed, p.currency)
}
