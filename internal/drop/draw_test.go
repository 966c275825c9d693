package drop_test

import (
	"cmp"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sneakerdrop/internal/drop"
)

var drawCloses = opened + 50_000

// withDraw is a spec with a draw that is open from opened on.
func withDraw(spec drop.Spec) drop.Spec {
	spec.Draw = drop.Draw{Opens: opened, Closes: drawCloses, PayWithin: 20, Commitment: drop.Hash{1}}
	spec.StartTime = drawCloses
	return spec
}

// ordered returns the places that some draw gives: the entrants in the order of their numbers, or backwards.
func (b *book) ordered(backwards bool) (places []drop.Place) {
	entries := slices.SortedFunc(maps.Values(b.drawEntries), func(x, y drop.DrawEntry) int { return cmp.Compare(x.ID, y.ID) })
	if backwards {
		slices.Reverse(entries)
	}
	left := make([]int64, len(b.drop.Sizes))
	for i, s := range b.drop.Sizes {
		left[i] = s.Stock.Available + s.Pending
	}
	var late []drop.Place
	for _, e := range entries {
		if !e.In() {
			continue
		}
		sizes := e.Sizes.Places()
		if i := slices.IndexFunc(sizes, func(p int) bool { return left[p] > 0 }); i >= 0 {
			left[sizes[i]]--
			places = append(places, drop.Place{User: e.UserID, Size: sizes[i]})
			continue
		}
		for _, p := range sizes {
			late = append(late, drop.Place{User: e.UserID, Size: p})
		}
	}
	return append(places, late...)
}

// drawDraw draws a command about the draw.
func drawDraw(t *rapid.T, b *book, now drop.Time, places []drop.Place) drop.Command {
	user := drop.UserID(rapid.IntRange(1, 6).Draw(t, "entrant"))
	switch rapid.SampledFrom([]string{"enter", "enter", "enter", "withdraw", "remove", "close", "line up", "line up"}).Draw(t, "draw") {
	case "enter":
		var sizes []string
		for range rapid.IntRange(0, 3).Draw(t, "wanted") {
			sizes = append(sizes, drawLabel(t, b))
		}
		return drop.Enter{User: user, Sizes: sizes, With: drawPasses(t, b)}
	case "withdraw":
		return drop.Withdraw{User: user}
	case "remove":
		n := rapid.Uint32Range(0, b.drop.DrawState.Entered+2).Draw(t, "entry")
		return drop.Remove{Entry: drop.NewEntryID(b.drop.ID, n), Reason: rapid.SampledFrom([]string{"", "a second account"}).Draw(t, "reason")}
	case "close":
		return drop.CloseDraw{}
	}
	if b.drop.DrawState.Phase == drop.Entering && max(now, b.lastAt) < drawCloses {
		return drop.LineUp{Places: []drop.Place{{User: user}}, Last: true} // too early
	}
	if b.drop.DrawState.Phase == drop.Entering {
		return drop.CloseDraw{}
	}
	from := rapid.IntRange(0, len(places)).Draw(t, "from")
	if rapid.IntRange(0, 3).Draw(t, "right") != 0 {
		from = min(int(b.drop.DrawState.Lined), len(places))
	}
	to := rapid.IntRange(from, len(places)).Draw(t, "to")
	return drop.LineUp{From: uint32(from), Places: places[from:to], Last: to == len(places)}
}

func TestDraw_InvariantsOverRandomBatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := withDraw(drawSpec(t))
		spec.Draw.Opens += drop.Time(rapid.SampledFrom([]int{0, 0, 20_000}).Draw(t, "opens in"))
		b := newBook(spec)
		b.most = rapid.SampledFrom([]int{1, 2, drop.MaxOffersPerBatch}).Draw(t, "most offers in a batch")
		backwards := rapid.Bool().Draw(t, "backwards")
		now := opened
		var places []drop.Place
		for range rapid.IntRange(1, 40).Draw(t, "batches") {
			var cmds []drop.Command
			now, cmds = drawBatch(t, b, now)
			if b.drop.DrawState.Phase != drop.Drawn && rapid.IntRange(0, 3).Draw(t, "about the draw") != 0 {
				cmds = cmds[:min(len(cmds), rapid.IntRange(0, 2).Draw(t, "others"))]
				for range rapid.IntRange(1, 3).Draw(t, "of the draw") {
					cmds = append(cmds, drawDraw(t, b, now, places))
				}
			}
			before := b.clone()
			results, changes := b.apply(now, cmds...)
			checkChanges(t, before, b, now, changes)
			checkRows(t, before, b, now)
			checkLines(t, before, b)
			checkLedger(t, before, b)
			checkAccess(t, before, b)
			checkResults(t, b, cmds, results)
			if places == nil && b.drop.DrawState.Phase == drop.Drawing {
				places = b.ordered(backwards)
			}
			checkDraw(t, before, b, places)
		}
	})
}

