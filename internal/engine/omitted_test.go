package engine_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/storetest"
)

// A lane does not load users' holds while its view of the drop has no rule about them. That view may be old.
func TestReserve_ARuleThatAnotherReplicaHasSetHoldsAtOnce(t *testing.T) {
	one, two := 1, 2
	for name, rule := range map[string]struct {
		edit drop.Edit
		code drop.Code
	}{
		"a limit": {drop.Edit{LimitPerUser: &two}, drop.CodeLimitReached},
		"a wait":  {drop.Edit{MaxExpiredHolds: &one}, drop.CodeCooldown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared := memory.New(localNow)
				e, other := start(t, shared, engine.Config{}), start(t, shared, engine.Config{})
				id := create(t, e, spec(100))
				for range 2 {
					r := reserve(t, e, id, 7)
					if rule.code == drop.CodeCooldown {
						if _, err := e.Cancel(t.Context(), r.ID, 0, engine.Retry{}); err != nil {
							t.Fatal(err)
						}
					}
				}
				time.Sleep(1500 * time.Millisecond) // both replicas have seen it
				if _, err := other.Edit(t.Context(), id, rule.edit); err != nil {
					t.Fatal(err)
				}
				if v, err := e.View(t.Context(), id); err != nil || v.Drop.Limited() {
					t.Fatalf("%+v, %v: the view is not old, and so the test shows nothing", v.Drop, err)
				}
				_, err := e.Reserve(t.Context(), id, 7, "", engine.Retry{})
				wantCode(t, err, rule.code)
				reserve(t, e, id, 8)
			})
		})
	}
}

func reserveKeyed(t *testing.T, e *engine.Engine, id drop.ID, user drop.UserID, key string) drop.Reservation {
	t.Helper()
	r, err := e.Reserve(t.Context(), id, user, "", engine.Retry{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// observed is a store that records how many keys each attempt at a batch has looked up.
type observed struct {
	store.Store

	keys []int
}

func (o *observed) RunBatch(ctx context.Context, b store.Batch) error {
	return o.Store.RunBatch(ctx, &storetest.Over{Batch: b, Need: func() drop.Need {
		need := b.Needs()
		o.keys = append(o.keys, len(need.Keys))
		return need
	}})
}

// The lane assumes that keys are new until one is not. That batch runs again, and the next 64 batches with keys look
// them up.
func TestKeys_AreLookedUpOnceOneWasUsedBefore(t *testing.T) {
	for name, again := range map[string]func(*testing.T, *engine.Engine, drop.ID, drop.Reservation){
		"and it gets the first answer": func(t *testing.T, e *engine.Engine, id drop.ID, first drop.Reservation) {
			if r := reserveKeyed(t, e, id, 1, "first"); r != first {
				t.Errorf("%+v, want the first answer %+v", r, first)
			}
		},
		"which goes before a refusal": func(t *testing.T, e *engine.Engine, id drop.ID, first drop.Reservation) {
			if _, err := e.Pause(t.Context(), id, engine.Retry{}); err != nil {
				t.Fatal(err)
			}
			if r := reserveKeyed(t, e, id, 1, "first"); r != first {
				t.Errorf("%+v, want the first answer %+v", r, first)
			}
			if _, err := e.Resume(t.Context(), id, engine.Retry{}); err != nil {
				t.Fatal(err)
			}
		},
		"but another call under it is refused": func(t *testing.T, e *engine.Engine, id drop.ID, _ drop.Reservation) {
			_, err := e.Reserve(t.Context(), id, 2, "", engine.Retry{Key: "first"})
			wantCode(t, err, drop.CodeIdempotencyMismatch)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &observed{Store: memory.New(localNow)}
				e := start(t, s, engine.Config{})
				id := create(t, e, spec(1000))
				first := reserveKeyed(t, e, id, 1, "first")
				reserveKeyed(t, e, id, 2, "second")
				if slices.Max(s.keys) > 0 {
					t.Errorf("new keys were looked up: %v", s.keys)
				}
				again(t, e, id, first)
				for n := range 70 {
					reserveKeyed(t, e, id, 3, strconv.Itoa(n))
				}
				looked := 0
				for _, n := range s.keys {
					looked += n
				}
				if looked != 1+64 {
					t.Errorf("%d keys were looked up, want that one and those of 64 batches: %v", looked, s.keys)
				}
				if held := stockOf(t, e, id).Held; held != 72 {
					t.Errorf("%d units are held, want 72", held)
				}
			})
		})
	}
}
