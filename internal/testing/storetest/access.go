package storetest

import (
	"slices"
	"strconv"
	"time"

	"sneakerdrop/internal/drop"
)

var accessTests = []test{
	{"Access_IsReadAsWritten", accessRead},
	{"Access_UsesGoUpAndDown", accessUses},
	{"Access_UsesNeverFallBelowZero", accessUsesBelowZero},
	{"Access_PassesMustBeNew", accessNewPasses},
	{"Access_PassesOfTheDropOnly", accessOfTheDrop},
	{"Access_PassesAreLoadedByTheirHashes", accessLoads},
	{"Access_ReservationsNameTheirPass", accessReservations},
	{"Access_DrawEntriesNameTheirPass", accessDrawEntries},
	{"Access_PerBuyerNeedsNoLimit", accessPerBuyer},
	{"Access_PerBuyerBesideALine", accessPerBuyerBesideALine},
	{"Access_ManyPasses", accessManyPasses},
}

func codeOf(id drop.ID, n int) drop.Hash { return drop.HashCode(id, "code "+strconv.Itoa(n)) }

// early creates a drop that starts two minutes after base.
func (f *fixture) early(spec drop.Spec) drop.ID {
	f.Helper()
	spec.StartTime = base + 2*minute
	return f.create(spec)
}

// access makes an access at base, or adds to one. Its passes are codes with these numbers.
func (f *fixture) access(id drop.ID, to int, terms drop.Access, codes ...int) drop.Drop {
	f.Helper()
	c := drop.AddAccess{To: to, Terms: terms}
	for _, n := range codes {
		c.Passes = append(c.Passes, codeOf(id, n))
	}
	r := f.run(id, base, c)[0]
	if r.Err != nil {
		f.Fatalf("add access: %v", r.Err)
	}
	return *r.Drop
}

// by is a reserve by a code.
func by(id drop.ID, user drop.UserID, size string, code int) drop.Reserve {
	return drop.Reserve{User: user, Size: size, Hold: time.Minute, With: &drop.Passes{Code: codeOf(id, code)}}
}

// uses returns how often each pass of a drop is used, in the order of their numbers.
func (f *fixture) uses(id drop.ID) (used []int) {
	f.Helper()
	for _, p := range f.books(id).passes {
		used = append(used, p.Used)
	}
	return used
}

