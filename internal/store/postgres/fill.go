package postgres

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/text"
)

// Fill implements store.Store. Rows go by COPY, a million of them in seconds.
func (s *Store) Fill(ctx context.Context, users []drop.User, drops []store.Filled, replace bool) error {
	const op = "fill the database"
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return s.fail(op, err)
	}
	defer conn.Release()
	var (
		in       pgx.Batch
		empty    bool
		now      drop.Time
		nextUser drop.UserID
	)
	lock := fillLock
	if replace {
		lock = fillLockAll
	}
	s.queueBegin(&in)
	in.Queue(lock)
	in.Queue(fillEmpty).QueryRow(func(row pgx.Row) error { return row.Scan(&empty, &now, &nextUser) })
	if replace {
		in.Queue(fillDelete)
	}
	if err := conn.SendBatch(ctx, &in).Close(); err != nil {
		rollback(ctx, conn.Conn())
		return s.fail(op, err)
	}
	if !empty && !replace {
		rollback(ctx, conn.Conn())
		return store.ErrNotEmpty
	}
	if err := copyAll(ctx, conn.Conn(), users, drops, now); err != nil {
		rollback(ctx, conn.Conn())
		return s.fail(op, err)
	}
	nextDrop := drop.ID(1)
	for _, u := range users {
		nextUser = max(nextUser, u.ID+1)
	}
	nextUser = min(nextUser, drop.MaxSafeInteger+1) // the sequence's end, where there is no number left
	for _, d := range drops {
		nextDrop = max(nextDrop, d.State.ID+1)
	}
	var out pgx.Batch
	out.Queue(fmt.Sprintf(fillDropIDs, nextDrop))
	out.Queue(fmt.Sprintf(fillUserIDs, nextUser))
	defer s.floors.forgetAll()
	return s.commit(ctx, conn.Conn(), &out, op)
}

func copyAll(ctx context.Context, conn *pgx.Conn, users []drop.User, drops []store.Filled, now drop.Time) error {
	rows := make([][]any, len(users))
	for i, u := range users {
		rows[i] = []any{int64(u.ID), u.Username, none(text.LowerASCII(u.Email)), none(u.PublicName), int64(now)}
	}
	return copyTables(ctx, conn, append(tablesOf(drops, drops), rowsTable("users", rows, "id", "username", "email", "public_name", "created_at")))
}

// copyTables goes table by table: each COPY asks the server for the columns' types first.
func copyTables(ctx context.Context, conn *pgx.Conn, tables []table) error {
	for _, t := range tables {
		next, stop := iter.Pull(t.rows)
		_, err := conn.CopyFrom(ctx, pgx.Identifier{"sneakerdrop", t.name}, t.columns, pgx.CopyFromFunc(func() ([]any, error) {
			row, _ := next()
			return row, nil
		}))
		stop()
		if err != nil {
			return fmt.Errorf("copy %s: %w", t.name, err)
		}
	}
	return nil
}

// table is rows for one table.
type table struct {
	name    string
	columns []string
	rows    iter.Seq[[]any]
}

// tablesOf has the rows of the drops themselves, and those that belong to drops.
func tablesOf(heads, drops []store.Filled) []table {
	return []table{
		{
			"drops",
			[]string{
				"id", "name", "price", "start_time", "image_url", "limit_per_user", "paused", "hidden", "archived", "version",
				"created_at", "last_at", "seq", "reserved", "purchased", "batch", "max_expired_holds",
			},
			rowsOf(heads, func(d store.Filled) []*drop.State { return []*drop.State{d.State} },
				func(id int64, _ int, s *drop.State) []any {
					return []any{
						id, s.Name, int64(s.Price), int64(s.StartTime), none(s.ImageURL), int64(s.LimitPerUser), s.Paused, s.Hidden,
						s.Archived, s.Version, int64(s.CreatedAt), int64(s.LastAt), int64(s.Seq), int64(s.Reserved),
						int64(s.Purchased), uuid(s.Batch), int64(s.MaxExpiredHolds),
					}
				}),
		},
		{
			"sizes",
			[]string{"drop_id", "position", "label", "total", "available", "held", "sold"},
			rowsOf(heads, func(d store.Filled) []drop.Size { return d.State.Sizes }, func(id int64, i int, z drop.Size) []any {
				return []any{id, int64(i), z.Label, z.Stock.Total, z.Stock.Available, z.Stock.Held, z.Stock.Sold}
			}),
		},
		{
			"reservations",
			[]string{"drop_id", "id", "user_id", "size", "status", "created_at", "expires_at", "ended_at"},
			rowsOf(drops, func(d store.Filled) []*drop.Reservation { return d.Changes.Made },
				func(id int64, _ int, r *drop.Reservation) []any {
					return []any{
						id, int64(r.ID), int64(r.UserID), r.Size, int16(r.Status), int64(r.CreatedAt), int64(r.ExpiresAt),
						none(int64(r.EndedAt)),
					}
				}),
		},
		{
			"purchases",
			[]string{"drop_id", "id", "reservation_id", "user_id", "size", "price", "created_at"},
			rowsOf(drops, func(d store.Filled) []drop.Purchase { return d.Changes.Purchases },
				func(id int64, _ int, p drop.Purchase) []any {
					return []any{
						id, int64(p.ID), int64(p.ReservationID), int64(p.UserID), p.Size, int64(p.Price), int64(p.CreatedAt),
					}
				}),
		},
		{
			"ledger",
			[]string{"drop_id", "seq", "batch", "at", "size", "reason", "units", "available"},
			rowsOf(drops, func(d store.Filled) []drop.LedgerEntry { return d.Changes.Ledger },
				func(id int64, _ int, e drop.LedgerEntry) []any {
					return []any{id, int64(e.Seq), uuid(e.Batch), int64(e.At), e.Size, string(e.Reason), e.Units, e.Available}
				}),
		},
		{
			"idempotency_keys",
			[]string{"drop_id", "caller", "operation", "key", "body_hash", "answer", "created_at"},
			rowsOf(drops, func(d store.Filled) []drop.Kept { return d.Changes.Kept }, func(id int64, _ int, k drop.Kept) []any {
				return []any{id, k.Key.Caller, k.Key.Operation, k.Key.Value, k.Key.Body[:], k.Answer, int64(k.At)}
			}),
		},
	}
}

// rowsOf goes through what all drops have of one kind.
func rowsOf[T any](drops []store.Filled, of func(store.Filled) []T, row func(id int64, i int, v T) []any) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for _, d := range drops {
			for i, v := range of(d) {
				if !yield(row(int64(d.State.ID), i, v)) {
					return
				}
			}
		}
	}
}

// none is how an absent text or moment is stored.
func none[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}
