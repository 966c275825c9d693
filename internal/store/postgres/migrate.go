package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"sneakerdrop/internal/store"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// versionTable is where goose keeps which migrations were applied.
const versionTable = "sneakerdrop.goose_db_version"

// Migrate implements store.Store. While one process migrates, others wait for its lock, which goes with the connection
// that holds it, and then find nothing to do.
func (s *Store) Migrate(ctx context.Context) (from, to int, err error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return 0, 0, fmt.Errorf("read the embedded migrations: %w", err)
	}
	return s.migrate(ctx, files)
}

func (s *Store) migrate(ctx context.Context, files fs.FS) (from, to int, err error) {
	const op = "migrate the database"
	db := stdlib.OpenDB(*s.migrationConfig())
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithTableName(versionTable),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return 0, 0, fmt.Errorf("read the migrations: %w", err)
	}
	newest := newestOf(provider)
	if from, err = s.version(ctx); err != nil {
		return 0, 0, s.fail(op, err)
	}
	if from >= newest {
		return from, from, tooNew(from, newest)
	}
	unlock, err := lockMigrations(ctx, db)
	if err != nil {
		return 0, 0, s.fail(op, err)
	}
	defer unlock()
	if from, err = s.version(ctx); err != nil { // another process may have been faster
		return 0, 0, s.fail(op, err)
	}
	if from >= newest {
		return from, from, tooNew(from, newest)
	}
	if _, err := db.ExecContext(ctx, migrateSchema); err != nil {
		return 0, 0, s.fail(op, err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return 0, 0, s.fail(op, err)
	}
	return from, newest, nil
}

// migrationConfig is that of the store's connections without its settings: it waits for locks as long as the caller does.
func (s *Store) migrationConfig() *pgx.ConnConfig {
	cfg := s.pool.Config().ConnConfig.Copy()
	cfg.ValidateConnect = validate(nil, nil)
	cfg.OnNotice = nil // IF NOT EXISTS says what it skipped
	return cfg
}

// lockMigrations takes a lock that lasts until unlock or the end of the connection. It is a transaction's lock, not a
// session's, so that it works behind a pooler.
func lockMigrations(ctx context.Context, db *sql.DB) (unlock func(), err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	unlock = func() { _ = tx.Rollback() }
	if _, err := tx.ExecContext(ctx, migrateLock); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// Ready implements store.Store.
func (s *Store) Ready(ctx context.Context) error {
	const op = "check the schema"
	newest, err := newestVersion()
	if err != nil {
		return err
	}
	var readOnly bool
	if err := s.pool.QueryRow(ctx, readyWritable).Scan(&readOnly); err != nil {
		return s.fail(op, err)
	}
	if readOnly && !s.reads {
		return s.failAs(op, store.ClassUnavailable, pgconn.ErrReadOnlyConnection)
	}
	version, err := s.version(ctx)
	if err != nil {
		return s.fail(op, err)
	}
	if version < newest {
		return s.failAs(op, store.ClassFault,
			fmt.Errorf("the schema is at version %d and this program needs %d: migrate first", version, newest))
	}
	return tooNew(version, newest)
}

// version returns the schema's version; 0: there is no schema yet.
func (s *Store) version(ctx context.Context) (int, error) {
	var v int64
	err := s.pool.QueryRow(ctx, readyVersion).Scan(&v)
	switch code(err) {
	case pgerrcode.UndefinedTable, pgerrcode.InvalidSchemaName:
		return 0, nil
	}
	return int(v), err
}

func tooNew(version, newest int) error {
	if version > newest {
		return fmt.Errorf("schema version %d, known %d: %w", version, newest, store.ErrTooNew)
	}
	return nil
}

func newestOf(p *goose.Provider) int {
	newest := 0
	for _, source := range p.ListSources() {
		newest = max(newest, int(source.Version))
	}
	return newest
}

// newestVersion is the version of the last embedded migration.
func newestVersion() (int, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return 0, fmt.Errorf("read the embedded migrations: %w", err)
	}
	newest := int64(0)
	for _, name := range names {
		v, err := goose.NumericComponent(name)
		if err != nil {
			return 0, fmt.Errorf("read the embedded migrations: %w", err)
		}
		newest = max(newest, v)
	}
	return int(newest), nil
}
