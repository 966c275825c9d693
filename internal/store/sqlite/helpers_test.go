package sqlite

import (
	"crypto/rand"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/testing/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock shows the same time until the test sets it.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(int64(drop.TimeOf(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))))
	return c
}

func (c *clock) now() drop.Time { return drop.Time(c.ms.Load()) }

func (c *clock) add(d time.Duration) { c.ms.Add(d.Milliseconds()) }

func openAt(tb testing.TB, path string, o Options) *Store {
	tb.Helper()
	s, err := Open(path, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// openNew opens a migrated store on a new file.
func openNew(tb testing.TB, o Options) *Store {
	tb.Helper()
	s := openAt(tb, filepath.Join(tb.TempDir(), "shop.db"), o)
	if _, _, err := s.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s
}

func newBatchID() (id drop.BatchID) {
	_, _ = rand.Read(id[:]) // crypto/rand.Read never fails
	return id
}

func newDrop(tb testing.TB, s *Store, stock int64) drop.ID {
	tb.Helper()
	spec := drop.Spec{Name: "Air One", Price: 12_000, StartTime: 0, TotalStock: &stock}
	snapshot, _, err := s.CreateDrop(tb.Context(), spec, newBatchID(), drop.Key{})
	if err != nil {
		tb.Fatal(err)
	}
	return snapshot.Drop.ID
}

// apply runs the commands as one batch.
func apply(tb testing.TB, s *Store, id drop.ID, cmds ...drop.Command) ([]drop.Result, error) {
	tb.Helper()
	var results []drop.Result
	batch := newBatchID()
	err := s.RunBatch(tb.Context(), &storetest.Batch{
		Drop: id, Need: drop.NeedOf(cmds),
		Decider: func(state *drop.State, now drop.Time) (changes *drop.Changes) {
			results, changes = drop.Apply(state, now, batch, cmds)
			return changes
		},
	})
	return results, err
}

// reserve reserves one unit for each user, and fails the test if one is refused.
func reserve(tb testing.TB, s *Store, id drop.ID, users ...drop.UserID) []drop.Reservation {
	tb.Helper()
	cmds := make([]drop.Command, len(users))
	for i, u := range users {
		cmds[i] = drop.Reserve{User: u, Hold: time.Minute}
	}
	results, err := apply(tb, s, id, cmds...)
	if err != nil {
		tb.Fatal(err)
	}
	made := make([]drop.Reservation, len(results))
	for i, r := range results {
		if r.Err != nil {
			tb.Fatalf("reserve for user %d: %v", users[i], r.Err)
		}
		made[i] = r.Reservation
	}
	return made
}

func stockOf(tb testing.TB, s *Store, id drop.ID) drop.Stock {
	tb.Helper()
	snapshot, err := s.Drop(tb.Context(), id)
	if err != nil {
		tb.Fatal(err)
	}
	return snapshot.Drop.Stock()
}

// direct runs SQL on the writer's connection, bypassing the store's methods.
func direct(tb testing.TB, s *Store, query string) {
	tb.Helper()
	err := s.write(tb.Context(), "test", func(conn *sqlite.Conn) (bool, error) {
		st, _, err := conn.PrepareTransient(query)
		if err != nil {
			return false, err
		}
		_, err = st.Step()
		return true, errors.Join(err, st.Finalize())
	})
	if err != nil {
		tb.Fatal(err)
	}
}
