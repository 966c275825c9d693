package engine_test

import (
	"os"
	"sync"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// together runs f for the numbers 1 to n, all started at once.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-gate
			f(i + 1)
		})
	}
	close(gate)
	wg.Wait()
}

func TestReserve_400BuyersFor50Units(t *testing.T) {
	stores.Each(t, func(t *testing.T, s store.Store) {
		e := start(t, s, engine.Config{})
		id := create(t, e, spec(50))
		var mu sync.Mutex
		ids := make(map[drop.ReservationID]bool)
		refused := 0
		together(400, func(i int) {
			r, err := e.Reserve(t.Context(), id, drop.UserID(i), "", engine.Retry{})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				ids[r.ID] = true
			case drop.CodeOf(err) == drop.CodeOutOfStock:
				refused++
			default:
				t.Error(err)
			}
		})
		if len(ids) != 50 || refused != 350 {
			t.Errorf("%d distinct reservations and %d refusals, want 50 and 350", len(ids), refused)
		}
		snapshot, err := s.Drop(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if got := snapshot.Drop.Stock(); got != (drop.Stock{Total: 50, Held: 50}) {
			t.Errorf("stored stock %+v", got)
		}
	})
}

func TestBuy_40AtOnceMakeOnePurchase(t *testing.T) {
	stores.Each(t, func(t *testing.T, s store.Store) {
		e := start(t, s, engine.Config{})
		id := create(t, e, spec(5))
		r := reserve(t, e, id, 1)
		var mu sync.Mutex
		answers := make(map[drop.Purchase]int)
		together(40, func(int) {
			p, err := e.Purchase(t.Context(), r.ID, 0, engine.Retry{})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			answers[p]++
		})
		if len(answers) != 1 {
			t.Errorf("%d different answers: %v", len(answers), answers)
		}
		if got := stockOf(t, e, id); got != (drop.Stock{Total: 5, Available: 4, Sold: 1}) {
			t.Errorf("stock %+v", got)
		}
	})
}

// Two replicas on one store sell one drop. The store's lock orders their lanes. SQLite is left out because it serves
// only one process.
func TestReplicas_NeverSellAUnitTwice(t *testing.T) {
	url := pgtest.Migrated(t)
	shared := memory.New(localNow)
	for name, pair := range map[string][2]store.Store{"postgres": {stores.Postgres(t, url), stores.Postgres(t, url)}, "memory": {shared, shared}} {
		t.Run(name, func(t *testing.T) {
			replicas := [2]*engine.Engine{start(t, pair[0], engine.Config{}), start(t, pair[1], engine.Config{})}
			id := create(t, replicas[0], spec(100))
			var mu sync.Mutex
			sold := make(map[drop.PurchaseID]bool)
			together(400, func(i int) {
				e := replicas[i%2]
				r, err := e.Reserve(t.Context(), id, drop.UserID(i), "", engine.Retry{})
				if drop.CodeOf(err) == drop.CodeOutOfStock {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				p, err := replicas[(i+1)%2].Purchase(t.Context(), r.ID, 0, engine.Retry{})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				sold[p.ID] = true
			})
			if got := stockOf(t, replicas[0], id); len(sold) != 100 || got.Available != 0 {
				t.Errorf("%d sold, stock %+v", len(sold), got)
			}
		})
	}
}
