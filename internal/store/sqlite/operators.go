package sqlite

import (
	"context"
	"fmt"
	"math"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
)

// CreateToken implements store.Store.
func (s *Store) CreateToken(ctx context.Context, t operator.Token, hash operator.Hash) (operator.Token, error) {
	t.CreatedAt, t.RevokedAt = s.now(), 0
	err := s.write(ctx, "create a token", func(conn *sqlite.Conn) (bool, error) {
		st, err := conn.Prepare(sqlCreateToken)
		if err != nil {
			return false, err
		}
		st.BindText(1, t.Name)
		st.BindText(2, string(t.Role))
		st.BindBytes(3, hash[:])
		st.BindInt64(4, int64(t.CreatedAt))
		st.BindInt64(5, int64(t.ExpiresAt))
		return true, rows(st, func() { t.ID = operator.TokenID(st.ColumnInt64(0)) })
	})
	if err != nil {
		return operator.Token{}, err
	}
	return t, nil
}

// Token implements store.Store.
func (s *Store) Token(ctx context.Context, hash operator.Hash) (t operator.Token, err error) {
	err = s.read(ctx, "find a token", func(conn *sqlite.Conn) error {
		st, err := conn.Prepare(sqlToken)
		if err != nil {
			return err
		}
		st.BindBytes(1, hash[:])
		t, err = oneToken(st)
		return err
	})
	return t, err
}

// Tokens implements store.Store.
func (s *Store) Tokens(ctx context.Context) (all []operator.Token, err error) {
	err = s.read(ctx, "list the tokens", func(conn *sqlite.Conn) error {
		st, err := conn.Prepare(sqlTokens)
		if err != nil {
			return err
		}
		return rows(st, func() { all = append(all, scanToken(st)) })
	})
	return all, err
}

// RevokeToken implements store.Store.
func (s *Store) RevokeToken(ctx context.Context, id operator.TokenID) (t operator.Token, err error) {
	err = s.write(ctx, fmt.Sprintf("revoke token %d", id), func(conn *sqlite.Conn) (bool, error) {
		st, err := prepare(conn, sqlRevokeToken, int64(id), int64(s.now()))
		if err != nil {
			return false, err
		}
		t, err = oneToken(st)
		return true, err
	})
	if err != nil {
		return operator.Token{}, err
	}
	return t, nil
}

// oneToken reads one row, or refuses with CodeTokenNotFound.
func oneToken(st *sqlite.Stmt) (t operator.Token, err error) {
	err = rows(st, func() { t = scanToken(st) })
	if err == nil && t.ID == 0 {
		err = drop.Refuse(drop.CodeTokenNotFound)
	}
	return t, err
}

func scanToken(st *sqlite.Stmt) operator.Token {
	return operator.Token{
		ID: operator.TokenID(st.ColumnInt64(0)), Name: st.ColumnText(1), Role: operator.Role(st.ColumnText(2)),
		CreatedAt: drop.Time(st.ColumnInt64(3)), ExpiresAt: drop.Time(st.ColumnInt64(4)), RevokedAt: drop.Time(st.ColumnInt64(5)),
	}
}

// Record implements store.Store.
func (s *Store) Record(ctx context.Context, a operator.Action) (id operator.ActionID, err error) {
	err = s.write(ctx, "record an action", func(conn *sqlite.Conn) (bool, error) {
		st, err := prepare(conn, sqlRecord, int64(s.now()), int64(a.Token))
		if err != nil {
			return false, err
		}
		st.BindText(3, a.Name)
		st.BindText(4, string(a.Role))
		st.BindText(5, a.Call)
		st.BindInt64(6, int64(a.Drop))
		st.BindText(7, a.Detail)
		st.BindText(8, a.From)
		st.BindText(9, a.Request)
		return true, rows(st, func() { id = operator.ActionID(st.ColumnInt64(0)) })
	})
	if err != nil {
		return 0, err
	}
	return id, nil
}

// Conclude implements store.Store.
func (s *Store) Conclude(ctx context.Context, id operator.ActionID, outcome string) error {
	return s.write(ctx, fmt.Sprintf("record the outcome of action %d", id), func(conn *sqlite.Conn) (bool, error) {
		st, err := prepare(conn, sqlConclude, int64(id))
		if err != nil {
			return false, err
		}
		st.BindText(2, outcome)
		return true, run(st)
	})
}

// Actions implements store.Store.
func (s *Store) Actions(ctx context.Context, before operator.ActionID, limit int) (page []operator.Action, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = s.read(ctx, "read the log of actions", func(conn *sqlite.Conn) error {
		st, err := prepare(conn, sqlActions, int64(before), int64(max(limit, 0)))
		if err != nil {
			return err
		}
		return rows(st, func() { page = append(page, scanAction(st)) })
	})
	return page, err
}

func scanAction(st *sqlite.Stmt) operator.Action {
	return operator.Action{
		ID: operator.ActionID(st.ColumnInt64(0)), At: drop.Time(st.ColumnInt64(1)), Token: operator.TokenID(st.ColumnInt64(2)),
		Name: st.ColumnText(3), Role: operator.Role(st.ColumnText(4)), Call: st.ColumnText(5), Drop: drop.ID(st.ColumnInt64(6)),
		Detail: st.ColumnText(7), From: st.ColumnText(8), Request: st.ColumnText(9), Outcome: st.ColumnText(10),
	}
}