// checkDraw checks that a draw is done once, that nobody has a unit before, and that each entrant has one turn.
func checkDraw(t *rapid.T, before, after *book, places []drop.Place) {
	was, is := before.drop.DrawState, after.drop.DrawState
	if is.Phase < was.Phase || is.Phase != drop.Entering && after.lastAt < drawCloses {
		t.Fatalf("at %d the draw went from %+v to %+v", after.lastAt, was, is)
	}
	for _, r := range after.reservations {
		if x := after.drop.Access(r.Pass.Access()); is.Phase != drop.Drawn && (x == nil || x.Units == 0) {
			t.Fatalf("a unit before the end of the draw: %+v", r)
		}
	}
	if (was.Phase != drop.Entering || before.lastAt >= drawCloses) && !maps.Equal(before.drawEntries, after.drawEntries) {
		t.Fatalf("entries changed after the close:\n%+v\n%+v", before.drawEntries, after.drawEntries)
	}
	if int(is.Entered) != len(after.drawEntries) {
		t.Fatalf("%d entries numbered to %d", len(after.drawEntries), is.Entered)
	}
	in := make(map[drop.UserID]bool)
	for _, e := range after.drawEntries {
		if e.In() && in[e.UserID] {
			t.Fatalf("user %d is in twice", e.UserID)
		}
		in[e.UserID] = in[e.UserID] || e.In()
	}
	if is.Phase == drop.Drawn && int(is.Lined) != len(places) {
		t.Fatalf("the draw gave %d places of %d", is.Lined, len(places))
	}
	turns := make(map[drop.UserID]int)
	for i := range is.Lined {
		e := after.entries[drop.NewEntryID(after.drop.ID, i+1)]
		if p := places[i]; e.UserID != p.User || e.Line != p.Size {
			t.Fatalf("place %d is %+v, and the draw gave %+v", i, e, p)
		}
		if e.Status == drop.Offered {
			turns[e.UserID]++
			if r := after.reservations[e.Offer]; r.Payment == 0 && r.ExpiresAt != r.CreatedAt+20_000 {
				t.Fatalf("an offer of the draw lasts %d ms", r.ExpiresAt-r.CreatedAt)
			}
		}
	}
	for user, n := range turns {
		if n > 1 {
			t.Fatalf("user %d had %d turns", user, n)
		}
	}
}

// A draw refuses what its terms and its phase forbid, each with a code of its own.
func TestDraw_RefusesWhatItsTermsForbid(t *testing.T) {
	spec := withDraw(sized(1, "8", "9"))
	spec.Draw.Opens++
	b := newBook(spec)
	want := func(what string, now drop.Time, c drop.Command, code drop.Code) {
		t.Helper()
		if r := b.do(now, c); (r.Err == nil) != (code == "") || r.Err != nil && r.Err.Code != code {
			t.Errorf("%s: %v, want %q", what, r.Err, code)
		}
	}
	enter := func(user drop.UserID, sizes ...string) drop.Enter { return drop.Enter{User: user, Sizes: sizes} }
	want("too early", opened, enter(1, "8"), drop.CodeNotStarted)
	want("no size", opened+1, enter(1), drop.CodeSizeRequired)
	want("an unknown size", opened+1, enter(1, "8", "11"), drop.CodeSizeNotFound)
	want("a size twice", opened+1, enter(1, "8", "8"), drop.CodeInvalid)
	want("too many sizes", opened+1, enter(1, make([]string, 11)...), drop.CodeInvalid)
	want("to enter", opened+1, enter(1, "8"), "")
	want("with other sizes", opened+1, enter(1, "9"), drop.CodeEntered)
	want("to reserve", opened+1, drop.Reserve{User: 1, Size: "8"}, drop.CodeDrawOpen)
	want("to withdraw what is not there", opened+1, drop.Withdraw{User: 2}, drop.CodeEntryNotFound)
	want("no reason", opened+1, drop.Remove{Entry: drop.NewEntryID(7, 1), Reason: "  "}, drop.CodeInvalid)
	want("a long reason", opened+1, drop.Remove{Entry: drop.NewEntryID(7, 1), Reason: strings.Repeat("é", 201)}, drop.CodeInvalid)
	want("no entry", opened+1, drop.Remove{Entry: drop.NewEntryID(7, 2), Reason: "x"}, drop.CodeEntryNotFound)
	want("to remove", opened+1, drop.Remove{Entry: drop.NewEntryID(7, 1), Reason: "x"}, "")
	want("removed", opened+1, enter(1, "8"), drop.CodeRemoved)
	for _, sizes := range [][]string{{"8"}, {"9"}, {"8", "9"}, {"9", "8"}} {
		want("again", opened+1, enter(3, sizes...), "")
		want("withdraw", opened+1, drop.Withdraw{User: 3}, "")
	}
	want("the sizes of before", opened+1, enter(3, "9"), "")
	b.do(opened+1, drop.Pause{})
	want("in a pause", opened+1, enter(4, "8"), drop.CodePaused)
	b.do(opened+1, drop.Resume{})
	early := drawCloses - 1
	want("a start before the close", opened+1, drop.Edit{StartTime: &early}, drop.CodeInvalid)
	for _, c := range []drop.Command{enter(5, "8"), drop.Withdraw{User: 3}, drop.Remove{Entry: drop.NewEntryID(7, 3), Reason: "x"}} {
		want("too late", drawCloses, c, drop.CodeDrawClosed)
	}
	want("to reserve while it is drawn", drawCloses, drop.Reserve{User: 1, Size: "8"}, drop.CodeDrawClosed)
	b.do(drawCloses, drop.CloseDraw{})
	want("to restock while it is drawn", drawCloses, drop.Restock{Add: 1, Size: "8"}, drop.CodeFixed)
	plainDrop := newBook(plain(1))
	for _, c := range []drop.Command{drop.Enter{User: 1}, drop.Withdraw{User: 1}, drop.Remove{Entry: drop.NewEntryID(7, 1), Reason: "x"}} {
		if r := plainDrop.do(opened, c); r.Err == nil || r.Err.Code != drop.CodeNoDraw {
			t.Errorf("%T without a draw: %v", c, r.Err)
		}
	}
}

