package engine_test

import (
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/stores"
)

// answers collects the answers of concurrent callers.
type answers[T comparable] struct {
	t    *testing.T
	mu   sync.Mutex
	seen map[T]int
}

func collect[T comparable](t *testing.T) *answers[T] { return &answers[T]{t: t, seen: make(map[T]int)} }

func (a *answers[T]) add(v T, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.t.Error(err)
		return
	}
	a.seen[v]++
}

// same checks that there are n answers and that all are equal.
func (a *answers[T]) same(n int) {
	a.t.Helper()
	if len(a.seen) != 1 {
		a.t.Errorf("%d different answers: %v", len(a.seen), a.seen)
	}
	for v, count := range a.seen {
		if count != n {
			a.t.Errorf("%d times %v, want %d", count, v, n)
		}
	}
}

func TestKey_200TwinsHaveOneEffect(t *testing.T) {
	const twins = 200
	stores.Each(t, func(t *testing.T, s store.Store) {
		e := start(t, s, engine.Config{})
		k := func(key string) engine.Retry { return engine.Retry{Key: key} }

		created := collect[drop.ID](t)
		together(twins, func(int) {
			v, err := e.Create(t.Context(), spec(10), k("create"))
			if err != nil {
				created.add(0, err)
				return
			}
			created.add(v.Drop.ID, nil)
		})
		created.same(twins)
		id := drop.ID(1)

		reserved := collect[drop.Reservation](t)
		together(twins, func(int) { reserved.add(e.Reserve(t.Context(), id, 1, "", k("reserve"))) })
		reserved.same(twins)

		var r drop.Reservation
		for r = range reserved.seen {
			bought := collect[drop.Purchase](t)
			together(twins, func(int) { bought.add(e.Purchase(t.Context(), r.ID, 0, k("buy"))) })
			bought.same(twins)
		}

		users := collect[drop.User](t)
		together(twins, func(int) { users.add(e.EnsureUser(t.Context(), "Ann", "ann@example.com", k("user"))) })
		users.same(twins)

		waits := create(t, e, waitable(0))
		joined := collect[drop.EntryID](t)
		together(twins, func(int) {
			p, err := e.Join(t.Context(), waits, 1, "", k("join"))
			joined.add(p.ID, err)
		})
		joined.same(twins)
		left := collect[drop.Entry](t)
		together(twins, func(int) {
			p, err := e.Leave(t.Context(), drop.NewEntryID(waits, 1), 1, k("leave"))
			left.add(p.Entry, err)
		})
		left.same(twins)
		if again, err := e.Join(t.Context(), waits, 1, "", k("join")); err != nil || again.Status != drop.Waiting || again.Position != 1 {
			t.Errorf("joined again with the key after leaving: %+v, %v; want the first answer", again, err)
		}
		if line, err := e.Line(t.Context(), waits, 0, 9); err != nil || len(line) != 1 || line[0].Status != drop.Left {
			t.Errorf("the line %+v, %v; want one entry that left", line, err)
		}

		restocked := collect[int64](t)
		together(twins, func(int) {
			v, err := e.Restock(t.Context(), id, drop.Restock{Add: 5}, k("restock"))
			if err != nil {
				restocked.add(0, err)
				return
			}
			restocked.add(v.Drop.Stock().Total, nil)
		})
		restocked.same(twins)
		if got := stockOf(t, e, id); got != (drop.Stock{Total: 15, Available: 14, Sold: 1}) {
			t.Errorf("stock %+v, want one of each", got)
		}
	})
}

func TestKey_RetryGetsTheFirstAnswerWhateverHappenedSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, memory.New(localNow), engine.Config{})
		id := create(t, e, spec(1))
		key := engine.Retry{Key: "k"}
		first, err := e.Reserve(t.Context(), id, 1, "", key)
		if err != nil {
			t.Fatal(err)
		}
		again := func(when string) {
			t.Helper()
			r, err := e.Reserve(t.Context(), id, 1, "", key)
			if err != nil || r != first {
				t.Errorf("%s: %+v, %v; want %+v", when, r, err, first)
			}
		}
		again("sold out")
		if _, err := e.Pause(t.Context(), id, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		again("paused")
		time.Sleep(2 * time.Minute)
		again("the hold is over")
		if got := stockOf(t, e, id); got != (drop.Stock{Total: 1, Available: 1}) {
			t.Errorf("stock %+v", got)
		}
		_, err = e.Reserve(t.Context(), id, 2, "", key)
		wantCode(t, err, drop.CodeIdempotencyMismatch)
	})
}

func TestKey_RefusalIsNotKept(t *testing.T) {
	e := start(t, memory.New(localNow), engine.Config{})
	id := create(t, e, spec(1))
	r := reserve(t, e, id, 1)
	_, err := e.Reserve(t.Context(), id, 2, "", engine.Retry{Key: "k"})
	wantCode(t, err, drop.CodeOutOfStock)
	if _, err := e.Cancel(t.Context(), r.ID, 0, engine.Retry{}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Reserve(t.Context(), id, 2, "", engine.Retry{Key: "k"}); err != nil {
		t.Errorf("the retry of a refused reserve: %v", err)
	}
}

func TestKey_OperatorsGetTheDropAsItWas(t *testing.T) {
	e := start(t, memory.New(localNow), engine.Config{})
	id := create(t, e, spec(5))
	first, err := e.Restock(t.Context(), id, drop.Restock{Add: 3}, engine.Retry{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	reserve(t, e, id, 1)
	again, err := e.Restock(t.Context(), id, drop.Restock{Add: 3}, engine.Retry{Key: "k"})
	if err != nil || !reflect.DeepEqual(first.Drop, again.Drop) {
		t.Errorf("again %+v, %v; first %+v", again, err, first)
	}
}

// Answers are kept for 24 hours. After that ForgetKeys deletes them; package app calls it once a minute.
func TestKey_IsForgottenAfter24Hours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, memory.New(localNow), engine.Config{})
		id := create(t, e, spec(10))
		key := engine.Retry{Key: "k"}
		first, err := e.Reserve(t.Context(), id, 1, "", key)
		if err != nil {
			t.Fatal(err)
		}
		forget := func() {
			t.Helper()
			if err := e.ForgetKeys(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(23*time.Hour + 59*time.Minute)
		forget()
		if r, err := e.Reserve(t.Context(), id, 1, "", key); err != nil || r != first {
			t.Errorf("before 24 hours: %+v, %v", r, err)
		}
		time.Sleep(3 * time.Minute)
		forget()
		if r, err := e.Reserve(t.Context(), id, 1, "", key); err != nil || r == first {
			t.Errorf("after 24 hours: %+v, %v; want a new reservation", r, err)
		}
	})
}
