package sqlite

import (
	"cmp"
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
)

var (
	_ store.Exporter = (*Store)(nil)
	_ store.Importer = (*Store)(nil)
)

// Export implements store.Exporter.
func (s *Store) Export(ctx context.Context, each func(store.Row) error) error {
	var stopped error
	err := s.read(ctx, "read everything", func(conn *sqlite.Conn) error {
		return everything(conn, func(r store.Row) error {
			stopped = cmp.Or(stopped, each(r))
			return stopped
		})
	})
	return cmp.Or(stopped, err)
}

// everything hands over all rows, and counts what belongs to drops: one whose drop is not there would be left out.
func everything(conn *sqlite.Conn, each func(store.Row) error) error {
	for _, kind := range []struct {
		query string
		scan  func(*sqlite.Stmt) any
	}{
		{sqlExportUsers, func(st *sqlite.Stmt) any { return scanStoredUser(st) }},
		{sqlExportTokens, func(st *sqlite.Stmt) any {
			t := store.Token{Token: scanToken(st)}
			st.ColumnBytes(6, t.Hash[:])
			return t
		}},
		{sqlExportActions, func(st *sqlite.Stmt) any { return scanAction(st) }},
	} {
		st, err := conn.Prepare(kind.query)
		if err != nil {
			return err
		}
		if err := cmp.Or(hand(st, func(st *sqlite.Stmt) error { return each(store.Row{Value: kind.scan(st)}) })); err != nil {
			return err
		}
	}
	seen := make(map[string]int64)
	if err := exportKept(conn, noDrop, seen, each); err != nil {
		return err
	}
	st, err := conn.Prepare(sqlDrops)
	if err != nil {
		return err
	}
	var ids []drop.ID
	if err := rows(st, func() { ids = append(ids, drop.ID(st.ColumnInt64(0))) }); err != nil {
		return err
	}
	for _, id := range ids {
		if err := exportDrop(conn, id, seen, each); err != nil {
			return err
		}
	}
	return checkCounts(conn, seen)
}

func exportDrop(conn *sqlite.Conn, id drop.ID, seen map[string]int64, each func(store.Row) error) error {
	err := cmp.Or(readBooks(conn, id, store.Books{
		Head: func(s *drop.State) error {
			seen["sizes"] += int64(len(s.Sizes))
			return each(store.Row{Drop: id, Value: s})
		},
		Entry: func(e drop.LedgerEntry) error {
			seen["ledger"]++
			return each(store.Row{Drop: id, Value: e})
		},
		Reservation: func(r drop.Reservation) error {
			seen["reservations"]++
			return each(store.Row{Drop: id, Value: r})
		},
		Purchase: func(p drop.Purchase) error {
			seen["purchases"]++
			return each(store.Row{Drop: id, Value: p})
		},
	}))
	if err != nil {
		return err
	}
	return exportKept(conn, id, seen, each)
}

func exportKept(conn *sqlite.Conn, id drop.ID, seen map[string]int64, each func(store.Row) error) error {
	st, err := prepare(conn, sqlExportKept, int64(id))
	if err != nil {
		return err
	}
	return cmp.Or(hand(st, func(st *sqlite.Stmt) error {
		seen["idempotency_keys"]++
		k := drop.Kept{
			Key:    drop.Key{Caller: st.ColumnText(0), Operation: st.ColumnText(1), Value: st.ColumnText(2)},
			Answer: make([]byte, st.ColumnLen(4)), At: drop.Time(st.ColumnInt64(5)),
		}
		st.ColumnBytes(3, k.Key.Body[:])
		st.ColumnBytes(4, k.Answer)
		return each(store.Row{Drop: id, Value: k})
	}))
}

func checkCounts(conn *sqlite.Conn, seen map[string]int64) error {
	st, err := conn.Prepare(sqlExportCounts)
	if err != nil {
		return err
	}
	var lost error
	err = rows(st, func() {
		if table, n := st.ColumnText(0), st.ColumnInt64(1); n != seen[table] && lost == nil {
			lost = fmt.Errorf("%d rows of the table %s belong to no drop", n-seen[table], table)
		}
	})
	return cmp.Or(err, lost)
}

