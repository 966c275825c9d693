package storetest

import (
	"time"

	"sneakerdrop/internal/drop"
)

var committedTests = []test{
	{"Committed_TellsWhatTookEffect", committedTellsWhatTookEffect},
	{"Committed_FindsABatchBehindOthers", committedFindsABatchBehindOthers},
	{"Committed_FindsAnEdit", committedFindsAnEdit},
	{"Committed_WaitsForTheBatchUnderWay", committedWaits},
	{"Committed_ChangesNothing", committedChangesNothing},
}

func (f *fixture) committed(id drop.ID, batch drop.BatchID, after drop.Seq) bool {
	f.Helper()
	ok, err := f.Committed(f.ctx, id, batch, after)
	if err != nil {
		f.Fatalf("Committed: %v", err)
	}
	return ok
}

func committedTellsWhatTookEffect(f *fixture) {
	batch := newBatch()
	s, _, err := f.CreateDrop(f.ctx, plain(5), batch, drop.Key{})
	if err != nil {
		f.Fatalf("CreateDrop: %v", err)
	}
	id := s.Drop.ID
	equal(f, "the batch that created the drop", f.committed(id, batch, 0), true)
	equal(f, "a batch that never was", f.committed(id, newBatch(), 0), false)

	done, refused := at(base, drop.Reserve{User: 1, Hold: time.Minute}), at(base, drop.Restock{Add: -10})
	f.commit(id, drop.Need{}, done)
	f.commit(id, drop.Need{}, refused)
	equal(f, "a batch that took effect", f.committed(id, done.batch, done.before.Seq), true)
	equal(f, "a batch that changed nothing", f.committed(id, refused.batch, refused.before.Seq), false)

	failed := at(base, drop.Reserve{User: 1, Hold: time.Minute})
	err = f.RunBatch(f.ctx, &Batch{Drop: id, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		c := failed.decide(s, now)
		s.Sizes[0].Stock.Total++
		return c
	}})
	if err == nil {
		f.Fatal("RunBatch: no error for damage")
	}
	equal(f, "a batch that failed", f.committed(id, failed.batch, failed.before.Seq), false)
	other := f.create(plain(5))
	equal(f, "another drop's batch", f.committed(other, done.batch, 0), false)
}

func committedFindsABatchBehindOthers(f *fixture) {
	id := f.create(sized(50, "1", "2"))
	var before []*decision
	for i := range 5 {
		d := at(base+drop.Time(i), drop.Reserve{User: 1, Size: "1", Hold: time.Minute}, drop.Reserve{User: 1, Size: "2", Hold: time.Minute})
		if i%2 == 0 { // and one that leaves a single entry
			d = at(base+drop.Time(i), drop.Restock{Add: 1, Size: "1"})
		}
		f.commit(id, drop.Need{}, d)
		before = append(before, d)
	}
	f.run(id, base+9, drop.Pause{})
	for i, d := range before {
		if !f.committed(id, d.batch, d.before.Seq) {
			f.Errorf("batch %d of 5 is not found in the ledger", i)
		}
	}
}

func committedFindsAnEdit(f *fixture) {
	id := f.create(plain(5))
	d := at(base, drop.Pause{})
	f.commit(id, drop.Need{}, d)
	equal(f, "a pause, which leaves no ledger entry", f.committed(id, d.batch, d.before.Seq), true)
}

func committedWaits(f *fixture) {
	id := f.create(plain(5))
	_, free := f.occupy(id)
	answer := make(chan bool, 1)
	go func() {
		ok, err := f.Committed(f.ctx, id, newBatch(), 1)
		if err != nil {
			f.Errorf("Committed: %v", err)
		}
		answer <- ok
	}()
	select {
	case <-answer:
		f.Error("Committed answered while a batch of the drop was under way")
		answer <- false
	case <-time.After(100 * time.Millisecond):
	}
	if err := free(); err != nil {
		f.Fatalf("RunBatch: %v", err)
	}
	equal(f, "the answer", <-answer, false)
}

func committedChangesNothing(f *fixture) {
	id := f.create(plain(5))
	d := at(base, drop.Reserve{User: 1, Hold: time.Minute})
	f.commit(id, drop.Need{}, d)
	before := f.picture(id)
	f.committed(id, d.batch, d.before.Seq)
	f.committed(id, newBatch(), d.before.Seq)
	equal(f, "the drop", f.picture(id), before)
}

