package drop_test

import (
	"cmp"
	"maps"
	"slices"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
)

// book keeps one drop's rows and loads them for a batch, as a store does.
type book struct {
	drop                drop.Drop
	lastAt              drop.Time
	seq                 drop.Seq
	reserved, purchased uint32
	waited, closed      uint32
	entries             map[drop.EntryID]drop.Entry
	drawEntries         map[drop.EntryID]drop.DrawEntry
	passes              map[drop.PassID]drop.Pass
	most                int // of a line that a batch loads
	batch               drop.BatchID
	reservations        map[drop.ReservationID]drop.Reservation
	purchases           map[drop.ReservationID]drop.Purchase
	ledger              []drop.LedgerEntry
	kept                map[drop.Key]drop.Kept // by scope
	names               map[drop.UserID]string
}

// opened is when the tests' drops are created.
var opened = drop.TimeOf(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))

const minute = drop.Time(60_000)

func newBook(spec drop.Spec) *book {
	s, c := spec.Create(7, opened, drop.BatchID{0xff})
	b := &book{
		reservations: make(map[drop.ReservationID]drop.Reservation),
		purchases:    make(map[drop.ReservationID]drop.Purchase),
		kept:         make(map[drop.Key]drop.Kept),
		entries:      make(map[drop.EntryID]drop.Entry),
		drawEntries:  make(map[drop.EntryID]drop.DrawEntry),
		passes:       make(map[drop.PassID]drop.Pass),
		most:         drop.MaxOffersPerBatch,
		names:        map[drop.UserID]string{1: "Ann"},
	}
	b.drop = s.Drop
	b.commit(s, c)
	return b
}

func (b *book) clone() *book {
	c := *b
	c.drop.Sizes, c.drop.Accesses = slices.Clone(b.drop.Sizes), drop.CloneAccesses(b.drop.Accesses)
	c.passes = maps.Clone(b.passes)
	c.reservations, c.purchases = maps.Clone(b.reservations), maps.Clone(b.purchases)
	c.entries, c.drawEntries = maps.Clone(b.entries), maps.Clone(b.drawEntries)
	c.ledger, c.kept = slices.Clone(b.ledger), maps.Clone(b.kept)
	return &c
}

// sorted returns the reservations by number.
func (b *book) sorted() []drop.Reservation {
	return slices.SortedFunc(maps.Values(b.reservations), func(x, y drop.Reservation) int { return cmp.Compare(x.ID, y.ID) })
}

func (b *book) load(need drop.Need, now drop.Time) *drop.State {
	s := &drop.State{Drop: b.drop, LastAt: b.lastAt, Seq: b.seq, Reserved: b.reserved, Purchased: b.purchased, Batch: b.batch, Waited: b.waited, LineClosed: b.closed}
	s.Sizes, s.Accesses = slices.Clone(b.drop.Sizes), drop.CloneAccesses(b.drop.Accesses)
	var active []drop.Reservation
	for _, r := range b.sorted() {
		if r.Status == drop.Active {
			active = append(active, r)
		}
	}
	slices.SortStableFunc(active, func(x, y drop.Reservation) int { return cmp.Compare(x.ExpiresAt, y.ExpiresAt) })
	for i, r := range active {
		if i >= drop.MaxExpirePerBatch || r.ExpiresAt > now {
			if need.Deadline {
				s.Deadline = r.ExpiresAt
			}
			break
		}
		s.LoadDue(r)
	}
	for _, wanted := range need.Reservations {
		r, ok := b.reservations[wanted.ID]
		if !ok || wanted.Owner != 0 && wanted.Owner != r.UserID {
			continue
		}
		s.LoadReservation(r, cmp.Or(b.names[r.UserID], drop.UnknownUsername), "")
		if p, ok := b.purchases[r.ID]; ok {
			s.LoadPurchase(p)
		}
	}
	users := slices.Concat(need.Users, b.loadLines(s, &need))
	for _, p := range b.purchases {
		if slices.Contains(need.Purchases, p.ID) {
			s.LoadPurchase(p)
		}
	}
	for _, p := range b.passes {
		if slices.Contains(need.Passes, p.Hash) {
			s.LoadPass(p)
		}
	}
	if need.Recent {
		s.Recent = b.recent()
	}
	for _, k := range need.Keys {
		if kept, ok := b.kept[scope(k)]; ok {
			s.LoadKept(kept)
		}
	}
	if b.drop.Limited() || need.Limits {
		for _, r := range b.sorted() {
			if slices.Contains(users, r.UserID) && (r.Status == drop.Active || r.Status == drop.Completed) {
				s.LoadUsage(r)
			}
		}
		for _, user := range users {
			if n, last := b.unpaid(user); n > 0 {
				s.LoadUnpaid(user, n, last)
			}
		}
	}
	return s
}

