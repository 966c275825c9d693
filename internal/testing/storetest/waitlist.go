package storetest

import (
	"slices"
	"time"

	"sneakerdrop/internal/drop"
)

var waitlistTests = []test{
	{"Waitlist_IsReadInOrder", waitlistRead},
	{"Waitlist_IsOfferedByBatches", waitlistOffered},
	{"Waitlist_OfClosedLinesWaitsNoLonger", waitlistClosed},
	{"Waitlist_CountsWhatBuyersHave", waitlistLimits},
}

// soldOut creates a drop with a waitlist whose only unit of each size is held for a minute.
func (f *fixture) soldOut(spec drop.Spec) (drop.ID, []drop.Reservation) {
	f.Helper()
	spec.Waitlist = true
	id := f.create(spec)
	var held []drop.Reservation
	for _, size := range f.snapshot(id).Drop.Sizes {
		held = append(held, f.reserve(id, base, drop.Reserve{User: 1, Size: size.Label, Hold: time.Minute}))
	}
	return id, held
}

// join lets a buyer wait.
func (f *fixture) join(id drop.ID, user drop.UserID, size string) drop.Entry {
	f.Helper()
	r := f.run(id, base, drop.Join{User: user, Size: size})[0]
	if r.Err != nil || r.Entry == nil || r.Entry.Status != drop.Waiting {
		f.Fatalf("join: %+v", r)
	}
	return *r.Entry
}

func (f *fixture) entry(id drop.EntryID) drop.Entry {
	f.Helper()
	e, found, err := f.Entry(f.ctx, id)
	if err != nil || !found {
		f.Fatalf("Entry(%d): %t, %v", id, found, err)
	}
	return e
}

