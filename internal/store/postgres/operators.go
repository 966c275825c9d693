package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
)

// CreateToken implements store.Store.
func (s *Store) CreateToken(ctx context.Context, t operator.Token, hash operator.Hash) (operator.Token, error) {
	return s.writeToken(ctx, "create a token", createToken, t.Name, string(t.Role), hash[:], int64(t.ExpiresAt))
}

// RevokeToken implements store.Store.
func (s *Store) RevokeToken(ctx context.Context, id operator.TokenID) (operator.Token, error) {
	return s.writeToken(ctx, fmt.Sprintf("revoke token %d", id), revokeToken, int64(id))
}

// Token implements store.Store.
func (s *Store) Token(ctx context.Context, hash operator.Hash) (operator.Token, error) {
	t, err := scanToken(s.pool.QueryRow(ctx, tokenToken, hash[:]))
	if err != nil && drop.CodeOf(err) == "" {
		err = s.fail("find a token", err)
	}
	return t, err
}

// Tokens implements store.Store.
func (s *Store) Tokens(ctx context.Context) ([]operator.Token, error) {
	rows, err := s.pool.Query(ctx, tokensTokens)
	if err == nil {
		var all []operator.Token
		if all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (operator.Token, error) { return scanToken(row) }); err == nil {
			return all, nil
		}
	}
	return nil, s.fail("list the tokens", err)
}

func (s *Store) writeToken(ctx context.Context, op, sql string, args ...any) (t operator.Token, err error) {
	err = s.writeOne(ctx, op, func(q querier) (err error) {
		t, err = scanToken(q.QueryRow(ctx, sql, args...))
		return err
	})
	return t, err
}

// scanToken refuses with CodeTokenNotFound where there is no row.
func scanToken(row pgx.Row) (t operator.Token, err error) {
	err = row.Scan(&t.ID, &t.Name, &t.Role, &t.CreatedAt, &t.ExpiresAt, &t.RevokedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		err = drop.Refuse(drop.CodeTokenNotFound)
	}
	return t, err
}

// writeOne runs one statement, which is a transaction of its own.
func (s *Store) writeOne(ctx context.Context, op string, write func(querier) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return s.fail(op, err)
	}
	defer conn.Release()
	takeWarning(conn.Conn())
	err = write(conn)
	switch n := takeWarning(conn.Conn()); {
	case drop.CodeOf(err) != "" || errors.Is(err, pgx.ErrNoRows):
		return err
	case err != nil:
		return s.failAs(op, classifyCommit(err, false), err)
	case n != nil:
		return s.failAs(op, store.ClassUnknown, fmt.Errorf("%w: %s", errWarned, n.Message))
	}
	return nil
}

// Record implements store.Store.
func (s *Store) Record(ctx context.Context, a operator.Action) (id operator.ActionID, err error) {
	err = s.writeOne(ctx, "record an action", func(q querier) error {
		return q.QueryRow(ctx, recordAction, int64(a.Token), a.Name, string(a.Role), a.Call, int64(a.Drop), a.Detail, a.From, a.Request).Scan(&id)
	})
	return id, err
}

// Conclude implements store.Store.
func (s *Store) Conclude(ctx context.Context, id operator.ActionID, outcome string) error {
	err := s.writeOne(ctx, fmt.Sprintf("record the outcome of action %d", id), func(q querier) error {
		return q.QueryRow(ctx, concludeAction, int64(id), outcome).Scan()
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // an INSERT gives none
	}
	return err
}

// Actions implements store.Store.
func (s *Store) Actions(ctx context.Context, before operator.ActionID, limit int) ([]operator.Action, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	rows, err := s.pool.Query(ctx, actionsPage, int64(before), int64(max(limit, 0)))
	if err == nil {
		var page []operator.Action
		page, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a operator.Action, err error) {
			err = row.Scan(&a.ID, &a.At, &a.Token, &a.Name, &a.Role, &a.Call, &a.Drop, &a.Detail, &a.From, &a.Request, &a.Outcome)
			return a, err
		})
		if err == nil {
			return page, nil
		}
	}
	return nil, s.fail("read the log of actions", err)
}
