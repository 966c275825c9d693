package audit_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/store/postgres"
	sqlitestore "sneakerdrop/internal/store/sqlite"
	"sneakerdrop/internal/testing/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// database is a store that SQL can reach past the program; run is nil where there is no SQL.
type database struct {
	store.Store
	run func(t *testing.T, statements ...string)
}

var engines = map[string]func(*testing.T) database{
	"memory": func(*testing.T) database {
		return database{Store: memory.New(func() drop.Time { return drop.TimeOf(time.Now()) })}
	},
	"sqlite":   openSQLite,
	"postgres": openPostgres,
}

func onEachEngine(t *testing.T, test func(*testing.T, database)) {
	for _, name := range slices.Sorted(maps.Keys(engines)) {
		t.Run(name, func(t *testing.T) { test(t, engines[name](t)) })
	}
}

func openSQLite(t *testing.T) database {
	file := filepath.Join(t.TempDir(), "test.db")
	s, err := sqlitestore.Open(file, sqlitestore.Options{})
	migrate(t, s, err)
	return database{Store: s, run: func(t *testing.T, statements ...string) {
		t.Helper()
		conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		script := strings.ReplaceAll(strings.Join(statements, ";\n"), "{batch}", "randomblob(16)")
		if err := sqlitex.ExecuteScript(conn, script, nil); err != nil {
			t.Fatalf("%s: %v", script, err)
		}
	}}
}

func openPostgres(t *testing.T) database {
	url := pgtest.Migrated(t)
	s, err := postgres.Open(t.Context(), url, postgres.Options{})
	migrate(t, s, err)
	return database{Store: s, run: func(t *testing.T, statements ...string) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		script := strings.ReplaceAll(strings.Join(statements, ";\n"), "{batch}", "gen_random_uuid()")
		if _, err := conn.Exec(t.Context(), "SET search_path = sneakerdrop; "+script); err != nil {
			t.Fatalf("%s: %v", script, err)
		}
	}}
}

func migrate(t *testing.T, s store.Store, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}
