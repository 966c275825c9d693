package postgres_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/storetest"
)

// keyed returns a command with a key whose body is the command.
func keyed(value string, c drop.Command) drop.Keyed {
	return drop.Keyed{Key: drop.NewKey("", "op", value, drop.Asked(fmt.Sprint(c))), Command: c}
}

// run applies commands to a drop at the store's own time.
func run(t testing.TB, s store.Store, id drop.ID, cmds ...drop.Command) []drop.Result {
	t.Helper()
	var results []drop.Result
	err := s.RunBatch(t.Context(), &storetest.Batch{
		Drop: id, Need: drop.NeedOf(cmds),
		Decider: func(s *drop.State, now drop.Time) *drop.Changes {
			var changes *drop.Changes
			results, changes = drop.Apply(s, now, newBatch(), cmds)
			return changes
		},
	})
	if err != nil {
		t.Errorf("RunBatch: %v", err)
		return make([]drop.Result, len(cmds))
	}
	return results
}

// twins calls f n times at once, alternating between the two stores.
func twins(n int, stores []*postgres.Store, f func(*postgres.Store)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(stores[i%len(stores)]) })
	}
	wg.Wait()
}

// tally counts the answers that twins got.
type tally[T comparable] struct {
	mu  sync.Mutex
	got map[T]int
}

func (c *tally[T]) add(v T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.got == nil {
		c.got = make(map[T]int)
	}
	c.got[v]++
}

func TestRunBatch_TwinsOverTwoStoresReserveOnce(t *testing.T) {
	const n = 200
	url := pgtest.Migrated(t)
	stores := []*postgres.Store{open(t, url), open(t, url)}
	id := createDrop(t, stores[0], 1000)
	var answers tally[string]
	twins(n, stores, func(s *postgres.Store) {
		r := run(t, s, id, keyed("k", drop.Reserve{User: 7, Hold: time.Minute}))[0]
		answers.add(fmt.Sprintf("reservation %d, refusal %v", r.Reservation.ID, r.Err))
	})
	if want := fmt.Sprintf("reservation %d, refusal <nil>", drop.NewReservationID(id, 1)); answers.got[want] != n {
		t.Errorf("answers %v, want %s for all %d", answers.got, want, n)
	}
	wantAvailable(t, stores[0], id, 999)
	other := run(t, stores[1], id, keyed("k", drop.Reserve{User: 8, Hold: time.Minute}))[0]
	if other.Err == nil || other.Err.Code != drop.CodeIdempotencyMismatch {
		t.Errorf("the key for something else: %+v", other)
	}
}

func TestCreateDrop_TwinsOverTwoStoresMakeOne(t *testing.T) {
	const n = 200
	url := pgtest.Migrated(t)
	stores := []*postgres.Store{open(t, url), open(t, url)}
	stock := int64(5)
	key := drop.NewKey("", "create", "k", "body")
	var ids tally[drop.ID]
	var replays tally[bool]
	twins(n, stores, func(s *postgres.Store) {
		got, replayed, err := s.CreateDrop(t.Context(), drop.Spec{Name: "Air", TotalStock: &stock}, newBatch(), key)
		if err != nil || got.Drop.Name != "Air" || got.Drop.Stock().Available != 5 {
			t.Errorf("CreateDrop: %+v, %v", got, err)
		}
		ids.add(got.Drop.ID)
		replays.add(replayed)
	})
	if ids.got[1] != n || replays.got[false] != 1 {
		t.Errorf("drops %v, replayed %v; want drop 1 for all, made once", ids.got, replays.got)
	}
	if id := createDrop(t, stores[0], 1); id != 2 {
		t.Errorf("the next drop has number %d: twins took numbers", id)
	}
}

func TestEnsureUser_TwinsOverTwoStoresMakeOne(t *testing.T) {
	const n = 200
	url := pgtest.Migrated(t)
	stores := []*postgres.Store{open(t, url), open(t, url)}
	var users tally[drop.User]
	twins(n, stores, func(s *postgres.Store) {
		// Half of them use the same key, the others a key of their own. All want the same buyer.
		value := "k"
		if s == stores[0] {
			value = fmt.Sprintf("%x", newBatch())
		}
		u, _, err := s.EnsureUser(t.Context(), "Ann", "Ann@Example.com", drop.NewKey("", "users", value, "ann"))
		if err != nil {
			t.Errorf("EnsureUser: %v", err)
		}
		users.add(u)
	})
	for u, times := range users.got {
		if times != n || u.ID < drop.FirstAllocatedUser || u.Username != "Ann" || u.Email != "ann@example.com" {
			t.Errorf("%d of %d got %+v", times, n, u)
		}
	}
	_, _, err := stores[0].EnsureUser(t.Context(), "Bob", "", drop.NewKey("", "users", "k", "bob"))
	if drop.CodeOf(err) != drop.CodeIdempotencyMismatch {
		t.Errorf("the key for another buyer: %v", err)
	}
}