// Terms that break a rule are refused with the field.
func TestDraw_TermsAreChecked(t *testing.T) {
	for field, broken := range map[string]func(*drop.Spec){
		"draw.opens":      func(s *drop.Spec) { s.Draw.Opens = -1 },
		"draw.closes":     func(s *drop.Spec) { s.Draw.Closes = s.Draw.Opens },
		"start_time":      func(s *drop.Spec) { s.StartTime = s.Draw.Closes - 1 },
		"draw.pay_within": func(s *drop.Spec) { s.Draw.PayWithin = 9 },
		"draw.beacon":     func(s *drop.Spec) { s.Draw.Round = 5 },
		"draw.round":      func(s *drop.Spec) { s.Draw.Chain = drop.Chains[0] },
	} {
		spec := withDraw(plain(1))
		if err := spec.Check(); err != nil {
			t.Fatal(err)
		}
		broken(&spec)
		refusal, ok := errors.AsType[*drop.Error](spec.Check())
		if !ok || refusal.Code != drop.CodeInvalid || refusal.Field != field {
			t.Errorf("%s: %v", field, refusal)
		}
	}
}

// A kept answer has all of a draw.
func TestDraw_AnswersAreKept(t *testing.T) {
	b := newBook(withDraw(plain(3)))
	for _, r := range []drop.Result{b.do(opened, drop.Enter{User: 4}), b.do(opened+1, drop.Withdraw{User: 4}), b.do(opened+2, drop.Pause{})} {
		got, err := drop.DecodeResult(r.Encode())
		if err != nil || !reflect.DeepEqual(got.DrawEntry, r.DrawEntry) || !reflect.DeepEqual(got.Drop, r.Drop) {
			t.Errorf("kept as %+v %+v, %v; was %+v %+v", got.DrawEntry, got.Drop, err, r.DrawEntry, r.Drop)
		}
	}
}

// A key that comes back with other terms is refused: each of them is part of what the call asks for.
func TestAskedCreate_TellsWaitlistsAndDrawsApart(t *testing.T) {
	seen := make(map[drop.Asked]bool)
	for _, change := range []func(*drop.Spec){
		func(*drop.Spec) {},
		func(s *drop.Spec) { s.Waitlist = true },
		func(s *drop.Spec) { s.OfferFor = 60 },
		func(s *drop.Spec) { s.MaxWaiting = 60 },
		func(s *drop.Spec) { s.OffersCount = true },
		func(s *drop.Spec) { *s = withDraw(*s) },
		func(s *drop.Spec) { *s = withDraw(*s); s.Draw.Opens++ },
		func(s *drop.Spec) { *s = withDraw(*s); s.Draw.PayWithin++ },
		func(s *drop.Spec) { *s = withDraw(*s); s.Draw.Commitment[31]++ },
		func(s *drop.Spec) { *s = withDraw(*s); s.Draw.Chain, s.Draw.Round = drop.Chains[0], 1 },
		func(s *drop.Spec) { *s = withDraw(*s); s.Draw.Chain, s.Draw.Round = drop.Chains[0], 2 },
	} {
		spec := plain(1)
		change(&spec)
		if asked := drop.AskedCreate(&spec); seen[asked] {
			t.Errorf("%s is asked twice", asked)
		} else {
			seen[asked] = true
		}
	}
}
