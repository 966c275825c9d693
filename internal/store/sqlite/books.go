package sqlite

import (
	"context"
	"fmt"
	"math"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Purchases implements store.Store.
func (s *Store) Purchases(ctx context.Context, id drop.ID, after drop.PurchaseID, limit int) ([]store.Sale, error) {
	return s.sales(ctx, sqlPurchases, id, after, limit)
}

// NewestPurchases implements store.Store.
func (s *Store) NewestPurchases(ctx context.Context, id drop.ID, before drop.PurchaseID, limit int) ([]store.Sale, error) {
	if before <= 0 {
		before = drop.PurchaseID(math.MaxInt64)
	}
	return s.sales(ctx, sqlNewestPurchases, id, before, limit)
}

func (s *Store) sales(ctx context.Context, query string, id drop.ID, from drop.PurchaseID, limit int) ([]store.Sale, error) {
	var page []store.Sale
	err := s.read(ctx, fmt.Sprintf("load the purchases of drop %d", id), func(conn *sqlite.Conn) error {
		if err := checkDrop(conn, id); err != nil {
			return err
		}
		st, err := prepare(conn, query, int64(id), int64(from), int64(max(limit, 0)))
		if err != nil {
			return err
		}
		return rows(st, func() {
			page = append(page, store.Sale{Purchase: scanPurchase(st), Username: username(st, 6), Email: st.ColumnText(7)})
		})
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// Ledger implements store.Store.
func (s *Store) Ledger(ctx context.Context, id drop.ID, after drop.Seq, limit int) ([]drop.LedgerEntry, error) {
	var page []drop.LedgerEntry
	err := s.read(ctx, fmt.Sprintf("load the ledger of drop %d", id), func(conn *sqlite.Conn) error {
		if err := checkDrop(conn, id); err != nil {
			return err
		}
		st, err := prepare(conn, sqlLedger, int64(id), int64(after), int64(max(limit, 0)))
		if err != nil {
			return err
		}
		return rows(st, func() { page = append(page, scanEntry(st)) })
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

func checkDrop(conn *sqlite.Conn, id drop.ID) error {
	there, err := integer(conn, sqlDropExists, int64(id))
	if err == nil && there == 0 {
		err = drop.Refuse(drop.CodeDropNotFound)
	}
	return err
}

// ReadBooks implements store.Store. While it runs, the log cannot be moved into the file beyond what it sees, and grows.
func (s *Store) ReadBooks(ctx context.Context, id drop.ID, b store.Books) error {
	var stopped error // by b
	err := s.read(ctx, fmt.Sprintf("read the books of drop %d", id), func(conn *sqlite.Conn) error {
		var err error
		stopped, err = readBooks(conn, id, b)
		return err
	})
	if stopped != nil {
		return stopped
	}
	return err
}

func readBooks(conn *sqlite.Conn, id drop.ID, b store.Books) (stopped, err error) {
	state, err := loadHead(conn, id)
	if err != nil {
		return nil, err
	}
	if stopped = b.Head(state); stopped != nil {
		return stopped, nil
	}
	for _, kind := range []struct {
		query string
		hand  func(*sqlite.Stmt) error
	}{
		{sqlReadBooksLedger, func(st *sqlite.Stmt) error { return b.Entry(scanEntry(st)) }},
		{sqlReadBooksReservations, func(st *sqlite.Stmt) error { return b.Reservation(scanReservation(st)) }},
		{sqlReadBooksPurchases, func(st *sqlite.Stmt) error { return b.Purchase(scanPurchase(st)) }},
	} {
		st, err := prepare(conn, kind.query, int64(id))
		if err != nil {
			return nil, err
		}
		if stopped, err = hand(st, kind.hand); stopped != nil || err != nil {
			return stopped, err
		}
	}
	return nil, nil
}

// hand gives each row to f until f returns an error.
func hand(st *sqlite.Stmt, f func(*sqlite.Stmt) error) (stopped, err error) {
	for {
		more, err := st.Step()
		if err != nil {
			return nil, err
		}
		if !more {
			return nil, st.Reset()
		}
		if stopped := f(st); stopped != nil {
			return stopped, st.Reset()
		}
	}
}

// scanEntry reads the columns seq, batch, at, size, reason, units, available.
func scanEntry(st *sqlite.Stmt) drop.LedgerEntry {
	e := drop.LedgerEntry{
		Seq: drop.Seq(st.ColumnInt64(0)), At: drop.Time(st.ColumnInt64(2)), Size: st.ColumnText(3),
		Reason: drop.Reason(st.ColumnText(4)), Units: st.ColumnInt64(5), Available: st.ColumnInt64(6),
	}
	st.ColumnBytes(1, e.Batch[:])
	return e
}

// scanPurchase reads the columns id, reservation_id, user_id, size, price, created_at.
func scanPurchase(st *sqlite.Stmt) drop.Purchase {
	return drop.Purchase{
		ID: drop.PurchaseID(st.ColumnInt64(0)), ReservationID: drop.ReservationID(st.ColumnInt64(1)),
		UserID: drop.UserID(st.ColumnInt64(2)), Size: st.ColumnText(3),
		Price: drop.Money(st.ColumnInt64(4)), CreatedAt: drop.Time(st.ColumnInt64(5)),
	}
}