func accessRead(f *fixture) {
	id, other := f.early(sized(9, "8", "9", "10")), f.early(plain(3))
	without := f.snapshot(other)
	f.access(id, 0, drop.Access{
		Name: `Club "ü" 'x' \`, Sizes: []int{2, 0}, Starts: base + 5, Ends: base + 9*minute, Uses: drop.MaxUses, PerBuyer: 7, Units: 4,
	}, 1, 2)
	f.access(id, 1, drop.Access{}, 3)
	f.access(id, 0, drop.Access{List: true, Emails: true, Uses: 1}, 4)
	want := []drop.Access{{
		Name: `Club "ü" 'x' \`, Sizes: []int{0, 2}, Starts: base + 5, Ends: base + 9*minute, Uses: drop.MaxUses, PerBuyer: 7, Units: 4,
		Kept: []int64{4, 0, 4}, Passes: 3,
	}, {List: true, Emails: true, Starts: base, Uses: 1, Passes: 1}}
	read := func(what string) {
		f.Helper()
		equal(f, what, f.snapshot(id).Drop.Accesses, want)
		equal(f, what+", under the lock", f.load(id, drop.Need{}).Drop.Accesses, want)
		equal(f, what+", in an audit", f.books(id).head.Drop.Accesses, want)
		list, err := f.Drops(f.ctx)
		if err != nil {
			f.Fatalf("Drops: %v", err)
		}
		equal(f, what+", in the list", list[0].Drop.Accesses, want)
	}
	read("made")
	equal(f, "the passes", f.books(id).passes, []drop.Pass{
		{ID: drop.NewPassID(id, 1, 1), Hash: codeOf(id, 1)},
		{ID: drop.NewPassID(id, 1, 2), Hash: codeOf(id, 2)},
		{ID: drop.NewPassID(id, 1, 3), Hash: codeOf(id, 3)},
		{ID: drop.NewPassID(id, 2, 1), Hash: drop.OnList(2, codeOf(id, 4))},
	})
	err := f.RunBatch(f.ctx, &Batch{Drop: id, Need: drop.Need{Passes: []drop.Hash{codeOf(id, 1)}}, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		if at(base+6, by(id, 1, "8", 1), drop.EndAccess{Access: 1}).decide(s, now) == nil {
			f.Error("the batch has nothing to lose")
		}
		return nil
	}})
	if err != nil {
		f.Fatalf("RunBatch: %v", err)
	}
	read("after a batch that wrote nothing")
	name := "another name"
	f.run(id, base+6, drop.Edit{Name: &name})
	read("after an edit of the drop")
	r := f.run(id, base+6, by(id, 1, "8", 1), by(id, 1, "10", 2))
	equal(f, "refused", []drop.Code{refusal(r[0]), refusal(r[1])}, []drop.Code{"", ""})
	want[0].Kept, want[0].Used = []int64{3, 0, 3}, 2
	read("after two holds")
	f.run(id, base+7, drop.Cancel{Reservation: r[0].Reservation.ID})
	want[0].Kept, want[0].Used = []int64{4, 0, 3}, 1
	read("after one has ended")
	f.run(id, base+8, drop.Pause{}, drop.EndAccess{Access: 1}, drop.EndAccess{Access: 2})
	want[0].Kept, want[0].Ends, want[1].Ends = []int64{0, 0, 0}, base+8, base+8
	read("ended")
	equal(f, "stock", f.stock(id), drop.Stock{Total: 27, Available: 26, Held: 1})
	equal(f, "a drop without", f.snapshot(other), without)
	equal(f, "its passes", len(f.books(other).passes), 0)
}

func accessUses(f *fixture) {
	id := f.early(plain(20))
	f.access(id, 0, drop.Access{Uses: 2}, 1, 2)
	first := f.run(id, base+1, by(id, 1, "", 2), by(id, 2, "", 2), by(id, 3, "", 2), by(id, 3, "", 1))
	for i, want := range []drop.Code{"", "", drop.CodeCodeInvalid, ""} {
		equal(f, "refused", refusal(first[i]), want)
	}
	equal(f, "used", f.uses(id), []int{1, 2})
	f.run(id, base+2, drop.Cancel{Reservation: first[0].Reservation.ID}, drop.MakePurchase{Reservation: first[1].Reservation.ID})
	equal(f, "after an end and a sale", f.uses(id), []int{1, 1})
	// An end and a use in one batch, so that the number stays.
	r := f.run(id, base+3, by(id, 4, "", 2), drop.Cancel{Reservation: drop.NewReservationID(id, 4)}, by(id, 5, "", 2))
	equal(f, "refused", refusal(r[2]), "")
	equal(f, "used again", f.uses(id), []int{1, 2})
	equal(f, "used up", refusal(f.run(id, base+4, by(id, 6, "", 2))[0]), drop.CodeCodeInvalid)
	f.run(id, base+3+minute, drop.Expire{})
	equal(f, "after all holds have ended", f.uses(id), []int{0, 1})
	// A pass is used in the batch that makes it.
	made := f.run(id, base+minute+5, drop.AddAccess{To: 1, Passes: []drop.Hash{codeOf(id, 3)}}, by(id, 7, "", 3))
	equal(f, "refused", refusal(made[1]), "")
	equal(f, "used at once", f.uses(id), []int{0, 1, 1})
	equal(f, "in all", f.snapshot(id).Drop.Accesses[0].Used, 2)
}

// changed runs a batch that pauses or resumes a drop, with other changes than those that were decided.
func (f *fixture) changed(id drop.ID, do func(*drop.Changes)) error {
	d := at(base+1, drop.Pause{}, drop.Resume{}, drop.Restock{Add: 1})
	return f.RunBatch(f.ctx, &Batch{Drop: id, Need: drop.NeedOf(d.cmds), Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		c := d.decide(s, now)
		do(c)
		return c
	}})
}

func accessUsesBelowZero(f *fixture) {
	id := f.early(plain(9))
	f.access(id, 0, drop.Access{Uses: 9}, 1, 2, 3)
	f.run(id, base+1, by(id, 1, "", 1), by(id, 1, "", 2), by(id, 1, "", 2), by(id, 1, "", 2))
	err := f.changed(id, func(c *drop.Changes) {
		for i, more := range []int{-2, -2, -1, 5} { // the last pass does not exist
			c.Uses = append(c.Uses, drop.Use{Pass: drop.NewPassID(id, 1, uint32(i+1)), More: more})
		}
	})
	if err != nil {
		f.Fatalf("RunBatch: %v", err)
	}
	equal(f, "used", f.uses(id), []int{0, 1, 0})
}

func accessNewPasses(f *fixture) {
	id := f.early(plain(9))
	f.access(id, 0, drop.Access{Uses: 9}, 1, 2)
	f.run(id, base+1, by(id, 1, "", 2))
	before, passes := f.picture(id), f.books(id).passes
	pass := func(number uint32, code int) drop.Pass {
		return drop.Pass{ID: drop.NewPassID(id, 1, number), Hash: codeOf(id, code)}
	}
	for what, made := range map[string][]drop.Pass{
		"a number that is taken":        {pass(3, 3), pass(1, 4)},
		"a hash that is taken":          {pass(3, 3), pass(4, 2)},
		"a number twice in a batch":     {pass(3, 3), pass(3, 4)},
		"a hash twice in a batch":       {pass(3, 3), pass(4, 3)},
		"a hash in two accesses":        {{ID: drop.NewPassID(id, 2, 1), Hash: codeOf(id, 1)}},
		"the same pass as one of those": passes[:1],
	} {
		if err := f.changed(id, func(c *drop.Changes) { c.Passes = made }); !isFault(err) {
			f.Errorf("%s: %v, want a *store.Error of ClassFault", what, err)
		}
		equal(f, what, f.picture(id), before)
		equal(f, what, f.books(id).passes, passes)
	}
	if err := f.changed(id, func(c *drop.Changes) { c.Passes = []drop.Pass{pass(3, 3), pass(4, 4)} }); err != nil {
		f.Errorf("new ones: %v", err)
	}
	equal(f, "with the new ones", f.books(id).passes, append(passes, pass(3, 3), pass(4, 4)))
}

func accessOfTheDrop(f *fixture) {
	id, other := f.early(plain(9)), f.early(plain(9))
	on := drop.HashBuyer(1)
	for _, of := range []drop.ID{id, other} { // a list names a buyer by the same hash in each drop
		f.run(of, base, drop.AddAccess{Terms: drop.Access{List: true, Uses: 2}, Passes: []drop.Hash{on}})
	}
	f.run(other, base, drop.AddAccess{To: 1, Terms: drop.Access{List: true}, Passes: []drop.Hash{drop.HashBuyer(3)}})
	f.access(other, 0, drop.Access{Uses: 2}, 1)
	listed := &drop.Passes{Listed: []drop.Hash{drop.OnList(1, on)}}
	r := f.run(id, base+1, drop.Reserve{User: 1, Hold: time.Minute, With: listed},
		drop.Reserve{User: 2, Hold: time.Minute, With: &drop.Passes{Code: codeOf(other, 1)}},
		drop.Reserve{User: 3, Hold: time.Minute, With: &drop.Passes{Listed: []drop.Hash{drop.OnList(1, drop.HashBuyer(3))}}})
	equal(f, "by a list", r[0].Reservation.Pass, drop.NewPassID(id, 1, 1))
	equal(f, "by another drop's code", refusal(r[1]), drop.CodeCodeInvalid)
	equal(f, "by a list of another drop", refusal(r[2]), drop.CodeCodeRequired)
	equal(f, "used", f.uses(id), []int{1})
	equal(f, "used of the other drop", f.uses(other), []int{0, 0, 0})
	r = f.run(other, base+1, drop.Reserve{User: 1, Hold: time.Minute, With: listed})
	equal(f, "by a list of the other drop", r[0].Reservation.Pass, drop.NewPassID(other, 1, 1))
	equal(f, "used", f.uses(id), []int{1})
	equal(f, "used of the other drop, too", f.uses(other), []int{1, 0, 0})
}

// A code brings a unit only if the batch asked for its pass.
func accessLoads(f *fixture) {
	id := f.early(plain(9))
	f.access(id, 0, drop.Access{Uses: 9}, 1, 2)
	reserve := func(need drop.Need) drop.Code {
		f.Helper()
		d := at(base+1, by(id, 1, "", 1))
		f.commit(id, need, d)
		return refusal(d.results[0])
	}
	one, two, none := codeOf(id, 1), codeOf(id, 2), codeOf(id, 3)
	equal(f, "not asked for", reserve(drop.Need{}), drop.CodeCodeInvalid)
	equal(f, "others asked for", reserve(drop.Need{Passes: []drop.Hash{two, none}}), drop.CodeCodeInvalid)
	equal(f, "asked for", reserve(drop.Need{Passes: []drop.Hash{none, two, one}}), "")
	equal(f, "asked for twice", reserve(drop.Need{Passes: []drop.Hash{one, none, one}}), "")
	equal(f, "used", f.uses(id), []int{2, 0})
}

// Each way in which a batch loads reservations loads their passes too, or a use would not come back.
func accessReservations(f *fixture) {
	id := f.early(plain(20))
	f.access(id, 0, drop.Access{Uses: 9, PerBuyer: 5, Ends: base + 9*minute}, 1)
	pass := drop.NewPassID(id, 1, 1)
	now := base + 2*minute
	open := func(user drop.UserID) drop.Reserve { return drop.Reserve{User: user, Hold: time.Minute} }
	early := f.run(id, base+1, by(id, 1, "", 1), by(id, 2, "", 1))
	equal(f, "made", early[0].Reservation.Pass, pass)
	f.run(id, now+1, open(3))
	equal(f, "after two were due", f.uses(id), []int{0})
	f.run(id, base, drop.AddAccess{Terms: drop.Access{Uses: 9, Units: 2, Ends: base + 9*minute}, Passes: []drop.Hash{codeOf(id, 2)}})
	kept := drop.NewPassID(id, 2, 1)
	// Some with a pass among others without, in one batch.
	mixed := f.run(id, now+2, open(3), by(id, 4, "", 2), open(5), by(id, 6, "", 2), open(7))
	want := []drop.PassID{0, kept, 0, kept, 0}
	for i, r := range mixed {
		equal(f, "in one batch", r.Reservation.Pass, want[i])
		equal(f, "of the buyer", f.reservations(drop.UserID(i + 3))[0].Pass, want[i])
	}
	var listed []drop.PassID
	for _, r := range f.books(id).reservations {
		listed = append(listed, r.Pass)
	}
	equal(f, "in the books", listed, append([]drop.PassID{pass, pass, 0}, want...))
	loaded := f.run(id, now+3, drop.MakePurchase{Reservation: mixed[1].Reservation.ID}, drop.Cancel{Reservation: mixed[3].Reservation.ID})
	equal(f, "refused", refusal(loaded[0]), "")
	equal(f, "loaded by its number", loaded[1].Reservation.Pass, kept)
	equal(f, "a sale and an end", f.uses(id), []int{0, 1})
	equal(f, "after the sale", f.reservations(4)[0].Pass, kept)
	equal(f, "kept again", f.snapshot(id).Drop.Accesses[1].Kept, []int64{1})
	// One that is not due, so that nothing but its number loads it.
	long := by(id, 8, "", 2)
	long.Hold = never
	held := f.run(id, now+4, long)[0].Reservation
	ended := f.run(id, now+5, drop.Cancel{Reservation: held.ID})[0].Reservation
	equal(f, "loaded by its number alone", ended.Pass, kept)
	equal(f, "used", f.uses(id), []int{0, 1})
}

func accessDrawEntries(f *fixture) {
	spec := sized(2, "8", "9")
	spec.StartTime = base + 9*minute
	spec.Draw = drop.Draw{Opens: base + minute, Closes: base + 8*minute, PayWithin: 30, Commitment: drop.Hash{1}}
	spec.Secrets = &drop.DrawSecrets{Seed: []byte{1}, Key: []byte{2}}
	id := f.create(spec)
	f.access(id, 0, drop.Access{Uses: 2, Ends: base + 8*minute}, 1)
	pass := drop.NewPassID(id, 1, 1)
	enter := func(now drop.Time, user drop.UserID) *drop.DrawEntry {
		f.Helper()
		r := f.run(id, now, drop.Enter{User: user, Sizes: []string{"9"}, With: &drop.Passes{Code: codeOf(id, 1)}})[0]
		if r.Err != nil {
			f.Fatalf("enter: %v", r.Err)
		}
		return r.DrawEntry
	}
	equal(f, "without a code", refusal(f.run(id, base+1, drop.Enter{User: 9, Sizes: []string{"9"}})[0]), drop.CodeCodeRequired)
	a, b := enter(base+1, 5), enter(base+1, 6)
	equal(f, "the pass", []drop.PassID{a.Pass, b.Pass}, []drop.PassID{pass, pass})
	f.wantEntries(id, *a, *b)
	equal(f, "used", f.uses(id), []int{2})
	a = f.run(id, base+2, drop.Withdraw{User: 5})[0].DrawEntry
	equal(f, "after a withdrawal", f.uses(id), []int{1})
	f.wantEntries(id, *a, *b)
	a = enter(base+3, 5)
	equal(f, "entered again", f.uses(id), []int{2})
	f.wantEntries(id, *a, *b)
	b = f.run(id, base+4, drop.Remove{Entry: b.ID, Reason: "twice"})[0].DrawEntry
	f.run(id, base+5, drop.Withdraw{User: 5})
	a = enter(base+2*minute, 5) // it needs no pass now
	c := enter(base+2*minute, 7)
	equal(f, "once the draw is open", []drop.PassID{a.Pass, b.Pass, c.Pass}, []drop.PassID{0, pass, 0})
	f.wantEntries(id, *a, *b, *c)
	equal(f, "in the books", f.books(id).drawEntries, []drop.DrawEntry{*a, *b, *c})
	of, err := f.DrawEntriesOf(f.ctx, id, 6)
	if err != nil {
		f.Fatalf("DrawEntriesOf: %v", err)
	}
	equal(f, "those of a buyer", of, []drop.DrawEntry{*b})
	equal(f, "in the end", f.uses(id), []int{1})
}

// A buyer's reservations are loaded for per_buyer, though the drop has no limit of its own.
func accessPerBuyer(f *fixture) {
	id := f.early(plain(20))
	f.access(id, 0, drop.Access{Uses: 9, PerBuyer: 2}, 1)
	f.access(id, 0, drop.Access{Uses: 9}, 2)
	f.run(id, base+1, by(id, 1, "", 2), by(id, 2, "", 1))
	held := f.run(id, base+1, by(id, 1, "", 1))[0].Reservation
	f.buy(held, base+2)
	equal(f, "a second one", refusal(f.run(id, base+3, by(id, 1, "", 1))[0]), "")
	equal(f, "a third one", refusal(f.run(id, base+4, by(id, 1, "", 1))[0]), drop.CodeLimitReached)
	equal(f, "by another access", refusal(f.run(id, base+4, by(id, 1, "", 2))[0]), "")
	r := f.run(id, base+5, by(id, 2, "", 1), by(id, 2, "", 1))
	equal(f, "another buyer's second one", refusal(r[0]), "")
	equal(f, "another buyer's third one", refusal(r[1]), drop.CodeLimitReached)
	equal(f, "once the holds are over", refusal(f.run(id, base+5+minute, by(id, 1, "", 1))[0]), "")
	// The batch that sets the first such rule.
	first := f.early(plain(20))
	r = f.run(first, base, drop.AddAccess{Terms: drop.Access{Uses: 9, PerBuyer: 1}, Passes: []drop.Hash{codeOf(first, 1)}},
		by(first, 1, "", 1), by(first, 1, "", 1))
	equal(f, "the first", refusal(r[1]), "")
	equal(f, "the second", refusal(r[2]), drop.CodeLimitReached)
}

// While buyers wait, what they have is loaded together with what those have who ask.
func accessPerBuyerBesideALine(f *fixture) {
	id, held := f.soldOut(sized(1, "8", "9"))
	f.run(id, base, drop.Restock{Add: 3, Size: "9"}, drop.AddAccess{
		Terms: drop.Access{Uses: 9, PerBuyer: 1, Units: 2, Sizes: []int{1}, Ends: base + 3*minute}, Passes: []drop.Hash{codeOf(id, 1)},
	})
	waits := f.join(id, 7, "8")
	mine := f.run(id, base+1, by(id, 4, "9", 1))[0]
	equal(f, "a kept one", mine.Reservation.Pass, drop.NewPassID(id, 1, 1))
	equal(f, "another kept one", refusal(f.run(id, base+2, by(id, 4, "9", 1))[0]), "") // the one that is on sale
	equal(f, "with nothing on sale", refusal(f.run(id, base+3, by(id, 4, "9", 1))[0]), drop.CodeLimitReached)
	equal(f, "another buyer", refusal(f.run(id, base+3, by(id, 5, "9", 1))[0]), "")
	f.run(id, base+4, drop.Cancel{Reservation: held[0].ID})
	equal(f, "who waits", f.entry(waits.ID).Status, drop.Offered)
}

func accessManyPasses(f *fixture) {
	const n = drop.MaxNewPasses
	id := f.early(plain(n))
	codes := make([]int, n)
	for i := range codes {
		codes[i] = i
	}
	f.access(id, 0, drop.Access{Uses: 1}, codes...)
	cmds := make([]drop.Command, 0, 600)
	for i := range cap(cmds) {
		cmds = append(cmds, by(id, 1, "", 7*i))
	}
	results := f.run(id, base+1, cmds...)
	if i := slices.IndexFunc(results, func(r drop.Result) bool { return r.Err != nil }); i >= 0 {
		f.Fatalf("reserve %d: %v", i, results[i].Err)
	}
	passes := f.books(id).passes
	equal(f, "passes", len(passes), n)
	for i, p := range passes {
		used := 0
		if i%7 == 0 && i < 7*len(cmds) {
			used = 1
		}
		if want := (drop.Pass{ID: drop.NewPassID(id, 1, uint32(i+1)), Hash: codeOf(id, i), Used: used}); p != want {
			f.Fatalf("pass %d: %+v, want %+v", i, p, want)
		}
	}
}
