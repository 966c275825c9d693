package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// read runs f on one drop as committed at one moment.
func (s *Store) read(ctx context.Context, op string, id drop.ID, f func(*row)) error {
	if err := s.begin(ctx, fmt.Sprintf(op, id)); err != nil {
		return err
	}
	defer s.calls.Done()
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.drops[id]
	if r == nil {
		return drop.Refuse(drop.CodeDropNotFound)
	}
	f(r)
	return nil
}

// Purchases implements store.Store.
func (s *Store) Purchases(ctx context.Context, id drop.ID, after drop.PurchaseID, limit int) ([]store.Sale, error) {
	var page []store.Sale
	err := s.read(ctx, "read the purchases of drop %d", id, func(r *row) {
		for _, p := range pageOf(r.purchases, after, limit) {
			page = append(page, s.sale(p))
		}
	})
	return page, err
}

// NewestPurchases implements store.Store.
func (s *Store) NewestPurchases(ctx context.Context, id drop.ID, before drop.PurchaseID, limit int) ([]store.Sale, error) {
	var page []store.Sale
	err := s.read(ctx, "read the newest purchases of drop %d", id, func(r *row) {
		at := drop.NewPurchaseID(id, r.purchased)
		if before > 0 {
			at = min(at, before-1)
		}
		for ; at > drop.NewPurchaseID(id, 0) && len(page) < limit; at-- {
			if p, there := r.purchases[at]; there {
				page = append(page, s.sale(p))
			}
		}
	})
	return page, err
}

func (s *Store) sale(p drop.Purchase) store.Sale {
	buyer := s.users.called(p.UserID)
	return store.Sale{Purchase: p, Username: buyer.Username, Email: buyer.Email}
}

// Ledger implements store.Store.
func (s *Store) Ledger(ctx context.Context, id drop.ID, after drop.Seq, limit int) ([]drop.LedgerEntry, error) {
	var page []drop.LedgerEntry
	err := s.read(ctx, "read the ledger of drop %d", id, func(r *row) { page = pageOf(r.ledger, after, limit) })
	return page, err
}

// pageOf returns the rows of the lowest numbers above after.
func pageOf[K cmp.Ordered, V any](rows map[K]V, after K, limit int) []V {
	var ids []K
	for id := range rows {
		if id > after {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return pick(rows, ids[:max(0, min(limit, len(ids)))])
}

func ascending[K cmp.Ordered, V any](rows map[K]V) []V {
	return pick(rows, slices.Sorted(maps.Keys(rows)))
}

func pick[K cmp.Ordered, V any](rows map[K]V, ids []K) []V {
	var list []V
	for _, id := range ids {
		list = append(list, rows[id])
	}
	return list
}

// Rows is all that is recorded of one drop, for Damage.
type Rows struct {
	Head         *drop.State
	Ledger       []drop.LedgerEntry
	Reservations []drop.Reservation
	Purchases    []drop.Purchase
}

func (r *row) rows() *Rows {
	if r.damaged != nil {
		return r.damaged.clone()
	}
	return &Rows{
		Head: r.state(), Ledger: ascending(r.ledger), Reservations: ascending(r.reservations), Purchases: ascending(r.purchases),
	}
}

func (r *Rows) clone() *Rows {
	head := *r.Head
	head.Drop = clone(head.Drop)
	return &Rows{&head, slices.Clone(r.Ledger), slices.Clone(r.Reservations), slices.Clone(r.Purchases)}
}

// Damage is for the tests of an audit: from now on ReadBooks gives the drop's rows as f leaves them, in f's order and
// whatever no constraint would let pass. Nothing else sees them, and what batches do later does not show in them.
func (s *Store) Damage(id drop.ID, f func(*Rows)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := s.drops[id].rows()
	f(rows)
	s.drops[id].damaged = rows
}

// ReadBooks implements store.Store. It copies the rows first, so that b may take its time.
func (s *Store) ReadBooks(ctx context.Context, id drop.ID, b store.Books) error {
	var rows *Rows
	if err := s.read(ctx, "read the books of drop %d", id, func(r *row) { rows = r.rows() }); err != nil {
		return err
	}
	if err := b.Head(rows.Head); err != nil {
		return err
	}
	if err := each(rows.Ledger, b.Entry); err != nil {
		return err
	}
	if err := each(rows.Reservations, b.Reservation); err != nil {
		return err
	}
	return each(rows.Purchases, b.Purchase)
}

func each[T any](rows []T, f func(T) error) error {
	for _, one := range rows {
		if err := f(one); err != nil {
			return err
		}
	}
	return nil
}
