package engine_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

// A batch that moves no units leaves its id only on the drop, and the next batch replaces it. A look-up then does not
// find it although it may have taken effect. Repeating it could bring a pause back after somebody was told that the
// drop is resumed.
func TestCommit_IsNotRepeatedWhenOtherBatchesMayHideIt(t *testing.T) {
	lost := &store.Error{Op: "test", Class: store.ClassUnknown, Err: errors.New("answer lost")}
	away := &store.Error{Op: "test", Class: store.ClassUnavailable, Err: errors.New("away")}
	for _, test := range []struct {
		name                  string
		committed, meanwhile  bool // the pause is committed; another replica's resume comes meanwhile
		awayThen, wantUnknown bool
	}{
		{name: "committed, another batch", committed: true, meanwhile: true, wantUnknown: true},
		{name: "not even decided, another batch", meanwhile: true},
		{name: "committed", committed: true},
		{name: "not even decided"},
		{name: "committed, another batch, the store away", committed: true, meanwhile: true, awayThen: true, wantUnknown: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared := memory.New(localNow)
				f := &faulty{Store: shared}
				e, other := start(t, f, engine.Config{}), start(t, shared, engine.Config{})
				id := create(t, e, spec(5))
				calls := 0
				lose := func(store.Batch) error {
					calls++
					switch {
					case calls > 1 && test.awayThen:
						return away
					case calls > 1:
						return nil
					}
					if test.meanwhile {
						if _, err := other.Resume(t.Context(), id, engine.Retry{Key: "k"}); err != nil { // changes the drop in any case
							t.Error(err)
						}
					}
					return lost
				}
				if test.committed {
					f.set(func(store.Batch) error {
						if calls > 0 && test.awayThen {
							return away
						}
						return nil
					}, lose)
				} else {
					f.set(lose, nil)
				}
				v, err := e.Pause(t.Context(), id, engine.Retry{})
				if got := errors.Is(err, engine.ErrOutcomeUnknown); got != test.wantUnknown || !got && (err != nil || !v.Drop.Paused) {
					t.Errorf("the pause was answered with %+v, %v", v, err)
				}
				f.set(nil, nil)
				snapshot, err := shared.Drop(t.Context(), id)
				if err != nil || snapshot.Drop.Paused == (test.committed && test.meanwhile) {
					t.Errorf("paused %t, %v", snapshot.Drop.Paused, err)
				}
				if _, err := e.Resume(t.Context(), id, engine.Retry{}); err != nil {
					t.Errorf("the next command: %v", err)
				}
			})
		})
	}
}

// Units that a batch moved are in the ledger, where later batches cannot hide them. The look-up finds the batch, so
// it is not repeated.
func TestCommit_OfUnitsIsFoundBehindOtherBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := memory.New(localNow)
		f := &faulty{Store: shared}
		e, other := start(t, f, engine.Config{}), start(t, shared, engine.Config{})
		id := create(t, e, spec(5))
		calls := 0
		f.set(nil, func(store.Batch) error {
			if calls++; calls > 1 {
				return nil
			}
			if _, err := other.Restock(t.Context(), id, drop.Restock{Add: 1}, engine.Retry{}); err != nil {
				t.Error(err)
			}
			return &store.Error{Op: "test", Class: store.ClassUnknown, Err: errors.New("answer lost")}
		})
		v, err := e.Restock(t.Context(), id, drop.Restock{Add: 10}, engine.Retry{})
		if err != nil || v.Drop.Stock().Total != 15 {
			t.Errorf("got %+v, %v", v, err)
		}
		if snapshot, err := shared.Drop(t.Context(), id); err != nil || snapshot.Drop.Stock().Total != 16 {
			t.Errorf("got %+v, %v", snapshot, err)
		}
	})
}
