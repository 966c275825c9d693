package drop_test

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sneakerdrop/internal/drop"
)

// code returns the hash of one of the tests' codes.
func code(n int) drop.Hash { return drop.HashCode(7, "code-"+strconv.Itoa(n)) }

// show shows a code.
func show(n int) *drop.Passes { return &drop.Passes{Code: code(n)} }

// listed is what the server shows for a buyer: the places on all lists.
func (b *book) listed(user drop.UserID) *drop.Passes {
	with := new(drop.Passes)
	for i, x := range b.drop.Accesses {
		if x.List {
			with.Listed = append(with.Listed, drop.OnList(i+1, drop.HashBuyer(user)))
		}
	}
	return with
}

func drawPasses(t *rapid.T, b *book) *drop.Passes {
	if !rapid.Bool().Draw(t, "shows something") {
		return nil
	}
	with := b.listed(drop.UserID(rapid.IntRange(1, 4).Draw(t, "listed")))
	if n := rapid.IntRange(0, 5).Draw(t, "code"); n > 0 {
		with.Code = code(n)
	}
	return with
}

func drawAccess(t *rapid.T, b *book) drop.Command {
	c := drop.AddAccess{To: rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "to")}
	c.Terms.List = rapid.Bool().Draw(t, "list")
	for _, n := range rapid.SliceOfN(rapid.IntRange(1, 4), 0, 3).Draw(t, "passes") {
		if c.Terms.List {
			c.Passes = append(c.Passes, drop.HashBuyer(drop.UserID(n)))
		} else {
			c.Passes = append(c.Passes, code(n))
		}
	}
	if c.To != 0 {
		return c
	}
	c.Terms.Uses = rapid.IntRange(0, 3).Draw(t, "uses")
	c.Terms.PerBuyer = rapid.IntRange(0, 2).Draw(t, "per buyer")
	c.Terms.Units = rapid.SampledFrom([]int64{0, 0, 1, 2}).Draw(t, "units")
	c.Terms.Sizes = rapid.SliceOfN(rapid.IntRange(0, len(b.drop.Sizes)), 0, 2).Draw(t, "sizes")
	if at := rapid.SampledFrom([]int{0, 0, 10_000}).Draw(t, "starts"); at > 0 {
		c.Terms.Starts = b.lastAt + drop.Time(at)
	}
	if at := rapid.SampledFrom([]int{0, 30_000, 100_000}).Draw(t, "ends"); at > 0 {
		c.Terms.Ends = b.lastAt + drop.Time(at)
	}
	return c
}

