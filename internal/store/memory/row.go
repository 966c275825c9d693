package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// row is one drop with all its rows.
type row struct {
	held chan struct{} // the drop's lock: full while a batch is between load and commit

	drop                drop.Drop
	lastAt              drop.Time
	seq                 drop.Seq
	reserved, purchased uint32
	batch               drop.BatchID
	reservations        map[drop.ReservationID]drop.Reservation
	byUser              map[drop.UserID][]drop.ReservationID // in the order in which they were made
	active              []end                                // sorted by compareEnds
	purchases           map[drop.PurchaseID]drop.Purchase
	newest              []drop.PurchaseID // the newest ones, oldest first
	bought              map[drop.ReservationID]drop.PurchaseID
	ledger              map[drop.Seq]drop.LedgerEntry
	revisions           map[int64]drop.Revision // by version
	waited, lineClosed  uint32
	entries             map[drop.EntryID]drop.Entry
	drawEntries         map[drop.EntryID]drop.DrawEntry
	passes              map[drop.PassID]drop.Pass
	byHash              map[drop.Hash]drop.PassID
}

// end is an active hold, in the order in which holds end.
type end struct {
	at drop.Time
	id drop.ReservationID
}

func compareEnds(a, b end) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id)) }

// newRow returns a drop without rows; add them with write.
func newRow(d drop.Drop) *row {
	return &row{
		held:         make(chan struct{}, 1),
		drop:         clone(d),
		reservations: make(map[drop.ReservationID]drop.Reservation),
		byUser:       make(map[drop.UserID][]drop.ReservationID),
		purchases:    make(map[drop.PurchaseID]drop.Purchase),
		bought:       make(map[drop.ReservationID]drop.PurchaseID),
		ledger:       make(map[drop.Seq]drop.LedgerEntry),
		revisions:    make(map[int64]drop.Revision),
		entries:      make(map[drop.EntryID]drop.Entry),
		drawEntries:  make(map[drop.EntryID]drop.DrawEntry),
		passes:       make(map[drop.PassID]drop.Pass),
		byHash:       make(map[drop.Hash]drop.PassID),
	}
}

func clone(d drop.Drop) drop.Drop {
	d.Sizes, d.Accesses = slices.Clone(d.Sizes), drop.CloneAccesses(d.Accesses)
	return d
}

