package storetest

import (
	"math"
	"slices"
	"strings"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

var batchTests = []test{
	{"RunBatch_UnknownDropIsRefused", unknownDropIsRefused},
	{"RunBatch_WritesTheDropRow", writesTheDropRow},
	{"RunBatch_WritesEveryFieldOfAnEdit", writesEveryFieldOfAnEdit},
	{"RunBatch_KeepsReservationsInAllTheirFields", keepsReservations},
	{"RunBatch_KeepsPurchasesInAllTheirFields", keepsPurchases},
	{"RunBatch_MadeAndEndedInOneBatch", madeAndEndedInOneBatch},
	{"RunBatch_WritesOnlyItsOwnDrop", writesOnlyItsOwnDrop},
	{"RunBatch_NumbersReachTheirEnd", numbersReachTheirEnd},
	{"RunBatch_NilChangesWriteNothing", nilChangesWriteNothing},
	{"RunBatch_PanicWritesNothing", panicWritesNothing},
	{"RunBatch_LargeBatch", largeBatch},
	{"RunBatch_EachFollowsTheOneBefore", eachFollowsTheOneBefore},
}

func unknownDropIsRefused(f *fixture) {
	f.create(plain(1))
	for _, id := range []drop.ID{0, -1, 2, drop.MaxID, math.MaxInt64} {
		called := false
		err := f.RunBatch(f.ctx, &Batch{Drop: id, Decider: func(*drop.State, drop.Time) *drop.Changes {
			called = true
			return nil
		}})
		refused(f, "RunBatch", err, drop.CodeDropNotFound)
		if called {
			f.Errorf("Decide was called for drop %d, which does not exist", id)
		}
	}
}

func writesTheDropRow(f *fixture) {
	id := f.create(sized(5, "7", "7.5", "8"))
	first := at(base, drop.Reserve{User: 1, Size: "7.5", Hold: time.Minute}, drop.Reserve{User: 2, Size: "8", Hold: time.Minute})
	f.commit(id, drop.NeedOf(first.cmds), first)
	h := f.load(id, drop.Need{})
	equal(f, "LastAt", h.LastAt, base)
	equal(f, "Seq", h.Seq, 5) // three created, two reserved
	equal(f, "Reserved, Purchased", [2]uint32{h.Reserved, h.Purchased}, [2]uint32{2, 0})
	equal(f, "Batch", h.Batch, first.batch)
	equal(f, "Version", h.Drop.Version, 2)

	second := at(base+minute/2, drop.MakePurchase{Reservation: first.results[0].Reservation.ID}, drop.Restock{Add: -2, Size: "7"})
	f.commit(id, drop.NeedOf(second.cmds), second)
	h = f.load(id, drop.Need{})
	equal(f, "LastAt", h.LastAt, base+minute/2)
	equal(f, "Seq", h.Seq, 7)
	equal(f, "Reserved, Purchased", [2]uint32{h.Reserved, h.Purchased}, [2]uint32{2, 1})
	equal(f, "Batch", h.Batch, second.batch)
	want := []drop.Size{
		{Label: "7", Stock: drop.Stock{Total: 3, Available: 3}},
		{Label: "7.5", Stock: drop.Stock{Total: 5, Available: 4, Sold: 1}},
		{Label: "8", Stock: drop.Stock{Total: 5, Available: 4, Held: 1}},
	}
	equal(f, "sizes under the lock", h.Drop.Sizes, want)
	s := f.snapshot(id)
	equal(f, "sizes in the snapshot", s.Drop.Sizes, want)
	equal(f, "the snapshot's version", s.Drop.Version, 3)
	equal(f, "the snapshot's count of purchases", s.Purchased, 1)
}

func writesEveryFieldOfAnEdit(f *fixture) {
	id := f.create(plain(3))
	before := f.snapshot(id)
	name, image := strings.Repeat("👟", drop.MaxName), "https://img.example/"+strings.Repeat("ü", drop.MaxImageURL-20)
	price, start, limit, yes, no, none := drop.MaxPrice, base+7*minute, drop.MaxLimitPerUser, true, false, ""
	f.run(id, base-2*minute, drop.Edit{
		Name: &name, Price: &price, StartTime: &start, ImageURL: &image, LimitPerUser: &limit, Hidden: &yes, Archived: &yes,
	}, drop.Pause{})
	want := before
	want.Drop.Name, want.Drop.Price, want.Drop.StartTime, want.Drop.ImageURL = name, price, start, image
	want.Drop.LimitPerUser, want.Drop.Hidden, want.Drop.Archived, want.Drop.Paused = limit, true, true, true
	want.Drop.Version = before.Drop.Version + 1
	equal(f, "edited", f.snapshot(id), want)
	equal(f, "under the lock", f.load(id, drop.Need{}).Drop, want.Drop)

	f.run(id, base-minute, drop.Edit{ImageURL: &none, Hidden: &no, Archived: &no}, drop.Resume{})
	want.Drop.ImageURL, want.Drop.Hidden, want.Drop.Archived, want.Drop.Paused = "", false, false, false
	want.Drop.Version++
	equal(f, "edited back", f.snapshot(id), want)
	equal(f, "Seq after edits", f.load(id, drop.Need{}).Seq, 1)
}

func keepsReservations(f *fixture) {
	const user drop.UserID = drop.MaxSafeInteger
	id := f.create(plain(10))
	note := strings.Repeat("é", drop.MaxSizeLabel-1) + "👟"
	r := []drop.Reservation{
		f.reserve(id, base, drop.Reserve{User: user}),
		f.reserve(id, base+1, drop.Reserve{User: user, Size: note}),
		f.reserve(id, base+2, drop.Reserve{User: user, Size: "'; --\"\\"}),
		f.reserve(id, base+3, drop.Reserve{User: user, Hold: never}),
	}
	f.buy(r[0], base+10)
	r[0].Status, r[0].EndedAt = drop.Completed, base+10
	f.run(id, base+11, drop.Cancel{Reservation: r[1].ID})
	r[1].Status, r[1].EndedAt = drop.Cancelled, base+11
	f.run(id, base+2*minute, drop.Expire{})
	r[2].Status, r[2].EndedAt = drop.Expired, base+2*minute

	slices.Reverse(r)
	equal(f, "Reservations", f.reservations(user), r)
	for _, want := range r[:3] { // a cancel of a reservation that has ended, or is active, shows the row as loaded
		d := at(base+3*minute, drop.Cancel{Reservation: want.ID})
		f.commit(id, drop.NeedOf(d.cmds), d)
		if want.Status == drop.Active {
			want.Status, want.EndedAt = drop.Cancelled, base+3*minute
		}
		equal(f, "loaded", d.results[0].Reservation, want)
	}
}

func keepsPurchases(f *fixture) {
	const user drop.UserID = drop.MaxSafeInteger
	spec := sized(5, "ü 9½", "10")
	spec.Price = drop.MaxPrice
	id := f.create(spec)
	r := f.reserve(id, base, drop.Reserve{User: user, Size: "ü 9½"})
	bought := f.buy(r, base+5)
	want := drop.Purchase{
		ID: drop.NewPurchaseID(id, 1), ReservationID: r.ID, UserID: user, Size: "ü 9½", Price: drop.MaxPrice, CreatedAt: base + 5,
	}
	equal(f, "the purchase", bought, want)
	before := f.picture(id)
	equal(f, "the same purchase again", f.buy(r, base+10*minute), want)
	equal(f, "the drop after a repeated purchase", f.picture(id), before)
}

func madeAndEndedInOneBatch(f *fixture) {
	id := f.create(plain(5))
	next := drop.NewReservationID(id, 1)
	d := at(base,
		drop.Reserve{User: 1, Hold: time.Minute}, drop.MakePurchase{Reservation: next},
		drop.Reserve{User: 1, Hold: time.Minute}, drop.Cancel{Reservation: next + 1},
		drop.Reserve{User: 1, Hold: time.Hour})
	f.commit(id, drop.NeedOf(d.cmds), d)
	equal(f, "the deadline, of the one that is active", f.snapshot(id).Deadline, base+60*minute)
	var status []drop.Status
	f.run(id, base+1, drop.Expire{})
	for _, r := range f.reservations(1) {
		status = append(status, r.Status)
	}
	// The third is active, but by the store's clock its time is over.
	equal(f, "statuses, newest first", status, []drop.Status{drop.Expired, drop.Cancelled, drop.Completed})
	equal(f, "stock", f.snapshot(id).Drop.Sizes[0].Stock, drop.Stock{Total: 5, Available: 3, Held: 1, Sold: 1})
	again := f.run(id, base+2, drop.MakePurchase{Reservation: next})[0]
	equal(f, "the purchase again", again.Purchase, d.results[1].Purchase)
}

func writesOnlyItsOwnDrop(f *fixture) {
	a, b := f.create(sized(5, "1", "2")), f.create(sized(5, "1", "2"))
	r := f.reserve(b, base, drop.Reserve{User: 1, Size: "1"})
	before := f.picture(b)
	f.reserve(a, base, drop.Reserve{User: 1, Size: "1"})
	other := f.reserve(a, base, drop.Reserve{User: 1, Size: "1"})
	f.buy(other, base+1)
	f.run(a, base+2*minute, drop.Restock{Add: 3, Size: "2"}, drop.Pause{})
	equal(f, "the other drop", f.picture(b), before)
	f.buy(r, base+1)
}

func numbersReachTheirEnd(f *fixture) {
	id := f.create(plain(drop.MaxStock))
	d := at(base, drop.Reserve{User: 1, Hold: time.Minute}, drop.Reserve{User: 2, Hold: time.Minute})
	err := f.RunBatch(f.ctx, &Batch{Drop: id, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		s.Reserved, s.Purchased, s.Version = math.MaxUint32-1, math.MaxUint32-1, 1<<40
		return d.decide(s, now)
	}})
	if err != nil {
		f.Fatalf("RunBatch: %v", err)
	}
	last := drop.NewReservationID(id, math.MaxUint32)
	equal(f, "the last reservation", d.results[0].Reservation.ID, last)
	equal(f, "one more", refusal(d.results[1]), drop.CodeExhausted)
	p := f.buy(d.results[0].Reservation, base+1)
	equal(f, "the last purchase", p.ID, drop.NewPurchaseID(id, math.MaxUint32))
	s := f.snapshot(id)
	equal(f, "Purchased", s.Purchased, math.MaxUint32)
	equal(f, "Recent", s.Recent, []drop.Recent{{ID: p.ID, Username: drop.UnknownUsername, CreatedAt: base + 1}})
	equal(f, "Version", s.Drop.Version, 1<<40+2)
	equal(f, "one more, later", refusal(f.run(id, base+2, drop.Reserve{User: 3, Hold: time.Minute})[0]), drop.CodeExhausted)
}

