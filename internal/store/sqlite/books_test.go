package sqlite

import (
	"context"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// counting returns books that count the rows they receive.
func counting(head **drop.State, entries, reservations, purchases *int) store.Books {
	return store.Books{
		Head:        func(s *drop.State) error { *head = s; return nil },
		Entry:       func(drop.LedgerEntry) error { *entries++; return nil },
		Reservation: func(drop.Reservation) error { *reservations++; return nil },
		Purchase:    func(drop.Purchase) error { *purchases++; return nil },
	}
}

// The audit uses this: another process reads while the server sells.
func TestReadBooks_ReadOnlyBesideTheServer(t *testing.T) {
	s := openNew(t, Options{})
	id := newDrop(t, s, drop.MaxStock)
	reader := openAt(t, s.path, Options{ReadOnly: true})
	for range 10 {
		var entries, reservations, purchases int
		var head *drop.State
		b := counting(&head, &entries, &reservations, &purchases)
		see := b.Head
		b.Head = func(state *drop.State) error { // sales after this point are not in these books
			made := reserve(t, s, id, 1, 2, 3)
			if _, err := apply(t, s, id, drop.MakePurchase{Reservation: made[0].ID}); err != nil {
				t.Error(err)
			}
			return see(state)
		}
		if err := reader.ReadBooks(t.Context(), id, b); err != nil {
			t.Fatal(err)
		}
		if entries != int(head.Seq) || reservations != int(head.Reserved) || purchases != int(head.Purchased) {
			t.Fatalf("%d entries, %d reservations, %d purchases beside the head %+v", entries, reservations, purchases, head)
		}
	}
}

func TestReadBooks_WithoutSizes(t *testing.T) {
	s := openNew(t, Options{})
	id := newDrop(t, s, 1)
	direct(t, s, "DELETE FROM sizes")
	var entries, reservations, purchases int
	var head *drop.State
	if err := s.ReadBooks(t.Context(), id, counting(&head, &entries, &reservations, &purchases)); err != nil {
		t.Fatal(err)
	}
	if head.ID != id || len(head.Sizes) != 0 || entries != 1 {
		t.Errorf("head %+v, %d entries", head, entries)
	}
	if _, err := s.Drop(t.Context(), id); store.ClassOf(err) != store.ClassFault || err == nil {
		t.Errorf("Drop: %v, want a fault", err)
	}
}

func TestReadBooks_EndsWithItsContext(t *testing.T) {
	s := openNew(t, Options{})
	id := newDrop(t, s, 10)
	reserve(t, s, id, 1, 2, 3)
	ctx, cancel := context.WithCancel(t.Context())
	var entries, reservations, purchases int
	var head *drop.State
	b := counting(&head, &entries, &reservations, &purchases)
	count := b.Reservation
	b.Reservation = func(r drop.Reservation) error {
		cancel()
		return count(r)
	}
	if err := s.ReadBooks(ctx, id, b); store.ClassOf(err) != store.ClassUnavailable || err == nil || reservations != 1 {
		t.Errorf("ReadBooks: %v after %d reservations, want unavailable after 1", err, reservations)
	}
	for range readers + 1 { // the connection still works
		if err := s.ReadBooks(t.Context(), id, counting(&head, &entries, &reservations, &purchases)); err != nil {
			t.Error(err)
		}
	}
}

// Damaged early access lets nobody in. The drop sells to everybody from its start on, as do the others.
func TestDrop_WithDamagedAccess(t *testing.T) {
	s := openNew(t, Options{})
	id := newDrop(t, s, 9)
	if _, err := apply(t, s, id, drop.AddAccess{
		Terms: drop.Access{Uses: 9, Units: 2, Ends: drop.TimeOf(time.Now().Add(time.Hour))}, Passes: []drop.Hash{{1}},
	}); err != nil {
		t.Fatal(err)
	}
	for _, damage := range []string{"{", "[1]", `[{"starts":"x"}]`, `[{"starts":1,"uses":1.5}]`, "[" + strings.Repeat("{},", drop.MaxAccesses) + "{}]"} {
		direct(t, s, "UPDATE drops SET access = '"+damage+"'")
		list, err := s.Drops(t.Context())
		if err != nil || len(list) != 1 {
			t.Fatalf("%s: %v", damage, err)
		}
		d := list[0].Drop
		if x := d.Access(1); len(d.Accesses) != 1 || d.End(x) != 1 || d.MayAdmit(x, 1) || d.KeptUntil() != 0 {
			t.Errorf("%s: %+v", damage, d.Accesses)
		}
		shown := drop.Reserve{User: 1, Hold: time.Minute, With: &drop.Passes{Code: drop.Hash{1}}}
		results, err := apply(t, s, id, shown)
		if err != nil || results[0].Err != nil || results[0].Reservation.Pass != 0 {
			t.Errorf("%s: %+v, %v", damage, results, err)
		}
		added, err := apply(t, s, id, drop.AddAccess{To: 1, Passes: []drop.Hash{{2}}})
		if err != nil || added[0].Err == nil || added[0].Err.Code != drop.CodeFixed {
			t.Errorf("%s: %+v, %v", damage, added, err)
		}
	}
}
