// Package stores opens a fresh store of each engine for a test, and runs SQL that bypasses the program.
//
// A package that opens a store on PostgreSQL runs its TestMain through pgtest.Main.
package stores

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/store/sqlite"
	"sneakerdrop/internal/testing/pgtest"
)

// Engines are the names of all engines.
var Engines = []string{"memory", "postgres", "sqlite"}

// Now is the machine's clock, which stores in memory use here.
func Now() drop.Time { return drop.TimeOf(time.Now()) }

// Each runs the test on an empty store of each engine.
func Each(t *testing.T, test func(*testing.T, store.Store)) {
	t.Helper()
	for _, engine := range Engines {
		t.Run(engine, func(t *testing.T) { test(t, Open(t, engine)) })
	}
}

// Open returns an empty store of the engine with that name. It is closed when the test ends.
func Open(t testing.TB, engine string) store.Store {
	t.Helper()
	s, _ := OpenDatabase(t, engine)
	return s
}

// OpenDatabase is Open, and also returns the value for --database, for Exec and Query; "" for a store in memory.
func OpenDatabase(t testing.TB, engine string) (s store.Store, database string) {
	t.Helper()
	switch engine {
	case "memory":
		return memory.New(Now), ""
	case "postgres":
		database = pgtest.Migrated(t)
		return Postgres(t, database), database
	case "sqlite":
		file := filepath.Join(t.TempDir(), "test.db")
		return SQLite(t, file), "sqlite:" + file
	}
	t.Fatalf("there is no engine %s", engine)
	return nil, ""
}

// SQLite returns a store on the file, with the newest schema. It is closed when the test ends.
func SQLite(t testing.TB, file string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(file, sqlite.Options{Log: slog.New(slog.DiscardHandler)})
	closing(t, s, err)
	if _, _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// Postgres returns a store on the database at that URL, which has its schema. It is closed when the test ends.
func Postgres(t testing.TB, url string) *postgres.Store {
	t.Helper()
	return PostgresWith(t, url, 0)
}

// PostgresWith is Postgres with that many connections; 0: the usual number.
func PostgresWith(t testing.TB, url string, connections int) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, postgres.Options{Connections: connections, Log: slog.New(slog.DiscardHandler)})
	closing(t, s, err)
	return s
}

func closing(t testing.TB, s store.Store, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