func nilChangesWriteNothing(f *fixture) {
	id := f.create(sized(5, "1", "2"))
	r := f.reserve(id, base, drop.Reserve{User: 1, Size: "1"})
	before := f.picture(id)
	err := f.RunBatch(f.ctx, &Batch{
		Drop: id, Need: drop.Need{Reservations: []drop.Wanted{{ID: r.ID}}},
		Decider: func(s *drop.State, now drop.Time) *drop.Changes {
			d := at(base+1, drop.MakePurchase{Reservation: r.ID}, drop.Restock{Add: 2, Size: "2"}, drop.Pause{})
			if d.decide(s, now) == nil {
				f.Error("the batch has nothing to lose")
			}
			return nil
		},
	})
	if err != nil {
		f.Fatalf("RunBatch: %v", err)
	}
	equal(f, "the drop", f.picture(id), before)
	equal(f, "a refused batch", refusal(f.run(id, base+1, drop.Reserve{User: 1, Size: "3"})[0]), drop.CodeSizeNotFound)
	equal(f, "the drop after a refusal", f.picture(id), before)
	f.buy(r, base+1)
}

// panicWritesNothing requires only that: whether the panic passes through or becomes an error is up to the engine.
func panicWritesNothing(f *fixture) {
	id := f.create(plain(5))
	before := f.picture(id)
	err := func() (err error) {
		defer func() {
			if recover() != nil {
				err = errPanicked
			}
		}()
		return f.RunBatch(f.ctx, &Batch{Drop: id, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
			at(base, drop.Reserve{User: 1, Hold: time.Minute}).decide(s, now)
			panic("a test's own panic")
		}})
	}()
	if err == nil {
		f.Error("RunBatch: no error though Decide panicked")
	}
	equal(f, "the drop", f.picture(id), before)
	f.reserve(id, base, drop.Reserve{User: 1})
}

