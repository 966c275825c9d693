package engine_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store/memory"
)

// The store's clock falls back by 5 ms after the timer of a hold was set: the timer goes off too early, and is set again.
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
		lag.Store(int64(5 * time.Millisecond)) // the sweep at 2 s learns of it, the timer is for 2.3 s
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