// loadLines loads what the batch needs of lines, and returns who waits.
func (b *book) loadLines(s *drop.State, need *drop.Need) (users []drop.UserID) {
	for i := range s.Sizes {
		if s.Sizes[i].Waiting == 0 {
			continue
		}
		line := b.line(i)
		for _, e := range line[:min(len(line), b.most)] {
			users = append(users, e.UserID)
		}
		s.LoadLine(i, line[:min(len(line), b.most)], len(line) <= b.most)
	}
	for _, e := range b.entries {
		if b.drop.DrawState.Lined > 0 && slices.Contains(users, e.UserID) && e.As(b.closed).Status == drop.Waiting {
			s.LoadEntry(e)
		}
		if slices.Contains(need.Entries, e.ID) || slices.Contains(need.Waiting, e.UserID) && e.As(b.closed).Status == drop.Waiting {
			s.LoadEntry(e)
		}
	}
	for _, e := range b.drawEntries {
		if slices.Contains(need.Entrants, e.UserID) || slices.Contains(need.DrawEntries, e.ID) {
			s.LoadDrawEntry(e)
		}
	}
	return users
}

// line returns who waits for a size, in order.
func (b *book) line(size int) []drop.Entry {
	var line []drop.Entry
	for _, e := range b.entries {
		if e.Line == size && e.As(b.closed).Status == drop.Waiting {
			line = append(line, e)
		}
	}
	slices.SortFunc(line, func(x, y drop.Entry) int { return cmp.Compare(x.ID, y.ID) })
	return line
}

func (b *book) commit(s *drop.State, c *drop.Changes) {
	b.drop, b.lastAt, b.seq, b.reserved, b.purchased, b.batch = s.Drop, s.LastAt, s.Seq, s.Reserved, s.Purchased, s.Batch
	b.waited, b.closed = s.Waited, s.LineClosed
	for _, e := range slices.Concat(c.Joined, c.Left) {
		b.entries[e.ID] = *e
	}
	for _, e := range slices.Concat(c.Entered, c.Redrawn) {
		b.drawEntries[e.ID] = *e
	}
	for _, p := range c.Passes {
		b.passes[p.ID] = p
	}
	for _, u := range c.Uses {
		p := b.passes[u.Pass]
		p.Used += u.More
		b.passes[u.Pass] = p
	}
	for _, r := range slices.Concat(c.Ended, c.Made, c.Updated) {
		b.reservations[r.ID] = *r
	}
	for _, p := range c.Returned {
		b.purchases[p.ReservationID] = *p
	}
	for _, p := range c.Purchases {
		b.purchases[p.ReservationID] = p
	}
	b.ledger = append(b.ledger, c.Ledger...)
	for _, k := range c.Kept {
		b.kept[scope(k.Key)] = k
	}
}

// scope is a key without its body.
func scope(k drop.Key) drop.Key {
	k.Body = [32]byte{}
	return k
}

// unpaid counts a user's reservations that expired or were cancelled.
func (b *book) unpaid(user drop.UserID) (count int, last drop.Time) {
	for _, r := range b.reservations {
		if r.UserID == user && (r.Status == drop.Expired || r.Status == drop.Cancelled) && (!r.Offer || b.drop.OffersCount) {
			count++
			last = max(last, r.EndedAt)
		}
	}
	return count, last
}

func (b *book) recent() []drop.Recent {
	var all []drop.Recent
	for _, p := range b.purchases {
		all = append(all, drop.Recent{ID: p.ID, Username: cmp.Or(b.names[p.UserID], drop.UnknownUsername), CreatedAt: p.CreatedAt})
	}
	slices.SortFunc(all, func(x, y drop.Recent) int { return cmp.Compare(y.ID, x.ID) })
	return all[:min(len(all), drop.RecentLimit)]
}

// apply runs one batch and keeps what it changed.
func (b *book) apply(now drop.Time, cmds ...drop.Command) ([]drop.Result, *drop.Changes) {
	s := b.load(drop.NeedOf(cmds), now)
	results, c := drop.Apply(s, now, drop.BatchID{byte(b.drop.Version)}, cmds)
	if c != nil {
		b.commit(s, c)
	}
	return results, c
}

// do runs one command.
func (b *book) do(now drop.Time, c drop.Command) drop.Result {
	results, _ := b.apply(now, c)
	return results[0]
}

// reserve makes a hold of a minute that must succeed.
func (b *book) reserve(t testing.TB, now drop.Time, user drop.UserID, size string) drop.Reservation {
	t.Helper()
	r := b.do(now, drop.Reserve{User: user, Size: size, Hold: time.Minute})
	if r.Err != nil {
		t.Fatalf("reserve: %v", r.Err)
	}
	return r.Reservation
}

// buy makes a purchase that must succeed.
func (b *book) buy(t testing.TB, now drop.Time, id drop.ReservationID) drop.Purchase {
	t.Helper()
	r := b.do(now, drop.MakePurchase{Reservation: id})
	if r.Err != nil {
		t.Fatalf("buy: %v", r.Err)
	}
	return r.Purchase
}

// plain returns a drop without sizes that has already started when it is created.
func plain(stock int64) drop.Spec {
	return drop.Spec{Name: "Air Test", Price: 12_050, StartTime: opened, TotalStock: &stock}
}

func sized(stock int64, labels ...string) drop.Spec {
	spec := drop.Spec{Name: "Air Test", Price: 12_050, StartTime: opened}
	for _, label := range labels {
		spec.Sizes = append(spec.Sizes, drop.SizeSpec{Label: label, Stock: stock})
	}
	return spec
}

func limited(spec drop.Spec, limit int) drop.Spec {
	spec.LimitPerUser = limit
	return spec
}
