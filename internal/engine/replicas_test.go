package engine_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/stores"
)

// noticed records the events of an engine.
type noticed struct {
	mu     sync.Mutex
	events []engine.Event
}

func (n *noticed) publish(ev engine.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, ev)
}

func (n *noticed) take() []engine.Event {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.events
	n.events = nil
	return all
}

// following runs a test with two replicas on one store and a drop that both know. One replica records what it
// publishes.
func following(t *testing.T, test func(t *testing.T, seller, follower *engine.Engine, sold, seen *noticed, id drop.ID)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(stores.Now)
		sold, seen := &noticed{}, &noticed{}
		seller := start(t, s, engine.Config{Publish: sold.publish})
		follower := start(t, s, engine.Config{Publish: seen.publish})
		id := create(t, seller, spec(10))
		time.Sleep(1100 * time.Millisecond) // a sweep
		sold.take()
		seen.take()
		test(t, seller, follower, sold, seen, id)
	})
}

func TestFollow_TakesOverWhatIsNewer(t *testing.T) {
	following(t, func(t *testing.T, seller, follower *engine.Engine, sold, seen *noticed, id drop.ID) {
		reserve(t, seller, id, 1)
		reserve(t, seller, id, 2)
		told := sold.take()
		if len(told) != 2 || told[0].Elsewhere {
			t.Fatalf("the seller published %+v", told)
		}
		if !follower.Receive(told[1]) || follower.Receive(told[0]) || follower.Receive(told[1]) {
			t.Error("of two versions only the newer one is news, and that once")
		}
		if got := stockOf(t, follower, id).Available; got != 8 {
			t.Errorf("%d units on sale, want 8", got)
		}
		got := seen.take()
		if len(got) != 1 || !got[0].Elsewhere || got[0].View.Drop.Version != told[1].View.Drop.Version || len(got[0].Ledger) == 0 {
			t.Errorf("published %+v", got)
		}
		time.Sleep(2 * time.Second)
		if got := seen.take(); len(got) > 0 {
			t.Errorf("the sweep tells again what is known: %+v", got)
		}
	})
}

// Two replicas sell at once, and their events arrive late. The newer state and the newer list of purchases win,
// whichever event has them.
func TestFollow_KeepsTheNewestListOfPurchases(t *testing.T) {
	following(t, func(t *testing.T, seller, follower *engine.Engine, sold, _ *noticed, id drop.ID) {
		r := reserve(t, seller, id, 1)
		if _, err := seller.Purchase(t.Context(), r.ID, 0, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		reserve(t, follower, id, 2) // sees that there was a purchase, but not whose
		for _, ev := range sold.take() {
			follower.Receive(ev)
		}
		v, err := follower.View(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Recent) != 1 || v.Drop.Stock() != (drop.Stock{Total: 10, Available: 8, Held: 1, Sold: 1}) {
			t.Errorf("stock %+v with %+v in the list", v.Drop.Stock(), v.Recent)
		}
	})
}

// The first event about an unknown drop makes the engine look it up, before the sweep would.
func TestFollow_AnUnknownDropIsLookedUp(t *testing.T) {
	following(t, func(t *testing.T, seller, follower *engine.Engine, sold, seen *noticed, _ drop.ID) {
		time.Sleep(100 * time.Millisecond)
		id := create(t, seller, spec(5))
		for _, ev := range sold.take() {
			follower.Receive(ev)
		}
		time.Sleep(50 * time.Millisecond)
		got := seen.take()
		if len(got) != 1 || got[0].View.Drop.ID != id || !got[0].Created {
			t.Errorf("published %+v", got)
		}
	})
}

// The store is the authority. A false event is shown until the next sweep at most.
func TestSweep_TakesBackWhatTheStoreDoesNotHave(t *testing.T) {
	following(t, func(t *testing.T, _, follower *engine.Engine, _, seen *noticed, id drop.ID) {
		lie := drop.Drop{ID: id, Version: 1 << 40, Sizes: []drop.Size{{Stock: drop.Stock{Total: 10, Sold: 10}}}, Settings: drop.Settings{Name: "lie"}}
		if !follower.Receive(engine.Event{View: engine.NewView(lie, nil, 0, 0)}) {
			t.Fatal("it is no news")
		}
		time.Sleep(2 * time.Second)
		if got := stockOf(t, follower, id).Available; got != 10 {
			t.Errorf("%d units on sale, want 10", got)
		}
		got := seen.take()
		if len(got) != 2 || !got[1].Back || got[1].View.Drop.Version >= 1<<40 {
			t.Errorf("published %+v", got)
		}
	})
}

// A replica that learns of sales only from the sweep still names the newest purchase, so that its watchers hear of
// one.
func TestSweep_NamesTheNewestPurchaseOfOthers(t *testing.T) {
	following(t, func(t *testing.T, seller, follower *engine.Engine, _, seen *noticed, id drop.ID) {
		var last drop.Purchase
		for user := range drop.UserID(3) {
			r := reserve(t, seller, id, user+1)
			var err error
			if last, err = seller.Purchase(t.Context(), r.ID, 0, engine.Retry{}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(1100 * time.Millisecond)
		got := seen.take()
		if len(got) != 1 || len(got[0].Purchases) != 1 || got[0].Purchases[0] != last {
			t.Errorf("published %+v, want %+v", got, last)
		}
		if got := stockOf(t, follower, id).Sold; got != 3 {
			t.Errorf("%d sold", got)
		}
	})
}