func waitlistRead(f *fixture) {
	id, _ := f.soldOut(sized(1, "8", "9"))
	other, _ := f.soldOut(plain(1))
	f.join(other, 5, "a note")
	a, b, c, d := f.join(id, 5, "8"), f.join(id, 6, "9"), f.join(id, 6, "8"), f.join(id, 7, "8")
	equal(f, "joined again", f.join(id, 6, "8"), c)
	for _, want := range []drop.Entry{a, b, c, d} {
		equal(f, "Entry", f.entry(want.ID), want)
	}
	if _, found, err := f.Entry(f.ctx, drop.NewEntryID(id, 99)); err != nil || found {
		f.Errorf("an entry that does not exist: %t, %v", found, err)
	}
	if _, found, err := f.Entry(f.ctx, drop.NewEntryID(drop.MaxID, 1)); err != nil || found {
		f.Errorf("an entry of no drop: %t, %v", found, err)
	}
	before := func(want ...int64) {
		f.Helper()
		var got []int64
		for _, e := range []drop.Entry{a, b, c, d} {
			n, err := f.WaitingBefore(f.ctx, &e)
			if err != nil {
				f.Fatalf("WaitingBefore: %v", err)
			}
			got = append(got, n)
		}
		equal(f, "WaitingBefore", got, want)
	}
	before(0, 0, 1, 2)
	line := func(after drop.EntryID, limit int, want ...drop.Entry) {
		f.Helper()
		got, err := f.Line(f.ctx, id, after, limit)
		if err != nil {
			f.Fatalf("Line: %v", err)
		}
		equal(f, "Line", got, want)
	}
	line(0, 10, a, b, c, d)
	line(a.ID, 2, b, c)
	mine, err := f.EntriesOf(f.ctx, id, 6)
	if err != nil {
		f.Fatal(err)
	}
	slices.SortFunc(mine, func(x, y drop.Entry) int { return int(x.ID - y.ID) })
	equal(f, "EntriesOf", mine, []drop.Entry{b, c})

	left := f.run(id, base+5, drop.Leave{Entry: a.ID, Owner: 6}, drop.Leave{Entry: a.ID, Owner: 5})
	if left[0].Err == nil || left[0].Err.Code != drop.CodeEntryNotFound || left[1].Err != nil {
		f.Fatalf("leave: %+v", left)
	}
	a.Status, a.EndedAt = drop.Left, base+5
	equal(f, "left", *left[1].Entry, a)
	equal(f, "left", f.entry(a.ID), a)
	before(0, 0, 0, 1)
	equal(f, "ReadBooks", f.books(id).waits, []drop.Entry{a, b, c, d})
	if again := f.join(id, 5, "8"); again.ID <= d.ID {
		f.Errorf("joined again: %+v", again)
	}
	for _, err := range []error{second(f.Line(f.ctx, drop.MaxID, 0, 1)), second(f.EntriesOf(f.ctx, drop.MaxID, 1))} {
		if drop.CodeOf(err) != drop.CodeDropNotFound {
			f.Errorf("of no drop: %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// More wait than one batch offers units to. No batch leaves one on sale.
func waitlistOffered(f *fixture) {
	const most = drop.MaxOffersPerBatch / 2 // of each line
	const n = 2*most + 50
	id, _ := f.soldOut(sized(1, "8", "9"))
	joins := make([]drop.Command, n)
	for i := range joins {
		joins[i] = drop.Join{User: drop.UserID(i + 10), Size: "9"}
	}
	for _, r := range f.run(id, base, joins...) {
		if r.Err != nil {
			f.Fatalf("join: %v", r.Err)
		}
	}
	first := f.join(id, 3, "8")
	offered := 0
	restock := drop.Command(drop.Restock{Add: n - 1, Size: "9"})
	for range 4 {
		f.run(id, base+1, restock)
		restock = drop.Expire{}
		size := f.snapshot(id).Drop.Sizes[1]
		line, err := f.Line(f.ctx, id, 0, 2*n)
		if err != nil {
			f.Fatal(err)
		}
		was := offered
		offered = 0
		for i, e := range line {
			switch {
			case e.ID == first.ID:
			case e.Status == drop.Offered && i == offered && e.EndedAt == base+1:
				offered++
			case e.Status != drop.Waiting:
				f.Fatalf("entry %d, after %d offers: %+v", i, offered, e)
			}
		}
		left := int64(n - offered)
		if offered-was > most || size.Stock.Available != 0 || size.Waiting != left || size.Pending != max(0, left-1) {
			f.Fatalf("a batch offered %d, and then: %+v", offered-was, size)
		}
	}
	if offered != n-1 {
		f.Errorf("%d were offered one", offered)
	}
	var offers []drop.Reservation
	for _, r := range f.books(id).reservations {
		if r.Offer {
			offers = append(offers, r)
		}
	}
	if len(offers) != n-1 || offers[0].UserID != 10 || offers[0].Size != "9" || offers[0].ExpiresAt != base+1+600_000 {
		f.Errorf("%d offers: %+v", len(offers), offers[:min(1, len(offers))])
	}
	if mine := f.reservations(10); len(mine) != 1 || mine[0].ID != offers[0].ID || !mine[0].Offer {
		f.Errorf("the buyer's: %+v", mine)
	}
	newest, err := f.NewestOfLine(f.ctx, id, 1, drop.Offered, 2)
	if err != nil || len(newest) != 2 || newest[0].Offer != offers[n-2].ID || newest[1].Offer != offers[n-3].ID {
		f.Errorf("the newest that were offered a unit: %+v, %v", newest, err)
	}
	if none, err := f.NewestOfLine(f.ctx, id, 1, drop.Skipped, 2); err != nil || len(none) > 0 {
		f.Errorf("nobody was skipped, but there are %+v, %v", none, err)
	}
	if none, err := f.NewestOfLine(f.ctx, id, 0, drop.Offered, 2); err != nil || len(none) > 0 {
		f.Errorf("nobody in the other line was offered a unit, but there are %+v, %v", none, err)
	}
	if _, err := f.NewestOfLine(f.ctx, drop.MaxID, 0, drop.Offered, 1); drop.CodeOf(err) != drop.CodeDropNotFound {
		f.Errorf("of no drop: %v", err)
	}
	// An offer that ends goes to the next in line, like any unit.
	ends := base + 1 + 600_000
	last := f.run(id, ends, drop.Expire{}, drop.Leave{Entry: first.ID})
	if last[1].Err == nil || last[1].Err.Code != drop.CodeOffered {
		f.Errorf("who waited for the other size was offered it long ago: %+v", last[1])
	}
	entry := f.entry(drop.NewEntryID(id, n))
	if entry.Status != drop.Offered || entry.EndedAt != ends {
		f.Errorf("the last in line: %+v", entry)
	}
}

func waitlistClosed(f *fixture) {
	id, held := f.soldOut(plain(1))
	old := make([]drop.Command, drop.MaxOffersPerBatch+5)
	for i := range old {
		old[i] = drop.Join{User: drop.UserID(i + 10)}
	}
	f.run(id, base, old...)
	off, on := false, true
	f.run(id, base, drop.Edit{Waitlist: &off})
	if r := f.run(id, base, drop.Join{User: 10})[0]; r.Err == nil || r.Err.Code != drop.CodeNoWaitlist {
		f.Errorf("joined no waitlist: %+v", r)
	}
	f.run(id, base, drop.Edit{Waitlist: &on})
	e := f.join(id, 12, "")
	if was := f.entry(drop.NewEntryID(id, 3)); was.Status != drop.Closed || was.UserID != 12 || e.ID == was.ID {
		f.Errorf("%+v, and then %+v", was, e)
	}
	if n, err := f.WaitingBefore(f.ctx, &e); err != nil || n != 0 {
		f.Errorf("%d wait before it, %v", n, err)
	}
	f.run(id, base+1, drop.Cancel{Reservation: held[0].ID})
	if now := f.entry(e.ID); now.Status != drop.Offered {
		f.Errorf("the only one who waits: %+v", now)
	}
	if h := f.load(id, drop.Need{}); h.LineClosed != uint32(len(old)) || h.Waited != uint32(len(old))+1 {
		f.Errorf("%+v", h)
	}
}

// Who has reached the limit is skipped, and offers count as unpaid holds only if the drop says so.
func waitlistLimits(f *fixture) {
	for _, counts := range []bool{false, true} {
		spec := limited(sized(1, "8", "9"), 1)
		spec.LimitPerUser, spec.MaxExpiredHolds, spec.OffersCount, spec.OfferFor = 2, 1, counts, 10
		id, held := f.soldOut(spec) // the holder of both has reached the limit of two
		restock := f.run(id, base, drop.Restock{Add: 2, Size: "8"})
		if restock[0].Err != nil {
			f.Fatal(restock[0].Err)
		}
		f.reserve(id, base, drop.Reserve{User: 2, Size: "8", Hold: time.Hour})
		f.reserve(id, base, drop.Reserve{User: 3, Size: "8", Hold: time.Hour})
		two, three := f.join(id, 2, "8"), f.join(id, 3, "8")
		four := f.join(id, 4, "8")
		f.run(id, base, drop.Restock{Add: 1, Size: "9"})
		f.reserve(id, base, drop.Reserve{User: 2, Size: "9", Hold: time.Hour}) // now at the limit
		f.run(id, base+1, drop.Cancel{Reservation: held[0].ID})
		if e := f.entry(two.ID); e.Status != drop.Skipped || e.Why != drop.CodeLimitReached {
			f.Errorf("at the limit: %+v", e)
		}
		if e := f.entry(three.ID); e.Status != drop.Offered {
			f.Errorf("the next in line: %+v", e)
		}
		f.run(id, base+1+10_000, drop.Expire{}) // the offer ends, and the next one has it
		if e := f.entry(four.ID); e.Status != drop.Offered {
			f.Errorf("after an offer that ended: %+v", e)
		}
		h := slices.DeleteFunc(f.reservations(3), func(r drop.Reservation) bool { return r.ID.Drop() != id })
		if len(h) != 2 || !slices.ContainsFunc(h, func(r drop.Reservation) bool { return r.Offer && r.Status == drop.Expired }) {
			f.Errorf("the buyer's: %+v", h)
		}
		f.run(id, base+1+20_000, drop.Expire{})
		r := f.run(id, base+1+20_000, drop.Reserve{User: 3, Size: "8", Hold: time.Minute})[0]
		if cools := r.Err != nil && r.Err.Code == drop.CodeCooldown; cools != counts || !counts && r.Err != nil {
			f.Errorf("offers count: %t, and the buyer: %+v", counts, r)
		}
	}
}