// checkAccess checks that passes are used as often as their rows say, and never too often. Nobody comes in early
// without one, and what is kept goes back at the end.
func checkAccess(t *rapid.T, before, after *book) {
	used := make(map[drop.PassID]int)
	type share struct {
		access int
		user   drop.UserID
	}
	shares := make(map[share]int)
	for _, r := range after.reservations {
		x := after.drop.Access(r.Pass.Access())
		_, was := before.reservations[r.ID]
		early := r.CreatedAt < after.drop.StartTime && after.drop.StartTime == before.drop.StartTime
		if !was && x == nil && early && !r.Offer {
			t.Fatalf("a unit before the start: %+v", r)
		}
		if r.Pass == 0 {
			continue
		}
		if _, there := after.passes[r.Pass]; !there || x == nil || r.Offer {
			t.Fatalf("%+v has a pass that does not exist, or an offer", r)
		}
		if r.Status.Counts() {
			used[r.Pass]++
			shares[share{r.Pass.Access(), r.UserID}]++
		}
		if was {
			continue
		}
		if r.CreatedAt < x.Starts || r.CreatedAt >= before.drop.End(cmp.Or(before.drop.Access(r.Pass.Access()), x)) {
			t.Fatalf("%+v came in at another time than that of %+v", r, x)
		}
		if size := slices.IndexFunc(after.drop.Sizes, func(s drop.Size) bool { return s.Label == r.Size || !after.drop.Sized() }); x.Sizes != nil && !slices.Contains(x.Sizes, size) {
			t.Fatalf("%+v has another size than those of %+v", r, x)
		}
	}
	for _, e := range after.drawEntries {
		if e.In() || e.Removed != "" {
			used[e.Pass]++
		}
		if _, was := before.drawEntries[e.ID]; !was && e.Pass == 0 && e.CreatedAt < after.drop.Draw.Opens {
			t.Fatalf("an entry before the draw opened: %+v", e)
		}
	}
	for of, n := range shares {
		if most := after.drop.Accesses[of.access-1].PerBuyer; most > 0 && n > most {
			t.Fatalf("user %d has %d units by access %d", of.user, n, of.access)
		}
	}
	sums, counts := make([]int64, len(after.drop.Accesses)), make([]uint32, len(after.drop.Accesses))
	for id, p := range after.passes {
		x := after.drop.Access(id.Access())
		if x == nil || p.Used != used[id] || p.Used > x.Uses {
			t.Fatalf("%+v of %+v is used %d times", p, x, used[id])
		}
		sums[id.Access()-1] += int64(p.Used)
		counts[id.Access()-1] = max(counts[id.Access()-1], uint32(id.Number()))
	}
	for i := range after.drop.Accesses {
		x := &after.drop.Accesses[i]
		if x.Used != sums[i] || x.Passes != counts[i] {
			t.Fatalf("%+v has %d passes, which are used %d times", x, counts[i], sums[i])
		}
		lining := before.drop.DrawState.Phase == drop.Drawing || after.drop.DrawState.Phase == drop.Drawing
		for size, n := range x.Kept {
			if n < 0 || n > x.Units || n > 0 && after.lastAt >= after.drop.End(x) && !lining {
				t.Fatalf("at %d %d units of size %d are kept for %+v", after.lastAt, n, size, x)
			}
		}
	}
}

// access makes an access that must succeed.
func (b *book) access(t *testing.T, now drop.Time, terms drop.Access, passes ...drop.Hash) {
	t.Helper()
	terms.Uses = cmp.Or(terms.Uses, 1)
	if r := b.do(now, drop.AddAccess{Terms: terms, Passes: passes}); r.Err != nil {
		t.Fatal(r.Err)
	}
}

// early asks for a unit with what the buyer shows.
func (b *book) early(now drop.Time, user drop.UserID, size string, with *drop.Passes) drop.Result {
	return b.do(now, drop.Reserve{User: user, Size: size, Hold: time.Minute, With: with})
}

// soon is a spec whose drop starts ten minutes after it was made.
func soon(spec drop.Spec) drop.Spec {
	spec.StartTime = opened + 10*minute
	return spec
}

// Before the start only a good pass brings a unit, and each pass as often as it may. A hold that ends without a sale
// gives the use back, a sale does not.
func TestAccess_APassIsGoodForItsUses(t *testing.T) {
	b := newBook(soon(plain(5)))
	if got := b.early(opened, 1, "", nil); codeOf(got) != drop.CodeNotStarted {
		t.Errorf("without early access: %v", got.Err)
	}
	b.access(t, opened, drop.Access{Uses: 2}, code(1))
	if got := b.early(opened, 1, "", nil); codeOf(got) != drop.CodeCodeRequired || got.Err.StartsAt != b.drop.StartTime || got.Err.StartsIn != 10*time.Minute {
		t.Errorf("without a code: %+v", got.Err)
	}
	first, second := b.early(opened, 1, "", show(1)), b.early(opened, 2, "", show(1))
	if first.Err != nil || second.Err != nil || b.passes[first.Reservation.Pass].Used != 2 {
		t.Fatalf("%+v, %+v: %+v", first, second, b.passes)
	}
	if got := b.early(opened, 3, "", show(1)); codeOf(got) != drop.CodeCodeInvalid {
		t.Errorf("a third use: %v", got.Err)
	}
	b.buy(t, opened, first.Reservation.ID)
	if got := b.early(opened+minute, 3, "", show(1)); got.Err != nil { // the second hold is over
		t.Errorf("after a hold has ended: %v", got.Err)
	}
	if got := b.early(opened+minute, 4, "", show(1)); codeOf(got) != drop.CodeCodeInvalid {
		t.Errorf("a sale gives no use back: %v", got.Err)
	}
	if b.drop.Accesses[0].Used != 2 {
		t.Errorf("%+v", b.drop.Accesses)
	}
}

