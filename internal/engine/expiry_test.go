package engine_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

// The store's clock is set back by 5 ms after a hold's timer was set. The timer fires too early and is set again.
func TestExpiry_ATimerThatWasTooEarlyIsSetAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lag atomic.Int64
		s := memory.New(func() drop.Time { return drop.TimeOf(time.Now().Add(-time.Duration(lag.Load()))) })
		e := engine.New(s, engine.Config{Hold: 2 * time.Second})
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		id := create(t, e, spec(1))
		time.Sleep(300 * time.Millisecond)
		r, err := e.Reserve(t.Context(), id, 1, "", engine.Retry{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(1200 * time.Millisecond)
		lag.Store(int64(5 * time.Millisecond)) // the sweep at 2 s learns of it; the timer is for 2.3 s
		time.Sleep(time.Until(r.ExpiresAt.Time().Add(20 * time.Millisecond)))
		synctest.Wait()
		if got := stockOf(t, e, id).Available; got != 1 {
			t.Errorf("15 ms after the end of the hold %d units are available, want 1", got)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A reserve whose outcome is unknown may hold a unit. The unit becomes available exactly when the hold ends, although
// no batch that the lane knows of made it. Nobody is refused after that.
func TestExpiry_OfAHoldWhoseReserveWasNotAnswered(t *testing.T) {
	lost := &store.Error{Op: "test", Class: store.ClassUnknown, Err: errors.New("answer lost")}
	for name, restUntil := range map[string]time.Duration{ // for each case, what is left of the hold when the next buyer comes and is told that the drop is sold out
		"refused at once": 0, "refused just before the end": 100 * time.Millisecond,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const hold = 500 * time.Millisecond // shorter than the time to the next sweep, which would find it too
				f := &faulty{Store: memory.New(localNow), committed: func() error { return lost }}
				e := start(t, f, engine.Config{Hold: hold, RetryFor: 100 * time.Millisecond})
				id := create(t, e, spec(1))
				f.set(nil, func(store.Batch) error { return lost })
				began := time.Now()
				if _, err := e.Reserve(t.Context(), id, 1, "", engine.Retry{}); !errors.Is(err, engine.ErrOutcomeUnknown) {
					t.Fatalf("got %v", err)
				}
				f.set(nil, nil)
				if restUntil > 0 {
					time.Sleep(time.Until(began.Add(hold - restUntil)))
				}
				_, err := e.Reserve(t.Context(), id, 2, "", engine.Retry{})
				wantCode(t, err, drop.CodeOutOfStock)
				time.Sleep(time.Until(began.Add(hold)))
				reserve(t, e, id, 2)
			})
		})
	}
}
