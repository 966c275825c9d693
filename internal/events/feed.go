package events

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Source is where the feed reads what is recorded.
type Source interface {
	store.Events
	Pulse(ctx context.Context) (store.Pulse, error)
	ReadBooks(ctx context.Context, id drop.ID, b store.Books) error
	PaymentsFor(ctx context.Context, units []drop.ReservationID) ([]drop.Payment, error)
	NewestPayments(ctx context.Context, before drop.PaymentID, limit int) ([]drop.Payment, error)
}

// Drops is what the feed knows of all drops without asking the store. The engine implements it.
type Drops interface {
	// Generation grows with every change of any drop.
	Generation() uint64
	// All returns the drops' last known states, in no order.
	All() iter.Seq[*drop.Drop]
	// Queued returns how many commands wait in lanes.
	Queued() int
}

// Feed reads events. Create one with New.
type Feed struct {
	source   Source
	drops    Drops
	currency string
	log      *slog.Logger
	now      func() time.Time

	mu     sync.Mutex // guards heads, ends, read, active and paid
	heads  map[drop.ID]store.Head
	ends   map[drop.ID]end
	read   bool // heads has all drops
	active active
	paid   bool // there are payments

	older older
	news  news
}

// end is the last end of a drop's events that was found, so that nobody reads all that came before again.
type end struct {
	Position

	at drop.Time // of the newest event before it
}

// active are the drops that something happened to after a time, or whose state nobody has read yet. All readers of one
// generation share them: only the first has to look at all drops.
type active struct {
	drops      map[drop.ID]*drop.Drop
	generation uint64
	after      drop.Time // 0: not known yet
	newest     drop.ID   // of all drops
}

// has reports whether no other drop can have events behind a cursor.
func (a *active) has(c *Cursor) bool {
	if c.Settled < a.after || c.From <= a.newest {
		return false
	}
	for id := range c.Drops {
		if a.drops[id] == nil {
			return false
		}
	}
	return true
}

// New returns a feed of a store. Prices are in the currency with that code.
func New(source Source, drops Drops, currency string, log *slog.Logger) *Feed {
	f := &Feed{
		source: source, drops: drops, currency: currency, log: log, now: time.Now,
		heads: make(map[drop.ID]store.Head), ends: make(map[drop.ID]end),
	}
	f.news.drops = drops
	return f
}

// Filter chooses events.
type Filter struct {
	// Types are the wanted types; nil: all.
	Types []Type
	// Drops are the wanted drops; nil: all except those that rehearsals sell.
	Drops []drop.ID
	// Newest leaves out movements of the stock for which a newer one of the same kind is already there.
	Newest bool
}

func (w *Filter) takes(kind Type) bool { return len(w.Types) == 0 || slices.Contains(w.Types, kind) }

func (w *Filter) takesDrop(d *drop.Drop) bool {
	if len(w.Drops) > 0 {
		return slices.Contains(w.Drops, d.ID)
	}
	return !d.Rehearsal()
}

const (
	// pageEntries is how many ledger entries are read at once: more than one batch writes, and one from before it.
	pageEntries = drop.MaxLedgerPerBatch + 1
	// maxStubs bounds how many events one page looks at, because one ledger entry may stand for a thousand.
	maxStubs = 20_000
	// settleAfter is how long a cursor names a drop that nothing happens to. A batch that is under way commits within
	// a minute, and the database's clock never steps back by so much.
	settleAfter = 24 * time.Hour
	// sellsNow is for how many milliseconds after a change a drop counts as one that sells now.
	sellsNow = 10_000
	// readFor is how long Read goes on for a page that is not full.
	readFor = time.Second
)

// Read returns at most limit events behind a cursor, and the cursor behind them. It may return fewer, or none, although
// there are more, if many had to be left out. more reports that.
func (f *Feed) Read(ctx context.Context, c Cursor, w Filter, limit int) (found []Event, next Cursor, more bool, err error) {
	next = c.Clone()
	pending, err := f.Pending(ctx, next, w)
	if err != nil {
		return nil, c, false, err
	}
	begun := f.now()
	for i, id := range pending {
		if len(found) >= limit || i > 0 && f.now().Sub(begun) > readFor {
			more = true
			break
		}
		at, err := f.Position(ctx, next, id)
		if err != nil {
			return nil, c, false, err
		}
		page, err := f.Drop(ctx, id, at, w, limit-len(found))
		if err != nil {
			return nil, c, false, err
		}
		next.Drops[id], next.Last = page.End, id
		found, more = append(found, page.Events...), more || page.More
	}
	slices.SortStableFunc(found, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Drop, b.Drop), cmp.Compare(a.Seq, b.Seq))
	})
	f.Settle(&next)
	return found, next, more, nil
}

