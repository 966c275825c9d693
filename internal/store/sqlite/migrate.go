package sqlite

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"sneakerdrop/internal/store"
)

// migrations has one script for each version, starting with 0001_….sql. A script that was published never changes.
//
//go:embed migrations/*.sql
var migrations embed.FS

// scripts returns the migrations in order. The one at index i leads to version i+1.
func scripts() ([]string, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	all := make([]string, len(names)) // Glob returns sorted names
	for i, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all[i] = string(text)
	}
	return all, nil
}

// Migrate implements store.Store. All steps are one transaction, and the version is read under its write lock.
func (s *Store) Migrate(ctx context.Context) (from, to int, err error) {
	all, err := scripts()
	if err != nil {
		return 0, 0, failure("migrate", err)
	}
	err = s.write(ctx, "migrate", func(conn *sqlite.Conn) (bool, error) {
		from, to, err = migrate(conn, all)
		return from != to, err
	})
	return from, to, err
}

// migrate brings a database to the version of the last script.
func migrate(conn *sqlite.Conn, all []string) (from, to int, err error) {
	version, err := integer(conn, "PRAGMA user_version")
	if err != nil {
		return 0, 0, err
	}
	from = int(version)
	if from > len(all) {
		return from, from, store.ErrTooNew
	}
	for i := from; i < len(all); i++ {
		if err := sqlitex.ExecuteScript(conn, all[i], nil); err != nil {
			return from, from, fmt.Errorf("to version %d: %w", i+1, err)
		}
	}
	if from == len(all) {
		return from, from, nil
	}
	err = pragmas(conn, fmt.Sprintf("user_version = %d", len(all)), fmt.Sprintf("application_id = %d", applicationID))
	return from, len(all), err
}

// checkVersion returns an error unless this program can work with the schema.
func checkVersion(conn *sqlite.Conn) error {
	all, err := scripts()
	if err != nil {
		return err
	}
	version, err := integer(conn, "PRAGMA user_version")
	switch {
	case err != nil:
		return err
	case int(version) > len(all):
		return store.ErrTooNew
	case int(version) < len(all):
		return fmt.Errorf("the schema is at version %d and this program needs %d; run sneakerdrop migrate first", version, len(all))
	}
	return nil
}