// Wrong, used up, not good yet and over: a code is refused in the same words.
func TestAccess_WhatIsWrongWithACodeIsNotTold(t *testing.T) {
	b := newBook(soon(sized(5, "8", "9")))
	b.access(t, opened, drop.Access{Sizes: []int{0}}, code(1), code(2))
	b.access(t, opened, drop.Access{Starts: opened + 5*minute}, code(3))
	b.access(t, opened, drop.Access{Ends: opened + 1}, code(4))
	b.early(opened, 1, "8", show(1))
	for what, asked := range map[string]drop.Result{
		"wrong":        b.early(opened+2, 2, "8", show(9)),
		"used up":      b.early(opened+2, 2, "8", show(1)),
		"not good yet": b.early(opened+2, 2, "8", show(3)),
		"over":         b.early(opened+2, 2, "8", show(4)),
		"another size": b.early(opened+2, 2, "9", show(2)),
	} {
		if asked.Err == nil || *asked.Err != *drop.Refuse(drop.CodeCodeInvalid) {
			t.Errorf("%s: %+v", what, asked.Err)
		}
	}
	if got := b.early(opened+2, 2, "8", show(2)); got.Err != nil {
		t.Errorf("a good one: %v", got.Err)
	}
}

// Once the sale is open to everybody, a code that is not good is not needed. It is told once nothing else helps.
func TestAccess_AfterTheStartACodeIsNotNeeded(t *testing.T) {
	b := newBook(soon(plain(2)))
	b.access(t, opened, drop.Access{}, code(1))
	now := b.drop.StartTime
	if got := b.early(now, 1, "", show(1)); got.Err != nil || got.Reservation.Pass != 0 {
		t.Errorf("a code that is over: %+v", got)
	}
	if got := b.early(now, 2, "", show(9)); got.Err != nil {
		t.Errorf("a wrong code: %v", got.Err)
	}
	if got := b.early(now, 3, "", show(9)); codeOf(got) != drop.CodeCodeInvalid {
		t.Errorf("a wrong code where nothing is left: %v", got.Err)
	}
	if got := b.early(now, 3, "", nil); codeOf(got) != drop.CodeOutOfStock {
		t.Errorf("no code where nothing is left: %v", got.Err)
	}
}

