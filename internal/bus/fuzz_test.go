package bus

import (
	"reflect"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

// seeds are messages that servers send, and some that they do not.
func seeds(f *testing.F) {
	f.Helper()
	view := engine.NewView(drop.Drop{
		ID:        7,
		Version:   3,
		CreatedAt: 1,
		Sizes:     []drop.Size{{Label: "9", Stock: drop.Stock{Total: 3, Available: 1, Held: 1, Sold: 1}}, {Label: "10"}},
		Settings:  drop.Settings{Name: "Air Zenith 1", Price: 12995, StartTime: 1},
	}, []drop.Recent{{ID: drop.NewPurchaseID(7, 1), Username: "ann", PublicName: "Ann S.", CreatedAt: 1}}, 1, 1)
	bought := drop.Purchase{ID: drop.NewPurchaseID(7, 1), ReservationID: drop.NewReservationID(7, 1), UserID: 5, Size: "9", Price: 12995, CreatedAt: 1}
	state, err := encodeState(view, &drop.LedgerEntry{Seq: 2, At: 1, Size: "9", Reason: drop.Reserved, Units: 1, Available: 1}, &bought)
	if err != nil {
		f.Fatal(err)
	}
	own, err := encodeOwned([]drop.Reservation{{ID: drop.NewReservationID(7, 1), UserID: 5, Status: drop.Completed, ExpiresAt: 2}}, []drop.Purchase{bought})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	f.Add(own)
	view.Drop.Price = drop.MoneyOf(1_199_950)
	fine, err := encodeState(view, nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(fine)
	for _, text := range []string{
		``, `null`, `[]`, `{}`, `{"format":2}`, `{"format":"1"}`, `{"format":1,"id":7}`, `{"format":1e0,"id":2097152,"version":1,"sizes":[{}]}`,
		`{"format":1,"id":1,"version":9223372036854775807,"name":"\u0000","sizes":[{"total":-1,"available":-1}]}`,
		`{"format":1,"id":1,"version":1,"sizes":[{}],"recent":[{"id":4294967297,"name":"ann","public":"\n","at":1}]}`,
		`{"format":1,"id":1,"version":1,"sizes":[{"label":"\"}\u0000"}]}`,
		`{"format":1,"id":1,"version":1,"sizes":[{"total":9223372036854775807,"available":9223372036854775807,"held":9223372036854775807,"sold":9223372036854775807}]}`,
		`{"format":1,"reservations":[{"id":-1,"status":9}],"purchases":[{"id":0}]}`, `{"format":1,"reservations":[null]}`,
	} {
		f.Add([]byte(text))
	}
}

// FuzzState: a message under a shop's subject is either refused, or decoded to a state that can be shown and is
// encoded again in the same way.
func FuzzState(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		ev, err := decodeState(data)
		if err != nil {
			return
		}
		d := &ev.View.Drop
		if stock := d.Stock(); !stock.Balanced() || d.ID < 1 || d.Version < 1 || len(d.Sizes) == 0 {
			t.Fatalf("%q is taken for %+v", data, d)
		}
		_, _ = d.StartTime.String(), d.CreatedAt.String()
		var moved *drop.LedgerEntry
		var bought *drop.Purchase
		if len(ev.Ledger) > 0 {
			moved = &ev.Ledger[0]
		}
		if len(ev.Purchases) > 0 {
			bought = &ev.Purchases[0]
		}
		again, err := encodeState(ev.View, moved, bought)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeState(again)
		if err != nil || !reflect.DeepEqual(back, ev) {
			t.Fatalf("%q\nis read as %+v\nand said as %q: %v", data, ev, again, err)
		}
	})
}

// FuzzOwned: the same for news about single buyers.
func FuzzOwned(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		ev, err := decodeOwned(data)
		if err != nil {
			return
		}
		var reservations []drop.Reservation
		for _, changed := range [][]*drop.Reservation{ev.Made, ev.Ended} {
			for _, r := range changed {
				if r.ID.Drop() < 1 || r.UserID < 1 || r.Status < drop.Active || r.Status > drop.Cancelled {
					t.Fatalf("%q is taken for %+v", data, r)
				}
				reservations = append(reservations, *r)
			}
		}
		again, err := encodeOwned(reservations, ev.Purchases)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decodeOwned(again); err != nil || !reflect.DeepEqual(back, ev) {
			t.Fatalf("%q\nis read as %+v\nand said as %q: %v", data, ev, again, err)
		}
	})
}