// Import implements store.Importer. What does not fit into the cache goes to the log beside the file, which grows.
func (s *Store) Import(ctx context.Context, fill func(put func(store.Row) error) error, check func(store.Rows) error) error {
	var stopped error
	err := s.write(ctx, "store everything", func(conn *sqlite.Conn) (bool, error) {
		stopped = nil
		if empty, err := integer(conn, sqlImportEmpty); err != nil {
			return false, err
		} else if empty == 0 {
			return false, store.ErrNotEmpty
		}
		var failed error // of ours: fill may wrap it
		stopped = fill(func(r store.Row) error {
			if failed == nil {
				failed = put(conn, r)
			}
			return failed
		})
		if failed != nil {
			stopped = nil
			return false, failed
		}
		if stopped == nil {
			stopped = check(func(each func(store.Row) error) error { return everything(conn, each) })
		}
		return stopped == nil, stopped
	})
	return cmp.Or(stopped, err)
}

func put(conn *sqlite.Conn, r store.Row) error {
	switch v := r.Value.(type) {
	case store.User:
		return putUser(conn, v)
	case store.Token:
		return putToken(conn, v)
	case operator.Action:
		return putAction(conn, v)
	case drop.Kept:
		return insertKept(conn, r.Drop, []drop.Kept{v})
	case *drop.State:
		return insertDrop(conn, v, &drop.Changes{})
	case drop.LedgerEntry:
		return insertRows(conn, r.Drop, &drop.Changes{Ledger: []drop.LedgerEntry{v}})
	case drop.Reservation:
		return insertRows(conn, r.Drop, &drop.Changes{Made: []*drop.Reservation{&v}})
	case drop.Purchase:
		return insertRows(conn, r.Drop, &drop.Changes{Purchases: []drop.Purchase{v}})
	default:
		return fmt.Errorf("a row of type %T cannot be stored", r.Value)
	}
}

func putUser(conn *sqlite.Conn, u store.User) error {
	st, err := prepare(conn, sqlImportUser, int64(u.ID))
	if err != nil {
		return err
	}
	st.BindText(2, u.Username)
	st.BindText(3, u.Email)
	st.BindText(4, u.Issuer)
	st.BindText(5, u.Subject)
	st.BindInt64(6, int64(u.CreatedAt))
	st.BindText(7, u.PublicName)
	return run(st)
}

func putToken(conn *sqlite.Conn, t store.Token) error {
	st, err := prepare(conn, sqlImportToken, int64(t.ID))
	if err != nil {
		return err
	}
	st.BindText(2, t.Name)
	st.BindText(3, string(t.Role))
	st.BindBytes(4, t.Hash[:])
	st.BindInt64(5, int64(t.CreatedAt))
	st.BindInt64(6, int64(t.ExpiresAt))
	st.BindInt64(7, int64(t.RevokedAt))
	return run(st)
}

func putAction(conn *sqlite.Conn, a operator.Action) error {
	st, err := prepare(conn, sqlImportAction, int64(a.ID), int64(a.At), int64(a.Token))
	if err != nil {
		return err
	}
	st.BindText(4, a.Name)
	st.BindText(5, string(a.Role))
	st.BindText(6, a.Call)
	st.BindInt64(7, int64(a.Drop))
	st.BindText(8, a.Detail)
	st.BindText(9, a.From)
	st.BindText(10, a.Request)
	if err := run(st); err != nil || a.Outcome == "" {
		return err
	}
	if st, err = prepare(conn, sqlConclude, int64(a.ID)); err != nil {
		return err
	}
	st.BindText(2, a.Outcome)
	return run(st)
}

// scanStoredUser reads the columns id, username, email, public_name, issuer, subject, created_at.
func scanStoredUser(st *sqlite.Stmt) store.User {
	return store.User{User: scanUser(st), Issuer: st.ColumnText(4), Subject: st.ColumnText(5), CreatedAt: drop.Time(st.ColumnInt64(6))}
}