func (r *row) lock(ctx context.Context) error {
	select {
	case r.held <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *row) unlock() { <-r.held }

// state returns the drop's row and its sizes.
func (r *row) state() *drop.State {
	return &drop.State{
		Drop: clone(r.drop), LastAt: r.lastAt, Seq: r.seq, Reserved: r.reserved, Purchased: r.purchased, Batch: r.batch,
		Waited: r.waited, LineClosed: r.lineClosed,
	}
}

// load builds the state of a batch: the drop, its due holds, and what need asks for. It loads nothing else, so that
// forgotten needs show up here as they would with SQL.
func (r *row) load(need drop.Need, now drop.Time, people *users) *drop.State {
	s := r.state()
	due, now := 0, max(now, r.lastAt) // a drop's time never steps back
	for due < min(len(r.active), drop.MaxExpirePerBatch) && r.active[due].at <= now {
		s.LoadDue(r.reservations[r.active[due].id])
		due++
	}
	for _, wanted := range need.Reservations {
		have, ok := r.reservations[wanted.ID]
		if !ok || wanted.Owner != 0 && wanted.Owner != have.UserID {
			continue
		}
		buyer := people.called(have.UserID)
		s.LoadReservation(have, buyer.Username, buyer.PublicName)
		if p, ok := r.bought[have.ID]; ok {
			s.LoadPurchase(r.purchases[p])
		}
	}
	for _, id := range need.Purchases {
		if p, ok := r.purchases[id]; ok {
			s.LoadPurchase(p)
		}
	}
	waiting := r.loadWaitlist(s, &need)
	r.loadDraw(s, &need)
	r.loadPasses(s, &need)
	if r.drop.Limited() || need.Limits {
		r.loadUsage(s, slices.Concat(need.Users, waiting))
	}
	if need.Recent {
		s.Recent = r.recent(people)
	}
	if need.Deadline {
		s.Deadline = r.deadline(due)
	}
	return s
}

// loadUsage loads each user once, even if a batch names the user twice.
func (r *row) loadUsage(s *drop.State, named []drop.UserID) {
	seen := make(map[drop.UserID]bool, len(named))
	for _, user := range named {
		if seen[user] {
			continue
		}
		seen[user] = true
		unpaid, last := 0, drop.Time(0)
		for _, id := range r.byUser[user] {
			have := r.reservations[id]
			if have.Status.Counts() {
				s.LoadUsage(have)
				continue
			}
			if have.Offer && !r.drop.OffersCount {
				continue
			}
			unpaid++
			last = max(last, have.EndedAt)
		}
		if unpaid > 0 {
			s.LoadUnpaid(user, min(unpaid, drop.MaxUnpaid), last)
		}
	}
}

// deadline returns the earliest end of an active hold, without the first skip holds.
func (r *row) deadline(skip int) drop.Time {
	if len(r.active) <= skip {
		return 0
	}
	return r.active[skip].at
}

func (r *row) recent(people *users) []drop.Recent {
	var recent []drop.Recent
	for _, id := range slices.Backward(r.newest) {
		p := r.purchases[id]
		buyer := people.called(p.UserID)
		recent = append(recent, drop.Recent{ID: p.ID, Username: buyer.Username, PublicName: buyer.PublicName, CreatedAt: p.CreatedAt})
	}
	return recent
}

func (r *row) snapshot(now drop.Time, people *users) store.Snapshot {
	return store.Snapshot{
		Drop: clone(r.drop), Purchased: r.purchased, Recent: r.recent(people), Deadline: r.deadline(0), Now: now,
	}
}

func (r *row) has(batch drop.BatchID, after drop.Seq) bool {
	if r.batch == batch {
		return true
	}
	for seq := after + 1; seq <= r.seq; seq++ {
		if e, ok := r.ledger[seq]; ok && e.Batch == batch {
			return true
		}
	}
	return false
}

// check refuses what a database's constraints refuse, before anything is written.
func (r *row) check(s *drop.State, c *drop.Changes) error {
	for _, i := range c.Sizes {
		if stock := s.Sizes[i].Stock; !stock.Balanced() {
			return fmt.Errorf("size %q is not balanced: %+v", s.Sizes[i].Label, stock)
		}
	}
	ended := make(map[drop.ReservationID]bool, len(c.Ended))
	for _, e := range c.Ended {
		switch have, ok := r.reservations[e.ID]; {
		case !ok || have.Status != drop.Active || ended[e.ID]:
			return fmt.Errorf("reservation %d is not active", e.ID)
		case !e.Status.Known():
			return fmt.Errorf("reservation %d cannot have status %d", e.ID, e.Status)
		}
		ended[e.ID] = true
	}
	made := maps.Clone(ended) // a reservation that has ended still uses its number
	for _, m := range c.Made {
		if _, taken := r.reservations[m.ID]; taken || made[m.ID] {
			return fmt.Errorf("reservation %d already exists", m.ID)
		}
		switch {
		case !m.Status.Known():
			return fmt.Errorf("reservation %d cannot have status %d", m.ID, m.Status)
		case m.ID.Drop() != r.drop.ID:
			return fmt.Errorf("reservation %d belongs to another drop", m.ID)
		case (m.Status == drop.Active) != (m.EndedAt == 0):
			return fmt.Errorf("reservation %d is %s and ended at %d", m.ID, m.Status, m.EndedAt)
		}
		made[m.ID] = true
	}
	for _, u := range c.Updated {
		if _, ok := r.reservations[u.ID]; !ok && !made[u.ID] {
			return fmt.Errorf("there is no reservation %d", u.ID)
		}
	}
	return errors.Join(r.checkReturned(c), r.checkRecords(c), r.checkWaitlist(c), r.checkDraw(c), r.checkPasses(c))
}

func (r *row) checkReturned(c *drop.Changes) error {
	again := make(map[drop.PurchaseID]bool, len(c.Returned))
	for _, p := range c.Returned {
		have, ok := r.purchases[p.ID]
		if !ok || have.Return != drop.NotReturned || again[p.ID] || p.Return != drop.BackOnSale && p.Return != drop.OffStock {
			return fmt.Errorf("purchase %d cannot be returned as %d", p.ID, p.Return)
		}
		again[p.ID] = true
	}
	return nil
}

// checkRecords checks the rows that are only ever added: purchases and ledger entries.
func (r *row) checkRecords(c *drop.Changes) error {
	ids := make(map[drop.PurchaseID]bool, len(c.Purchases))
	reservations := make(map[drop.ReservationID]bool, len(c.Purchases))
	for _, p := range c.Purchases {
		if _, taken := r.purchases[p.ID]; taken || ids[p.ID] {
			return fmt.Errorf("purchase %d already exists", p.ID)
		}
		if _, taken := r.bought[p.ReservationID]; taken || reservations[p.ReservationID] {
			return fmt.Errorf("reservation %d already has a purchase", p.ReservationID)
		}
		ids[p.ID], reservations[p.ReservationID] = true, true
	}
	seqs := make(map[drop.Seq]bool, len(c.Ledger))
	for i := range c.Ledger {
		seq := c.Ledger[i].Seq
		if _, taken := r.ledger[seq]; taken || seqs[seq] {
			return fmt.Errorf("ledger entry %d already exists", seq)
		}
		seqs[seq] = true
	}
	return nil
}

// write stores what check has accepted. Like SQL, it writes only the sizes that the changes name.
func (r *row) write(s *drop.State, c *drop.Changes) {
	for _, i := range c.Sizes {
		r.drop.Sizes[i] = s.Sizes[i]
	}
	d := s.Drop
	d.ID, d.Sizes, d.CreatedAt = r.drop.ID, r.drop.Sizes, r.drop.CreatedAt
	if d.Accesses = r.drop.Accesses; c.Accesses {
		d.Accesses = drop.CloneAccesses(s.Accesses)
	}
	r.drop = d
	r.writePasses(c)
	r.waited, r.lineClosed = s.Waited, s.LineClosed
	for _, e := range slices.Concat(c.Joined, c.Left) {
		r.entries[e.ID] = *e
	}
	for _, e := range slices.Concat(c.Entered, c.Redrawn) {
		r.drawEntries[e.ID] = *e
	}
	r.lastAt, r.seq, r.reserved, r.purchased, r.batch = s.LastAt, s.Seq, s.Reserved, s.Purchased, s.Batch
	for _, e := range c.Ended {
		have := r.reservations[e.ID]
		have.Status, have.EndedAt = e.Status, e.EndedAt
		r.reservations[e.ID] = have
		if e.Status != drop.Active {
			r.deactivate(end{at: have.ExpiresAt, id: have.ID})
		}
	}
	for _, m := range c.Made {
		r.reservations[m.ID] = *m
		r.byUser[m.UserID] = append(r.byUser[m.UserID], m.ID)
		if m.Status == drop.Active {
			r.activate(end{at: m.ExpiresAt, id: m.ID})
		}
	}
	for _, u := range c.Updated {
		have := r.reservations[u.ID]
		if have.Status == drop.Active {
			r.deactivate(end{at: have.ExpiresAt, id: have.ID})
			r.activate(end{at: u.ExpiresAt, id: have.ID})
		}
		have.ExpiresAt, have.Payment, have.Claim = u.ExpiresAt, u.Payment, u.Claim
		r.reservations[u.ID] = have
	}
	for _, p := range c.Returned {
		r.purchases[p.ID] = *p
	}
	for _, p := range c.Purchases {
		r.purchases[p.ID] = p
		r.bought[p.ReservationID] = p.ID
		r.newest = append(r.newest, p.ID)
	}
	r.newest = slices.Clone(r.newest[max(0, len(r.newest)-drop.RecentLimit):])
	for i := range c.Ledger {
		r.ledger[c.Ledger[i].Seq] = c.Ledger[i]
	}
	if v := c.Revision; v != nil {
		r.revisions[v.Version] = *v
	}
}

func (r *row) activate(e end) {
	i, _ := slices.BinarySearchFunc(r.active, e, compareEnds)
	r.active = slices.Insert(r.active, i, e)
}

func (r *row) deactivate(e end) {
	if i, ok := slices.BinarySearchFunc(r.active, e, compareEnds); ok {
		r.active = slices.Delete(r.active, i, i+1)
	}
}
