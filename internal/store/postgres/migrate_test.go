package postgres_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"sync"
	"testing"
	"testing/fstest"

	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/store/postgres/pgtest"
)

// migrations returns the embedded migrations by version: the first is versions[0].
func migrations(t *testing.T) (versions []fstest.MapFS, newest int) {
	t.Helper()
	files, err := postgres.MigrationFiles()
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	upTo := fstest.MapFS{}
	for _, name := range names { // Glob sorts, and the names start with the version
		data, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		next := fstest.MapFS{name: {Data: data}}
		maps.Copy(next, upTo)
		upTo = next
		versions = append(versions, next)
	}
	return versions, len(names)
}

func TestMigrate_ManyAtOnceFromEmpty(t *testing.T) {
	url := pgtest.Database(t)
	_, newest := migrations(t)
	var (
		wg sync.WaitGroup
		mu sync.Mutex
		by int // how many found work to do
	)
	for range 8 {
		s := open(t, url)
		wg.Go(func() {
			from, to, err := s.Migrate(t.Context())
			if err != nil || to != newest || from != 0 && from != newest {
				t.Errorf("Migrate: from %d to %d, %v", from, to, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if from == 0 {
				by++
			}
		})
	}
	wg.Wait()
	if by != 1 {
		t.Errorf("%d of the processes migrated, want 1", by)
	}
	if err := open(t, url).Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
}

func TestMigrate_FromEachOlderVersion(t *testing.T) {
	versions, newest := migrations(t)
	for older := range newest {
		t.Run(fmt.Sprintf("from %d", older), func(t *testing.T) {
			s := open(t, pgtest.Database(t))
			if older > 0 {
				if _, to, err := s.MigrateFiles(t.Context(), versions[older-1]); err != nil || to != older {
					t.Fatalf("to the older version: %d, %v", to, err)
				}
			}
			if err := s.Ready(t.Context()); err == nil || errors.Is(err, store.ErrTooNew) {
				t.Errorf("Ready before: %v, want an error that says to migrate", err)
			}
			if from, to, err := s.Migrate(t.Context()); err != nil || from != older || to != newest {
				t.Errorf("Migrate: from %d to %d, %v", from, to, err)
			}
			if err := s.Ready(t.Context()); err != nil {
				t.Errorf("Ready: %v", err)
			}
			createDrop(t, s, 1)
		})
	}
}

func TestMigrate_RefusesWhatIsTooNew(t *testing.T) {
	s := open(t, pgtest.Migrated(t))
	versions, newest := migrations(t)
	later := versions[newest-1]
	later[fmt.Sprintf("%05d_later.sql", newest+1)] = &fstest.MapFile{Data: []byte("-- +goose Up\nSELECT 1;\n")}
	if _, to, err := s.MigrateFiles(t.Context(), later); err != nil || to != newest+1 {
		t.Fatalf("as the newer program: %d, %v", to, err)
	}
	if _, _, err := s.Migrate(t.Context()); !errors.Is(err, store.ErrTooNew) {
		t.Errorf("Migrate: %v, want ErrTooNew", err)
	}
	if err := s.Ready(t.Context()); !errors.Is(err, store.ErrTooNew) {
		t.Errorf("Ready: %v, want ErrTooNew", err)
	}
}

func TestMigrate_FaultyMigrationLeavesTheSchema(t *testing.T) {
	s := open(t, pgtest.Migrated(t))
	versions, newest := migrations(t)
	later := versions[newest-1]
	later[fmt.Sprintf("%05d_faulty.sql", newest+1)] = &fstest.MapFile{
		Data: []byte("-- +goose Up\nDROP TABLE sneakerdrop.ledger;\nSELECT 1 / 0;\n"),
	}
	if _, _, err := s.MigrateFiles(t.Context(), later); err == nil {
		t.Fatal("a faulty migration succeeded")
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
	createDrop(t, s, 1)
}
