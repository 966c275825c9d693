package postgres

import (
	"cmp"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
)

var (
	_ store.Exporter = (*Store)(nil)
	_ store.Importer = (*Store)(nil)
)

// Export implements store.Exporter. It crosses drops.
func (s *Store) Export(ctx context.Context, each func(store.Row) error) error {
	const op = "read everything"
	if err := s.wholly(ctx); err != nil {
		return err // what it does not know would be left out
	}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return s.fail(op, err)
	}
	defer conn.Release()
	x := &export{ctx: ctx, conn: conn.Conn(), each: each, seen: make(map[string]int64)}
	if err = x.begin(s); err == nil {
		err = x.everything()
	}
	rollback(ctx, conn.Conn()) // there is nothing to commit
	if x.stopped != nil {
		return x.stopped
	}
	if err != nil {
		return s.fail(op, err)
	}
	return nil
}

// export reads all rows in the transaction of a connection.
type export struct {
	ctx     context.Context //nolint:containedctx // of one call
	conn    *pgx.Conn
	each    func(store.Row) error
	stopped error // by each
	seen    map[string]int64
}

func (x *export) begin(s *Store) error {
	var b pgx.Batch
	b.Queue(readBegin)
	s.queueSettings(&b)
	b.Queue(exportSettings)
	return x.conn.SendBatch(x.ctx, &b).Close()
}

func (x *export) everything() error {
	if err := cmp.Or(x.users(), x.tokens(), x.actions(), x.kept(drop.ID(noDrop))); err != nil {
		return err
	}
	var ids []drop.ID
	var id drop.ID
	if err := x.query(exportDrops, []any{&id}, func() error {
		ids = append(ids, id)
		return nil
	}); err != nil {
		return err
	}
	for _, id := range ids {
		if err := cmp.Or(x.head(id), x.books(id), x.kept(id)); err != nil {
			return fmt.Errorf("drop %d: %w", id, err)
		}
	}
	return x.checkCounts()
}

// hand gives a row of a table to whoever wants it.
func (x *export) hand(table string, id drop.ID, value any) error {
	x.seen[table]++
	x.stopped = cmp.Or(x.stopped, x.each(store.Row{Drop: id, Value: value}))
	return x.stopped
}

func (x *export) query(sql string, into []any, row func() error, args ...any) error {
	if x.stopped != nil {
		return x.stopped
	}
	rows, err := x.conn.Query(x.ctx, sql, args...)
	if err == nil {
		_, err = pgx.ForEachRow(rows, into, row)
	}
	return err
}

func (x *export) users() error {
	var u store.User
	return x.query(exportUsers, []any{&u.ID, &u.Username, &u.Email, &u.PublicName, &u.Issuer, &u.Subject, &u.CreatedAt}, func() error {
		return x.hand("users", 0, u)
	})
}

func (x *export) tokens() error {
	var t store.Token
	var hash []byte
	return x.query(exportTokens, []any{&t.ID, &t.Name, &t.Role, &t.CreatedAt, &t.ExpiresAt, &t.RevokedAt, &hash}, func() error {
		copy(t.Hash[:], hash) // the table's CHECK keeps its length
		return x.hand("tokens", 0, t)
	})
}

func (x *export) actions() error {
	var a operator.Action
	return x.query(exportActions, []any{
		&a.ID, &a.At, &a.Token, &a.Name, &a.Role, &a.Call, &a.Drop, &a.Detail, &a.From, &a.Request, &a.Outcome,
	}, func() error { return x.hand("actions", 0, a) })
}

func (x *export) kept(id drop.ID) error {
	var k drop.Kept
	var body, answer []byte
	return x.query(exportKept, []any{&k.Key.Caller, &k.Key.Operation, &k.Key.Value, &body, &answer, &k.At}, func() error {
		copy(k.Key.Body[:], body) // as of tokens
		k.Answer = append([]byte{}, answer...)
		return x.hand("idempotency_keys", id, k)
	}, int64(id))
}

func (x *export) head(id drop.ID) error {
	l := &loader{state: drop.State{Drop: drop.Drop{ID: id}}}
	for _, part := range []struct {
		sql  string
		read func(pgx.Rows) error
	}{{readBooksDrop, l.drop}, {readBooksSizes, l.sizes}} {
		rows, err := x.conn.Query(x.ctx, part.sql, int64(id))
		if err == nil {
			err = part.read(rows)
		}
		if err != nil {
			return err
		}
	}
	x.seen["sizes"] += int64(len(l.state.Sizes))
	return x.hand("drops", id, &l.state)
}

func (x *export) books(id drop.ID) error {
	var e drop.LedgerEntry
	var r drop.Reservation
	var p drop.Purchase
	err := x.query(readBooksLedger, []any{&e.Seq, (*[16]byte)(&e.Batch), &e.At, &e.Size, &e.Reason, &e.Units, &e.Available},
		func() error { return x.hand("ledger", id, e) }, int64(id))
	if err == nil {
		err = x.query(readBooksReservations, []any{&r.ID, &r.UserID, &r.Size, &r.Status, &r.CreatedAt, &r.ExpiresAt, &r.EndedAt},
			func() error { return x.hand("reservations", id, r) }, int64(id))
	}
	if err == nil {
		err = x.query(readBooksPurchases, []any{&p.ID, &p.ReservationID, &p.UserID, &p.Size, &p.Price, &p.CreatedAt},
			func() error { return x.hand("purchases", id, p) }, int64(id))
	}
	return err
}

// checkCounts finds what belongs to a drop that is not there, and would be left out.
func (x *export) checkCounts() error {
	var table string
	var n int64
	return x.query(exportCounts, []any{&table, &n}, func() error {
		if seen := x.seen[table]; n != seen {
			return fmt.Errorf("%d rows of the table %s belong to no drop", n-seen, table)
		}
		return nil
	})
}
