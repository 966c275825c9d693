//go:build perf

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
	"sneakerdrop/internal/testing/stores"
)

// crowd records when the units of one drop become available again. TestExpiry_CrowdComesBackInTime uses it.
type crowd struct {
	drop drop.ID
	mu   sync.Mutex
	back []time.Time
}

// of starts over with another drop.
func (c *crowd) of(id drop.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop, c.back = id, nil
}

func (c *crowd) publish(ev engine.Event) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if ev.View.Drop.ID != c.drop {
		return
	}
	for _, entry := range ev.Ledger {
		if entry.Reason == drop.ReservationExpired {
			for range entry.Units {
				c.back = append(c.back, now)
			}
		}
	}
}

// 10,000 holds of one drop end within about a second, while another drop sells 2,000 units per second. Each unit is
// announced exactly once, and 99% of them within 100 ms of the hold's end. Units become available in the order of
// their holds' ends, so the n-th announcement belongs to the n-th end.
//
// The delay also depends on the machine, so one of three crowds has to be in time.
func TestExpiry_CrowdComesBackInTime(t *testing.T) {
	const crowds, most = 3, 100 * time.Millisecond
	stores.Each(t, func(t *testing.T, s store.Store) {
		c := &crowd{}
		e := start(t, s, engine.Config{Hold: crowdHold, Publish: c.publish})
		for range crowds {
			if p99 := c.comesBack(t, e); p99 <= most {
				return
			}
		}
		t.Errorf("99 of 100 units of %d crowds are later than %v", crowds, most)
	})
}

const crowdHold = 2 * time.Second

// comesBack plays one crowd, and returns the 99th percentile of the delay.
func (c *crowd) comesBack(t *testing.T, e *engine.Engine) (p99 time.Duration) {
	t.Helper()
	const (
		holds           = 10_000
		othersPerSecond = 2000
	)
	c.of(create(t, e, spec(holds)))
	other := create(t, e, spec(drop.MaxStock))
	ends := reserveOverASecond(t, e, c.drop, holds)
	stop := sellMeanwhile(t, e, other, othersPerSecond)
	deadline := time.Now().Add(crowdHold + 20*time.Second)
	for stockOf(t, e, c.drop).Available < holds && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond) // polls in real time, up to the deadline
	}
	time.Sleep(200 * time.Millisecond) // shows whether a unit is announced twice
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
	return late[holds*99/100]
}

// reserveOverASecond makes n holds within about a second, and returns their ends.
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

// sellMeanwhile reserves at a steady rate. The returned function stops it and returns the number of reserves.
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