// Now returns the cursor behind everything that has happened.
func (f *Feed) Now(ctx context.Context) (Cursor, error) {
	pulse, err := f.source.Pulse(ctx)
	if err != nil {
		return Cursor{}, err
	}
	c := Cursor{Settled: pulse.Now - 1, From: drop.MaxID + 1}.Clone()
	heads, err := f.source.Heads(ctx)
	if err != nil {
		return Cursor{}, err
	}
	// What happened in this very millisecond may be of before. Of the other drops that sell now, the end is noted while
	// it is near: whoever looks for it later has more to read.
	for _, h := range heads {
		if h.LastAt > c.Settled-sellsNow {
			if c.Drops[h.ID], err = f.End(ctx, h.ID); err != nil {
				return Cursor{}, err
			}
		}
	}
	return c, nil
}

// Pending returns the wanted drops that have events behind a cursor, beginning behind the one that was read last.
func (f *Feed) Pending(ctx context.Context, c Cursor, w Filter) ([]drop.ID, error) {
	if err := f.load(ctx); err != nil {
		return nil, err
	}
	var pending []drop.ID
	f.mu.Lock()
	for d := range f.candidates(&c) {
		if w.takesDrop(d) && f.pends(&c, d) {
			pending = append(pending, d.ID)
		}
	}
	f.mu.Unlock()
	slices.SortFunc(pending, func(a, b drop.ID) int {
		if (a > c.Last) != (b > c.Last) {
			return cmp.Compare(b, a) // those behind the last one come first
		}
		return cmp.Compare(a, b)
	})
	return pending, nil
}

// candidates returns the drops that may have events behind a cursor, and some more. The caller holds mu.
func (f *Feed) candidates(c *Cursor) iter.Seq[*drop.Drop] {
	a := &f.active
	if generation := f.drops.Generation(); a.after == 0 || a.generation != generation {
		*a = active{drops: make(map[drop.ID]*drop.Drop), generation: generation, after: drop.TimeOf(f.now().Add(-2 * settleAfter))}
		for d := range f.drops.All() {
			a.newest = max(a.newest, d.ID)
			if head, known := f.heads[d.ID]; !known || head.Version != d.Version || head.LastAt > a.after {
				a.drops[d.ID] = d
			}
		}
	}
	if a.has(c) {
		return maps.Values(a.drops)
	}
	return f.drops.All()
}

// pends reports whether a drop has, or may have, events behind a cursor.
func (f *Feed) pends(c *Cursor, d *drop.Drop) bool {
	if at, named := c.Drops[d.ID]; named {
		return at.Version != d.Version || at.Skip > 0
	}
	if d.ID >= c.From {
		return true
	}
	head, known := f.heads[d.ID]
	return !known || head.Version != d.Version || head.LastAt > c.Settled
}

