package histories

import (
	"cmp"
	"maps"
	"slices"

	"sneakerdrop/internal/drop"
)

// book is the model of one drop: what a store would contain. It is never changed, only replaced.
type book struct {
	drop         drop.Drop
	lastAt       drop.Time
	reservations []drop.Reservation // by their numbers, from 1; without EndedAt
	purchases    []drop.Purchase    // by their numbers, from 1
	paid         map[drop.ReservationID]drop.Purchase
	kept         map[string]drop.Kept // by operation and key
	payments     map[drop.PaymentID]drop.Payment
	entries      []drop.Entry                    // of the waitlist, by their numbers, from 1
	drawEntries  map[drop.EntryID]drop.DrawEntry // without the time of a withdrawal
}

// newBook returns a drop right after its creation. entered is how many entries its draw seems to have.
func newBook(spec *drop.Spec, id drop.ID, at drop.Time, entered uint32) *book {
	s, _ := spec.Create(id, at, drop.BatchID{})
	b := &book{drop: s.Drop, lastAt: s.LastAt}
	b.drop.Version = 0
	b.drop.DrawState.Entered = entered
	return b
}

func numberOf(id drop.ReservationID) int { return int(uint32(id)) }

func scope(k *drop.Key) string { return k.Operation + " " + k.Value }

// apply runs one command at that moment, as a batch of its own. Commands in one batch share its moment, and several
// batches may have the same one.
func (b *book) apply(now drop.Time, cmd drop.Command) (drop.Result, *book) {
	s := b.load(now, cmd)
	results, changes := drop.Apply(s, now, drop.BatchID{}, []drop.Command{cmd})
	if changes == nil {
		return results[0], b
	}
	return results[0], b.after(s, changes, results[0])
}

// load does what a store does before a batch with that command.
func (b *book) load(now drop.Time, cmd drop.Command) *drop.State {
	s := &drop.State{Drop: b.drop, LastAt: b.lastAt, Reserved: uint32(len(b.reservations)), Purchased: uint32(len(b.purchases)), Waited: uint32(len(b.entries))}
	s.Sizes = slices.Clone(b.drop.Sizes)
	for _, r := range b.active() {
		if r.ExpiresAt <= now {
			s.LoadDue(r)
		}
	}
	need := drop.NeedOf([]drop.Command{cmd})
	for _, id := range need.Purchases {
		if n := int(uint32(id)); n >= 1 && n <= len(b.purchases) {
			s.LoadPurchase(b.purchases[n-1])
		}
	}
	for _, wanted := range need.Reservations {
		if n := numberOf(wanted.ID); n >= 1 && n <= len(b.reservations) {
			s.LoadReservation(b.reservations[n-1], drop.UnknownUsername, "")
			if p, ok := b.paid[wanted.ID]; ok {
				s.LoadPurchase(p)
			}
		}
	}
	users := slices.Concat(need.Users, b.loadLines(s, &need))
	if b.drop.Limited() {
		for _, r := range b.reservations {
			if slices.Contains(users, r.UserID) && (r.Status == drop.Active || r.Status == drop.Completed) {
				s.LoadUsage(r)
			}
		}
	}
	for _, id := range need.Payments {
		if p, ok := b.payments[id]; ok {
			s.LoadPayment(p)
		}
	}
	for i := range need.Keys {
		if k, ok := b.kept[scope(&need.Keys[i])]; ok {
			s.LoadKept(k)
		}
	}
	if need.Recent {
		s.Recent = b.recent()
	}
	return s
}

// loadLines loads the lines and what a command needs of them and of the draw. It returns who waits.
func (b *book) loadLines(s *drop.State, need *drop.Need) (users []drop.UserID) {
	lines := make([][]drop.Entry, len(s.Sizes))
	for _, e := range b.entries {
		if e.Status == drop.Waiting {
			lines[e.Line] = append(lines[e.Line], e)
			users = append(users, e.UserID)
		}
		if slices.Contains(need.Entries, e.ID) || e.Status == drop.Waiting && slices.Contains(need.Waiting, e.UserID) {
			s.LoadEntry(e)
		}
	}
	for i, line := range lines {
		if len(line) > 0 {
			s.LoadLine(i, line, true)
		}
	}
	for _, e := range b.drawEntries {
		if slices.Contains(need.Entrants, e.UserID) {
			s.LoadDrawEntry(e)
		}
	}
	return users
}

// active returns the holds, in the order in which they end.
func (b *book) active() []drop.Reservation {
	var holds []drop.Reservation
	for _, r := range b.reservations {
		if r.Status == drop.Active {
			holds = append(holds, r)
		}
	}
	slices.SortStableFunc(holds, func(x, y drop.Reservation) int { return cmp.Compare(x.ExpiresAt, y.ExpiresAt) })
	return holds
}

func (b *book) recent() []drop.Recent {
	var newest []drop.Recent
	for i := len(b.purchases) - 1; i >= 0 && len(newest) < drop.RecentLimit; i-- {
		p := &b.purchases[i]
		newest = append(newest, drop.Recent{ID: p.ID, Username: drop.UnknownUsername, CreatedAt: p.CreatedAt})
	}
	return newest
}

