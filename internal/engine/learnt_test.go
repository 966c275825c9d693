package engine_test

import (
	"context"
	"slices"
	"sync"
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

// rowLock is a drop's lock as PostgreSQL keeps it. It admits those who wait one after the other, but a batch that
// begins behind a COMMIT gets in before them.
type rowLock struct {
	held  chan struct{}
	turns []int // the replica of each batch, in order
}

// contender is one replica's connection to the store.
type contender struct {
	store.Store

	lock   *rowLock
	number int
}

func (c *contender) RunBatch(ctx context.Context, b store.Batch) error {
	if b.Begun() == nil {
		c.lock.held <- struct{}{}
	}
	time.Sleep(200 * time.Microsecond) // loading takes time
	err := c.Store.RunBatch(ctx, &storetest.Over{Batch: b, Follower: storetest.None, Anew: true})
	next := b.Next()
	time.Sleep(2 * time.Millisecond) // the commit takes time
	c.lock.turns = append(c.lock.turns, c.number)
	if next != nil {
		next.Begin(storetest.Begun(b.Of()))
	} else {
		<-c.lock.held
	}
	return err
}

// contend lets replicas sell one drop for five seconds of simulated time. buyers has the number of buyers of each. A
// buyer comes again as soon as they are served.
func contend(t *testing.T, buyers ...int) (sold []int, lock *rowLock) {
	t.Helper()
	shared := memory.New(stores.Now)
	lock = &rowLock{held: make(chan struct{}, 1)}
	units := int64(drop.MaxStock)
	if _, _, err := shared.CreateDrop(t.Context(), drop.Spec{Name: "hot", TotalStock: &units, StartTime: 1}, drop.BatchID{1}, drop.Key{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	sold = make([]int, len(buyers))
	var all sync.WaitGroup
	var mu sync.Mutex
	for i, n := range buyers {
		e := start(t, &contender{Store: shared, lock: lock, number: i}, engine.Config{Hold: time.Hour})
		for buyer := range n {
			all.Go(func() {
				for ctx.Err() == nil {
					if _, err := e.Reserve(context.Background(), 1, drop.UserID(1000*i+buyer+1), "", engine.Retry{}); err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					sold[i]++
					mu.Unlock()
					time.Sleep(time.Duration(1+buyer%10) * 300 * time.Microsecond) // the time for the answer and the next call to arrive
				}
			})
		}
	}
	all.Wait()
	time.Sleep(10 * time.Millisecond) // a batch that began empty may still be under way
	synctest.Wait()
	return sold, lock
}

// longest returns the longest run of batches of one replica.
func (l *rowLock) longest() int {
	most, run := 0, 0
	for i := range l.turns {
		if i > 0 && l.turns[i] != l.turns[i-1] {
			run = 0
		}
		run++
		most = max(most, run)
	}
	return most
}

// Replicas with equal load get equal shares of a hot drop, although each has its next batch ready when the one before
// commits.
func TestRivals_ThreeReplicasShareAHotDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sold, lock := contend(t, 40, 40, 40)
		sum := sold[0] + sold[1] + sold[2]
		if least, most := slices.Min(sold), slices.Max(sold); 3*least < sum*8/10 || 3*most > sum*12/10 {
			t.Errorf("sold %v: not within 20 %% of a third", sold)
		}
		if most := lock.longest(); most > 1+16 {
			t.Errorf("one replica had %d batches in a row while others waited", most)
		}
		// The first replica knows of no others and may run 17 batches. From then on they take turns.
		settled := rowLock{turns: lock.turns[100:]}
		if most := settled.longest(); most > 2 {
			t.Errorf("among rivals one had %d batches in a row", most)
		}
		t.Logf("sold %v in %d batches", sold, len(lock.turns))
	})
}

// A crowd on one replica does not starve a few buyers on another. Their calls are answered within 17 of its batches.
func TestRivals_ACrowdElsewhereDoesNotStarveAFewBuyers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sold, lock := contend(t, 100, 1)
		if most := lock.longest(); most > 1+16 {
			t.Errorf("%d batches in a row while another replica waited", most)
		}
		if least := 5000 / 43; sold[1] < least { // 17 batches of 2.2 ms, its own batch, and the network
			t.Errorf("the single buyer got %d units in 5 s, want at least %d", sold[1], least)
		}
		t.Logf("sold %v in %d batches", sold, len(lock.turns))
	})
}

// A replica without rivals begins each batch behind the COMMIT of the one before, and yields to nobody.
func TestRivals_OneAloneGivesWayToNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, lock := contend(t, 40)
		if got, least := len(lock.turns), 2200; got < least { // 5 s of 2.2 ms would be 2,272
			t.Errorf("%d batches in 5 s, want at least %d", got, least)
		}
	})
}
