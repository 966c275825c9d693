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

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/sqlite"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
)

// rows are reservations that exist before the test, a fifth of them in the drop that is measured. All fields except
// the count are SQL over n.
type rows struct {
	n                            int
	user, status, expires, ended string
}

var (
	old  = &rows{5_000_000, "1 + n % 300000", "3 + n % 2", "61000 + n", "61000 + n"} // from earlier days
	live = &rows{1_000_000, "1000000000 + n", "1", "4102444800000", "NULL"}          // until the year 2100, of other buyers than those of the test
)

// With 5,000,000 old reservations, reserve throughput is at least 0.9 of that on an empty database. The test measures
// the two in turn and compares the medians.
func TestSoak_OldReservationsDoNotSlowReserving(t *testing.T) {
	const rounds = 5
	for name, open := range map[string]func(*testing.T, *rows) store.Store{"postgres": openPostgres, "sqlite": openSQLite} {
		t.Run(name, func(t *testing.T) {
			full, empty := start(t, open(t, old), engine.Config{}), start(t, open(t, nil), engine.Config{})
			compare(t, full, empty, rounds, rounds, 0.9)
		})
	}
}

// compare reserves on two engines in turn. The median ratio of the last rounds must reach least.
func compare(t *testing.T, this, other *engine.Engine, rounds, last int, least float64) {
	t.Helper()
	var ratios, rates []float64
	for range rounds {
		a, b := reservesPerSecond(t, this), reservesPerSecond(t, other)
		rates, ratios = append(rates, a), append(ratios, a/b)
	}
	rates, ratios = slices.Sorted(slices.Values(rates[rounds-last:])), slices.Sorted(slices.Values(ratios[rounds-last:]))
	t.Logf("%.0f reserves/s, ratio to the other: median %.2f of %.2f", rates[last/2], ratios[last/2], ratios)
	if ratios[last/2] < least {
		t.Errorf("median ratio %.2f, want at least %.2f", ratios[last/2], least)
	}
}

// With a million live holds, the server starts within 3 s and reserves at 0.9 of its speed without them.
func TestSoak_AMillionLiveHolds(t *testing.T) {
	for name, open := range map[string]func(*testing.T, *rows) store.Store{"postgres": openPostgres, "sqlite": openSQLite} {
		t.Run(name, func(t *testing.T) {
			s := open(t, live)
			began := time.Now()
			full := start(t, s, engine.Config{})
			took := time.Since(began)
			t.Logf("started in %v", took)
			if took > 3*time.Second {
				t.Errorf("the start took %v, want at most 3 s", took)
			}
			compare(t, full, start(t, open(t, nil), engine.Config{}), 5, 5, 0.9)
		})
	}
}

// A session may hold a snapshot for five minutes, such as a forgotten BEGIN or a dump. It keeps every version of the
// drop's row and every index entry of an ended hold. Reserving keeps 0.8 of its speed. The median of the last five
// rounds counts.
func TestSoak_AnOldSnapshotDoesNotSlowReserving(t *testing.T) {
	url := pgtest.Migrated(t)
	s := stores.Postgres(t, url)
	makeDrops(t, s)
	held, free := start(t, s, engine.Config{}), start(t, openPostgres(t, nil), engine.Config{}) // another database has its own horizon
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for _, q := range []string{"BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM sneakerdrop.drops"} {
		if _, err := conn.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	const rounds = 38 // of 8 s each
	compare(t, held, free, rounds, 5, 0.8)
}

var buyers atomic.Int64

// nextBuyer returns each buyer once, in a scattered order. An odd factor modulo a power of two yields every number
// once.
func nextBuyer() drop.UserID {
	return drop.UserID(uint64(buyers.Add(1)) * 0x9E3779B97F4A7C15 % (1 << 40))
}

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
				if _, err := e.Reserve(context.Background(), 1, nextBuyer(), "", engine.Retry{}); err != nil {
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

func openPostgres(t *testing.T, fill *rows) store.Store {
	s, url := stores.OpenDatabase(t, "postgres")
	makeDrops(t, s)
	if fill != nil {
		stores.Exec(t, url, fmt.Sprintf(`INSERT INTO sneakerdrop.reservations
			SELECT d.id, (d.id << 32) + n, %s, '', %s, 1000 + n, %s, %s
			FROM sneakerdrop.drops d, generate_series(1, %d) n`, fill.user, fill.status, fill.expires, fill.ended, fill.n/5))
		stores.Exec(t, url, fmt.Sprintf(`UPDATE sneakerdrop.drops SET reserved = %d`, fill.n/5))
		stores.Exec(t, url, `VACUUM ANALYZE sneakerdrop.reservations`)
		stores.Exec(t, url, `CHECKPOINT`)
	}
	return s
}

func openSQLite(t *testing.T, fill *rows) store.Store {
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
	if fill != nil {
		stores.Exec(t, "sqlite:"+path, fmt.Sprintf(`
			WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < %d)
			INSERT INTO reservations
			SELECT d.id, (d.id << 32) + n, %s, '', %s, 1000 + n, %s, %s
			FROM drops d CROSS JOIN series;
			UPDATE drops SET reserved = %d;`, fill.n/5, fill.user, fill.status, fill.expires, fill.ended, fill.n/5))
	}
	return stores.SQLite(t, path)
}
