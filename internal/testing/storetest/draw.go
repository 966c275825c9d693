package storetest

import (
	"slices"

	"sneakerdrop/internal/drop"
)

var drawTests = []test{
	{"Draw_EntriesAreRead", drawEntriesRead},
	{"Draw_ChangesAreWrittenByBatches", drawChanged},
	{"Draw_IsKeptBesideItsTerms", drawKept},
	{"Draw_GivesPlacesInLine", drawLinedUp},
	{"Draw_ATurnEndsTheOtherPlaces", drawTurns},
}

// drawn creates a drop with a draw that is open from base on, for a minute.
func (f *fixture) drawn(spec drop.Spec) drop.ID {
	f.Helper()
	spec.StartTime = base + 2*minute
	spec.Draw = drop.Draw{
		Opens: base, Closes: base + minute, PayWithin: 30, Commitment: drop.Hash{1, 2, 3}, Chain: "quicknet", Round: 7,
	}
	spec.Secrets = &drop.DrawSecrets{Seed: []byte{0, 1, 255}, Key: []byte{9, 0}}
	return f.create(spec)
}

func (f *fixture) enter(id drop.ID, user drop.UserID, sizes ...string) drop.DrawEntry {
	f.Helper()
	r := f.run(id, base+1, drop.Enter{User: user, Sizes: sizes})[0]
	if r.Err != nil || r.DrawEntry == nil || !r.DrawEntry.In() {
		f.Fatalf("enter: %+v", r)
	}
	return *r.DrawEntry
}

func (f *fixture) wantEntries(id drop.ID, want ...drop.DrawEntry) {
	f.Helper()
	got, err := f.DrawEntries(f.ctx, id, 0, 100)
	if err != nil {
		f.Fatalf("DrawEntries: %v", err)
	}
	equal(f, "DrawEntries", got, want)
}

func drawEntriesRead(f *fixture) {
	id, other := f.drawn(sized(2, "8", "9")), f.drawn(plain(1))
	f.enter(other, 5)
	a, b, c := f.enter(id, 5, "9", "8"), f.enter(id, 6, "8"), f.enter(id, 7, "9")
	equal(f, "the sizes", a.Sizes.Places(), []int{1, 0})
	equal(f, "entered again", f.enter(id, 6, "8"), b)
	f.wantEntries(id, a, b, c)
	page, err := f.DrawEntries(f.ctx, id, a.ID, 1)
	if err != nil || !slices.Equal(page, []drop.DrawEntry{b}) {
		f.Errorf("a page: %+v, %v", page, err)
	}
	of, err := f.DrawEntriesOf(f.ctx, id, 7)
	if err != nil || !slices.Equal(of, []drop.DrawEntry{c}) {
		f.Errorf("those of a buyer: %+v, %v", of, err)
	}
	if of, err := f.DrawEntriesOf(f.ctx, other, 7); err != nil || len(of) != 0 {
		f.Errorf("those of a buyer in another drop: %+v, %v", of, err)
	}
	for _, err := range []error{second(f.DrawEntries(f.ctx, drop.MaxID, 0, 1)), second(f.DrawEntriesOf(f.ctx, drop.MaxID, 1))} {
		equal(f, "of no drop", drop.CodeOf(err), drop.CodeDropNotFound)
	}
}

func drawChanged(f *fixture) {
	id := f.drawn(sized(2, "8", "9"))
	a, b := f.enter(id, 5, "8"), f.enter(id, 6, "8")
	withdrawn := f.run(id, base+2, drop.Withdraw{User: 5})[0]
	a.WithdrawnAt = base + 2
	equal(f, "withdrawn", *withdrawn.DrawEntry, a)
	equal(f, "others sizes", refusal(f.run(id, base+2, drop.Enter{User: 6, Sizes: []string{"9"}})[0]), drop.CodeEntered)
	other := f.enter(id, 5, "9", "8")
	f.run(id, base+3, drop.Withdraw{User: 5})
	other.WithdrawnAt = base + 3
	f.run(id, base+3, drop.Enter{User: 5, Sizes: []string{"8"}})
	a.WithdrawnAt = 0
	removed := f.run(id, base+4, drop.Remove{Entry: b.ID, Reason: "ü: a second name"}, drop.Remove{Entry: b.ID + 7, Reason: "none"})
	b.Removed = "ü: a second name"
	equal(f, "removed", *removed[0].DrawEntry, b)
	equal(f, "no entry", refusal(removed[1]), drop.CodeEntryNotFound)
	f.wantEntries(id, a, b, other)
	equal(f, "removed, again", refusal(f.run(id, base+5, drop.Enter{User: 6, Sizes: []string{"8"}})[0]), drop.CodeRemoved)
	state := f.snapshot(id).Drop
	equal(f, "DrawState", state.DrawState, drop.DrawState{Entered: 3})
	equal(f, "the terms", state.Draw, drop.Draw{
		Opens: base, Closes: base + minute, PayWithin: 30, Commitment: drop.Hash{1, 2, 3}, Chain: "quicknet", Round: 7,
	})
}

