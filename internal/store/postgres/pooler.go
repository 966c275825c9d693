package postgres

import (
	"context"
	"errors"
	"strconv"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"

	"sneakerdrop/internal/store"
)

// ErrPoolMode says that a pooler between gives each transaction another connection, and that the URL does not allow
// for that.
var ErrPoolMode = errors.New("the pooler in front of PostgreSQL gives each transaction another connection; set pool_mode = session " +
	"for this database there, or add default_query_exec_mode=exec to the URL")

// CheckPooler returns ErrPoolMode where a pooler between would lose what belongs to a connection: prepared
// statements, and its settings, which it would leave to others. It finds a pooler in transaction mode by two
// connections that get hold of one session of PostgreSQL; among much other traffic it may miss it, and then
// statements fail.
func (s *Store) CheckPooler(ctx context.Context) error {
	if s.pooled || s.reads {
		return nil
	}
	const op = "look for a pooler"
	first, err := s.bare(ctx)
	if err != nil {
		return s.fail(op, err)
	}
	defer func() { _ = first.Close(ctx) }()
	session, err := backend(ctx, first, "")
	if err != nil {
		return s.fail(op, err)
	}
	if session == strconv.FormatUint(uint64(first.PID()), 10) {
		return nil // PostgreSQL itself has said who it is
	}
	second, err := s.bare(ctx)
	if err != nil {
		return s.fail(op, err)
	}
	defer func() { _ = second.Close(ctx) }()
	// A transaction of the second keeps its session. If that was the first's, or the first now has another, they
	// share sessions.
	taken, err := backend(ctx, second, "BEGIN; ")
	if pgerrcode.IsConnectionException(code(err)) { // PgBouncer has no transactions in statement mode
		return s.failAs(op, store.ClassFault, ErrPoolMode)
	}
	if err != nil {
		return s.fail(op, err)
	}
	again, err := backend(ctx, first, "")
	if err != nil {
		return s.fail(op, err)
	}
	if taken == session || again != session {
		return s.failAs(op, store.ClassFault, ErrPoolMode)
	}
	return nil
}

// bare connects without the settings of the pool's connections.
func (s *Store) bare(ctx context.Context) (*pgconn.PgConn, error) {
	cfg, err := s.migrationConfig(ctx, nil)
	if err != nil {
		return nil, err
	}
	return pgconn.ConnectConfig(ctx, &cfg.Config)
}

// backend says which session of PostgreSQL a statement runs in. It prepares nothing.
func backend(ctx context.Context, conn *pgconn.PgConn, before string) (string, error) {
	results, err := conn.Exec(ctx, before+poolerBackend).ReadAll()
	if err != nil {
		return "", err
	}
	return string(results[len(results)-1].Rows[0][0]), nil
}
