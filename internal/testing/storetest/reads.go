package storetest

import (
	"math"
	"slices"
	"strings"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

var dropTests = []test{
	{"CreateDrop_KeepsEveryField", createKeepsEveryField},
	{"CreateDrop_NumbersAscend", createNumbersAscend},
	{"CreateDrop_AtOnceGivesEachItsOwnNumber", createAtOnce},
	{"Drop_UnknownIsRefused", unknownDropIsNotRead},
	{"Drops_AscendingWithHiddenAndArchived", dropsAscending},
	{"Drops_OfAnEmptyStore", emptyStore},
	{"Pulse_TellsVersionsAndDeadlines", pulseTells},
	{"Snapshot_DeadlineIsTheEarliestActiveHold", snapshotDeadline},
	{"Snapshot_NowIsTheClock", snapshotNow},
	{"Snapshot_IsTheCallersOwn", snapshotIsTheCallersOwn},
}

// shapes are specs at the limits of what is allowed.
func shapes() []drop.Spec {
	most, none := int64(drop.MaxStock), int64(0)
	hundred := make([]string, drop.MaxSizes)
	for i := range hundred { // neither sorted nor in any order except the shop's own
		hundred[i] = strings.Repeat("é", 1+(i*37)%drop.MaxSizes%31) + string(rune('一'+(i*37)%drop.MaxSizes))
	}
	full := sized(3, "10", "9.5", "9", "Ünisex 👟", "'; DROP TABLE drops; --")
	total := int64(15)
	full.TotalStock, full.Price, full.StartTime = &total, drop.MaxPrice, drop.TimeOf(time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC))
	full.MaxExpiredHolds = drop.HighestMaxExpiredHolds
	full.Name, full.LimitPerUser = strings.Repeat("👟", drop.MaxName), drop.MaxLimitPerUser
	full.ImageURL = "/" + strings.Repeat("ü", drop.MaxImageURL-1)
	return []drop.Spec{
		full,
		{Name: "x", TotalStock: &none}, // price 0, starts at the epoch
		{Name: "most", TotalStock: &most, Price: 1, StartTime: 1},
		{Name: `quote " ' \ % _ $1 ?1`, TotalStock: &total, Price: 1999, StartTime: base},
		sized(2, hundred...),
		{Name: "of a currency with four decimals", TotalStock: &total, Price: drop.MoneyOf(999_999_999_899), StartTime: 1},
		{Name: "none of one size", Sizes: []drop.SizeSpec{{Label: "8"}, {Label: "7", Stock: 1}}},
	}
}

func createKeepsEveryField(f *fixture) {
	for i, spec := range shapes() {
		if err := spec.Check(); err != nil {
			f.Fatalf("the test's own spec %d: %v", i, err)
		}
		batch := newBatch()
		got, _, err := f.CreateDrop(f.ctx, spec, batch, drop.Key{})
		if err != nil {
			f.Fatalf("CreateDrop: %v", err)
		}
		state, changes := spec.Create(drop.ID(i+1), got.Drop.CreatedAt, batch)
		want := store.Snapshot{Drop: state.Drop}
		equal(f, "CreateDrop", still(got), want)
		equal(f, "Drop", f.snapshot(got.Drop.ID), want)
		equal(f, "under the lock", f.load(got.Drop.ID, drop.Need{Recent: true, Deadline: true}), headerOf(state))
		equal(f, "entries of the ledger", state.Seq, drop.Seq(len(changes.Ledger)))
		if got.Now < got.Drop.CreatedAt || got.Now.Sub(got.Drop.CreatedAt) > patience {
			f.Errorf("created at %s, now %s", got.Drop.CreatedAt, got.Now)
		}
	}
}

func createNumbersAscend(f *fixture) {
	for want := drop.ID(1); want <= 5; want++ {
		equal(f, "number", f.create(plain(1)), want)
	}
}

func createAtOnce(f *fixture) {
	const n = 20
	ids := make([]drop.ID, n)
	all(n, func(i int) {
		s, _, err := f.CreateDrop(f.ctx, sized(int64(i), "1", "2"), newBatch(), drop.Key{})
		if err != nil {
			f.Errorf("CreateDrop: %v", err)
		} else if total := s.Drop.Stock().Total; total != 2*int64(i) {
			f.Errorf("drop %d came back with the stock of another: %d, want %d", s.Drop.ID, total, 2*i)
		}
		ids[i] = s.Drop.ID
	})
	for i, id := range ids {
		if f.stock(id).Total != 2*int64(i) {
			f.Errorf("drop %d has the stock of another", id)
		}
	}
	slices.Sort(ids)
	for i, id := range ids {
		equal(f, "number", id, drop.ID(i+1))
	}
}

func unknownDropIsNotRead(f *fixture) {
	f.create(plain(1))
	for _, id := range []drop.ID{0, -1, 2, drop.MaxID, math.MaxInt64, math.MinInt64} {
		_, err := f.Drop(f.ctx, id)
		refused(f, "Drop", err, drop.CodeDropNotFound)
	}
}