// Units that are kept are sold to who has a pass, before the start and after it, and to nobody else. They go back to
// who waits first, and then on sale.
func TestAccess_KeptUnits(t *testing.T) {
	spec := soon(plain(3))
	spec.Waitlist = true
	b := newBook(spec)
	b.access(t, opened, drop.Access{Units: 2, Uses: 9, Ends: b.drop.StartTime + 10*minute}, code(1))
	if s := b.drop.Sizes[0].Stock; s.Available != 1 || s.Held != 2 || b.drop.KeptOf(0) != 2 {
		t.Fatalf("%+v", s)
	}
	held := b.early(opened, 1, "", show(1))
	if held.Err != nil || b.drop.KeptOf(0) != 1 || b.drop.Sizes[0].Stock.Available != 1 {
		t.Fatalf("%+v, %+v", held, b.drop)
	}
	b.do(opened, drop.Cancel{Reservation: held.Reservation.ID})
	if b.drop.KeptOf(0) != 2 || b.drop.Sizes[0].Stock.Available != 1 {
		t.Fatalf("a hold that ends is kept again: %+v", b.drop)
	}
	now := b.drop.StartTime
	b.buy(t, now, b.reserve(t, now, 2, "").ID)
	if got := b.early(now, 3, "", nil); codeOf(got) != drop.CodeOutOfStock {
		t.Errorf("what is kept is not on sale: %v", got.Err)
	}
	b.do(now, drop.Join{User: 3})
	if got := b.early(now, 4, "", show(1)); got.Err != nil || got.Reservation.Pass == 0 {
		t.Errorf("a pass gets what is kept, whoever waits: %+v", got)
	}
	if until := b.drop.KeptUntil(); until != now+10*minute {
		t.Errorf("what is kept goes back at %v", until)
	}
	b.do(now+9*minute, drop.Expire{}) // the hold is over, and its unit kept again
	before := b.clone()
	b.do(now+10*minute-1, drop.Expire{})
	if b.drop.KeptOf(0) != 2 || len(b.reservations) != len(before.reservations) {
		t.Errorf("before its end: %+v", b.drop)
	}
	b.do(now+10*minute, drop.Expire{})
	if s := b.drop.Sizes[0]; b.drop.KeptOf(0) != 0 || s.Stock.Available != 1 || s.Waiting != 0 {
		t.Errorf("one is for who waits, and one on sale: %+v", s)
	}
	if until := b.drop.KeptUntil(); until != 0 {
		t.Errorf("nothing is kept, until %v", until)
	}
}

// An operator ends an access at any time, and what is kept goes back then.
func TestAccess_EndsWhenAnOperatorSaysSo(t *testing.T) {
	b := newBook(soon(plain(3)))
	b.access(t, opened, drop.Access{Units: 2}, code(1), code(2))
	held := b.early(opened, 1, "", show(1))
	if r := b.do(opened+5, drop.EndAccess{Access: 1}); r.Err != nil || r.Drop.KeptOf(0) != 0 || r.Drop.Sizes[0].Stock.Available != 2 {
		t.Fatalf("%+v", r)
	}
	if got := b.early(opened+5, 2, "", show(2)); codeOf(got) != drop.CodeCodeInvalid {
		t.Errorf("a code of it: %v", got.Err)
	}
	b.do(opened+6, drop.Cancel{Reservation: held.Reservation.ID})
	if s := b.drop.Sizes[0].Stock; s.Available != 3 || s.Held != 0 {
		t.Errorf("a hold of it ends: %+v", s)
	}
	ended := b.drop.Accesses[0].Ends
	if r := b.do(opened+9, drop.EndAccess{Access: 1}); r.Err != nil || r.Drop.Accesses[0].Ends != ended {
		t.Errorf("again: %+v", r)
	}
	for _, n := range []int{-1, 0, 2} {
		if r := b.do(opened+9, drop.EndAccess{Access: n}); codeOf(r) != drop.CodeAccessNotFound {
			t.Errorf("number %d: %v", n, r.Err)
		}
	}
}

// A list lets its buyers in without a code. Buyers can be added, those on it stay, and one on two lists has both.
func TestAccess_Lists(t *testing.T) {
	b := newBook(soon(sized(5, "8", "9")))
	b.access(t, opened, drop.Access{List: true, Sizes: []int{0}}, drop.HashBuyer(1), drop.HashBuyer(1), drop.HashBuyer(2))
	b.access(t, opened, drop.Access{List: true, Sizes: []int{1}}, drop.HashBuyer(1))
	b.do(opened, drop.AddAccess{To: 1, Terms: drop.Access{List: true}, Passes: []drop.Hash{drop.HashBuyer(2), drop.HashBuyer(3)}})
	if got := b.drop.Accesses; got[0].Passes != 3 || got[1].Passes != 1 {
		t.Fatalf("%+v", got)
	}
	for _, c := range []struct {
		user drop.UserID
		size string
		want drop.Code
	}{
		{1, "8", ""}, {1, "9", ""}, {1, "8", drop.CodeCodeRequired}, {2, "9", drop.CodeCodeRequired}, {3, "8", ""}, {4, "8", drop.CodeCodeRequired},
	} {
		if got := b.early(opened, c.user, c.size, b.listed(c.user)); codeOf(got) != c.want {
			t.Errorf("user %d, size %s: %v, want %q", c.user, c.size, got.Err, c.want)
		}
	}
}

