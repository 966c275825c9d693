package engine_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
)

// reservations returns a drop's rows.
func reservations(t *testing.T, s store.Store, id drop.ID) []drop.Reservation {
	t.Helper()
	books, err := stores.ReadBooks(t.Context(), s, id)
	if err != nil {
		t.Fatal(err)
	}
	return books.Reservations
}

// The connection breaks at some point of a COMMIT, under a batch of many commands. Each command takes effect exactly
// once, and no caller sees an error.
func TestPostgres_AmbiguousCommitOfABatchTakesEffectOnce(t *testing.T) {
	const buyers, cuts = 60, 3
	for _, m := range []pgtest.Moment{pgtest.InTransaction, pgtest.BeforeCommit, pgtest.AtCommit, pgtest.AfterCommit} {
		t.Run(m.String(), func(t *testing.T) {
			direct := pgtest.Migrated(t)
			proxy, through := pgtest.NewProxy(t, direct)
			s := stores.Postgres(t, through)
			largest := make(chan int64, 1000)
			e := start(t, s, engine.Config{RetryFor: await.Patience, Publish: func(ev engine.Event) {
				for _, entry := range ev.Ledger {
					largest <- entry.Units
				}
			}})
			id := create(t, e, spec(1000))
			reserve(t, e, id, 1000) // prepares the statements
			var cut atomic.Int64
			var strike func(*pgtest.Line)
			strike = func(l *pgtest.Line) {
				if cut.Add(1) < cuts {
					proxy.Next(m, strike)
				}
				time.Sleep(20 * time.Millisecond) // the others queue meanwhile
				l.Cut()
			}
			proxy.Next(m, strike)
			given := make(map[drop.ReservationID]drop.UserID)
			var mu sync.Mutex
			together(buyers, func(i int) {
				r, err := e.Reserve(t.Context(), id, drop.UserID(i), "", engine.Retry{})
				if err != nil {
					t.Errorf("buyer %d: %v", i, err)
				}
				mu.Lock()
				defer mu.Unlock()
				given[r.ID] = drop.UserID(i)
			})
			rows := reservations(t, s, id)
			if cut.Load() != cuts || len(given) != buyers || len(rows) != buyers+1 {
				t.Errorf("%d cuts; %d reservations were given to %d buyers, and %d are there", cut.Load(), len(given), buyers, len(rows)-1)
			}
			for _, r := range rows[1:] {
				if given[r.ID] != r.UserID {
					t.Errorf("reservation %d is buyer %d's, and was given to %d", r.ID, r.UserID, given[r.ID])
				}
			}
			most := int64(0)
			for len(largest) > 0 {
				most = max(most, <-largest)
			}
			if most < buyers/6 {
				t.Errorf("the largest batch had %d commands", most)
			}
		})
	}
}

// A command that the database itself refuses fails alone, whatever else is in its batch.
func TestPostgres_PoisonedCommandFailsAlone(t *testing.T) {
	const buyers, poisoned = 60, 13
	url := pgtest.Migrated(t)
	s := stores.Postgres(t, url)
	e := start(t, s, engine.Config{})
	id := create(t, e, spec(1000))
	stores.Exec(t, url, fmt.Sprintf(`CREATE FUNCTION public.poison() RETURNS trigger LANGUAGE plpgsql
		AS $$BEGIN IF NEW.user_id = %d THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END$$;
		CREATE TRIGGER poison BEFORE INSERT ON sneakerdrop.reservations FOR EACH ROW EXECUTE FUNCTION public.poison()`, poisoned))
	together(buyers, func(i int) {
		if _, err := e.Reserve(t.Context(), id, drop.UserID(i), "", engine.Retry{}); (err != nil) != (i == poisoned) {
			t.Errorf("buyer %d: %v", i, err)
		}
	})
	if n := len(reservations(t, s, id)); n != buyers-1 {
		t.Errorf("%d reservations, want %d", n, buyers-1)
	}
}

// Two replicas watch the same holds end. Each hold ends exactly once, in the records and in the events.
func TestPostgres_TwoExpiryClocksEndEachHoldOnce(t *testing.T) {
	const buyers = 200
	url := pgtest.Migrated(t)
	var mu sync.Mutex
	ended := make(map[drop.ReservationID]int)
	publish := func(ev engine.Event) {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range ev.Ended {
			ended[r.ID]++
		}
	}
	var replicas [2]*engine.Engine
	var both [2]store.Store
	for i := range replicas {
		both[i] = stores.Postgres(t, url)
		replicas[i] = start(t, both[i], engine.Config{Hold: 300 * time.Millisecond, Publish: publish})
	}
	id := create(t, replicas[0], spec(buyers))
	together(buyers, func(i int) {
		if _, err := replicas[i%2].Reserve(t.Context(), id, drop.UserID(i), "", engine.Retry{}); err != nil {
			t.Error(err)
		}
	})
	for deadline := time.Now().Add(await.Patience); stockOf(t, replicas[0], id).Held > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("holds are not over")
		}
	}
	for i, e := range replicas { // a batch's changes are published after its view
		if err := e.Stop(t.Context()); err != nil {
			t.Errorf("replica %d: %v", i, err)
		}
	}
	books, err := stores.ReadBooks(t.Context(), both[0], id)
	if err != nil {
		t.Fatal(err)
	}
	units := int64(0)
	for _, entry := range books.Ledger {
		if entry.Reason == drop.ReservationExpired {
			units += entry.Units
		}
	}
	for _, r := range books.Reservations {
		if r.Status != drop.Expired || ended[r.ID] != 1 {
			t.Errorf("reservation %d is %s, and was said to have ended %d times", r.ID, r.Status, ended[r.ID])
		}
	}
	if len(books.Purchases) > 0 {
		t.Errorf("purchases: %+v", books.Purchases)
	}
	if units != buyers {
		t.Errorf("the ledger gave %d units back, want %d", units, buyers)
	}
}

// With one connection for all, every drop gets its turn.
func TestPostgres_ExhaustedPoolServesEveryDrop(t *testing.T) {
	const drops, buyers = 20, 200
	e := start(t, stores.PostgresWith(t, pgtest.Migrated(t), 1), engine.Config{})
	var ids [drops]drop.ID
	for i := range ids {
		ids[i] = create(t, e, spec(buyers))
	}
	together(buyers, func(i int) {
		if _, err := e.Reserve(t.Context(), ids[i%drops], drop.UserID(i), "", engine.Retry{}); err != nil {
			t.Errorf("buyer %d: %v", i, err)
		}
	})
	for _, id := range ids {
		if got := stockOf(t, e, id); got.Held != buyers/drops {
			t.Errorf("drop %d: %+v", id, got)
		}
	}
}