func largeBatch(f *fixture) {
	const n = 3000
	id := f.create(plain(n - 1))
	var cmds []drop.Command
	for i := range n {
		cmds = append(cmds, drop.Reserve{User: drop.UserID(i%7 + 1), Hold: time.Minute})
	}
	results := f.run(id, base, cmds...)
	equal(f, "the last one", refusal(results[n-1]), drop.CodeOutOfStock)
	cmds = cmds[:0]
	for _, r := range results[:n-1] {
		cmds = append(cmds, drop.MakePurchase{Reservation: r.Reservation.ID})
	}
	for i, r := range f.run(id, base+1, cmds...) {
		if r.Err != nil {
			f.Fatalf("purchase %d: %v", i, r.Err)
		}
	}
	equal(f, "stock", f.snapshot(id).Drop.Sizes[0].Stock, drop.Stock{Total: n - 1, Sold: n - 1})
}

// Batches in quick succession see what the earlier ones left, whether they change something or not.
func eachFollowsTheOneBefore(f *fixture) {
	id := f.create(plain(2))
	var (
		sold  []*decision
		batch store.Batch
		give  func() store.Batch
	)
	for range 5 {
		sold = append(sold, at(base, drop.Reserve{User: 1, Hold: time.Minute}))
	}
	given := 0
	next := func() store.Batch {
		d := sold[given]
		given++
		return &Batch{Drop: id, Need: drop.NeedOf(d.cmds), Decider: d.decide, Follower: give}
	}
	give = func() store.Batch {
		if given == len(sold) {
			return nil
		}
		batch = next()
		return batch
	}
	for run := 0; run < len(sold); {
		batch = next()
		for run < given {
			run++
			if err := f.RunBatch(f.ctx, batch); err != nil {
				f.Fatalf("batch %d: %v", run, err)
			}
		}
	}
	for i, d := range sold {
		refused := d.results[0].Err != nil
		equal(f, "refused", refused, i >= 2)
	}
	equal(f, "stock", f.stock(id), drop.Stock{Total: 2, Held: 2})
}
