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
	"sneakerdrop/internal/testing/stores"
	"sneakerdrop/internal/testing/storetest"
)

// crowded is a store with turns for two batches at once, each of which takes a second. It counts batches.
type crowded struct {
	store.Store

	turns   chan struct{}
	batches atomic.Int64
}

func newCrowded() *crowded {
	return &crowded{Store: memory.New(stores.Now), turns: make(chan struct{}, 2)}
}

func (c *crowded) RunBatch(ctx context.Context, b store.Batch) error {
	c.batches.Add(1)
	need := b.Needs()
	select {
	case c.turns <- struct{}{}:
	default:
		c.turns <- struct{}{}
		need = b.Needs()
	}
	defer func() { <-c.turns }()
	time.Sleep(time.Second)
	return c.Store.RunBatch(ctx, &storetest.Over{Batch: b, Need: func() drop.Need { return need }})
}

func (c *crowded) start(t *testing.T, drops int, spec drop.Spec) *engine.Engine {
	t.Helper()
	e := engine.New(c, engine.Config{Hold: time.Hour})
	for range drops {
		if _, err := e.Create(t.Context(), spec, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// Ten drops take turns in the store. A call that comes while a batch waits for its turn joins that batch.
func TestTurn_BatchesGrowWhileTheyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const drops, rounds = 10, 5
		units, s := int64(drops*rounds), newCrowded()
		e := s.start(t, drops, drop.Spec{Name: "Air Zenith 1", TotalStock: &units, LimitPerUser: 99})
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
		// Two lanes came first with one command each, and came again. The other eight had all five in one batch.
		if batches := s.batches.Load(); batches != 12 {
			t.Errorf("%d batches, want 12", batches)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Once a waiting batch has grown, its needs are determined again, for example what a buyer already has.
func TestTurn_RulesCountForWhoComesWhileABatchWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		units, s := int64(10), newCrowded()
		e := s.start(t, 3, drop.Spec{Name: "Air Zenith 1", TotalStock: &units, LimitPerUser: 2})
		const id, ann, bob = 3, 7, 8
		for range 2 {
			if _, err := e.Reserve(t.Context(), id, ann, "", engine.Retry{}); err != nil {
				t.Fatal(err)
			}
		}
		var all sync.WaitGroup
		reserve := func(id drop.ID, user drop.UserID, want drop.Code) {
			all.Go(func() {
				if _, err := e.Reserve(t.Context(), id, user, "", engine.Retry{}); drop.CodeOf(err) != want {
					t.Errorf("user %d, drop %d: %v, want %q", user, id, err, want)
				}
			})
			synctest.Wait()
		}
		reserve(1, bob, "")
		reserve(2, bob, "") // both turns are taken
		reserve(id, bob, "")
		reserve(id, ann, drop.CodeLimitReached)
		all.Wait()
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
