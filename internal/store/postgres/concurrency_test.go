package postgres_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
	"sneakerdrop/internal/testing/storetest"
)

func TestRunBatch_TwoReplicasSellEachUnitOnce(t *testing.T) {
	const stock, buyers, each = 50, 16, 10
	url := pgtest.Migrated(t)
	replicas := []store.Store{open(t, url), open(t, url)}
	id := createDrop(t, replicas[0], stock)
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		made = make(map[drop.ReservationID]int)
		last drop.Time
	)
	for buyer := range buyers {
		s := replicas[buyer%2]
		wg.Go(func() {
			for range each {
				var result drop.Result
				cmds := []drop.Command{drop.Reserve{User: drop.UserID(buyer + 1), Hold: time.Minute}}
				err := s.RunBatch(t.Context(), &storetest.Batch{
					Drop: id, Need: drop.NeedOf(cmds),
					Decider: func(s *drop.State, now drop.Time) *drop.Changes {
						// Under the lock, so in the order of the batches: the clock is read after the lock.
						mu.Lock()
						if now < last {
							t.Errorf("time stepped back by %s", last.Sub(now))
						}
						last = now
						mu.Unlock()
						results, changes := drop.Apply(s, now, newBatch(), cmds)
						result = results[0]
						return changes
					},
				})
				switch {
				case err != nil:
					t.Errorf("RunBatch: %v", err)
				case result.Err == nil:
					mu.Lock()
					made[result.Reservation.ID]++
					mu.Unlock()
				case result.Err.Code != drop.CodeOutOfStock:
					t.Errorf("refused: %v", result.Err)
				}
			}
		})
	}
	wg.Wait()
	if len(made) != stock {
		t.Errorf("%d reservations of %d units", len(made), stock)
	}
	for id, n := range made {
		if n != 1 {
			t.Errorf("reservation %d was given out %d times", id, n)
		}
	}
	wantAvailable(t, replicas[1], id, 0)
}

// This is how the store works behind a pooler: without prepared statements, and with settings in each transaction.
func TestStore_WithoutPreparedStatements(t *testing.T) {
	for _, mode := range []string{"exec", "cache_describe", "describe_exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			s := open(t, pgtest.Migrated(t)+"&default_query_exec_mode="+mode)
			if mode == "exec" {
				for name := range s.Pool().Config().ConnConfig.RuntimeParams {
					// PgBouncer keeps these for each client without being told.
					ours := []string{"application_name", "client_encoding", "datestyle", "timezone", "standard_conforming_strings"}
					if !slices.Contains(ours, name) {
						t.Errorf("a pooler would refuse the parameter %s", name)
					}
				}
			}
			useAll(t, s)
		})
	}
}

