package drop_test

import (
	"testing"

	"sneakerdrop/internal/drop"
)

// known are the reasons that clients of the original know.
var known = map[drop.Reason]bool{
	drop.Created: true, drop.Restocked: true, drop.Reserved: true, drop.ReservationExpired: true, drop.ReservationCancelled: true,
}

// Each reason is told as one that every client knows, and as one that moves the available units in the same direction.
func TestShown_IsKnownToEveryClient(t *testing.T) {
	for _, r := range []drop.Reason{
		drop.Created, drop.Restocked, drop.Reserved, drop.ReservationExpired, drop.ReservationCancelled, drop.Purchased, drop.PaymentStarted,
		drop.MoneyRefunded, drop.Returned, drop.WrittenOff, drop.WaitlistOffered, drop.OfferExpired, drop.OfferDeclined, drop.WaitlistKept,
		drop.WaitlistFreed,
	} {
		var moved, shown drop.Stock
		if err := moved.Post(r, 1); err != nil {
			t.Fatal(err)
		}
		as := r.Shown()
		if as == "" {
			if moved.Available != 0 || moved.Total != 0 {
				t.Errorf("%q moves %+v and is not told", r, moved)
			}
			continue
		}
		if err := shown.Post(as, 1); err != nil || !known[as] {
			t.Errorf("%q is told as %q (%v)", r, as, err)
		}
		if r != drop.WrittenOff && moved.Available != shown.Available {
			t.Errorf("%q moves %+v and is told as %q", r, moved, as)
		}
	}
}

func TestLastShown_LeavesOutUnitsThatGoToAWaitlist(t *testing.T) {
	entry := func(size string, r drop.Reason, units int64) drop.LedgerEntry {
		return drop.LedgerEntry{Size: size, Reason: r, Units: units}
	}
	for _, test := range []struct {
		name  string
		batch []drop.LedgerEntry
		want  drop.Reason // of the entry; empty: none
	}{
		{"nothing", nil, ""},
		{"reserved", []drop.LedgerEntry{entry("", drop.Reserved, 1)}, drop.Reserved},
		{"expired, offered", []drop.LedgerEntry{entry("", drop.ReservationExpired, 1), entry("", drop.WaitlistOffered, 1)}, ""},
		{"declined, kept", []drop.LedgerEntry{entry("", drop.OfferDeclined, 2), entry("", drop.WaitlistKept, 2)}, ""},
		{"kept before, offered", []drop.LedgerEntry{entry("", drop.WaitlistFreed, 3), entry("", drop.WaitlistOffered, 3)}, ""},
		{"one of two expired is offered", []drop.LedgerEntry{entry("", drop.OfferExpired, 2), entry("", drop.WaitlistOffered, 1)}, drop.WaitlistOffered},
		{
			"restocked, offered: the total changed",
			[]drop.LedgerEntry{entry("", drop.Restocked, 1), entry("", drop.WaitlistOffered, 1)},
			drop.WaitlistOffered,
		},
		{
			"another size", []drop.LedgerEntry{
				entry("9", drop.ReservationCancelled, 1), entry("10", drop.OfferExpired, 1), entry("10", drop.WaitlistOffered, 1),
			}, drop.ReservationCancelled,
		},
		{"purchased", []drop.LedgerEntry{entry("9", drop.Reserved, 1), entry("10", drop.Purchased, 1)}, drop.Reserved},
		{"a reason of a newer program", []drop.LedgerEntry{entry("", "lent", 1)}, ""},
	} {
		var got drop.Reason
		if e := drop.LastShown(test.batch); e != nil {
			got = e.Reason
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
