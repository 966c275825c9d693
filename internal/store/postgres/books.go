package postgres

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Purchases implements store.Store.
func (s *Store) Purchases(ctx context.Context, id drop.ID, after drop.PurchaseID, limit int) ([]store.Sale, error) {
	return s.sales(ctx, purchasesSales, id, after, limit)
}

// NewestPurchases implements store.Store.
func (s *Store) NewestPurchases(ctx context.Context, id drop.ID, before drop.PurchaseID, limit int) ([]store.Sale, error) {
	if before <= 0 {
		before = drop.PurchaseID(math.MaxInt64)
	}
	return s.sales(ctx, newestPurchasesSales, id, before, limit)
}

func (s *Store) sales(ctx context.Context, sql string, id drop.ID, from drop.PurchaseID, limit int) ([]store.Sale, error) {
	var list []store.Sale
	err := s.page(ctx, fmt.Sprintf("read the purchases of drop %d", id), id, func(b *pgx.Batch) {
		b.Queue(sql, int64(id), int64(from), int64(max(limit, 0))).Query(func(rows pgx.Rows) error {
			var p store.Sale
			_, err := pgx.ForEachRow(rows, []any{
				&p.ID, &p.ReservationID, &p.UserID, &p.Size, &p.Price, &p.CreatedAt, &p.Username, &p.Email,
			}, func() error {
				sale := p
				sale.Username = known(p.Username)
				list = append(list, sale)
				return nil
			})
			return err
		})
	})
	return list, err
}

// Ledger implements store.Store.
func (s *Store) Ledger(ctx context.Context, id drop.ID, after drop.Seq, limit int) ([]drop.LedgerEntry, error) {
	var list []drop.LedgerEntry
	err := s.page(ctx, fmt.Sprintf("read the ledger of drop %d", id), id, func(b *pgx.Batch) {
		b.Queue(ledgerEntries, int64(id), int64(after), int64(max(limit, 0))).Query(eachEntry(func(e drop.LedgerEntry) error {
			list = append(list, e)
			return nil
		}))
	})
	return list, err
}

// page reads rows of a drop, which must be there.
func (s *Store) page(ctx context.Context, op string, id drop.ID, queue func(*pgx.Batch)) error {
	var found bool
	err := s.read(ctx, op, func(b *pgx.Batch) {
		b.Queue(purchasesDrop, int64(id)).QueryRow(func(row pgx.Row) error { return row.Scan(&found) })
		queue(b)
	})
	if err == nil && !found {
		return drop.Refuse(drop.CodeDropNotFound)
	}
	return err
}

func eachEntry(use func(drop.LedgerEntry) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var e drop.LedgerEntry
		_, err := pgx.ForEachRow(rows, []any{
			&e.Seq, (*[16]byte)(&e.Batch), &e.At, &e.Size, &e.Reason, &e.Units, &e.Available,
		}, func() error { return use(e) })
		return err
	}
}

// ReadBooks implements store.Store. All is asked for at once and b gets the rows as they arrive; the server goes no
// faster than b.
func (s *Store) ReadBooks(ctx context.Context, id drop.ID, b store.Books) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// What b refuses ends the whole: the connection is given up rather than drained of a million rows.
	var refused error
	end := func(err error) error {
		if err != nil {
			refused = err
			cancel()
		}
		return err
	}
	l := &loader{state: drop.State{Drop: drop.Drop{ID: id}}}
	err := s.read(ctx, fmt.Sprintf("read the books of drop %d", id), func(q *pgx.Batch) {
		q.Queue(readBooksDrop, int64(id)).Query(l.drop)
		q.Queue(readBooksSizes, int64(id)).Query(func(rows pgx.Rows) error {
			if err := l.sizes(rows); err != nil {
				return err
			}
			if !l.found {
				return end(drop.Refuse(drop.CodeDropNotFound))
			}
			return end(b.Head(&l.state))
		})
		q.Queue(readBooksLedger, int64(id)).Query(eachEntry(func(e drop.LedgerEntry) error { return end(b.Entry(e)) }))
		q.Queue(readBooksReservations, int64(id)).Query(func(rows pgx.Rows) error {
			var r drop.Reservation
			_, err := pgx.ForEachRow(rows, []any{
				&r.ID, &r.UserID, &r.Size, &r.Status, &r.CreatedAt, &r.ExpiresAt, &r.EndedAt,
			}, func() error { return end(b.Reservation(r)) })
			return err
		})
		q.Queue(readBooksPurchases, int64(id)).Query(func(rows pgx.Rows) error {
			var p drop.Purchase
			_, err := pgx.ForEachRow(rows, []any{
				&p.ID, &p.ReservationID, &p.UserID, &p.Size, &p.Price, &p.CreatedAt,
			}, func() error { return end(b.Purchase(p)) })
			return err
		})
	})
	if refused != nil {
		return refused
	}
	return err
}
