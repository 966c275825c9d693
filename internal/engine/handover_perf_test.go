//go:build perf

package engine_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/stores"
)

// 10,000 buyers wait. Everybody who is offered a unit declines it, 256 at a time, so that each call hands a unit over
// to the next in line. It logs hand-overs a second.
func TestHandOver_Throughput(t *testing.T) {
	const waiters, units, wanted = 10_000, 256, 5_000
	stores.Each(t, func(t *testing.T, st store.Store) {
		e := engine.New(st, engine.Config{Hold: time.Hour, Log: slog.New(slog.DiscardHandler)})
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Stop(context.Background()) })
		stock := int64(units)
		v, err := e.Create(t.Context(), drop.Spec{Name: "Air Test", Price: 1, TotalStock: &stock, StartTime: 1, Waitlist: true}, engine.Retry{})
		if err != nil {
			t.Fatal(err)
		}
		id := v.Drop.ID
		each := func(n int, do func(i int) error) {
			var next atomic.Int64
			var all sync.WaitGroup
			for range units {
				all.Go(func() {
					for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
						if err := do(i); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
		}
		each(units, func(i int) error {
			_, err := e.Reserve(t.Context(), id, drop.UserID(i+1), "", engine.Retry{})
			return err
		})
		began := time.Now()
		each(waiters, func(i int) error {
			_, err := e.Join(t.Context(), id, drop.UserID(i+1001), "", engine.Retry{})
			return err
		})
		joined := time.Since(began)
		began = time.Now()
		each(waiters, func(i int) error { // the n-th reservation exists once n − 256 were declined
			_, err := e.Cancel(t.Context(), drop.NewReservationID(id, uint32(i+1)), 0, engine.Retry{})
			return err
		})
		took := time.Since(began)
		rate := float64(waiters) / took.Seconds()
		t.Logf("%.0f joins and %.0f hand-overs a second", float64(waiters)/joined.Seconds(), rate)
		if rate < wanted {
			t.Errorf("%.0f hand-overs a second, want %d", rate, wanted)
		}
		if after, err := e.View(t.Context(), id); err != nil || after.Drop.Waiting() != 0 || after.Drop.Stock().Held != units {
			t.Errorf("%+v, %v", after.Drop, err)
		}
	})
}
