package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store/memory"
)

// A lane does not ask for what users hold while its view of the drop has no rule for them. That view may be old.
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
				time.Sleep(1500 * time.Millisecond) // both have seen it
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
