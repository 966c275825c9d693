package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

var errPanicked = errors.New("panicked")

var lockTests = []test{
	{"Lock_OneBatchOfADropAtATime", oneBatchAtATime},
	{"Lock_ClockAndRowsAreReadAfterTheWait", clockAndRowsAreReadAfterTheWait},
	{"Lock_WaitEndsWithTheContext", waitEndsWithTheContext},
	{"Lock_EndedContextWritesNothing", endedContextWritesNothing},
	{"Lock_BatchesOfManyDropsAtOnce", batchesOfManyDropsAtOnce},
	{"Lock_LastUnitGoesToExactlyOneBuyer", lastUnitGoesToOneBuyer},
	{"Lock_ReadsSeeWholeBatches", readsSeeWholeBatches},
}

func oneBatchAtATime(f *fixture) {
	const buyers, each = 8, 10
	id := f.create(plain(1000))
	var inside atomic.Int32
	all(buyers, func(i int) {
		for range each {
			d := at(base, drop.Reserve{User: drop.UserID(i + 1), Hold: time.Minute})
			err := f.RunBatch(f.ctx, &Batch{Drop: id, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
				if inside.Add(1) != 1 {
					f.Error("two batches of one drop are between load and commit")
				}
				defer inside.Add(-1)
				return d.decide(s, now)
			}})
			if err != nil {
				f.Errorf("RunBatch: %v", err)
			}
		}
	})
	h := f.load(id, drop.Need{})
	equal(f, "Reserved", h.Reserved, buyers*each)
	equal(f, "Version", h.Drop.Version, 1+buyers*each)
	equal(f, "Seq", h.Seq, 1+buyers*each)
	equal(f, "stock", h.Drop.Sizes[0].Stock, drop.Stock{Total: 1000, Available: 1000 - buyers*each, Held: buyers * each})
}

// occupy runs a batch whose Decide waits until free is called; free waits for the batch to end. The batch reserves a
// unit.
func (f *fixture) occupy(id drop.ID) (entered drop.Time, free func() error) {
	d := at(base, drop.Reserve{User: 1, Hold: time.Minute})
	in, out, done := make(chan drop.Time), make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		done <- f.RunBatch(f.ctx, &Batch{Drop: id, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
			once.Do(func() {
				in <- now
				<-out
			})
			return d.decide(s, now)
		}})
	}()
	select {
	case entered = <-in:
	case err := <-done:
		f.Fatalf("RunBatch: %v", err)
	}
	var err error
	release := sync.OnceFunc(func() {
		close(out)
		err = <-done
	})
	f.Cleanup(release)
	return entered, func() error { release(); return err }
}

func clockAndRowsAreReadAfterTheWait(f *fixture) {
	const wait = 150 * time.Millisecond
	id := f.create(limited(plain(9), 2))
	entered, free := f.occupy(id)
	second := make(chan error, 1)
	var seen drop.Time
	d := at(base+1, drop.Reserve{User: 1, Hold: time.Minute}, drop.Reserve{User: 1, Hold: time.Minute},
		drop.MakePurchase{Reservation: drop.NewReservationID(id, 1)})
	go func() {
		second <- f.RunBatch(f.ctx, &Batch{Drop: id, Need: drop.NeedOf(d.cmds), Decider: func(s *drop.State, now drop.Time) *drop.Changes {
			seen = now
			return d.decide(s, now)
		}})
	}()
	time.Sleep(wait) // the time that the second batch must see
	if err := free(); err != nil {
		f.Fatalf("the first batch: %v", err)
	}
	if err := <-second; err != nil {
		f.Fatalf("the second batch: %v", err)
	}
	if passed := seen.Sub(entered); passed < wait-5*time.Millisecond {
		f.Errorf("the second batch's clock is %s after the first's; it waited for %s", passed, wait)
	}
	equal(f, "within the limit", refusal(d.results[0]), "")
	equal(f, "over the limit, with the first batch's hold", refusal(d.results[1]), drop.CodeLimitReached)
	equal(f, "a purchase of the first batch's hold", refusal(d.results[2]), "")
}

