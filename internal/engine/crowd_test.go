//go:build !race

// The race detector makes SQLite, which is C translated to Go, many times slower: figures in milliseconds mean nothing then.

package engine_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
)

// crowd is what TestExpiry_CrowdComesBackInTime watches: when units of one drop come back.
type crowd struct {
	drop drop.ID
	mu   sync.Mutex
	back []time.Time
}

func (c *crowd) publish(ev engine.Event) {
	if ev.View.Drop.ID != c.drop {
		return
	}
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, entry := range ev.Ledger {
		if entry.Reason == drop.ReservationExpired {
			for range entry.Units {
				c.back = append(c.back, now)
			}
		}
	}
}

// 10,000 holds of one drop end within about a second while another drop sells 2,000 a second: each unit is announced
// within 100 ms of its hold's end (99 of 100 of them), exactly once. Units come back earliest first, so the n-th to come
// back is the n-th to end.
func TestExpiry_CrowdComesBackInTime(t *testing.T) {
	onEachEngine(t, expiryCrowd)
}

func expiryCrowd(t *testing.T, s store.Store) {
	t.Helper()
	const (
		holds           = 10_000
		othersPerSecond = 2000
		hold            = 2 * time.Second
	)
	c := &crowd{}
	e := start(t, s, engine.Config{Hold: hold, Publish: c.publish})
	c.drop = create(t, e, spec(holds))
	other := create(t, e, spec(drop.MaxStock))
	ends := reserveOverASecond(t, e, c.drop, holds)
	stop := sellMeanwhile(t, e, other, othersPerSecond)
	deadline := time.Now().Add(hold + 20*time.Second)
	for stockOf(t, e, c.drop).Available < holds && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond) // polls real time, bounded by the deadline
	}
	time.Sleep(200 * time.Millisecond) // would a unit come back twice?
	sold := stop()

	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.back) != holds || stockOf(t, e, c.drop).Available != holds {
		t.Fatalf("%d units were announced as back, stock %+v; want %d", len(c.back), stockOf(t, e, c.drop), holds)
	}
	slices.Sort(ends)
	slices.SortFunc(c.back, time.Time.Compare)
	late := make([]time.Duration, holds)
	for i := range late {
		if late[i] = c.back[i].Sub(ends[i].Time()); late[i] < 0 {
			t.Fatalf("a unit came back %v before its hold ended", -late[i])
		}
	}
	slices.Sort(late)
	t.Logf("%d holds ended within %v, %d reserved in the other drop meanwhile; back after p50 %v, p99 %v, max %v",
		holds, ends[holds-1].Sub(ends[0]), sold, late[holds/2], late[holds*99/100], late[holds-1])
	if p99 := late[holds*99/100]; p99 > 100*time.Millisecond {
		t.Errorf("p99 %v, want at most 100 ms", p99)
	}
}

// reserveOverASecond makes n holds, spread over about a second, and returns their ends.
func reserveOverASecond(t *testing.T, e *engine.Engine, id drop.ID, n int) []drop.Time {
	t.Helper()
	const buyers = 50
	began := time.Now()
	var mu sync.Mutex
	ends := make([]drop.Time, 0, n)
	together(buyers, func(buyer int) {
		for i := buyer; i <= n; i += buyers {
			time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(n))))
			r, err := e.Reserve(context.Background(), id, drop.UserID(i), "", engine.Retry{})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			ends = append(ends, r.ExpiresAt)
			mu.Unlock()
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return ends
}

// sellMeanwhile reserves at a steady rate until stop is called, which returns how many there were.
func sellMeanwhile(t *testing.T, e *engine.Engine, id drop.ID, perSecond int) (stop func() int) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	sold := 0
	wg.Go(func() {
		began := time.Now()
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
			for due := int(time.Since(began).Seconds() * float64(perSecond)); sold < due; sold++ {
				user := drop.UserID(sold + 1)
				wg.Go(func() {
					if _, err := e.Reserve(context.Background(), id, user, "", engine.Retry{}); err != nil {
						t.Error(err)
					}
				})
			}
		}
	})
	return func() int {
		close(done)
		wg.Wait()
		return sold
	}
}
