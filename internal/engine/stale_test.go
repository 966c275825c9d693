package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store/memory"
)

// After another replica has changed the drop, a view may refuse wrongly for half a second at most, even before a
// sweep.
func TestReserve_StaleRefusalEndsAfterHalfASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := memory.New(localNow)
		e, other := start(t, shared, engine.Config{}), start(t, shared, engine.Config{})
		id := create(t, e, spec(1))
		reserve(t, e, id, 1)
		_, err := e.Reserve(t.Context(), id, 2, "", engine.Retry{})
		wantCode(t, err, drop.CodeOutOfStock)
		if _, err := other.Restock(t.Context(), id, drop.Restock{Add: 1}, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(400 * time.Millisecond)
		_, err = e.Reserve(t.Context(), id, 2, "", engine.Retry{})
		wantCode(t, err, drop.CodeOutOfStock) // a stale refusal is allowed here, so this one is the gate's
		time.Sleep(101 * time.Millisecond)    // the next sweep comes at one second
		reserve(t, e, id, 2)
	})
}