// damages are changes that no code should ask a store to write. Each starts from a correct batch.
var damages = []struct {
	name string
	do   func(s *drop.State, c *drop.Changes)
}{
	{"NegativeAvailable", func(s *drop.State, _ *drop.Changes) {
		stock := &s.Sizes[0].Stock
		stock.Held += stock.Available + 1
		stock.Available = -1
	}},
	{"NegativeHeld", func(s *drop.State, _ *drop.Changes) {
		stock := &s.Sizes[0].Stock
		stock.Available += stock.Held + 1
		stock.Held = -1
	}},
	{"NegativeSold", func(s *drop.State, _ *drop.Changes) {
		stock := &s.Sizes[0].Stock
		stock.Available += stock.Sold + 1
		stock.Sold = -1
	}},
	{"UnbalancedStock", func(s *drop.State, _ *drop.Changes) { s.Sizes[0].Stock.Total++ }},
	{"ReservationNumberTaken", func(s *drop.State, c *drop.Changes) { c.Made[0].ID = drop.NewReservationID(s.ID, 2) }},
	{"ReservationNumberTwiceInABatch", func(_ *drop.State, c *drop.Changes) { c.Made = append(c.Made, c.Made[0]) }},
	{"ReservationOfNoStatus", func(_ *drop.State, c *drop.Changes) { c.Made[0].Status = 9 }},
	{"SecondPurchaseOfAReservation", func(s *drop.State, c *drop.Changes) {
		p := c.Purchases[0]
		p.ID, p.ReservationID = drop.NewPurchaseID(s.ID, 1000), drop.NewReservationID(s.ID, 2)
		c.Purchases = append(c.Purchases, p)
	}},
	{"PurchaseNumberTaken", func(s *drop.State, c *drop.Changes) { c.Purchases[0].ID = drop.NewPurchaseID(s.ID, 1) }},
	{"EndOfACancelledReservation", func(s *drop.State, c *drop.Changes) {
		c.Ended = append(c.Ended, &drop.Reservation{
			ID: drop.NewReservationID(s.ID, 3), UserID: 3, Status: drop.Expired, CreatedAt: base, ExpiresAt: base + minute, EndedAt: base + 2,
		})
	}},
	{"EndOfACompletedReservation", func(s *drop.State, c *drop.Changes) {
		c.Ended = append(c.Ended, &drop.Reservation{
			ID: drop.NewReservationID(s.ID, 2), UserID: 2, Status: drop.Cancelled, CreatedAt: base, ExpiresAt: base + minute, EndedAt: base + 2,
		})
	}},
	{"EndOfNoReservation", func(s *drop.State, c *drop.Changes) {
		c.Ended = append(c.Ended, &drop.Reservation{
			ID: drop.NewReservationID(s.ID, 999), UserID: 1, Status: drop.Expired, CreatedAt: base, ExpiresAt: base + minute, EndedAt: base + 2,
		})
	}},
	{"UpdateOfNoReservation", func(s *drop.State, c *drop.Changes) {
		c.Updated = append(c.Updated, &drop.Reservation{ID: drop.NewReservationID(s.ID, 999), UserID: 1, Status: drop.Active, ExpiresAt: base + minute})
	}},
	{"ReturnOfNoPurchase", func(s *drop.State, c *drop.Changes) {
		c.Returned = append(c.Returned, &drop.Purchase{ID: drop.NewPurchaseID(s.ID, 999), Return: drop.BackOnSale, ReturnedAt: base})
	}},
	{"ReturnOfNoKind", func(s *drop.State, c *drop.Changes) {
		c.Returned = append(c.Returned, &drop.Purchase{ID: drop.NewPurchaseID(s.ID, 1), Return: 7, ReturnedAt: base})
	}},
	{"ReturnTwiceInABatch", func(s *drop.State, c *drop.Changes) {
		back := &drop.Purchase{ID: drop.NewPurchaseID(s.ID, 1), Return: drop.OffStock, ReturnedAt: base}
		c.Returned = append(c.Returned, back, back)
	}},
	// The refusal of a ledger number also proves that the entry before it was written.
	{"LedgerEntryOfTheCreationTaken", func(_ *drop.State, c *drop.Changes) { c.Ledger[0].Seq = 1 }},
	{"LedgerEntryOfTheLastBatchTaken", func(_ *drop.State, c *drop.Changes) { c.Ledger[0].Seq-- }},
	{"LedgerEntryTwiceInABatch", func(_ *drop.State, c *drop.Changes) { c.Ledger[1].Seq = c.Ledger[0].Seq }},
}

var damageTests = func() []test {
	tests := make([]test, len(damages))
	for i, d := range damages {
		tests[i] = test{"Damage_" + d.name, func(f *fixture) { damageIsRefused(f, d.do) }}
	}
	return tests
}()

func damageIsRefused(f *fixture, do func(*drop.State, *drop.Changes)) {
	id := f.create(plain(9))
	held := f.reserve(id, base, drop.Reserve{User: 1})
	f.buy(f.reserve(id, base, drop.Reserve{User: 2}), base+1)
	cancelled := f.reserve(id, base, drop.Reserve{User: 3})
	f.run(id, base+1, drop.Cancel{Reservation: cancelled.ID})
	bought := f.reserve(id, base+1, drop.Reserve{User: 4})
	before := f.picture(id)

	d := at(base+2, drop.Reserve{User: 5, Hold: time.Minute}, drop.MakePurchase{Reservation: bought.ID}, drop.Cancel{Reservation: held.ID})
	err := f.RunBatch(f.ctx, &Batch{
		Drop: id, Need: drop.NeedOf(d.cmds),
		Decider: func(s *drop.State, now drop.Time) *drop.Changes {
			c := d.decide(s, now)
			do(s, c)
			return c
		},
	})
	if !isFault(err) {
		f.Errorf("RunBatch: %v, want a *store.Error of ClassFault", err)
	}
	equal(f, "the drop", f.picture(id), before)
	for user := range drop.UserID(6) {
		if n, want := len(f.reservations(user)), map[drop.UserID]int{1: 1, 2: 1, 3: 1, 4: 1}[user]; n != want {
			f.Errorf("user %d has %d reservations, want %d", user, n, want)
		}
	}
	f.commit(id, drop.NeedOf(d.cmds), d) // the same batch, undamaged
	for i, r := range d.results {
		if r.Err != nil {
			f.Errorf("command %d afterwards: %v", i, r.Err)
		}
	}
}
