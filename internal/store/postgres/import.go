package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
)

// importRows is how many rows wait in memory for a COPY.
const importRows = 5_000

// Import implements store.Importer. Rows go by COPY, some thousands at a time.
func (s *Store) Import(ctx context.Context, fill func(put func(store.Row) error) error, check func(store.Rows) error) error {
	const op = "store everything"
	pooled, err := s.pool.Acquire(ctx)
	if err != nil {
		return s.fail(op, err)
	}
	defer pooled.Release()
	conn := pooled.Conn()
	m := &filling{ctx: ctx, conn: conn, nextUser: drop.FirstAllocatedUser, nextDrop: 1, nextToken: 1, nextAction: 1}
	empty, err := m.begin(s)
	switch {
	case err != nil:
		rollback(ctx, conn)
		return s.fail(op, err)
	case !empty:
		rollback(ctx, conn)
		return store.ErrNotEmpty
	}
	err = fill(m.put)
	if err == nil {
		err = m.flush()
	}
	if m.failed != nil { // fill may have wrapped it
		rollback(ctx, conn)
		return s.fail(op, m.failed)
	}
	if err == nil {
		err = check(func(each func(store.Row) error) error {
			return (&export{ctx: ctx, conn: conn, each: each, seen: make(map[string]int64)}).everything()
		})
	}
	if err != nil {
		rollback(ctx, conn)
		return err
	}
	var out pgx.Batch
	m.restart(&out)
	return s.commit(ctx, conn, &out, op)
}

// filling takes rows and stores them by the thousand.
type filling struct {
	ctx    context.Context //nolint:containedctx // of one call
	conn   *pgx.Conn
	failed error

	waiting                          int
	heads, drops                     []store.Filled // new drops, and drops with rows
	users, tokens, actions, outcomes [][]any

	nextUser   drop.UserID
	nextDrop   drop.ID
	nextToken  operator.TokenID
	nextAction operator.ActionID
}

func (m *filling) begin(s *Store) (empty bool, err error) {
	var in pgx.Batch
	s.queueBegin(&in)
	in.Queue(exportSettings)
	in.Queue(importLock)
	in.Queue(importEmpty).QueryRow(func(row pgx.Row) error { return row.Scan(&empty) })
	return empty, m.conn.SendBatch(m.ctx, &in).Close()
}

func (m *filling) put(r store.Row) error {
	if m.failed == nil {
		m.failed = m.take(r)
	}
	if m.waiting++; m.failed == nil && m.waiting >= importRows {
		return m.flush()
	}
	return m.failed
}

func (m *filling) take(r store.Row) error {
	switch v := r.Value.(type) {
	case store.User:
		m.nextUser = min(max(m.nextUser, v.ID+1), drop.MaxSafeInteger+1) // the sequence's end, where there is no number left
		m.users = append(m.users, []any{
			int64(v.ID), v.Username, none(v.Email), none(v.PublicName), none(v.Issuer), none(v.Subject), int64(v.CreatedAt),
		})
	case store.Token:
		m.nextToken = max(m.nextToken, v.ID+1)
		m.tokens = append(m.tokens, []any{
			int64(v.ID), v.Name, string(v.Role), v.Hash[:], int64(v.CreatedAt), none(int64(v.ExpiresAt)), none(int64(v.RevokedAt)),
		})
	case operator.Action:
		m.nextAction = max(m.nextAction, v.ID+1)
		m.actions = append(m.actions, []any{
			int64(v.ID), int64(v.At), int64(v.Token), v.Name, string(v.Role), v.Call, int64(v.Drop), v.Detail, v.From, v.Request,
		})
		if v.Outcome != "" {
			m.outcomes = append(m.outcomes, []any{int64(v.ID), v.Outcome})
		}
	case *drop.State:
		m.nextDrop = max(m.nextDrop, v.ID+1)
		m.heads = append(m.heads, store.Filled{State: v})
	case drop.LedgerEntry:
		c := m.of(r.Drop)
		c.Ledger = append(c.Ledger, v)
	case drop.Reservation:
		c := m.of(r.Drop)
		c.Made = append(c.Made, &v)
	case drop.Purchase:
		c := m.of(r.Drop)
		c.Purchases = append(c.Purchases, v)
	case drop.Kept:
		c := m.of(r.Drop)
		c.Kept = append(c.Kept, v)
	default:
		return fmt.Errorf("a row of type %T cannot be stored", r.Value)
	}
	return nil
}

// of is where a drop's rows wait.
func (m *filling) of(id drop.ID) *drop.Changes {
	if n := len(m.drops); n == 0 || m.drops[n-1].State.ID != id {
		m.drops = append(m.drops, store.Filled{State: &drop.State{Drop: drop.Drop{ID: id}}, Changes: &drop.Changes{}})
	}
	return m.drops[len(m.drops)-1].Changes
}

// flush stores what waits.
func (m *filling) flush() error {
	if m.failed != nil {
		return m.failed
	}
	tables := append(tablesOf(m.heads, m.drops),
		rowsTable("users", m.users, "id", "username", "email", "public_name", "issuer", "subject", "created_at"),
		rowsTable("tokens", m.tokens, "id", "name", "role", "hash", "created_at", "expires_at", "revoked_at"),
		rowsTable("actions", m.actions, "id", "at", "token_id", "name", "role", "call", "drop_id", "detail", "address", "request"),
		rowsTable("outcomes", m.outcomes, "action_id", "outcome"),
	)
	m.failed = copyTables(m.ctx, m.conn, tables)
	m.waiting, m.heads, m.drops, m.users, m.tokens, m.actions, m.outcomes = 0, nil, nil, nil, nil, nil, nil
	return m.failed
}

// restart has numbers begin above those that were stored.
func (m *filling) restart(out *pgx.Batch) {
	out.Queue(fmt.Sprintf(fillDropIDs, m.nextDrop))
	out.Queue(fmt.Sprintf(fillUserIDs, m.nextUser))
	out.Queue(fmt.Sprintf(importTokenIDs, m.nextToken))
	out.Queue(fmt.Sprintf(importActionIDs, m.nextAction))
}

func rowsTable(name string, rows [][]any, columns ...string) table {
	return table{name: name, columns: columns, rows: func(yield func([]any) bool) {
		for _, row := range rows {
			if !yield(row) {
				return
			}
		}
	}}
}