// after returns the book that a store has after the changes. It leaves out how commands were combined into batches,
// and when exactly a hold was expired.
func (b *book) after(s *drop.State, c *drop.Changes, result drop.Result) *book {
	next := *b
	next.drop, next.lastAt = s.Drop, s.LastAt
	next.drop.Version = 0
	if len(c.Ended)+len(c.Made)+len(c.Updated) > 0 {
		next.reservations = slices.Clone(b.reservations)
	}
	for _, r := range c.Ended {
		next.reservations[numberOf(r.ID)-1] = bare(*r)
	}
	for _, r := range c.Made {
		next.reservations = append(next.reservations, bare(*r))
	}
	for _, r := range c.Updated {
		next.reservations[numberOf(r.ID)-1] = bare(*r)
	}
	for _, p := range slices.Concat(c.Begun, c.Paid) {
		next.payments = with(next.payments, p.ID, *p)
	}
	if len(c.Purchases) > 0 {
		next.purchases = slices.Concat(b.purchases, c.Purchases)
		next.paid = with(b.paid, c.Purchases[0].ReservationID, c.Purchases[0])
	}
	if len(c.Returned) > 0 {
		p := *c.Returned[0]
		next.purchases = slices.Clone(b.purchases)
		next.purchases[uint32(p.ID)-1] = p
		next.paid = with(b.paid, p.ReservationID, p)
	}
	if len(c.Joined)+len(c.Left) > 0 {
		next.entries = slices.Clone(b.entries)
	}
	for _, e := range c.Joined {
		next.entries = append(next.entries, *e)
	}
	for _, e := range c.Left {
		next.entries[uint32(e.ID)-1] = *e
	}
	for _, e := range slices.Concat(c.Entered, c.Redrawn) {
		next.drawEntries = with(next.drawEntries, e.ID, timeless(*e))
	}
	if len(c.Kept) > 0 {
		k := c.Kept[0]
		result.Reservation = bare(result.Reservation)
		if result.DrawEntry != nil {
			*result.DrawEntry = timeless(*result.DrawEntry)
		}
		k.Answer, k.At = result.Encode(), 0
		next.kept = with(b.kept, scope(&k.Key), k)
	}
	return &next
}

func bare(r drop.Reservation) drop.Reservation {
	r.EndedAt = 0
	return r
}

// timeless is an entry of a draw that says whether, but not when, it was withdrawn: no answer says that.
func timeless(e drop.DrawEntry) drop.DrawEntry {
	e.WithdrawnAt = min(e.WithdrawnAt, 1)
	return e
}

// with returns a copy of m with one more entry.
func with[K comparable, V any](m map[K]V, k K, v V) map[K]V {
	next := make(map[K]V, len(m)+1)
	maps.Copy(next, m)
	next[k] = v
	return next
}

// moments returns the moments in a range that are worth trying for a batch. The outcome changes only at these: at the
// beginning, when a hold ends, when a draw opens or closes, and at the hints. An answer or a row names those.
func (b *book) moments(from, to drop.Time, hints ...drop.Time) []drop.Time {
	moments := slices.Concat(hints, []drop.Time{from, b.drop.Draw.Opens, b.drop.Draw.Closes})
	for _, r := range b.active() {
		moments = append(moments, r.ExpiresAt)
	}
	slices.Sort(moments)
	return slices.DeleteFunc(slices.Compact(moments), func(t drop.Time) bool { return t < from || t > to })
}

// same reports whether two books agree in everything that matters for what follows.
func (b *book) same(other *book) bool {
	if b == other {
		return true
	}
	return b != nil && other != nil && b.lastAt == other.lastAt && b.drop.Paused == other.drop.Paused &&
		slices.Equal(b.drop.Sizes, other.drop.Sizes) && slices.Equal(b.reservations, other.reservations) &&
		slices.Equal(b.purchases, other.purchases) && maps.Equal(b.payments, other.payments) &&
		slices.Equal(b.entries, other.entries) && b.drop.DrawState == other.drop.DrawState && maps.Equal(b.drawEntries, other.drawEntries) &&
		sameKept(b.kept, other.kept)
}

func sameKept(a, b map[string]drop.Kept) bool {
	if len(a) != len(b) {
		return false
	}
	for key, k := range a {
		if other, ok := b[key]; !ok || k.Key != other.Key || string(k.Answer) != string(other.Answer) {
			return false
		}
	}
	return true
}

// hash is equal for books that are the same.
func (b *book) hash() uint64 {
	if b == nil {
		return 0
	}
	h := uint64(14695981039346656037) // FNV-1a
	add := func(n int64) { h = (h ^ uint64(n)) * 1099511628211 }
	add(int64(b.lastAt))
	add(int64(len(b.reservations)))
	add(int64(len(b.purchases)))
	add(int64(len(b.kept)))
	add(int64(len(b.payments)))
	add(int64(len(b.entries)))
	add(int64(b.drop.DrawState.Entered))
	for i := range b.drop.Sizes {
		add(b.drop.Sizes[i].Stock.Available)
		add(b.drop.Sizes[i].Stock.Total)
		add(b.drop.Sizes[i].Waiting)
	}
	for i := range b.reservations {
		add(int64(b.reservations[i].Status))
		add(int64(b.reservations[i].Claim))
	}
	for i := range b.purchases {
		add(int64(b.purchases[i].Return))
	}
	if b.drop.Paused {
		add(1)
	}
	return h
}

// keyed puts a command under a key; "" means none.
func keyed(key string, cmd drop.Command) drop.Command {
	if key == "" {
		return cmd
	}
	r := cmd.(drop.Repeatable) //nolint:forcetypeassert // keys are given to these alone
	return drop.Keyed{Key: drop.NewKey("", r.Operation(), key, r.Asked(0)), Command: r}
}