// One buyer cannot use up what is for many.
func TestAccess_PerBuyer(t *testing.T) {
	b := newBook(soon(plain(9)))
	b.access(t, opened, drop.Access{Uses: 5, PerBuyer: 2}, code(1), code(2))
	first := b.early(opened, 1, "", show(1))
	b.early(opened, 1, "", show(2))
	got := b.early(opened, 1, "", show(1))
	if codeOf(got) != drop.CodeLimitReached || got.Err.Limit != 2 {
		t.Errorf("a third: %+v", got.Err)
	}
	if got := b.early(opened, 2, "", show(1)); got.Err != nil {
		t.Errorf("another buyer: %v", got.Err)
	}
	b.buy(t, opened, first.Reservation.ID)
	if got := b.early(opened, 1, "", show(1)); codeOf(got) != drop.CodeLimitReached {
		t.Errorf("a sale counts: %v", got.Err)
	}
	if got := b.early(opened+minute, 1, "", show(1)); got.Err != nil {
		t.Errorf("a hold that is over does not: %v", got.Err)
	}
	results, _ := b.apply(opened+2*minute, drop.AddAccess{Terms: drop.Access{Uses: 9, PerBuyer: 1}, Passes: []drop.Hash{code(3)}},
		drop.Reserve{User: 8, Hold: time.Minute, With: show(3)}, drop.Reserve{User: 8, Hold: time.Minute, With: show(3)})
	if codeOf(results[1]) != "" || codeOf(results[2]) != drop.CodeLimitReached {
		t.Errorf("in the batch that made it: %v, %v", results[1].Err, results[2].Err)
	}
	results, _ = b.apply(opened+2*minute+1, drop.MakePurchase{Reservation: results[1].Reservation.ID}, drop.Reserve{User: 8, Hold: time.Minute, With: show(3)})
	if codeOf(results[0]) != "" || codeOf(results[1]) != drop.CodeLimitReached {
		t.Errorf("in the batch that sells the unit: %v, %v", results[0].Err, results[1].Err)
	}
}

// A pass lets a buyer enter a draw before it opens. Who withdraws has the use back. Units that are kept are not drawn
// for: who has a pass gets them also while the draw is open.
func TestAccess_ToADraw(t *testing.T) {
	spec := withDraw(plain(3))
	spec.Draw.Opens += minute / 2
	b := newBook(spec)
	enter := func(now drop.Time, user drop.UserID, with *drop.Passes) drop.Result {
		return b.do(now, drop.Enter{User: user, With: with})
	}
	b.access(t, opened, drop.Access{Units: 1}, code(1), code(2))
	for what, c := range map[drop.Code]drop.Result{
		drop.CodeCodeRequired: enter(opened, 1, nil), drop.CodeCodeInvalid: enter(opened, 1, show(9)), "": enter(opened, 1, show(1)),
	} {
		if codeOf(c) != what {
			t.Errorf("%q: %v", what, c.Err)
		}
	}
	if again := enter(opened, 1, show(1)); again.Err != nil || b.drop.Accesses[0].Used != 1 {
		t.Errorf("again: %v, %+v", again.Err, b.drop.Accesses)
	}
	if got := enter(opened, 2, show(1)); codeOf(got) != drop.CodeCodeInvalid {
		t.Errorf("a used one: %v", got.Err)
	}
	b.do(opened, drop.Withdraw{User: 1})
	if got := enter(opened, 2, show(1)); got.Err != nil || got.DrawEntry.Pass == 0 || b.drop.Accesses[0].Used != 1 {
		t.Errorf("after a withdrawal: %+v, %+v", got, b.drop.Accesses)
	}
	if got := enter(b.drop.Draw.Opens, 1, show(9)); got.Err != nil || got.DrawEntry.Pass != 0 {
		t.Errorf("once it is open: %+v", got)
	}
	if got := b.early(b.drop.Draw.Opens, 3, "", nil); codeOf(got) != drop.CodeDrawOpen {
		t.Errorf("without a pass: %v", got.Err)
	}
	if got := b.early(b.drop.Draw.Opens, 3, "", show(2)); got.Err != nil || got.Reservation.Pass == 0 {
		t.Errorf("a kept unit: %+v", got)
	}
	b.access(t, b.drop.Draw.Opens, drop.Access{}, code(3))
	if got := b.early(b.drop.Draw.Opens, 4, "", show(3)); codeOf(got) != drop.CodeDrawOpen {
		t.Errorf("a pass that nothing is kept for: %v", got.Err)
	}
	if s := b.drop.Sizes[0].Stock; s.Available != 2 {
		t.Errorf("to draw for: %+v", s)
	}
}