func waitEndsWithTheContext(f *fixture) {
	id := f.create(plain(9))
	_, free := f.occupy(id)
	ctx, cancel := context.WithTimeout(f.ctx, 100*time.Millisecond)
	defer cancel()
	gaveUp := make(chan error, 1)
	go func() {
		gaveUp <- f.RunBatch(ctx, &Batch{Drop: id, Decider: at(base, drop.Restock{Add: 50}).decide})
	}()
	select {
	case err := <-gaveUp:
		var failure *store.Error
		if !errors.As(err, &failure) || failure.Class == store.ClassUnknown {
			f.Errorf("RunBatch whose context ended in the wait: %v, want a *store.Error that knows nothing was written", err)
		}
	case <-time.After(patience):
		f.Error("RunBatch still waits for the lock though its context has ended")
	}
	if err := free(); err != nil {
		f.Fatalf("the batch that held the lock: %v", err)
	}
	f.reserve(id, base+1, drop.Reserve{User: 2})
	equal(f, "stock", f.snapshot(id).Drop.Sizes[0].Stock, drop.Stock{Total: 9, Available: 7, Held: 2})
}

func endedContextWritesNothing(f *fixture) {
	id := f.create(plain(9))
	before := f.picture(id)
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	err := f.RunBatch(ctx, &Batch{Drop: id, Decider: at(base, drop.Restock{Add: 50}).decide})
	if err == nil || store.ClassOf(err) == store.ClassUnknown {
		f.Errorf("RunBatch on a context that has ended: %v, want an error that knows nothing was written", err)
	}
	equal(f, "the drop", f.picture(id), before)
}

func batchesOfManyDropsAtOnce(f *fixture) {
	const drops, each = 6, 10
	ids := make([]drop.ID, drops)
	for i := range ids {
		ids[i] = f.create(plain(100))
	}
	all(drops*2, func(i int) {
		for n := range each {
			d := at(base+drop.Time(n), drop.Reserve{User: 1, Hold: time.Minute})
			if err := f.RunBatch(f.ctx, &Batch{Drop: ids[i%drops], Decider: d.decide}); err != nil {
				f.Errorf("RunBatch: %v", err)
			}
		}
	})
	for _, id := range ids {
		equal(f, "stock", f.snapshot(id).Drop.Sizes[0].Stock, drop.Stock{Total: 100, Available: 80, Held: 20})
	}
}

func lastUnitGoesToOneBuyer(f *fixture) {
	const buyers, units = 40, 5
	id := f.create(plain(units))
	ids := make([]drop.ReservationID, buyers)
	all(buyers, func(i int) {
		d := at(base, drop.Reserve{User: drop.UserID(i + 1), Hold: time.Minute})
		if err := f.RunBatch(f.ctx, &Batch{Drop: id, Decider: d.decide}); err != nil {
			f.Errorf("RunBatch: %v", err)
			return
		}
		if r := d.results[0]; r.Err == nil {
			ids[i] = r.Reservation.ID
		} else if r.Err.Code != drop.CodeOutOfStock {
			f.Errorf("reserve: %v", r.Err)
		}
	})
	distinct := make(map[drop.ReservationID]bool)
	for _, r := range ids {
		if r != 0 {
			distinct[r] = true
		}
	}
	equal(f, "distinct reservations", len(distinct), units)
	equal(f, "stock", f.snapshot(id).Drop.Sizes[0].Stock, drop.Stock{Total: units, Held: units})
}

// readsSeeWholeBatches moves units between sizes while others read. No read may see one size after a batch and
// another before it.
func readsSeeWholeBatches(f *fixture) {
	const batches = 30
	id := f.create(sized(100, "1", "2", "3"))
	ctx, stop := context.WithCancel(f.ctx)
	defer stop()
	check := func(s store.Snapshot) {
		sum := s.Drop.Stock()
		if sum.Total != 300 || !sum.Balanced() || s.Drop.Version != 301-sum.Available {
			f.Errorf("a read saw half a batch: %+v", s.Drop)
		}
	}
	readers := make(chan struct{})
	go func() {
		defer close(readers)
		for ctx.Err() == nil {
			if s, err := f.Drop(f.ctx, id); err != nil {
				f.Errorf("Drop: %v", err)
			} else {
				check(s)
			}
			list, err := f.Drops(f.ctx)
			if err != nil || len(list) != 1 {
				f.Errorf("Drops: %d drops, %v", len(list), err)
				continue
			}
			check(list[0])
		}
	}()
	labels := []string{"1", "2", "3"}
	for range batches { // each takes one unit, and moves one between sizes
		from, to := rand.N(3), rand.N(3)
		f.run(id, base, drop.Reserve{User: 1, Size: labels[rand.N(3)], Hold: time.Minute},
			drop.Restock{Add: -1, Size: labels[from]}, drop.Restock{Add: 1, Size: labels[to]})
	}
	stop()
	<-readers
}
