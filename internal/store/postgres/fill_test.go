package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/storetest"
)

// filled returns a drop with the given number of reservations, all expired.
func filled(id drop.ID, reservations int) store.Filled {
	stock := int64(drop.MaxStock)
	spec := drop.Spec{Name: "Air", TotalStock: &stock}
	state, changes := spec.Create(id, 1, newBatch())
	state.Reserved = uint32(reservations)
	rows := make([]drop.Reservation, reservations)
	changes.Made = make([]*drop.Reservation, reservations)
	for i := range rows {
		rows[i] = drop.Reservation{
			ID: drop.NewReservationID(id, uint32(i+1)), UserID: drop.UserID(i + 1), Status: drop.Expired,
			CreatedAt: 1, ExpiresAt: 2, EndedAt: 2,
		}
		changes.Made[i] = &rows[i]
	}
	return store.Filled{State: state, Changes: changes}
}

func fill(t testing.TB, s *postgres.Store, users []drop.User, drops ...store.Filled) {
	t.Helper()
	if err := store.Fill(t.Context(), s, users, drops, true); err != nil {
		t.Fatalf("Fill: %v", err)
	}
}

// A creation takes its number before it inserts, and Fill locks the tables before the numbers. Neither may wait for
// the other while it holds what the other needs.
func TestFill_NeverDeadlocksWithCallsUnderWay(t *testing.T) {
	url := pgtest.Migrated(t)
	stores := []*postgres.Store{open(t, url), open(t, url)}
	fill(t, stores[0], nil, filled(1, 10))
	stock := int64(5)
	ended := time.Now().Add(time.Second)
	var wg sync.WaitGroup
	loop := func(what string, call func(*postgres.Store) error) {
		for _, s := range stores {
			wg.Go(func() {
				for time.Now().Before(ended) {
					// A call that waited for a Fill may find nothing: TRUNCATE also affects older snapshots.
					err := call(s)
					// A wait that reaches lock_timeout's 5 s means a busy machine. PostgreSQL detects a deadlock
					// after 1 s, and with a code of its own.
					if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code != pgerrcode.LockNotAvailable {
						t.Errorf("%s: %v", what, err)
						return
					}
				}
			})
		}
	}
	loop("Fill", func(s *postgres.Store) error {
		return store.Fill(t.Context(), s, []drop.User{{ID: 1, Username: "Ann"}}, []store.Filled{filled(1, 10)}, true)
	})
	loop("CreateDrop", func(s *postgres.Store) error {
		_, _, err := s.CreateDrop(t.Context(), drop.Spec{Name: "Air", TotalStock: &stock}, newBatch(),
			drop.NewKey("", "create", fmt.Sprintf("%x", newBatch()), ""))
		return err
	})
	loop("EnsureUser", func(s *postgres.Store) error {
		_, _, err := s.EnsureUser(t.Context(), "Bob", "", drop.NewKey("", "users", "k", ""))
		return err
	})
	loop("RunBatch", func(s *postgres.Store) error {
		cmds := []drop.Command{keyed("k", drop.Reserve{User: 1, Hold: time.Minute})}
		return s.RunBatch(t.Context(), &storetest.Batch{
			Drop: 1, Need: drop.NeedOf(cmds),
			Decider: func(s *drop.State, now drop.Time) *drop.Changes {
				_, changes := drop.Apply(s, now, newBatch(), cmds)
				return changes
			},
		})
	})
	loop("Forget", func(s *postgres.Store) error {
		_, err := s.Forget(t.Context(), 1<<50, 10)
		return err
	})
	loop("ReadBooks", func(s *postgres.Store) error {
		return s.ReadBooks(t.Context(), 1, store.Books{
			Head:        func(*drop.State) error { return nil },
			Entry:       func(drop.LedgerEntry) error { return nil },
			Reservation: func(drop.Reservation) error { return nil },
			Purchase:    func(drop.Purchase) error { return nil },
		})
	})
	wg.Wait()
}

func TestFill_ThatFailsLeavesTheNumbersAsTheyWere(t *testing.T) {
	s := open(t, pgtest.Migrated(t))
	if id := createDrop(t, s, 1); id != 1 {
		t.Fatalf("the first drop has number %d", id)
	}
	twice := []drop.User{{ID: drop.FirstAllocatedUser + 50, Username: "Ann"}, {ID: 2, Username: "Ann"}}
	wantClass(t, store.Fill(t.Context(), s, twice, []store.Filled{filled(900, 0)}, true), store.ClassFault)
	if id := createDrop(t, s, 1); id != 2 {
		t.Errorf("the next drop has number %d, want 2", id)
	}
	if u, _, err := s.EnsureUser(t.Context(), "Bob", "", drop.Key{}); err != nil || u.ID != drop.FirstAllocatedUser {
		t.Errorf("the next buyer: %+v, %v; want number %d", u, err, drop.FirstAllocatedUser)
	}
}

func TestFill_UpToTheHighestNumbers(t *testing.T) {
	s := open(t, pgtest.Migrated(t))
	fill(t, s, []drop.User{{ID: drop.MaxSafeInteger, Username: "Ann"}}, filled(drop.MaxID, 3))
	stock := int64(1)
	for range 2 {
		_, _, err := s.CreateDrop(t.Context(), drop.Spec{Name: "Air", TotalStock: &stock}, newBatch(), drop.Key{})
		if drop.CodeOf(err) != drop.CodeExhausted {
			t.Errorf("CreateDrop after the highest number: %v", err)
		}
		if _, _, err := s.EnsureUser(t.Context(), "Bob", "", drop.Key{}); err == nil {
			t.Error("a buyer was made after the highest number")
		}
	}
	fill(t, s, nil, filled(3, 0))
	if id := createDrop(t, s, 1); id != 4 {
		t.Errorf("the next drop has number %d, want 4", id)
	}
}

// The connection is closed, and a million unwanted rows are not read.
func TestReadBooks_EndsAtOnceWhenTheReaderRefuses(t *testing.T) {
	s := open(t, pgtest.Migrated(t))
	fill(t, s, nil, filled(1, 50_000))
	before := s.Pool().Stat().NewConnsCount()
	refused := errors.New("enough")
	rows := 0
	err := s.ReadBooks(t.Context(), 1, store.Books{
		Head:  func(*drop.State) error { return nil },
		Entry: func(drop.LedgerEntry) error { return nil },
		Reservation: func(drop.Reservation) error {
			rows++
			return refused
		},
	})
	if !errors.Is(err, refused) || rows != 1 {
		t.Errorf("ReadBooks: %v after %d reservations", err, rows)
	}
	wantAvailable(t, s, 1, drop.MaxStock)
	if s.Pool().Stat().NewConnsCount() == before {
		t.Error("the connection was kept: its rows were read to the end")
	}
}

// BenchmarkFill copies a drop with a million reservations and reads its records.
func BenchmarkFill(b *testing.B) {
	const rows = 1_000_000
	s := open(b, pgtest.Migrated(b))
	drops := []store.Filled{filled(1, rows)}
	b.Run("Fill", func(b *testing.B) {
		for b.Loop() {
			fill(b, s, nil, drops...)
		}
	})
	b.Run("ReadBooks", func(b *testing.B) {
		for b.Loop() {
			n := 0
			err := s.ReadBooks(b.Context(), 1, store.Books{
				Head:        func(*drop.State) error { return nil },
				Entry:       func(drop.LedgerEntry) error { return nil },
				Reservation: func(drop.Reservation) error { n++; return nil },
			})
			if err != nil || n != rows {
				b.Fatalf("%d rows, %v", n, err)
			}
		}
	})
}
