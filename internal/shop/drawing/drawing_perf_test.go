//go:build perf

package drawing_test

import (
	"context"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/shop/drawing"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// The largest draw is closed, drawn, stored and lined up in less than 10 s, while buyers reserve units of another drop
// that is in the same database. It logs how long that took, how long they waited, and the most memory.
func TestDraw_TakesTenSecondsAtMost(t *testing.T) {
	const most, longestPause = 10 * time.Second, 500 * time.Millisecond
	for _, engine := range []string{"sqlite", "postgres"} {
		for name, c := range map[string]struct {
			units   []int64
			ranking func(user int) drop.Ranking
		}{
			"one size":     {[]int64{1000}, func(int) drop.Ranking { return "0" }},
			"ranked sizes": {[]int64{1000, 500, 100}, func(user int) drop.Ranking { return []drop.Ranking{"0,1,2", "1,2,0", "2,0,1"}[user%3] }},
		} {
			t.Run(engine+"/"+name, func(t *testing.T) {
				s := stores.Open(t, engine)
				id, other := drop.ID(1), drop.ID(2)
				fill(t, s, id, draw.MaxEntries, c.units, c.ranking)
				units := int64(10_000_000)
				if got := create(t, s, drop.Spec{Name: "Other", Price: 1, StartTime: 1, TotalStock: &units}); got != other {
					t.Fatal(got)
				}
				v := serve(t, s, drawing.Options{})
				waits, heap, end := beside(t, v.Engine, other)
				began := time.Now()
				v.untilSoon(t, id)
				took := time.Since(began)
				end()
				slices.Sort(*waits)
				longest, p99 := (*waits)[len(*waits)-1], (*waits)[len(*waits)*99/100]
				t.Logf("the draw took %.1f s; %d reservations meanwhile, p99 %s, the longest %s; most memory %d MiB",
					took.Seconds(), len(*waits), p99.Round(time.Microsecond), longest.Round(time.Millisecond), *heap>>20)
				if took > most || longest > longestPause {
					t.Errorf("the draw took %s and made buyers wait for %s, want at most %s and %s", took, longest, most, longestPause)
				}
				v.check(t, s, id)
			})
		}
	}
}

// beside reserves units, one after the other, until end is called.
func beside(t *testing.T, e *engine.Engine, id drop.ID) (waits *[]time.Duration, heap *uint64, end func()) {
	t.Helper()
	waits, heap = new([]time.Duration), new(uint64)
	ctx, cancel := context.WithCancel(t.Context())
	var both sync.WaitGroup
	both.Go(func() {
		for user := drop.UserID(1); ctx.Err() == nil; user++ {
			began := time.Now()
			if _, err := e.Reserve(t.Context(), id, user, "", engine.Retry{}); err != nil {
				t.Error(err)
				return
			}
			*waits = append(*waits, time.Since(began))
		}
	})
	both.Go(func() {
		for ctx.Err() == nil {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			*heap = max(*heap, m.HeapInuse)
			time.Sleep(50 * time.Millisecond)
		}
	})
	return waits, heap, func() {
		cancel()
		both.Wait()
	}
}

func (v *server) untilSoon(t *testing.T, id drop.ID) {
	t.Helper()
	for began := time.Now(); v.drop(t, id).DrawState.Phase != drop.Drawn; time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatalf("not drawn: %+v\n%s", v.drop(t, id).DrawState, v.logs)
		}
	}
}
