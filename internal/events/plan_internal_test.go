package events

import (
	"fmt"
	"slices"
	"testing"

	"sneakerdrop/internal/drop"
)

// Which number an event has follows from the code. It must stay the same forever, because readers remember it.
func TestPlan_NumbersStay(t *testing.T) {
	batch := func(n byte) drop.BatchID { return drop.BatchID{n} }
	settings := drop.Settings{Name: "Comet", Price: 1}
	revision := func(version int64, seq drop.Seq, changed ...drop.Change) drop.Revision {
		return drop.Revision{Version: version, Seq: seq, At: 9, Settings: drop.EncodeSettings(&settings, changed)}
	}
	entries := []drop.LedgerEntry{
		{Seq: 1, Batch: batch(1), Version: 1, Size: "9", Reason: drop.Created, Units: 2},
		{Seq: 2, Batch: batch(1), Version: 1, Size: "10", Reason: drop.Created, Units: 1},
		{Seq: 3, Batch: batch(3), Version: 3, Size: "9", Reason: drop.Reserved, Units: 2, Numbers: drop.NumbersOf(1, 3)},
		{Seq: 4, Batch: batch(3), Version: 3, Size: "10", Reason: drop.Reserved, Units: 1, Numbers: drop.NumbersOf(2)},
		// In one batch: 1 expires, 2 is cancelled, 3 is bought; 4 is made and cancelled, 5 made and bought.
		{Seq: 5, Batch: batch(4), Version: 4, Size: "9", Reason: drop.ReservationExpired, Units: 1, Numbers: drop.NumbersOf(1)},
		{Seq: 6, Batch: batch(4), Version: 4, Size: "9", Reason: drop.ReservationCancelled, Units: 1, Numbers: drop.NumbersOf(4)},
		{Seq: 7, Batch: batch(4), Version: 4, Size: "9", Reason: drop.Restocked, Units: 4},
		{Seq: 8, Batch: batch(4), Version: 4, Size: "9", Reason: drop.Reserved, Units: 2, Numbers: drop.NumbersOf(4, 5)},
		{Seq: 9, Batch: batch(4), Version: 4, Size: "9", Reason: drop.Purchased, Units: 2, Numbers: drop.NumbersOf(1, 2)},
		{Seq: 10, Batch: batch(4), Version: 4, Size: "10", Reason: drop.ReservationCancelled, Units: 1, Numbers: drop.NumbersOf(2)},
		// An import makes up entries, which are no events.
		{Seq: 11, Batch: batch(6), Version: 6, Size: "9", Reason: drop.ReservationExpired, Units: 7},
	}
	revisions := []drop.Revision{
		revision(1, 2), revision(2, 2, drop.ChangedPaused), revision(4, 10, drop.ChangedName), revision(5, 10, drop.ChangedPrice),
	}
	want := []string{
		"1 v1 drop.created 0", "2 v2 drop.updated 0",
		"3 v3 hold.created 1", "4 v3 hold.created 3", "5 v3 hold.created 2", "6 v3 drop.sold_out 0",
		"7 v4 hold.expired 1", "8 v4 hold.cancelled 2", "9 v4 drop.updated 0", "10 v4 drop.updated 0", "11 v4 hold.created 4", "12 v4 hold.created 5",
		"13 v4 hold.cancelled 4", "14 v4 purchase.completed 1", "15 v4 purchase.completed 2", "16 v4 drop.back_in_stock 0",
		"17 v5 drop.updated 0",
	}
	checkPlan(t, entries, revisions, want)
}

// numbered is a ledger entry of the batch that made the version with that number, about those reservations or
// purchases.
func numbered(seq drop.Seq, batch byte, reason drop.Reason, numbers ...uint32) drop.LedgerEntry {
	e := counted(seq, batch, reason, int64(len(numbers)))
	e.Numbers = drop.NumbersOf(numbers...)
	return e
}