// load reads how far all drops are, once. Later Drop keeps it up to date.
func (f *Feed) load(ctx context.Context) error {
	f.mu.Lock()
	read := f.read
	f.mu.Unlock()
	if read {
		return nil
	}
	heads, err := f.source.Heads(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range heads {
		f.noteHead(h)
	}
	f.read = true
	return nil
}

func (f *Feed) noteHead(h store.Head) {
	if have, known := f.heads[h.ID]; !known || have.Version != h.Version {
		f.heads[h.ID] = h
	}
}

// Settle makes a cursor as short as it can be. A drop that it no longer names was read to its end, and then nothing
// happened to it for a day.
func (f *Feed) Settle(c *Cursor) {
	all := slices.Collect(f.drops.All())
	f.mu.Lock()
	defer f.mu.Unlock()
	settled := max(c.Settled, drop.TimeOf(f.now().Add(-settleAfter)))
	from := drop.MaxID + 1
	for _, d := range all {
		if _, named := c.Drops[d.ID]; named || d.Rehearsal() {
			continue
		}
		if d.ID >= c.From {
			from = min(from, d.ID)
			continue
		}
		if f.pends(c, d) { // it happened behind c.Settled, and must be read before that moves
			settled = c.Settled
		}
	}
	c.From = max(c.From, from)
	if len(all) == 0 {
		c.From = 0
	}
	c.Settled = settled
	for _, d := range all {
		at, named := c.Drops[d.ID]
		head, known := f.heads[d.ID]
		if named && known && d.ID < c.From && at.Skip == 0 && at.Version == d.Version && head.Version == d.Version && head.LastAt <= c.Settled {
			delete(c.Drops, d.ID)
		}
	}
}

// Position returns where a drop's events go on behind a cursor.
func (f *Feed) Position(ctx context.Context, c Cursor, id drop.ID) (Position, error) {
	if at, named := c.Drops[id]; named || id >= c.From {
		return at, nil
	}
	var from Position
	if e := f.endOf(id); e.at <= c.Settled {
		from = e.Position
	}
	return f.find(ctx, id, from, func(s *stub) bool { return s.at > c.Settled })
}

// Before returns the position before a drop's event with that number, or the end if there are fewer events.
func (f *Feed) Before(ctx context.Context, id drop.ID, seq int64) (Position, error) {
	return f.find(ctx, id, Position{}, func(s *stub) bool { return s.seq >= seq })
}

// End returns the position behind a drop's newest event. It reads what has come since the last end that was found.
func (f *Feed) End(ctx context.Context, id drop.ID) (Position, error) {
	return f.find(ctx, id, f.endOf(id).Position, func(*stub) bool { return false })
}

func (f *Feed) endOf(id drop.ID) end {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ends[id]
}

// find returns the position before the first event behind at that is so, or the end. It reads the ledger up to there.
func (f *Feed) find(ctx context.Context, id drop.ID, at Position, is func(*stub) bool) (Position, error) {
	for {
		var all choice
		page, err := f.page(ctx, id, at, maxStubs, &all)
		if err != nil {
			return at, err
		}
		for i := range all.stubs {
			if is(&all.stubs[i]) {
				return at, nil
			}
			at = all.stubs[i].after
		}
		at = page.end
		if !page.more {
			return at, nil
		}
	}
}

// Behind counts the wanted events behind a position, up to what one read finds, and returns when the first one
// happened.
func (f *Feed) Behind(ctx context.Context, id drop.ID, at Position, w Filter) (n int64, first drop.Time, err error) {
	c := count{filter: w}
	_, err = f.page(ctx, id, at, maxStubs, &c)
	return c.n, c.first, err
}

// Page is a part of a drop's events.
type Page struct {
	Events []Event
	// End is the position behind the events, and behind what the filter left out.
	End Position
	// More reports that there are, or may be, more events behind End.
	More bool
}

// Drop returns at most limit of a drop's events behind a position. With Newest, movements do not count: at most one of
// each type comes besides. It refuses with CodeDropNotFound, and with CodeDamaged if a row that the ledger names is not
// there.
//
// If a failover has lost what was read up to the position, Drop begins with the drop's first event again: some events
// come twice, none is left out.
func (f *Feed) Drop(ctx context.Context, id drop.ID, at Position, w Filter, limit int) (Page, error) {
	chosen := choice{filter: w}
	p, err := f.page(ctx, id, at, limit, &chosen)
	if err != nil {
		return Page{}, err
	}
	found, err := f.fill(ctx, id, chosen.list())
	if err != nil {
		return Page{}, err
	}
	return Page{Events: found, End: p.end, More: p.more}, nil
}

// plannedPage is where a page of events ends.
type plannedPage struct {
	end  Position
	more bool
}

// chooser takes the events of a page that are wanted.
type chooser interface {
	// counts reports whether a stub counts towards the limit of a page.
	counts(s *stub) bool
	take(s *stub)
}

// choice keeps the stubs that a filter wants.
type choice struct {
	filter Filter
	stubs  []stub       // replaced ones have no kind
	last   map[Type]int // with Newest: where the newest movement of each type is in stubs
}

// counts leaves out movements with Newest, because few of them are left.
func (c *choice) counts(s *stub) bool {
	return c.filter.takes(s.kind) && (!c.filter.Newest || !s.kind.Movement())
}

func (c *choice) take(s *stub) {
	if !c.filter.takes(s.kind) {
		return
	}
	if !c.filter.Newest || !s.kind.Movement() {
		c.stubs = append(c.stubs, *s)
		return
	}
	kind := s.kind
	if kind == DropSoldOut {
		kind = DropBackInStock // the newest of the two says how it is
	}
	skipped := 0
	if at, replaces := c.last[kind]; replaces {
		skipped = c.stubs[at].skipped + 1
		c.stubs[at].kind = ""
		if at == len(c.stubs)-1 {
			c.stubs = c.stubs[:at]
		}
	}
	if c.last == nil {
		c.last = make(map[Type]int)
	}
	c.last[kind] = len(c.stubs)
	c.stubs = append(c.stubs, *s)
	c.stubs[len(c.stubs)-1].skipped = skipped
}

// list returns the stubs that are left.
func (c *choice) list() []stub {
	return slices.DeleteFunc(c.stubs, func(s stub) bool { return s.kind == "" })
}

// count counts the stubs that a filter wants.
type count struct {
	filter Filter
	n      int64
	first  drop.Time // when the first of them happened
}

func (c *count) counts(*stub) bool { return false }

func (c *count) take(s *stub) {
	if !c.filter.takes(s.kind) {
		return
	}
	if c.n++; c.n == 1 {
		c.first = s.at
	}
}

// page plans events behind a position, and passes them on until limit of those that count are there.
func (f *Feed) page(ctx context.Context, id drop.ID, at Position, limit int, to chooser) (plannedPage, error) {
	facts, err := f.source.Facts(ctx, id, at.Seq, at.Version, pageEntries)
	if err != nil {
		return plannedPage{}, err
	}
	f.mu.Lock()
	f.noteHead(facts.Head)
	f.mu.Unlock()
	if !follows(&facts, at) {
		f.log.Warn("events of a drop were lost in a failover after they had been read; its events are read from the first one again",
			"drop", id, "seq", at.Seq, "newest", facts.Head.Seq)
		return f.page(ctx, id, Position{}, limit, to)
	}
	if at.Seq > 0 {
		facts.Entries = facts.Entries[1:]
	}
	cut := cutBatches(&facts)
	p := planner{currency: f.currency, at: at}
	p.older = func(e *drop.LedgerEntry) drop.Numbers {
		n, err := f.older.numbers(ctx, f.source, id, e)
		if err != nil && p.err == nil {
			p.err = err
		}
		return n
	}
	page := plannedPage{more: cut}
	seen, counted := 0, 0
	for _, g := range groups(facts.Entries, facts.Revisions) {
		if counted >= limit || seen >= maxStubs {
			page.more = true
			break
		}
		p.stubs = p.stubs[:0]
		p.add(g)
		seen += len(p.stubs)
		for i := range p.stubs {
			s := &p.stubs[i]
			if to.counts(s) {
				if counted == limit { // not so at the first stub of a group
					page.more, p.at = true, p.stubs[i-1].after
					break
				}
				counted++
			}
			to.take(s)
		}
	}
	if p.err != nil {
		return plannedPage{}, fmt.Errorf("events of drop %d: %w", id, p.err)
	}
	page.end = p.at
	if !page.more {
		page.end.Version = max(page.end.Version, facts.Head.Version) // also of versions that older programs did not record
		f.mu.Lock()
		f.ends[id] = end{page.end, facts.Head.LastAt}
		f.mu.Unlock()
	}
	return page, nil
}

// follows reports whether facts go on where a position says.
func follows(facts *store.Facts, at Position) bool {
	if at.Seq == 0 {
		return at.Version <= facts.Head.Version
	}
	return len(facts.Entries) > 0 && facts.Entries[0].Seq == at.Seq && markOf(facts.Entries[0].Batch) == at.Mark && at.Version <= facts.Head.Version
}

// cutBatches leaves out, at the end of a full page, what may be incomplete. cut reports that there is more.
func cutBatches(facts *store.Facts) (cut bool) {
	if n := len(facts.Revisions); n >= pageEntries {
		cut = true
		upTo := facts.Revisions[n-1].Seq
		for len(facts.Entries) > 0 && facts.Entries[len(facts.Entries)-1].Seq > upTo {
			facts.Entries = facts.Entries[:len(facts.Entries)-1]
		}
	}
	n := len(facts.Entries)
	if n < pageEntries {
		return cut
	}
	last := facts.Entries[n-1].Batch
	for n > 0 && facts.Entries[n-1].Batch == last {
		n--
	}
	begins := facts.Entries[n].Seq
	facts.Entries = facts.Entries[:n]
	facts.Revisions = slices.DeleteFunc(facts.Revisions, func(r drop.Revision) bool { return r.Seq >= begins })
	return true
}

// fill reads the rows of events.
func (f *Feed) fill(ctx context.Context, id drop.ID, stubs []stub) ([]Event, error) {
	var holds, sales []uint32
	for i := range stubs {
		switch s := &stubs[i]; {
		case s.number == 0:
		case s.kind.sale():
			sales = append(sales, s.number)
		default:
			holds = append(holds, s.number)
		}
	}
	held, sold := make(map[uint32]*drop.Reservation), make(map[uint32]*store.Sale)
	if len(holds) > 0 {
		rows, err := f.source.ReservationsIn(ctx, id, runsOf(holds))
		if err != nil {
			return nil, err
		}
		for i := range rows {
			held[uint32(rows[i].ID)] = &rows[i]
		}
	}
	if len(sales) > 0 {
		rows, err := f.source.SalesIn(ctx, id, runsOf(sales))
		if err != nil {
			return nil, err
		}
		for i := range rows {
			sold[uint32(rows[i].ID)] = &rows[i]
		}
	}
	paid, err := f.payments(ctx, sold)
	if err != nil {
		return nil, err
	}
	found := make([]Event, len(stubs))
	for i := range stubs {
		s := &stubs[i]
		e := Event{Drop: id, Seq: s.seq, Type: s.kind, At: s.at, Version: s.version, After: s.after, Skipped: s.skipped, data: s.data}
		switch r, sale := held[s.number], sold[s.number]; {
		case s.number == 0:
		case (s.kind == PurchaseCompleted || s.kind == PurchaseRefunded) && sale != nil:
			e.data = purchaseData(sale, paid[sale.ReservationID], f.currency)
		case s.kind == PurchaseReturned && sale != nil:
			e.data = returnData(sale, paid[sale.ReservationID], f.currency)
		case !s.kind.sale() && r != nil:
			e.data = holdData(r)
		default:
			return nil, fmt.Errorf("event %s (%s) is about number %d, which is not stored: %w", e.ID(), s.kind, s.number, drop.Refuse(drop.CodeDamaged))
		}
		found[i] = e
	}
	return found, nil
}

// payments reads the payments of sales, by their reservations. A shop that never took one is not asked for each sale.
func (f *Feed) payments(ctx context.Context, sold map[uint32]*store.Sale) (map[drop.ReservationID]*drop.Payment, error) {
	if len(sold) == 0 {
		return nil, nil
	}
	f.mu.Lock()
	paid := f.paid
	f.mu.Unlock()
	if !paid {
		first, err := f.source.NewestPayments(ctx, 0, 1)
		if err != nil || len(first) == 0 {
			return nil, err
		}
		f.mu.Lock()
		f.paid = true
		f.mu.Unlock()
	}
	units := make([]drop.ReservationID, 0, len(sold))
	for _, sale := range sold {
		units = append(units, sale.ReservationID)
	}
	slices.Sort(units)
	rows, err := f.source.PaymentsFor(ctx, units)
	if err != nil {
		return nil, err
	}
	of := make(map[drop.ReservationID]*drop.Payment, len(rows))
	for i := range rows {
		of[rows[i].Unit] = &rows[i]
	}
	return of, nil
}

// runsOf returns the runs that the numbers form.
func runsOf(numbers []uint32) (runs []store.Run) {
	slices.Sort(numbers)
	for _, n := range slices.Compact(numbers) {
		if last := len(runs) - 1; last >= 0 && uint64(runs[last].First)+uint64(runs[last].Length) == uint64(n) {
			runs[last].Length++
			continue
		}
		runs = append(runs, store.Run{First: n, Length: 1})
	}
	return runs
}
