package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"sneakerdrop/internal/store"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// versionTable is where goose records the applied migrations.
const versionTable = "sneakerdrop.goose_db_version"

// Migrate implements store.Store. While one process migrates, others wait for its lock, which ends with its
// connection. Then they find nothing to do.
func (s *Store) Migrate(ctx context.Context) (from, to int, err error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return 0, 0, fmt.Errorf("read the embedded migrations: %w", err)
	}
	return s.migrate(ctx, files)
}

func (s *Store) migrate(ctx context.Context, files fs.FS) (from, to int, err error) {
	const op = "migrate the database"
	cfg, err := s.migrationConfig(ctx, s.migrationSettings())
	if err != nil {
		return 0, 0, s.fail(op, err)
	}
	db := stdlib.OpenDB(*cfg)
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithTableName(versionTable),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return 0, 0, fmt.Errorf("read the migrations: %w", err)
	}
	sources := provider.ListSources() // in order
	newest := int(sources[len(sources)-1].Version)
	if from, err = s.version(ctx); err != nil {
		return 0, 0, s.fail(op, err)
	}
	names, err := s.grantable(ctx)
	if err != nil {
		return 0, 0, s.fail(op, err)
	}
	if from > newest || from == newest && len(names) == 0 {
		return from, from, s.goesOn(ctx, op, from, newest)
	}
	unlock, err := lockMigrations(ctx, db)
	if err != nil {
		return 0, 0, s.fail(op, err)
	}
	defer unlock()
	if from, err = s.version(ctx); err != nil { // another process may have been faster
		return 0, 0, s.fail(op, err)
	}
	if from > newest {
		return from, from, s.goesOn(ctx, op, from, newest)
	}
	if from < newest {
		if _, err := db.ExecContext(ctx, migrateSchema); err != nil {
			return 0, 0, s.fail(op, err)
		}
		if err := s.up(ctx, provider); err != nil {
			return 0, 0, s.fail(op, err)
		}
	}
	if names, err = s.grantable(ctx); err == nil {
		err = grant(ctx, db, names)
	}
	if err != nil {
		return 0, 0, s.fail("grant the serving role its rights", err)
	}
	return from, newest, nil
}

// up applies the migrations. A migration that does not get a lock in time gives up and tries again. A session that
// waits for a table's lock blocks everyone behind it, and they sell.
func (s *Store) up(ctx context.Context, provider *goose.Provider) error {
	for {
		_, err := provider.Up(ctx)
		if code(err) != pgerrcode.LockNotAvailable {
			return err
		}
		s.log.Warn("a migration waits for a table that is in use", "error", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(migrationPause):
		}
	}
}

const migrationPause = time.Second

// migrationSettings returns the settings of the connections that migrate. Behind a pooler in transaction mode they
// would remain with other clients.
func (s *Store) migrationSettings() map[string]string {
	if s.pooled {
		return nil
	}
	all := settings(nil)
	all["lock_timeout"] = "2s"
	return all
}

// migrationConfig returns the configuration of the store's connections with other settings.
func (s *Store) migrationConfig(ctx context.Context, settings map[string]string) (*pgx.ConnConfig, error) {
	cfg := s.pool.Config().ConnConfig.Copy()
	if s.primary != nil {
		if err := s.primary.lead(ctx, cfg); err != nil {
			return nil, err
		}
	}
	cfg.ValidateConnect = s.validate(settings, nil)
	cfg.OnNotice = nil // IF NOT EXISTS reports what it skipped
	return cfg, nil
}

// lockMigrations takes a lock that lasts until unlock or the end of the connection. It is a transaction's lock rather
// than a session's, so that it works behind a pooler.
func lockMigrations(ctx context.Context, db *sql.DB) (unlock func(), err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	unlock = func() { _ = tx.Rollback() }
	for _, statement := range []string{migrateLockPatiently, migrateLock} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			unlock()
			return nil, err
		}
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
	if err := s.examine(ctx); err != nil {
		return s.fail(op, err)
	}
	version, err := s.version(ctx)
	if err != nil {
		return s.fail(op, err)
	}
	if version < newest {
		return s.failAs(op, store.ClassFault,
			fmt.Errorf("the schema is at version %d and this program needs %d; run sneakerdrop migrate first", version, newest))
	}
	return s.compatible(ctx, op, version, newest)
}

// Server implements store.Store.
func (s *Store) Server(ctx context.Context) (engine, version string, err error) {
	if err = s.pool.QueryRow(ctx, serverVersion).Scan(&version); err != nil {
		err = s.fail("read the server's version", err)
	}
	return "PostgreSQL", version, err
}

// version returns the schema's version, 0 if there is no schema yet.
func (s *Store) version(ctx context.Context) (int, error) {
	var v int64
	err := s.pool.QueryRow(ctx, readyVersion).Scan(&v)
	switch code(err) {
	case pgerrcode.UndefinedTable, pgerrcode.InvalidSchemaName:
		return 0, nil
	}
	return int(v), err
}

// compatible refuses a schema that is newer than this program knows, unless the schema's migrations say that this
// program can work with it.
func (s *Store) compatible(ctx context.Context, op string, version, newest int) error {
	if version <= newest {
		return nil
	}
	said, oldest := 0, 0
	err := s.pool.QueryRow(ctx, readyCompatible, newest).Scan(&said, &oldest)
	switch {
	case code(err) == pgerrcode.UndefinedTable:
	case err != nil:
		return s.fail(op, err)
	case said == version-newest && oldest <= newest:
		return nil
	}
	return tooNew(version, newest)
}

// goesOn is compatible, and logs that the program continues.
func (s *Store) goesOn(ctx context.Context, op string, version, newest int) error {
	err := s.compatible(ctx, op, version, newest)
	if err == nil && version > newest {
		s.log.Warn("the schema is newer than this program, but compatible with it", "version", version, "known", newest)
	}
	return err
}

// wholly refuses a schema that this program does not know completely.
func (s *Store) wholly(ctx context.Context) error {
	newest, err := newestVersion()
	if err != nil {
		return err
	}
	version, err := s.version(ctx)
	if err != nil {
		return s.fail("check the schema", err)
	}
	if version > newest {
		return tooNew(version, newest)
	}
	return nil
}

func tooNew(version, newest int) error {
	return fmt.Errorf("schema version %d, known %d: %w", version, newest, store.ErrTooNew)
}

// newestVersion returns the version of the last embedded migration.
func newestVersion() (int, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql") // in order
	if err != nil {
		return 0, fmt.Errorf("read the embedded migrations: %w", err)
	}
	newest, err := goose.NumericComponent(names[len(names)-1])
	return int(newest), err
}
