package stores

import (
	"context"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Books is everything that a store has about one drop.
type Books struct {
	State        drop.State
	Ledger       []drop.LedgerEntry
	Reservations []drop.Reservation
	Purchases    []drop.Purchase
	Entries      []drop.Entry
	DrawEntries  []drop.DrawEntry
	Passes       []drop.Pass
}

// ReadBooks reads everything that a store has about one drop.
func ReadBooks(ctx context.Context, s store.Records, id drop.ID) (b Books, err error) {
	err = s.ReadBooks(ctx, id, store.Books{
		Head:        func(head *drop.State) error { b.State = *head; return nil },
		Entry:       func(e drop.LedgerEntry) error { b.Ledger = append(b.Ledger, e); return nil },
		Reservation: func(r drop.Reservation) error { b.Reservations = append(b.Reservations, r); return nil },
		Purchase:    func(p drop.Purchase) error { b.Purchases = append(b.Purchases, p); return nil },
		Waits:       func(e drop.Entry) error { b.Entries = append(b.Entries, e); return nil },
		DrawEntry:   func(e drop.DrawEntry) error { b.DrawEntries = append(b.DrawEntries, e); return nil },
		Pass:        func(p drop.Pass) error { b.Passes = append(b.Passes, p); return nil },
	})
	return b, err
}
