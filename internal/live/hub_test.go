package live_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/live"
	"sneakerdrop/internal/testing/await"
)

// recorder is a wire that records its updates, and may be slow.
type recorder struct {
	mu    sync.Mutex
	slow  time.Duration
	began time.Time
	told  []told
}

type told struct {
	after time.Duration // since the test began
	room  string
	live.Update
}

func (r *recorder) Broadcast(room string, updates []live.Update) {
	time.Sleep(r.slow)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, u := range updates {
		r.told = append(r.told, told{time.Since(r.began), room, u})
	}
}

// take returns what the room received since the last take.
func (r *recorder) take(room string) []told {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	var some []told
	for _, t := range r.told {
		if t.room == room {
			some = append(some, t)
		}
	}
	r.told = slices.DeleteFunc(r.told, func(t told) bool { return t.room == room })
	return some
}

// inHub runs a test in simulated time with a hub and a recording wire.
func inHub(t *testing.T, test func(t *testing.T, h *live.Hub, r *recorder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := live.New(live.Config{})
		defer h.Close()
		r := &recorder{began: time.Now()}
		h.Attach(r)
		test(t, h, r)
	})
}

// event is a batch that left a drop with the given stock.
func event(id drop.ID, version, available int64, reason drop.Reason) engine.Event {
	d := drop.Drop{ID: id, Version: version, Sizes: []drop.Size{{Stock: drop.Stock{Total: 1000, Available: available, Held: 1000 - available}}}}
	ev := engine.Event{View: &engine.View{Drop: d}}
	if reason != "" {
		ev.Ledger = []drop.LedgerEntry{{Reason: reason, Units: 1}}
	}
	return ev
}

func wantJSON(t *testing.T, got live.Update, event, body string) {
	t.Helper()
	if got.Event != event || string(got.JSON) != body {
		t.Errorf("told %s %s\nwant %s %s", got.Event, got.JSON, event, body)
	}
	if !json.Valid(got.JSON) {
		t.Errorf("not JSON: %s", got.JSON)
	}
}

func TestHub_TellsTheFirstChangeAtOnce(t *testing.T) {
	inHub(t, func(t *testing.T, h *live.Hub, r *recorder) {
		time.Sleep(time.Second)
		h.Publish(event(7, 2, 999, drop.Reserved))
		for _, room := range []string{live.RoomAll, live.RoomOf(7)} {
			got := r.take(room)
			if len(got) != 1 || got[0].after != time.Second {
				t.Fatalf("%s was told %+v", room, got)
			}
			wantJSON(t, got[0].Update, live.StockUpdate, `{"dropId":7,"available_stock":999,"reason":"reserved","version":2}`)
		}
		if got := r.take(live.RoomOf(8)); len(got) != 0 {
			t.Errorf("another drop's room was told %+v", got)
		}
	})
}

func TestHub_ConflatesToAFewMessagesThatEndWithTheNewest(t *testing.T) {
	inHub(t, func(t *testing.T, h *live.Hub, r *recorder) {
		const changes, every = 1000, time.Millisecond
		for i := range int64(changes) {
			h.Publish(event(7, 2+i, 1000-i, drop.Reserved))
			time.Sleep(every)
		}
		time.Sleep(50 * time.Millisecond)
		got := r.take(live.RoomAll)
		if n := len(got); n < 20 || n > 42 {
			t.Errorf("%d messages in a second, want about 40", n)
		}
		for i := 1; i < len(got); i++ {
			if gap := got[i].after - got[i-1].after; gap < 25*time.Millisecond {
				t.Errorf("messages %v apart", gap)
			}
		}
		wantJSON(t, got[len(got)-1].Update, live.StockUpdate, `{"dropId":7,"available_stock":1,"reason":"reserved","version":1001}`)
	})
}

