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

// A write of another replica, or of an earlier run, may not be confirmed. The first answer that relies on it waits
// for a confirmation, once for each state.
func TestAnswer_FromAnEarlierBatchIsConfirmedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &faulty{Store: memory.New(localNow)}
		confirmed := 0
		f.set(nil, func(b store.Batch) error {
			if b.Confirms() {
				confirmed++
			}
			return nil
		})
		one, other := start(t, f, engine.Config{}), start(t, f, engine.Config{})
		id := create(t, one, spec(2))
		key := engine.Retry{Key: "k"}
		var first drop.Reservation
		ask := func(what string, e *engine.Engine, want int) {
			t.Helper()
			confirmed = 0
			r, err := e.Reserve(t.Context(), id, 1, "", key)
			if err != nil || first.ID != 0 && r != first {
				t.Errorf("%s: %+v, %v", what, r, err)
			}
			if first = r; confirmed != want {
				t.Errorf("%s: %d answers were confirmed, want %d", what, confirmed, want)
			}
		}
		ask("the first time", one, 0)
		ask("again, of who has written it", one, 0)
		ask("of another replica", other, 1)
		ask("of that one again", other, 0)
		if _, err := one.Purchase(t.Context(), first.ID, 0, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := other.Purchase(t.Context(), first.ID, 0, engine.Retry{}); err != nil {
				t.Error(err)
			}
		}
		if confirmed != 1 {
			t.Errorf("a purchase that is there was confirmed %d times, want 1", confirmed)
		}
		if _, err := other.Cancel(t.Context(), first.ID, 0, engine.Retry{}); drop.CodeOf(err) != drop.CodeAlreadyPurchased || confirmed != 1 {
			t.Errorf("%v, confirmed %d times; a refusal needs none", err, confirmed)
		}
	})
}

func TestAnswer_ThatCannotBeConfirmedIsNotGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &faulty{Store: memory.New(localNow)}
		one, other := start(t, f, engine.Config{}), start(t, f, engine.Config{})
		id := create(t, one, spec(2))
		key := engine.Retry{Key: "k"}
		if _, err := one.Reserve(t.Context(), id, 1, "", key); err != nil {
			t.Fatal(err)
		}
		f.committed = func() error { t.Error("there is nothing to look up"); return nil }
		broken := true
		f.set(nil, func(b store.Batch) error {
			if b.Confirms() && broken {
				return &store.Error{Op: "test", Class: store.ClassUnknown, Err: errors.New("not replicated")}
			}
			return nil
		})
		if r, err := other.Reserve(t.Context(), id, 1, "", key); !errors.Is(err, engine.ErrOutcomeUnknown) {
			t.Errorf("%+v, %v; want that it is not known", r, err)
		}
		broken = false
		if _, err := other.Reserve(t.Context(), id, 1, "", key); err != nil {
			t.Error(err)
		}
	})
}