// counted is one about no reservation.
func counted(seq drop.Seq, batch byte, reason drop.Reason, units int64) drop.LedgerEntry {
	return drop.LedgerEntry{Seq: seq, Batch: drop.BatchID{batch}, Version: int64(batch), Reason: reason, Units: units}
}

// checkPlan plans all events, and those behind each of them.
func checkPlan(t *testing.T, entries []drop.LedgerEntry, revisions []drop.Revision, want []string) {
	t.Helper()
	plan := func(at Position) (got []string, ends []Position) {
		p := planner{at: at, older: func(*drop.LedgerEntry) drop.Numbers { panic("every entry has a version") }}
		for _, g := range groups(entries[at.Seq:], slices.DeleteFunc(slices.Clone(revisions), func(r drop.Revision) bool { return r.Version <= at.Version })) {
			p.add(g)
		}
		if p.err != nil {
			t.Fatal(p.err)
		}
		for i := range p.stubs {
			s := &p.stubs[i]
			got, ends = append(got, fmt.Sprintf("%d v%d %s %d", s.seq, s.version, s.kind, s.number)), append(ends, s.after)
		}
		return got, ends
	}
	got, ends := plan(Position{})
	if !slices.Equal(got, want) {
		t.Fatalf("got\n%q\nwant\n%q", got, want)
	}
	for i, at := range ends {
		if rest, _ := plan(at); !slices.Equal(rest, want[i+1:]) {
			t.Errorf("behind event %d:\n got %q\nwant %q", i+1, rest, want[i+1:])
		}
	}
}

// A payment that is begun is no event and takes no number. A unit that comes back is one; it brings the drop back in
// stock if it goes on sale, and not if it is written off.
func TestPlan_UnitsThatComeBack(t *testing.T) {
	created := drop.LedgerEntry{Seq: 1, Batch: drop.BatchID{1}, Version: 1, Reason: drop.Created, Units: 2}
	settings := drop.Settings{Name: "Comet", Price: 1}
	revisions := []drop.Revision{{Version: 1, Seq: 1, At: 9, Settings: drop.EncodeSettings(&settings, nil)}}
	checkPlan(t, []drop.LedgerEntry{
		created,
		numbered(2, 2, drop.Reserved, 1, 2),
		numbered(3, 3, drop.PaymentStarted, 1),
		numbered(4, 4, drop.PaymentStarted, 2), numbered(5, 4, drop.Purchased, 1),
		numbered(6, 5, drop.WrittenOff, 1),
		numbered(7, 6, drop.Purchased, 2),
		numbered(8, 7, drop.Returned, 2),
		numbered(9, 8, drop.Reserved, 3),
		numbered(10, 9, drop.Purchased, 3),
		numbered(11, 10, drop.Returned, 3), numbered(12, 10, drop.Reserved, 4), numbered(13, 10, drop.PaymentStarted, 4),
		numbered(14, 11, drop.Purchased, 4),
		numbered(15, 12, drop.PaymentStarted, 4), // the newest entry
	}, revisions, []string{
		"1 v1 drop.created 0", "2 v2 hold.created 1", "3 v2 hold.created 2", "4 v2 drop.sold_out 0",
		"5 v4 purchase.completed 1", "6 v5 purchase.returned 1", "7 v6 purchase.completed 2", "8 v7 purchase.returned 2", "9 v7 drop.back_in_stock 0",
		"10 v8 hold.created 3", "11 v8 drop.sold_out 0", "12 v9 purchase.completed 3", "13 v10 purchase.returned 3", "14 v10 hold.created 4",
		"15 v11 purchase.completed 4",
	})
}