// An operator is told which rule the terms break, and nothing changes.
func TestAccess_RefusesWrongTerms(t *testing.T) {
	b := newBook(soon(sized(3, "8", "9")))
	b.access(t, opened, drop.Access{}, code(1))
	long := strings.Repeat("n", drop.MaxAccessName+1)
	for what, c := range map[string]struct {
		drop.AddAccess

		field string
		code  drop.Code
	}{
		"no code":         {AddAccess: drop.AddAccess{Passes: []drop.Hash{}, Terms: drop.Access{Uses: 1}}, field: "codes"},
		"nobody":          {AddAccess: drop.AddAccess{Passes: []drop.Hash{}, Terms: drop.Access{Uses: 1, List: true}}, field: "list"},
		"too many":        {AddAccess: drop.AddAccess{Passes: make([]drop.Hash, drop.MaxNewPasses+1), Terms: drop.Access{Uses: 1}}, field: "codes"},
		"twice":           {AddAccess: drop.AddAccess{Passes: []drop.Hash{code(2), code(2)}, Terms: drop.Access{Uses: 1}}, field: "codes[1]"},
		"a code it has":   {AddAccess: drop.AddAccess{Passes: []drop.Hash{code(1)}, Terms: drop.Access{Uses: 1}}, field: "codes[0]"},
		"no uses":         {AddAccess: drop.AddAccess{Terms: drop.Access{}}, field: "uses"},
		"many uses":       {AddAccess: drop.AddAccess{Terms: drop.Access{Uses: drop.MaxUses + 1}}, field: "uses"},
		"per buyer":       {AddAccess: drop.AddAccess{Terms: drop.Access{Uses: 1, PerBuyer: -1}}, field: "per_buyer"},
		"ends before":     {AddAccess: drop.AddAccess{Terms: drop.Access{Uses: 1, Starts: opened + 9, Ends: opened + 9}}, field: "ends"},
		"is over":         {AddAccess: drop.AddAccess{Terms: drop.Access{Uses: 1, Ends: opened}}, field: "ends"},
		"starts late":     {AddAccess: drop.AddAccess{Terms: drop.Access{Uses: 1, Starts: opened + 10*minute}}, field: "ends"},
		"starts too soon": {AddAccess: drop.AddAccess{Terms: drop.Access{Uses: 1, Starts: -1}}, field: "starts"},
		"no units":        {AddAccess: drop.AddAccess{Terms: drop.Access{Uses: 1, Units: -1}}, field: "units"},
		"too many units":  {AddAccess: drop.AddAccess{Terms: drop.Access{Uses: 1, Units: 4}}, code: drop.CodeStockInUse},
		"no such size":    {AddAccess: drop.AddAccess{Terms: drop.Access{Uses: 1, Sizes: []int{2}}}, field: "sizes", code: drop.CodeSizeNotFound},
		"a long name":     {AddAccess: drop.AddAccess{Terms: drop.Access{Uses: 1, Name: long}}, field: "name"},
		"no access":       {AddAccess: drop.AddAccess{To: 2}, code: drop.CodeAccessNotFound},
		"another kind":    {AddAccess: drop.AddAccess{To: 1, Terms: drop.Access{List: true}}, field: "access"},
	} {
		if c.Passes == nil {
			c.Passes = []drop.Hash{code(5)}
		}
		before := b.drop.Version
		r := b.do(opened, c.AddAccess)
		if r.Err == nil || r.Err.Code != cmp.Or(c.code, drop.CodeInvalid) || r.Err.Field != c.field || b.drop.Version != before {
			t.Errorf("%s: %+v, want %s", what, r.Err, c.field)
		}
	}
	for range drop.MaxAccesses - 1 {
		b.do(opened, drop.AddAccess{Terms: drop.Access{Uses: 1, List: true}, Passes: []drop.Hash{drop.HashBuyer(1)}})
	}
	if r := b.do(opened, drop.AddAccess{Terms: drop.Access{Uses: 1}, Passes: []drop.Hash{code(6)}}); codeOf(r) != drop.CodeLimitReached {
		t.Errorf("one more than a drop can have: %v", r.Err)
	}
	if r := b.do(b.drop.StartTime, drop.AddAccess{To: 1, Passes: []drop.Hash{code(6)}}); codeOf(r) != drop.CodeFixed {
		t.Errorf("to one that is over: %v", r.Err)
	}
}