// One twin has claimed the key and is killed before it commits. The other must get the key, not an answer.
func TestCreateDrop_KilledClaimFreesTheKey(t *testing.T) {
	url := pgtest.Migrated(t)
	first, second := open(t, url), open(t, url)
	admin, holder := connect(t, url), connect(t, url)
	stock := int64(5)
	key := drop.NewKey("", "create", "k", "body")
	type answer struct {
		snapshot store.Snapshot
		replayed bool
		err      error
	}
	create := func(s *postgres.Store) <-chan answer {
		got := make(chan answer, 1)
		go func() {
			var a answer
			a.snapshot, a.replayed, a.err = s.CreateDrop(t.Context(), drop.Spec{Name: "Air", TotalStock: &stock}, newBatch(), key)
			got <- a
		}()
		return got
	}
	createDrop(t, first, 1) // prepares the statements, so that COMMIT is sent with the rest and its outcome is unknown
	exec(t, holder, `BEGIN`)
	exec(t, holder, `LOCK TABLE sneakerdrop.sizes IN EXCLUSIVE MODE`)
	killed := create(first)
	awaitWait(t, admin, "relation")
	twin := create(second)
	awaitWait(t, admin, "transactionid")
	terminate(t, admin, "wait_event = 'relation'")
	a := <-killed
	wantClass(t, a.err, store.ClassRolledBack) // unknown at first, and then looked up
	exec(t, holder, `COMMIT`)
	if a := <-twin; a.err != nil || a.replayed {
		t.Errorf("the twin: %+v, replayed %v, %v; want a drop of its own", a.snapshot, a.replayed, a.err)
	}
	if a := <-create(first); a.err != nil || !a.replayed {
		t.Errorf("once more: %+v, replayed %v, %v", a.snapshot, a.replayed, a.err)
	}
	if all, err := second.Drops(t.Context()); err != nil || len(all) != 2 {
		t.Errorf("drops: %+v, %v; want the first and one", all, err)
	}
}

// A drop under creation has no row that could be locked.
func TestCommitted_WaitsForTheCreationUnderWay(t *testing.T) {
	url := pgtest.Migrated(t)
	s, admin, holder := open(t, url), connect(t, url), connect(t, url)
	stock := int64(5)
	batch := newBatch()
	exec(t, holder, `BEGIN`)
	exec(t, holder, `LOCK TABLE sneakerdrop.sizes IN EXCLUSIVE MODE`)
	created := make(chan error, 1)
	go func() {
		_, _, err := s.CreateDrop(t.Context(), drop.Spec{Name: "Air", TotalStock: &stock}, batch, drop.Key{})
		created <- err
	}()
	awaitWait(t, admin, "relation")
	found := make(chan bool, 1)
	go func() {
		ok, err := s.Committed(t.Context(), 1, batch, 0)
		if err != nil {
			t.Errorf("Committed: %v", err)
		}
		found <- ok
	}()
	awaitWait(t, admin, "advisory")
	exec(t, holder, `COMMIT`)
	if err := <-created; err != nil {
		t.Errorf("CreateDrop: %v", err)
	}
	if !<-found {
		t.Error("Committed said that the drop was not created")
	}
}

func TestForget_WhileLanesKeepAnswers(t *testing.T) {
	const old, lanes, batches, size = 3000, 4, 20, 10
	url := pgtest.Migrated(t)
	s, admin, holder := open(t, url), connect(t, url), connect(t, url)
	ids := make([]drop.ID, lanes)
	for i := range ids {
		ids[i] = createDrop(t, s, 1_000_000)
	}
	exec(t, admin, `INSERT INTO sneakerdrop.idempotency_keys
		SELECT mod(n, 5), '', 'reserve', 'old ' || n, decode(repeat('00', 32), 'hex'), '{}', n FROM generate_series(1, $1::integer) n`,
		old)
	exec(t, holder, `BEGIN`)
	exec(t, holder, `SELECT FROM sneakerdrop.idempotency_keys WHERE created_at = 1 FOR UPDATE`)
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			for b := range batches {
				cmds := make([]drop.Command, size)
				for i := range cmds {
					cmds[i] = keyed(fmt.Sprint("new ", b, " ", i), drop.Reserve{User: 1, Hold: time.Hour})
				}
				for _, r := range run(t, s, id, cmds...) {
					if r.Err != nil {
						t.Errorf("refused: %v", r.Err)
					}
				}
			}
		})
	}
	var gone tally[string]
	for range 2 {
		wg.Go(func() {
			for {
				n, err := s.Forget(t.Context(), old+1, 100)
				if err != nil || n > 100 {
					t.Errorf("Forget: %d, %v", n, err)
				}
				for range n {
					gone.add("")
				}
				if n == 0 {
					return
				}
			}
		})
	}
	wg.Wait()
	if gone.got[""] != old-1 {
		t.Errorf("forgot %d keys, want %d: all but the one that is held", gone.got[""], old-1)
	}
	exec(t, holder, `COMMIT`)
	if n, err := s.Forget(t.Context(), old+1, 100); err != nil || n != 1 {
		t.Errorf("Forget of the one that was held: %d, %v", n, err)
	}
	for _, id := range ids {
		for b := range batches {
			r := run(t, s, id, keyed(fmt.Sprint("new ", b, " 0"), drop.Reserve{User: 1, Hold: time.Hour}))[0]
			if want := drop.NewReservationID(id, uint32(b*size+1)); r.Reservation.ID != want {
				t.Errorf("again under a key: %+v, want reservation %d", r, want)
			}
		}
	}
}