// useAll runs every statement once.
func useAll(t *testing.T, s store.Store) {
	t.Helper()
	id := createDrop(t, s, 9)
	key := drop.NewKey("", "users", "k", "ann")
	user, _, err := s.EnsureUser(t.Context(), "Ann", "Ann@example.com", key)
	if err != nil {
		t.Fatal(err)
	}
	apply := func(cmds ...drop.Command) []drop.Result {
		t.Helper()
		var results []drop.Result
		need := drop.NeedOf(cmds)
		need.Recent, need.Deadline, need.Limits = true, true, true
		err := s.RunBatch(t.Context(), &storetest.Batch{Drop: id, Need: need, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
			var changes *drop.Changes
			results, changes = drop.Apply(s, now, newBatch(), cmds)
			return changes
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
		}
		return results
	}
	name, limit := "Air Test 2", 5
	apply(drop.Edit{Name: &name, LimitPerUser: &limit})
	first := drop.Keyed{
		Key: drop.NewKey("", "reserve", `"k",{}\\`, "first"), Command: drop.Reserve{User: user.ID, Size: `a "note"`, Hold: time.Minute},
	}
	r := apply(first, drop.Reserve{User: user.ID, Hold: time.Minute})
	apply(drop.MakePurchase{Reservation: r[0].Reservation.ID}, drop.Cancel{Reservation: r[1].Reservation.ID})
	if again := apply(first)[0].Reservation; again.ID != r[0].Reservation.ID {
		t.Errorf("under the same key %+v, and first %+v", again, r[0].Reservation)
	}
	if u, _, err := s.EnsureUser(t.Context(), "Ann", "Ann@example.com", key); err != nil || u != user {
		t.Errorf("EnsureUser under the same key: %+v, %v", u, err)
	}
	snapshot, err := s.Drop(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if d := snapshot.Drop; d.Name != name || d.Stock() != (drop.Stock{Total: 9, Available: 8, Sold: 1}) {
		t.Errorf("the drop is %+v", d)
	}
	if len(snapshot.Recent) != 1 || snapshot.Recent[0].Username != "Ann" {
		t.Errorf("recent purchases are %+v", snapshot.Recent)
	}
	if list, err := s.Reservations(t.Context(), user.ID, 10); err != nil || len(list) != 2 {
		t.Errorf("Reservations: %+v, %v", list, err)
	}
	if all, err := s.Drops(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("Drops: %+v, %v", all, err)
	}
	if p, err := s.Pulse(t.Context()); err != nil || len(p.Drops) != 1 {
		t.Errorf("Pulse: %+v, %v", p, err)
	}
	if found, err := s.Committed(t.Context(), id, newBatch(), 0); err != nil || found {
		t.Errorf("Committed of another batch: %v, %v", found, err)
	}
	if b, err := stores.ReadBooks(t.Context(), s, id); err != nil || b.State.ID != id || len(b.Ledger) != 4 || len(b.Reservations) != 2 || len(b.Purchases) != 1 {
		t.Errorf("ReadBooks: %+v, %v", b, err)
	}
	if list, err := s.Purchases(t.Context(), id, 0, 10); err != nil || len(list) != 1 || list[0].Email != "ann@example.com" {
		t.Errorf("Purchases: %+v, %v", list, err)
	}
	if list, err := s.Ledger(t.Context(), id, 1, 10); err != nil || len(list) != 3 {
		t.Errorf("Ledger: %+v, %v", list, err)
	}
	if n, err := s.Forget(t.Context(), drop.Time(1)<<50, 10); err != nil || n != 2 {
		t.Errorf("Forget: %d, %v", n, err)
	}
	stock := int64(3)
	spec := drop.Spec{Name: "Air", TotalStock: &stock}
	state, changes := spec.Create(5, 1, newBatch())
	changes.Kept = []drop.Kept{{Key: first.Key, Answer: []byte("{}"), At: 1}}
	if err := store.Fill(t.Context(), s, []drop.User{{ID: 1, Username: "Bob"}}, []store.Filled{{State: state, Changes: changes}}, true); err != nil {
		t.Error(err)
	}
	if from, to, err := s.Migrate(t.Context()); err != nil || from != to {
		t.Errorf("Migrate: %d, %d, %v", from, to, err)
	}
}

// A store that remembers where a line begins finds who waits after another one has closed the line and opened it again.
func TestWaitlist_AnotherStoreClosedTheLine(t *testing.T) {
	url := pgtest.Migrated(t)
	stores := []store.Store{open(t, url), open(t, url)}
	one := int64(1)
	spec := drop.Spec{Name: "Air Test", Price: 1, TotalStock: &one, StartTime: 1, Waitlist: true}
	made, _, err := stores[0].CreateDrop(t.Context(), spec, drop.BatchID{1}, drop.Key{})
	if err != nil {
		t.Fatal(err)
	}
	id := made.Drop.ID
	held := run(t, stores[0], id, drop.Reserve{User: 1, Hold: time.Hour})[0].Reservation
	old := make([]drop.Command, drop.MaxOffersPerBatch+1)
	for i := range old {
		old[i] = drop.Join{User: drop.UserID(i + 2)}
	}
	run(t, stores[0], id, old...)
	run(t, stores[0], id, drop.Expire{}) // remembers the first
	off, on := false, true
	run(t, stores[1], id, drop.Edit{Waitlist: &off})
	run(t, stores[1], id, drop.Edit{Waitlist: &on})
	next := run(t, stores[1], id, drop.Join{User: 9000})[0].Entry
	run(t, stores[0], id, drop.Cancel{Reservation: held.ID})
	e, _, err := stores[1].Entry(t.Context(), next.ID)
	if err != nil || e.Status != drop.Offered {
		t.Errorf("the only one who waits: %+v, %v", e, err)
	}
	// And the other way round: stores[1] has not heard that the line is empty, nor that somebody came again.
	run(t, stores[0], id, drop.Join{User: 9001})
	run(t, stores[1], id, drop.Cancel{Reservation: e.Offer})
	if mine, err := stores[0].EntriesOf(t.Context(), id, 9001); err != nil || len(mine) != 1 || mine[0].Status != drop.Offered {
		t.Errorf("who came later: %+v, %v", mine, err)
	}
}