// Kept units are nobody's: price and start stay free until somebody has one.
func TestAccess_KeptUnitsFixNothing(t *testing.T) {
	b := newBook(soon(plain(3)))
	b.access(t, opened, drop.Access{Units: 2}, code(1))
	later := b.drop.StartTime + minute
	if r := b.do(opened, drop.Edit{StartTime: &later}); r.Err != nil || b.drop.KeptUntil() != later {
		t.Errorf("%v, kept until %v", r.Err, b.drop.KeptUntil())
	}
	b.early(opened, 1, "", show(1))
	if r := b.do(opened, drop.Edit{StartTime: &b.drop.CreatedAt}); codeOf(r) != drop.CodeFixed {
		t.Errorf("%v", r.Err)
	}
}

// Money that comes too late for a hold by a pass buys nothing before the start. Another buyer may have the pass by
// then.
func TestAccess_LateMoneyIsNoPass(t *testing.T) {
	b := newBook(soon(plain(2)))
	b.access(t, opened, drop.Access{}, code(1))
	held := b.early(opened, 1, "", show(1)).Reservation
	b.do(opened, drop.StartPayment{Reservation: held.ID, Payment: 1, Within: time.Minute, Hold: time.Minute})
	if got := b.early(opened+2*minute, 2, "", show(1)); got.Err != nil {
		t.Fatal(got.Err)
	}
	claim := drop.ClaimUnit{Reservation: held.ID, Payment: 1, User: 1, Within: time.Minute}
	if got := b.do(opened+2*minute, claim); codeOf(got) != drop.CodeOutOfStock {
		t.Errorf("before the start: %v", got.Err)
	}
	if got := b.do(b.drop.StartTime, claim); got.Err != nil {
		t.Errorf("after it: %v", got.Err)
	}
}