// A unit that goes to the waitlist within a batch never brings the drop back in stock, and no event shows it on sale.
// One that is kept for a line is as good as sold. Each offer and each end of one is an event.
func TestPlan_OffersAreNeverOnSale(t *testing.T) {
	settings := drop.Settings{Name: "Comet", Price: 1}
	revisions := []drop.Revision{{Version: 1, Seq: 1, At: 9, Settings: drop.EncodeSettings(&settings, nil)}}
	entries := []drop.LedgerEntry{
		counted(1, 1, drop.Created, 1),
		numbered(2, 2, drop.Reserved, 1),
		numbered(3, 3, drop.ReservationCancelled, 1), numbered(4, 3, drop.WaitlistOffered, 2),
		numbered(5, 4, drop.OfferExpired, 2), numbered(6, 4, drop.WaitlistOffered, 3),
		counted(7, 5, drop.Restocked, 2), numbered(8, 5, drop.WaitlistOffered, 4), counted(9, 5, drop.WaitlistKept, 1),
		counted(10, 6, drop.WaitlistFreed, 1), numbered(11, 6, drop.WaitlistOffered, 5),
		// 6 is made and declined in one batch, and 7 gets the unit.
		numbered(12, 7, drop.OfferDeclined, 3, 6), numbered(13, 7, drop.WaitlistOffered, 6, 7), numbered(14, 7, drop.Purchased, 1),
		counted(15, 8, drop.WaitlistKept, 1), numbered(16, 8, drop.OfferExpired, 4),
		counted(17, 9, drop.WaitlistFreed, 1),
	}
	checkPlan(t, entries, revisions, []string{
		"1 v1 drop.created 0", "2 v2 hold.created 1", "3 v2 drop.sold_out 0",
		"4 v3 hold.cancelled 1", "5 v3 waitlist.offered 2",
		"6 v4 waitlist.offer_expired 2", "7 v4 waitlist.offered 3",
		"8 v5 drop.updated 0", "9 v5 waitlist.offered 4",
		"10 v6 waitlist.offered 5",
		"11 v7 waitlist.offer_declined 3", "12 v7 waitlist.offered 6", "13 v7 waitlist.offered 7", "14 v7 waitlist.offer_declined 6",
		"15 v7 purchase.completed 1", "16 v8 waitlist.offer_expired 4", "17 v9 drop.back_in_stock 0",
	})
	p := planner{}
	for _, g := range groups(entries, nil) {
		p.add(g)
	}
	for i := range p.stubs {
		if data, ok := p.stubs[i].data.(*StockData); ok && (data.Available > 0) != (p.stubs[i].kind == DropBackInStock) {
			t.Errorf("%s shows %d units on sale", p.stubs[i].kind, data.Available)
		}
	}
}

// Units that are kept for early access are not on sale. To keep them, and to free them, is no event of its own. A buyer
// who takes one, and one who gives it back, are told as everybody.
func TestPlan_KeptForEarlyAccess(t *testing.T) {
	settings := drop.Settings{Name: "Comet", Price: 1}
	revisions := []drop.Revision{{Version: 1, Seq: 1, At: 9, Settings: drop.EncodeSettings(&settings, nil)}}
	checkPlan(t, []drop.LedgerEntry{
		counted(1, 1, drop.Created, 3),
		counted(2, 2, drop.AccessKept, 2),
		counted(3, 3, drop.AccessFreed, 1), numbered(4, 3, drop.Reserved, 1),
		numbered(5, 4, drop.ReservationCancelled, 1), counted(6, 4, drop.AccessKept, 1),
		numbered(7, 5, drop.Reserved, 2),
		counted(8, 6, drop.AccessFreed, 2),
		counted(9, 7, drop.AccessKept, 2),
	}, revisions, []string{
		"1 v1 drop.created 0", "2 v3 hold.created 1", "3 v4 hold.cancelled 1", "4 v5 hold.created 2", "5 v5 drop.sold_out 0",
		"6 v6 drop.back_in_stock 0", "7 v7 drop.sold_out 0",
	})
}

// Offers are not movements: a shop may tell each buyer.
func TestMovement_OffersAreKept(t *testing.T) {
	for _, kind := range []Type{WaitlistOffered, WaitlistOfferExpired, WaitlistOfferDeclined} {
		if kind.Movement() || !kind.Known() || kind.sale() {
			t.Errorf("%s is a movement, unknown or a sale", kind)
		}
	}
}