func drawKept(f *fixture) {
	id := f.drawn(plain(1))
	first, found, err := f.Draw(f.ctx, id)
	if err != nil || !found {
		f.Fatalf("Draw: %t, %v", found, err)
	}
	equal(f, "the secrets", first.Secrets, drop.DrawSecrets{Seed: []byte{0, 1, 255}, Key: []byte{9, 0}})
	to := first
	to.Closed, to.Beacon, to.Record = `{"root":1}`, `{}`, []byte{31, 139, 0}
	stale := first
	stale.Beacon = "another"
	if done, err := f.ReplaceDraw(f.ctx, id, &stale, &to); err != nil || done {
		f.Errorf("in place of what is not there: %t, %v", done, err)
	}
	if done, err := f.ReplaceDraw(f.ctx, id, &first, &to); err != nil || !done {
		f.Errorf("ReplaceDraw: %t, %v", done, err)
	}
	got, _, err := f.Draw(f.ctx, id)
	if err != nil || got.Closed != to.Closed || got.Beacon != to.Beacon || !slices.Equal(got.Record, to.Record) ||
		!slices.Equal(got.Secrets.Key, first.Secrets.Key) {
		f.Errorf("Draw: %+v, %v", got, err)
	}
	if _, found, err := f.Draw(f.ctx, f.create(plain(1))); err != nil || found {
		f.Errorf("the draw of a drop without one: %t, %v", found, err)
	}
}

// closeDraw ends the time to enter.
func (f *fixture) closeDraw(id drop.ID) {
	f.Helper()
	r := f.run(id, base+minute, drop.CloseDraw{})[0]
	if r.Err != nil || r.Drop.DrawState.Phase != drop.Drawing {
		f.Fatalf("close: %+v", r)
	}
}

func drawLinedUp(f *fixture) {
	id := f.drawn(plain(2))
	for user := range drop.UserID(5) {
		f.enter(id, user+1)
	}
	equal(f, "too early", f.run(id, base+2, drop.CloseDraw{})[0].Drop.DrawState.Phase, drop.Entering)
	f.closeDraw(id)
	equal(f, "while it is drawn", refusal(f.run(id, base+3*minute, drop.Reserve{User: 9, Hold: never})[0]), drop.CodeDrawClosed)
	at := base + 3*minute
	places := []drop.Place{{User: 4}, {User: 2}, {User: 5}, {User: 1}, {User: 3}}
	f.run(id, at, drop.LineUp{Places: places[:3]})
	s := f.snapshot(id).Drop
	equal(f, "in the middle", s.DrawState, drop.DrawState{Phase: drop.Drawing, Entered: 5, Lined: 3})
	equal(f, "kept for the line", s.Sizes[0], drop.Size{Stock: drop.Stock{Total: 2, Held: 2}, Waiting: 3, Pending: 2})
	f.run(id, at, drop.LineUp{Places: places[:3]}, drop.LineUp{From: 3, Places: places[3:], Last: true}, drop.LineUp{From: 5, Last: true})
	equal(f, "at the end", f.snapshot(id).Drop.DrawState, drop.DrawState{Phase: drop.Drawn, Entered: 5, Lined: 5})
	f.run(id, at, drop.Expire{})
	line, err := f.Line(f.ctx, id, 0, 100)
	if err != nil {
		f.Fatal(err)
	}
	var users []drop.UserID
	for i, e := range line {
		users = append(users, e.UserID)
		want := drop.Waiting
		if i < 2 {
			want = drop.Offered
		}
		equal(f, "the status", e.Status, want)
	}
	equal(f, "the line", users, []drop.UserID{4, 2, 5, 1, 3})
	mine, err := f.Reservations(f.ctx, 4, 10)
	if err != nil || len(mine) != 1 || !mine[0].Offer || mine[0].ExpiresAt != mine[0].CreatedAt+30_000 {
		f.Errorf("the winner's offer: %+v, %v", mine, err)
	}
}

// waiting returns how many wait for any size.
func (f *fixture) waiting(id drop.ID) int64 {
	d := f.snapshot(id).Drop
	return d.Waiting()
}

func drawTurns(f *fixture) {
	id := f.drawn(sized(1, "8", "9"))
	for user := range drop.UserID(4) {
		f.enter(id, user+1, "8", "9")
	}
	f.closeDraw(id)
	at := base + 3*minute
	f.run(id, at, drop.LineUp{Last: true, Places: []drop.Place{
		{User: 1, Size: 0}, {User: 2, Size: 1}, {User: 3, Size: 0}, {User: 3, Size: 1}, {User: 4, Size: 0}, {User: 4, Size: 1},
	}})
	f.run(id, at, drop.Expire{})
	equal(f, "who waits", f.waiting(id), 4)
	f.run(id, at+31_000, drop.Expire{}) // both winners are too late, so that both runners-up have a turn, one each
	line, err := f.Line(f.ctx, id, 0, 100)
	if err != nil {
		f.Fatal(err)
	}
	var got []string
	for _, e := range line {
		got = append(got, e.Status.String())
	}
	equal(f, "what became of them", got, []string{"offered", "offered", "offered", "left", "left", "offered"})
	equal(f, "who waits at the end", f.waiting(id), 0)
}
