package postgres

import (
	"context"
	"errors"
	"strconv"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"

	"sneakerdrop/internal/store"
)

// ErrPoolMode says that a pooler gives each transaction another connection, and that the URL is not set up for it.
var ErrPoolMode = errors.New("the pooler in front of PostgreSQL gives each transaction another connection; set pool_mode = session " +
	"for this database there, or add default_query_exec_mode=exec to the URL")

// CheckPooler returns ErrPoolMode if a pooler would lose what belongs to a connection: prepared statements, and
// settings, which would remain with other clients. It detects transaction mode by two connections that share a
// PostgreSQL session. With much other traffic it may miss this; then statements fail.
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
		return nil // PostgreSQL itself has answered
	}
	second, err := s.bare(ctx)
	if err != nil {
		return s.fail(op, err)
	}
	defer func() { _ = second.Close(ctx) }()
	// The second connection's transaction keeps its session. If that was the first's session, or if the first now has
	// another one, they share sessions.
	taken, err := backend(ctx, second, "BEGIN; ")
	if pgerrcode.IsConnectionException(code(err)) { // PgBouncer allows no transactions in statement mode
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

// backend returns the PostgreSQL session that a statement runs in. It prepares nothing.
func backend(ctx context.Context, conn *pgconn.PgConn, before string) (string, error) {
	results, err := conn.Exec(ctx, before+poolerBackend).ReadAll()
	if err != nil {
		return "", err
	}
	return string(results[len(results)-1].Rows[0][0]), nil
}
