//go:build soak

package engine_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	zsqlite "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/store/postgres/pgtest"
	"sneakerdrop/internal/store/sqlite"
)

// old is how many reservations of former days lie in the database: a fifth of them in the drop that is measured.
const old = 5_000_000

// With 5,000,000 old reservations, reserve throughput is at least 0.9 of that on an empty database. The two are measured
// in turn, and the medians compared.
func TestSoak_OldReservationsDoNotSlowReserving(t *testing.T) {
	const rounds = 5
	for name, open := range map[string]func(*testing.T, bool) store.Store{"postgres": openPostgres, "sqlite": openSQLite} {
		t.Run(name, func(t *testing.T) {
			full, empty := start(t, open(t, true), engine.Config{}), start(t, open(t, false), engine.Config{})
			var ratios, rates []float64
			for range rounds {
				f, e := reservesPerSecond(t, full), reservesPerSecond(t, empty)
				rates = append(rates, f)
				ratios = append(ratios, f/e)
			}
			slices.Sort(ratios)
			slices.Sort(rates)
			t.Logf("%.0f reserves/s with %d old reservations, ratio to an empty database: median %.2f of %.2f",
				rates[rounds/2], old, ratios[rounds/2], ratios)
			if ratios[rounds/2] < 0.9 {
				t.Errorf("median ratio %.2f, want at least 0.9", ratios[rounds/2])
			}
		})
	}
}

var nextUser atomic.Int64

// reservesPerSecond reserves in drop 1, which limits buyers to two units, from 256 callers for 4 seconds.
func reservesPerSecond(t *testing.T, e *engine.Engine) float64 {
	t.Helper()
	const callers, length = 256, 4 * time.Second
	var count atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range callers {
		wg.Go(func() {
			for time.Since(began) < length {
				if _, err := e.Reserve(context.Background(), 1, drop.UserID(nextUser.Add(1)), "", engine.Retry{}); err != nil {
					t.Error(err)
					return
				}
				count.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(count.Load()) / time.Since(began).Seconds()
}

// makeDrops makes five drops, the first with a limit of two.
func makeDrops(t *testing.T, s store.Store) {
	t.Helper()
	for i := range 5 {
		stock := int64(drop.MaxStock)
		sp := drop.Spec{Name: fmt.Sprintf("Drop %d", i+1), StartTime: 1, TotalStock: &stock, LimitPerUser: 2}
		if _, _, err := s.CreateDrop(t.Context(), sp, drop.BatchID{byte(i)}, drop.Key{}); err != nil {
			t.Fatal(err)
		}
	}
}

func openPostgres(t *testing.T, fill bool) store.Store {
	url := pgtest.Migrated(t)
	s, err := postgres.Open(t.Context(), url, postgres.Options{})
	migrated(t, s, err)
	makeDrops(t, s)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if fill {
		for _, q := range []string{
			fmt.Sprintf(`INSERT INTO sneakerdrop.reservations
				SELECT d.id, (d.id << 32) + n, 1 + n %% 300000, '', 3 + n %% 2, 1000 + n, 61000 + n, 61000 + n
				FROM sneakerdrop.drops d, generate_series(1, %d) n`, old/5),
			fmt.Sprintf(`UPDATE sneakerdrop.drops SET reserved = %d`, old/5),
			`VACUUM ANALYZE sneakerdrop.reservations`,
			`CHECKPOINT`,
		} {
			if _, err := conn.Exec(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

func openSQLite(t *testing.T, fill bool) store.Store {
	path := filepath.Join(t.TempDir(), "test.db")
	s, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	makeDrops(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if fill {
		conn, err := zsqlite.OpenConn(path, zsqlite.OpenReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		err = sqlitex.ExecuteScript(conn, fmt.Sprintf(`
			WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < %d)
			INSERT INTO reservations
			SELECT d.id, (d.id << 32) + n, 1 + n %% 300000, '', 3 + n %% 2, 1000 + n, 61000 + n, 61000 + n
			FROM drops d CROSS JOIN series;
			UPDATE drops SET reserved = %d;`, old/5, old/5), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s, err = sqlite.Open(path, sqlite.Options{})
	return migrated(t, s, err)
}