// The gate answers what the lane would, or leaves it to the lane.
func TestAccess_TheGateKnowsWhatOnlyABatchCanDecide(t *testing.T) {
	b := newBook(soon(plain(1)))
	gate := func(with *drop.Passes) drop.Code {
		if refusal := b.drop.RefuseReserve("", with, opened); refusal != nil {
			return refusal.Code
		}
		return ""
	}
	if got := gate(nil); got != drop.CodeNotStarted {
		t.Errorf("no early access: %q", got)
	}
	b.access(t, opened, drop.Access{}, code(1), code(2))
	if got := gate(nil); got != drop.CodeCodeRequired {
		t.Errorf("no code: %q", got)
	}
	if got := gate(show(9)); got != "" {
		t.Errorf("a code, which may be wrong: %q", got)
	}
	b.early(opened, 1, "", show(1))
	if got := gate(nil); got != drop.CodeNotStarted {
		t.Errorf("nothing is left: %q", got)
	}
	if got := gate(b.listed(1)); got != drop.CodeNotStarted {
		t.Errorf("on no list: %q", got)
	}
	b.do(opened, drop.Restock{Add: 1})
	b.access(t, opened, drop.Access{List: true, Units: 1}, drop.HashBuyer(1))
	if got := gate(b.listed(2)); got != "" {
		t.Errorf("a list, which may not name the buyer: %q", got)
	}
	held := b.early(opened, 1, "", b.listed(1)).Reservation
	if got := gate(b.listed(2)); got != drop.CodeNotStarted {
		t.Errorf("a list that keeps nothing now: %q", got)
	}
	b.do(opened, drop.Cancel{Reservation: held.ID})
	if got := gate(b.listed(2)); got != "" {
		t.Errorf("a list that keeps a unit again: %q", got)
	}
	b.do(opened, drop.Pause{})
	if got := gate(show(2)); got == "" {
		t.Error("in a pause a code does not help")
	}
}

// Codes count without their case, spaces and hyphens. The same code of two drops is stored in two ways.
func TestHashCode_ReadsWhatPeopleType(t *testing.T) {
	for _, typed := range []string{"ABCD-2345", "abcd 2345", " abcd2345 ", "a-b-c-d-2-3-4-5"} {
		if drop.HashCode(7, typed) != drop.HashCode(7, "ABCD2345") {
			t.Errorf("%q is another code", typed)
		}
		if err := drop.CheckCode("codes[0]", typed); err != nil {
			t.Error(err)
		}
	}
	if drop.HashCode(8, "ABCD2345") == drop.HashCode(7, "ABCD2345") {
		t.Error("two drops share a code")
	}
	for _, bad := range []string{"", "AB-12", strings.Repeat("A", drop.MaxCode+1), "ABCDÉF", "ABC_DEF"} {
		if drop.CheckCode("codes[0]", bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// What is stored is read back.
func TestAccess_Stored(t *testing.T) {
	all := []drop.Access{
		{Name: "Members", List: true, Emails: true, Sizes: []int{0, 2}, Starts: 1, Ends: 2, Uses: 3, PerBuyer: 4, Units: 5, Kept: []int64{5, 0, 1}, Passes: 6, Used: 7},
		{Starts: 1, Uses: 1},
	}
	back, err := drop.DecodeAccesses(drop.EncodeAccesses(all))
	if err != nil || drop.EncodeAccesses(back) != drop.EncodeAccesses(all) || len(back) != 2 || back[0].Kept[2] != 1 || back[0].Name != "Members" {
		t.Errorf("%+v, %v", back, err)
	}
	for _, damaged := range []string{"{", `{"a":1}`, "[" + strings.Repeat("{},", drop.MaxAccesses) + "{}]"} {
		if _, err := drop.DecodeAccesses(damaged); err == nil {
			t.Errorf("%.20s is read", damaged)
		}
	}
	id := drop.NewPassID(drop.MaxID, drop.MaxAccesses, drop.MaxPasses)
	if id.Drop() != drop.MaxID || id.Access() != drop.MaxAccesses || id.Number() != drop.MaxPasses || id > drop.MaxSafeInteger {
		t.Errorf("%d: %d, %d, %d", id, id.Drop(), id.Access(), id.Number())
	}
}