func dropsAscending(f *fixture) {
	for _, spec := range shapes() {
		f.create(spec)
	}
	yes := true
	f.run(2, base, drop.Edit{Hidden: &yes})
	f.run(4, base, drop.Edit{Archived: &yes})
	for i := range drop.Time(5) { // the drop touched last must not come last
		f.buy(f.reserve(3-2*drop.ID(i%2), time9999+i, drop.Reserve{User: 1, Size: map[bool]string{true: "9"}[i%2 == 1]}), time9999+i)
	}
	f.run(3, time9999+9, drop.Pause{})
	list, err := f.Drops(f.ctx)
	if err != nil {
		f.Fatalf("Drops: %v", err)
	}
	if len(list) != len(shapes()) {
		f.Fatalf("Drops: %d drops, want %d", len(list), len(shapes()))
	}
	for i, s := range list {
		if s.Now == 0 {
			f.Errorf("drop %d has no Now", s.Drop.ID)
		}
		equal(f, "a drop in the list", still(s), f.snapshot(drop.ID(i+1)))
	}
	if !list[1].Drop.Hidden || !list[3].Drop.Archived || !list[2].Drop.Paused {
		f.Errorf("hidden %t, archived %t, paused %t; want all", list[1].Drop.Hidden, list[3].Drop.Archived, list[2].Drop.Paused)
	}
}

func emptyStore(f *fixture) {
	list, err := f.Drops(f.ctx)
	if err != nil || len(list) != 0 {
		f.Errorf("Drops: %v, %v", list, err)
	}
	pulse, err := f.Pulse(f.ctx)
	if err != nil || len(pulse.Drops) != 0 || pulse.Now == 0 {
		f.Errorf("Pulse: %+v, %v", pulse, err)
	}
	equal(f, "Reservations", len(f.reservations(1)), 0)
}

func pulseTells(f *fixture) {
	a, b, c := f.create(plain(9)), f.create(plain(9)), f.create(plain(9))
	f.reserve(c, base, drop.Reserve{User: 1, Hold: never})
	early := f.reserve(c, base, drop.Reserve{User: 1}) // long over, but still the earliest end of an active hold
	yes := true
	f.run(b, base, drop.Edit{Hidden: &yes, Archived: &yes})
	f.run(b, base, drop.Pause{})
	pulse, err := f.Pulse(f.ctx)
	if err != nil {
		f.Fatalf("Pulse: %v", err)
	}
	equal(f, "Pulse", pulse.Drops, []store.DropPulse{
		{ID: a, Version: 1}, {ID: b, Version: 3}, {ID: c, Version: 3, Deadline: early.ExpiresAt},
	})
	if s, err := f.Drop(f.ctx, a); err != nil || s.Now < pulse.Now || s.Now.Sub(pulse.Now) > patience {
		f.Errorf("the pulse's clock says %s, a later snapshot's %s (%v)", pulse.Now, s.Now, err)
	}
}

func snapshotDeadline(f *fixture) {
	id := f.create(sized(9, "1", "2"))
	equal(f, "without a hold", f.snapshot(id).Deadline, 0)
	late := f.reserve(id, base, drop.Reserve{User: 1, Size: "1", Hold: never})
	early := f.reserve(id, base, drop.Reserve{User: 1, Size: "2", Hold: time.Minute})
	middle := f.reserve(id, base, drop.Reserve{User: 1, Size: "2", Hold: time.Hour})
	equal(f, "with three", f.snapshot(id).Deadline, early.ExpiresAt)
	f.run(id, base+1, drop.Cancel{Reservation: early.ID})
	equal(f, "after a cancel", f.snapshot(id).Deadline, middle.ExpiresAt)
	f.run(id, base+120*minute, drop.Expire{})
	equal(f, "after an end of time", f.snapshot(id).Deadline, late.ExpiresAt)
	f.buy(late, base+121*minute)
	equal(f, "after a purchase", f.snapshot(id).Deadline, 0)
}

func snapshotNow(f *fixture) {
	id := f.create(plain(1))
	var before drop.Time
	for range 3 {
		s, err := f.Drop(f.ctx, id)
		if err != nil {
			f.Fatalf("Drop: %v", err)
		}
		var decided drop.Time
		err = f.RunBatch(f.ctx, &Batch{Drop: id, Decider: func(_ *drop.State, now drop.Time) *drop.Changes {
			decided = now
			return nil
		}})
		if err != nil {
			f.Fatalf("RunBatch: %v", err)
		}
		if s.Now < before || decided < s.Now {
			f.Errorf("the clock steps back: %s, %s, %s", before, s.Now, decided)
		}
		before = decided
		time.Sleep(3 * time.Millisecond)
	}
	if off := drop.TimeOf(time.Now()).Sub(before).Abs(); off > patience {
		f.Errorf("the store's clock is %s off the machine's", off)
	}
}

func snapshotIsTheCallersOwn(f *fixture) {
	id := f.create(plain(9))
	f.buy(f.reserve(id, base, drop.Reserve{User: 1}), base)
	stock, recent := f.stock(id), drop.Recent{ID: drop.NewPurchaseID(id, 1), Username: drop.UnknownUsername, CreatedAt: base}
	mine := f.snapshot(id)
	mine.Drop.Sizes[0].Stock.Available, mine.Recent[0].Username = 99, "mine"
	err := f.RunBatch(f.ctx, &Batch{Drop: id, Need: drop.Need{Recent: true}, Decider: func(s *drop.State, _ drop.Time) *drop.Changes {
		s.Sizes[0].Stock.Available, s.Recent[0].Username = 98, "kept"
		return nil
	}})
	if err != nil {
		f.Fatalf("RunBatch: %v", err)
	}
	for _, h := range []header{f.load(id, drop.Need{Recent: true}), {Drop: f.snapshot(id).Drop, Recent: f.snapshot(id).Recent}} {
		equal(f, "sizes", h.Drop.Sizes, []drop.Size{{Stock: stock}})
		equal(f, "Recent", h.Recent, []drop.Recent{recent})
	}
}

// time9999 is when everything has started.
var time9999 = drop.TimeOf(time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC))
