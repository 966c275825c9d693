package engine_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

// crowded is a store that takes a second for each batch, and keeps how many it had at once and how many there were.
type crowded struct {
	store.Store

	under, most, batches atomic.Int64
}

func (c *crowded) RunBatch(ctx context.Context, b store.Batch) error {
	n := c.under.Add(1)
	defer c.under.Add(-1)
	for was := c.most.Load(); n > was; was = c.most.Load() {
		if c.most.CompareAndSwap(was, n) {
			break
		}
	}
	c.batches.Add(1)
	time.Sleep(time.Second)
	return c.Store.RunBatch(ctx, b)
}

// With two lanes at once in the store, ten drops take turns, and who comes while a drop waits is in its batch.
func TestMaxLanes_DropsTakeTurnsAndTheirBatchesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &crowded{Store: memory.New(func() drop.Time { return drop.TimeOf(time.Now()) })}
		e := engine.New(s, engine.Config{MaxLanes: 2, Hold: time.Hour})
		const drops, rounds = 10, 5
		units := int64(drops * rounds)
		for range drops {
			if _, err := e.Create(t.Context(), drop.Spec{Name: "Air Zenith 1", TotalStock: &units, LimitPerUser: 99}, engine.Retry{}); err != nil {
				t.Fatal(err)
			}
		}
		var all sync.WaitGroup
		for round := range rounds { // one after the other, all within the first batches
			for id := range drops {
				all.Go(func() {
					if _, err := e.Reserve(t.Context(), drop.ID(id+1), drop.UserID(round+1), "", engine.Retry{}); err != nil {
						t.Error(err)
					}
				})
			}
			time.Sleep(10 * time.Millisecond)
		}
		all.Wait()
		if most := s.most.Load(); most != 2 {
			t.Errorf("%d batches were in the store at once, want 2", most)
		}
		// Two lanes were first, with one command each, and came again; the other eight had all five in one batch.
		if batches := s.batches.Load(); batches != 12 {
			t.Errorf("%d batches, want 12", batches)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