// A flush takes 50 ms here, and may take at most a tenth of the machine's time.
func TestHub_WindowStretchesWithTheFanOut(t *testing.T) {
	inHub(t, func(t *testing.T, h *live.Hub, r *recorder) {
		r.slow = 25 * time.Millisecond // for each of the two rooms
		for i := range int64(5000) {
			h.Publish(event(7, 2+i, i%1000, drop.Reserved))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		if n := len(r.take(live.RoomAll)); n > 5000/100 {
			t.Errorf("%d messages in 5 s, each of which took 50 ms", n)
		}
	})
}

func TestHub_TellsTwoPurchasesADropAndSecondTheNewestWins(t *testing.T) {
	inHub(t, func(t *testing.T, h *live.Hub, r *recorder) {
		for i := range uint32(3000) {
			ev := event(7, int64(2+i), 0, drop.Purchased)
			ev.Purchases = []drop.Purchase{{
				ID: drop.NewPurchaseID(7, i+1), ReservationID: drop.NewReservationID(7, i+1), UserID: drop.UserID(i + 1),
			}}
			h.Publish(ev)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		var purchases []told
		for _, u := range r.take(live.RoomAll) {
			if u.Event == live.PurchaseComplete {
				purchases = append(purchases, u)
			}
		}
		if n := len(purchases); n < 6 || n > 7 {
			t.Errorf("%d purchases told in 3 s", n)
		}
		last := fmt.Sprintf(`{"dropId":7,"userId":3000,"purchaseId":%d}`, drop.NewPurchaseID(7, 3000))
		wantJSON(t, purchases[len(purchases)-1].Update, live.PurchaseComplete, last)
	})
}

func TestHub_PurchaseMovesNoStock(t *testing.T) {
	inHub(t, func(t *testing.T, h *live.Hub, r *recorder) {
		h.Publish(event(7, 2, 5, drop.Reserved))
		r.take(live.RoomAll)
		time.Sleep(time.Second)
		h.Publish(event(7, 3, 5, drop.Purchased))
		time.Sleep(time.Second)
		if got := r.take(live.RoomAll); len(got) != 0 {
			t.Errorf("told %+v", got)
		}
	})
}

// A sold unit that is on sale again counts as restocked for watchers. So does one that is written off: the reason has
// them read the total of a drop without sizes again. That buyers began to pay changes nothing for them, and leaves the
// reason of what came before.
func TestHub_TellsUnitsThatCameBackAsRestocked(t *testing.T) {
	inHub(t, func(t *testing.T, h *live.Hub, r *recorder) {
		tell := func(what string, want ...string) {
			t.Helper()
			time.Sleep(time.Second)
			got := r.take(live.RoomAll)
			if len(got) != len(want) {
				t.Fatalf("%s: told %+v", what, got)
			}
			for i := range got {
				wantJSON(t, got[i].Update, live.StockUpdate, want[i])
			}
		}
		h.Publish(event(7, 2, 5, drop.Reserved))
		tell("reserved", `{"dropId":7,"available_stock":5,"reason":"reserved","version":2}`)
		h.Publish(event(7, 3, 6, drop.Returned))
		tell("returned", `{"dropId":7,"available_stock":6,"reason":"restocked","version":3}`)
		h.Publish(event(7, 4, 6, drop.PaymentStarted))
		tell("a payment")
		h.Publish(event(7, 5, 5, drop.Reserved))
		h.Publish(event(7, 6, 4, drop.Reserved)) // in the window of the first
		h.Publish(event(7, 7, 5, drop.Returned))
		h.Publish(event(7, 8, 5, drop.PaymentStarted))
		tell("all at once", `{"dropId":7,"available_stock":5,"reason":"restocked","version":8}`)
		worn := event(7, 9, 5, drop.WrittenOff)
		worn.View.Drop.Sizes[0].Stock.Total = 999
		h.Publish(worn)
		tell("written off", `{"dropId":7,"available_stock":5,"reason":"restocked","version":9}`)
	})
}

func TestHub_TellsWhatAnOperatorChanged(t *testing.T) {
	inHub(t, func(t *testing.T, h *live.Hub, r *recorder) {
		created := event(7, 1, 5, "")
		created.Created = true
		h.Publish(created)
		wantJSON(t, r.take(live.RoomAll)[0].Update, live.StockUpdate, `{"dropId":7,"available_stock":5,"reason":"created","version":1}`)
		time.Sleep(time.Second)
		paused := event(7, 2, 5, "")
		paused.View.Drop.Paused = true
		h.Publish(paused)
		got := r.take(live.RoomAll)
		if len(got) != 1 {
			t.Fatalf("told %+v", got)
		}
		wantJSON(t, got[0].Update, live.DropUpdate, `{"dropId":7,"paused":true,"version":2}`)
	})
}

func TestHub_TellsThatADrawHasAResult(t *testing.T) {
	inHub(t, func(t *testing.T, h *live.Hub, r *recorder) {
		for version, phase := range []drop.DrawPhase{drop.Entering, drop.Drawing, drop.Drawn, drop.Drawn} {
			e := event(7, int64(version), 5, "")
			e.View.Drop.DrawState.Phase = phase
			h.Publish(e)
			time.Sleep(time.Second)
			got := r.take(live.RoomAll)
			if told := len(got) > 0 && got[len(got)-1].Event == live.DropUpdate; told != (version == 2) {
				t.Errorf("version %d, phase %d: told %+v", version, phase, got)
			}
		}
	})
}

// Uses of codes tell nothing: only what answers about the drop show.
func TestHub_TellsThatEarlyAccessChanged(t *testing.T) {
	inHub(t, func(t *testing.T, h *live.Hub, r *recorder) {
		for version, c := range []struct {
			all  []drop.Access
			told bool
		}{
			{nil, false},
			{[]drop.Access{{Starts: 5, List: true}}, true},
			{[]drop.Access{{Starts: 5, List: true, Used: 3}}, false},
			{[]drop.Access{{Starts: 5, List: true}, {Starts: 9}}, true},
			{[]drop.Access{{Starts: 5, List: true}, {Starts: 9, Ends: 9}}, false},
			{[]drop.Access{{Starts: 5, Ends: 7, List: true}, {Starts: 9, Ends: 9}}, true},
		} {
			e := event(7, int64(version)+1, 5, "")
			e.View.Drop.StartTime, e.View.Drop.Accesses = 1000, c.all
			h.Publish(e)
			time.Sleep(time.Second)
			got := r.take(live.RoomAll)
			if told := len(got) > 0 && got[len(got)-1].Event == live.DropUpdate; told != c.told {
				t.Errorf("version %d: told %+v", version, got)
			}
		}
	})
}

func TestHub_SaysNothingOfHiddenDropsButThatTheyWent(t *testing.T) {
	inHub(t, func(t *testing.T, h *live.Hub, r *recorder) {
		h.Publish(event(7, 1, 5, drop.Created))
		time.Sleep(time.Second)
		r.take(live.RoomAll)
		hidden := event(7, 2, 5, "")
		hidden.View.Drop.Hidden = true
		h.Publish(hidden)
		if got := r.take(live.RoomAll); len(got) != 1 || got[0].Event != live.DropUpdate {
			t.Errorf("told %+v", got)
		}
		time.Sleep(time.Second)
		sold := event(7, 3, 4, drop.Reserved)
		sold.View.Drop.Hidden = true
		sold.Purchases = []drop.Purchase{{ID: drop.NewPurchaseID(7, 1), ReservationID: drop.NewReservationID(7, 1), UserID: 1}}
		h.Publish(sold)
		edited := event(7, 4, 4, "")
		edited.View.Drop.Hidden, edited.View.Drop.Price, edited.View.Drop.Paused = true, 500, true
		h.Publish(edited)
		time.Sleep(time.Second)
		if got := r.take(live.RoomAll); len(got) != 0 {
			t.Errorf("told %+v", got)
		}
		h.Join(0, func(snapshot []live.Update) {
			if len(snapshot) != 0 {
				t.Errorf("a client that joins is told %+v", snapshot)
			}
		})
		h.Publish(event(7, 5, 4, "")) // shown again, so watchers are told
		time.Sleep(time.Second)
		if got := r.take(live.RoomAll); len(got) != 2 || got[0].Event != live.StockUpdate || got[1].Event != live.DropUpdate {
			t.Errorf("shown again it is told as %+v", got)
		}
	})
}

func TestHub_OlderStatesAreIgnored(t *testing.T) {
	inHub(t, func(t *testing.T, h *live.Hub, r *recorder) {
		h.Publish(event(7, 9, 5, drop.Reserved))
		h.Publish(event(7, 8, 6, drop.Reserved))
		time.Sleep(time.Second)
		h.Publish(event(7, 7, 7, drop.Reserved))
		time.Sleep(time.Second)
		got := r.take(live.RoomAll)
		if len(got) != 1 {
			t.Fatalf("told %+v", got)
		}
		wantJSON(t, got[0].Update, live.StockUpdate, `{"dropId":7,"available_stock":5,"reason":"reserved","version":9}`)
	})
}

func TestHub_WhoJoinsGetsTheStateAndAllThatFollows(t *testing.T) {
	inHub(t, func(t *testing.T, h *live.Hub, _ *recorder) {
		h.Publish(event(9, 3, 30, drop.Reserved))
		h.Publish(event(7, 2, 20, drop.Reserved))
		time.Sleep(time.Second)
		h.Join(0, func(snapshot []live.Update) {
			if len(snapshot) != 2 {
				t.Fatalf("snapshot %+v", snapshot)
			}
			wantJSON(t, snapshot[0], live.StockUpdate, `{"dropId":7,"available_stock":20,"version":2}`)
			wantJSON(t, snapshot[1], live.StockUpdate, `{"dropId":9,"available_stock":30,"version":3}`)
		})
		h.Join(9, func(snapshot []live.Update) {
			if len(snapshot) != 1 || snapshot[0].Drop != 9 {
				t.Errorf("snapshot of drop 9: %+v", snapshot)
			}
		})
	})
}

// While a client joins nothing is sent, so that nothing is lost between the state and what follows. The test runs in
// real time, because the hub waits on a mutex.
func TestHub_SendsNothingWhileSomebodyJoins(t *testing.T) {
	h := live.New(live.Config{})
	defer h.Close()
	r := &recorder{began: time.Now()}
	h.Attach(r)
	count := func() int {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.told)
	}
	h.Join(7, func([]live.Update) {
		h.Publish(event(7, 3, 19, drop.Reserved))
		for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if count() != 0 {
				t.Fatal("told before the one who joins was in the room")
			}
		}
	})
	await.Until(t, "it is told", func() bool { return count() > 0 })
}

func TestHub_SizesAreTold(t *testing.T) {
	inHub(t, func(t *testing.T, h *live.Hub, r *recorder) {
		ev := event(7, 2, 0, drop.Restocked)
		ev.View.Drop.Sizes = []drop.Size{
			{Label: "9.5", Stock: drop.Stock{Total: 3, Available: 2, Held: 1}},
			{Label: `"wide" \ 10`, Stock: drop.Stock{Total: 1, Available: 1}},
		}
		h.Publish(ev)
		got := r.take(live.RoomAll)
		wantJSON(t, got[0].Update, live.StockUpdate, `{"dropId":7,"available_stock":3,"reason":"restocked","version":2,`+
			`"sizes":[{"size":"9.5","total_stock":3,"available_stock":2},{"size":"\"wide\" \\ 10","total_stock":1,"available_stock":1}]}`)
	})
}
