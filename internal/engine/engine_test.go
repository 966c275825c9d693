package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/storetest"
)

func localNow() drop.Time { return drop.TimeOf(time.Now()) }

func quiet(c engine.Config) engine.Config {
	c.Log = slog.New(slog.DiscardHandler)
	return c
}

// start runs an engine until the test ends.
func start(t testing.TB, s store.Store, c engine.Config) *engine.Engine {
	t.Helper()
	e := engine.New(s, quiet(c))
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// spec returns a drop that started long ago.
func spec(stock int64) drop.Spec {
	return drop.Spec{Name: "Comet", Price: 12000, StartTime: 1, TotalStock: &stock}
}

// limited returns a drop with a limit that nobody reaches, so that batches have to load its users.
func limited(stock int64) drop.Spec {
	s := spec(stock)
	s.LimitPerUser = 99
	return s
}

func create(t testing.TB, e *engine.Engine, s drop.Spec) drop.ID {
	t.Helper()
	v, err := e.Create(t.Context(), s, engine.Retry{})
	if err != nil {
		t.Fatal(err)
	}
	return v.Drop.ID
}

func stockOf(t testing.TB, e *engine.Engine, id drop.ID) drop.Stock {
	t.Helper()
	v, err := e.View(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return v.Drop.Stock()
}

func reserve(t testing.TB, e *engine.Engine, id drop.ID, user drop.UserID) drop.Reservation {
	t.Helper()
	r, err := e.Reserve(t.Context(), id, user, "", engine.Retry{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantCode(t testing.TB, err error, code drop.Code) {
	t.Helper()
	if drop.CodeOf(err) != code {
		t.Fatalf("got %v, want a refusal with %s", err, code)
	}
}

func TestHold_IsBackOnSaleTheMillisecondItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events := make(chan engine.Event, 100)
		e := start(t, memory.New(localNow), engine.Config{Publish: func(ev engine.Event) { events <- ev }})
		id := create(t, e, spec(1))
		r := reserve(t, e, id, 1)
		synctest.Wait() // the event comes after the answer
		for len(events) > 0 {
			<-events
		}
		ev := <-events // time passes only while everybody waits
		if late := localNow().Sub(r.ExpiresAt); late < 0 || late > time.Millisecond {
			t.Errorf("announced %v after expires_at, want within 1 ms", late)
		}
		if got := ev.View.Drop.Stock(); got != (drop.Stock{Total: 1, Available: 1}) {
			t.Errorf("announced %+v", got)
		}
		if len(ev.Ledger) != 1 || ev.Ledger[0].Reason != drop.ReservationExpired {
			t.Errorf("announced with ledger %+v", ev.Ledger)
		}
		_, err := e.Purchase(t.Context(), r.ID, 0, engine.Retry{})
		wantCode(t, err, drop.CodeReservationExpired)
	})
}

func TestHold_CanBeBoughtUntilTheMillisecondItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, memory.New(localNow), engine.Config{})
		id := create(t, e, spec(2))
		r := reserve(t, e, id, 1)
		time.Sleep(59*time.Second + 999*time.Millisecond)
		p, err := e.Purchase(t.Context(), r.ID, 0, engine.Retry{})
		if err != nil || p.ReservationID != r.ID {
			t.Fatalf("bought 1 ms before the end: %+v, %v", p, err)
		}
		time.Sleep(time.Minute)
		if got := stockOf(t, e, id); got != (drop.Stock{Total: 2, Available: 1, Sold: 1}) {
			t.Errorf("stock %+v", got)
		}
	})
}

// A crowd of holds that end together is expired in several batches, without any request and without a pause between
// them.
func TestHold_MoreThanOneBatchEndTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, memory.New(localNow), engine.Config{})
		const n = 3*drop.MaxExpirePerBatch + 7
		id := create(t, e, spec(n))
		for user := range drop.UserID(n) {
			reserve(t, e, id, user+1)
		}
		time.Sleep(60*time.Second + 5*time.Millisecond)
		if got := stockOf(t, e, id); got.Available != n {
			t.Errorf("stock %+v, want all %d back", got, n)
		}
	})
}

func TestHold_EndsAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(localNow)
		first := engine.New(s, quiet(engine.Config{}))
		if err := first.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		id := create(t, first, spec(2))
		reserve(t, first, id, 1)
		time.Sleep(30 * time.Second)
		reserve(t, first, id, 2)
		if err := first.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(31 * time.Second) // the first hold ends while no server runs
		second := start(t, s, engine.Config{})
		synctest.Wait()
		if got := stockOf(t, second, id); got.Available != 1 || got.Held != 1 {
			t.Errorf("at the start: %+v, want the first hold ended", got)
		}
		time.Sleep(29*time.Second + 5*time.Millisecond)
		if got := stockOf(t, second, id); got.Available != 2 {
			t.Errorf("a minute later: %+v, want both ended", got)
		}
	})
}

func TestHold_OfAReplicaThatDiedEndsWithTheSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(localNow)
		dies, lives := engine.New(s, quiet(engine.Config{})), start(t, s, engine.Config{})
		if err := dies.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		id := create(t, dies, spec(1))
		r := reserve(t, dies, id, 1)
		if err := dies.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(r.ExpiresAt.Sub(localNow()) + 1100*time.Millisecond)
		if got := stockOf(t, lives, id); got.Available != 1 {
			t.Errorf("1.1 s after the end: %+v", got)
		}
	})
}

// A sale by one replica is visible on another within a second, including the buyer's name.
func TestSweep_FollowsOtherReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(localNow)
		a, b := start(t, s, engine.Config{}), start(t, s, engine.Config{})
		id := create(t, a, spec(5))
		if _, err := b.View(t.Context(), id); err != nil {
			t.Fatalf("a drop that the other replica just made: %v", err)
		}
		ann, err := a.EnsureUser(t.Context(), "Ann", "", engine.Retry{})
		if err != nil {
			t.Fatal(err)
		}
		r := reserve(t, a, id, ann.ID)
		if _, err := a.Purchase(t.Context(), r.ID, 0, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		reserve(t, b, id, 7) // b now has the newest version, but not the newest buyer
		time.Sleep(1100 * time.Millisecond)
		for name, e := range map[string]*engine.Engine{"a": a, "b": b} {
			v, err := e.View(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if got := v.Drop.Stock(); got != (drop.Stock{Total: 5, Available: 3, Held: 1, Sold: 1}) {
				t.Errorf("%s shows %+v", name, got)
			}
			if len(v.Recent) != 1 || v.Recent[0].Username != "Ann" {
				t.Errorf("%s shows buyers %+v", name, v.Recent)
			}
		}
	})
}

func TestView_WhoWasAnsweredFindsItsOwnWrite(t *testing.T) {
	e := start(t, memory.New(localNow), engine.Config{})
	id := create(t, e, spec(1000))
	var wg sync.WaitGroup
	for user := range drop.UserID(50) {
		wg.Go(func() {
			for range 20 {
				generation := e.Generation()
				r, err := e.Reserve(t.Context(), id, user+1, "", engine.Retry{})
				if err != nil {
					t.Error(err)
					return
				}
				v, err := e.View(t.Context(), id)
				if err != nil {
					t.Error(err)
					return
				}
				if number := int64(r.ID) & 0xffffffff; v.Drop.Stock().Held < number {
					t.Errorf("reservation %d of the drop was answered, the view has %d held", number, v.Drop.Stock().Held)
				}
				if e.Generation() == generation {
					t.Error("the generation did not grow")
				}
			}
		})
	}
	wg.Wait()
}

func TestReserve_UnknownDropIsNotFoundAndLeavesNothing(t *testing.T) {
	e := start(t, memory.New(localNow), engine.Config{})
	for _, id := range []drop.ID{-1, 0, 1, drop.MaxID, drop.MaxID + 1, 1 << 60} {
		_, err := e.Reserve(t.Context(), id, 1, "", engine.Retry{})
		wantCode(t, err, drop.CodeDropNotFound)
		_, err = e.Purchase(t.Context(), drop.NewReservationID(id, 1), 0, engine.Retry{})
		wantCode(t, err, drop.CodeReservationNotFound)
		_, err = e.Cancel(t.Context(), drop.NewReservationID(id, 1), 0, engine.Retry{})
		wantCode(t, err, drop.CodeReservationNotFound)
	}
}

func TestQueue_FullIsOverloaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &faulty{Store: memory.New(localNow)}
		e := start(t, f, engine.Config{MaxQueue: 10, MaxBatch: 5})
		id := create(t, e, spec(100))
		release := make(chan struct{})
		f.set(func(store.Batch) error { <-release; return nil }, nil)
		results := make(chan error, 100)
		for user := range drop.UserID(30) {
			go func() {
				_, err := e.Reserve(context.Background(), id, user+1, "", engine.Retry{})
				results <- err
			}()
			synctest.Wait()
		}
		overloaded := len(results)
		close(release)
		for range 30 {
			if err := <-results; err != nil && !errors.Is(err, engine.ErrOverloaded) {
				t.Error(err)
			}
		}
		if overloaded != 30-1-10 { // one in the batch under way, ten waiting
			t.Errorf("%d were refused at once, want 19", overloaded)
		}
		if got := stockOf(t, e, id); got.Held != 11 {
			t.Errorf("stock %+v, want the 11 accepted ones held", got)
		}
	})
}

func TestCaller_GoingAwayDoesNotCancelTheBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &faulty{Store: memory.New(localNow)}
		e := start(t, f, engine.Config{})
		id := create(t, e, spec(100))
		f.set(func(store.Batch) error { time.Sleep(time.Second); return nil }, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err := e.Reserve(ctx, id, 1, "", engine.Retry{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		time.Sleep(2 * time.Second)
		if got := stockOf(t, e, id); got.Held != 1 {
			t.Errorf("stock %+v, want the unit held", got)
		}
	})
}

func TestCommit_IsTriedAgainAfterEveryFailureThatLeftNothing(t *testing.T) {
	for _, class := range []store.Class{store.ClassRolledBack, store.ClassUnavailable, store.ClassExhausted} {
		t.Run(class.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &faulty{Store: memory.New(localNow)}
				e := start(t, f, engine.Config{})
				id := create(t, e, spec(100))
				f.set(times(5, class), nil)
				reserve(t, e, id, 1)
				if got := stockOf(t, e, id); got.Held != 1 {
					t.Errorf("stock %+v", got)
				}
			})
		})
	}
}

func TestCommit_UnknownOutcomeIsLookedUp(t *testing.T) {
	unknown := func(n int) func(store.Batch) error { return times(n, store.ClassUnknown) }
	for name, hooks := range map[string][2]func(store.Batch) error{
		"committed, the answer lost": {nil, unknown(1)},
		"not committed":              {unknown(1), nil},
		"both, one after the other":  {unknown(2), unknown(1)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lookups := 0
				f := &faulty{Store: memory.New(localNow), committed: func() error {
					if lookups++; lookups == 1 {
						return &store.Error{Op: "test", Class: store.ClassUnavailable, Err: errors.New("still away")}
					}
					return nil
				}}
				e := start(t, f, engine.Config{})
				id := create(t, e, spec(100))
				f.set(hooks[0], hooks[1])
				r := reserve(t, e, id, 1)
				if got := stockOf(t, e, id); got.Held != 1 || lookups < 2 {
					t.Errorf("stock %+v after %d look-ups, want exactly one unit held", got, lookups)
				}
				if _, err := e.Purchase(t.Context(), r.ID, 0, engine.Retry{}); err != nil {
					t.Errorf("the reservation that was answered: %v", err)
				}
			})
		})
	}
}

func TestCommit_OutcomeThatCannotBeLookedUpIsSaidSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Even if the look-up fails for good, the lane must not run the commands again: they may have taken effect.
		for _, class := range []store.Class{store.ClassUnavailable, store.ClassFault} {
			f := &faulty{Store: memory.New(localNow), committed: func() error {
				return &store.Error{Op: "test", Class: class, Err: errors.New("away")}
			}}
			e := start(t, f, engine.Config{})
			id := create(t, e, limited(100))
			f.set(func(store.Batch) error { time.Sleep(time.Millisecond); return nil }, func(b store.Batch) error {
				if len(b.Needs().Users) > 1 {
					return &store.Error{Op: "test", Class: store.ClassUnknown, Err: errors.New("answer lost")}
				}
				return nil
			})
			var wg sync.WaitGroup
			var unknown atomic.Int32
			for user := range drop.UserID(10) { // one alone, then nine together
				wg.Go(func() {
					began := time.Now()
					_, err := e.Reserve(t.Context(), id, user+1, "", engine.Retry{})
					if errors.Is(err, engine.ErrOutcomeUnknown) && time.Since(began) <= 5*time.Second {
						unknown.Add(1)
					} else if err != nil {
						t.Errorf("got %v after %v", err, time.Since(began))
					}
				})
				if user == 0 {
					synctest.Wait() // its batch is under way: the others wait together
				}
			}
			wg.Wait()
			f.set(nil, nil)
			reserve(t, e, id, 99)
			if got := stockOf(t, e, id); got.Held != 11 || unknown.Load() != 9 {
				t.Errorf("stock %+v, %d told that nobody knows; want 11 held once each, 9 told", got, unknown.Load())
			}
		}
	})
}

func TestStoreAway_CallersAreToldAndTheLaneComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &faulty{Store: memory.New(localNow)}
		e := start(t, f, engine.Config{MaxBatch: 3})
		id := create(t, e, spec(100))
		f.set(times(1_000_000, store.ClassUnavailable), nil)
		began := time.Now()
		var wg sync.WaitGroup
		for user := range drop.UserID(20) {
			wg.Go(func() {
				if _, err := e.Reserve(t.Context(), id, user+1, "", engine.Retry{}); !errors.Is(err, engine.ErrUnavailable) {
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the last of 20 callers was told after %v, want one round of retries", took)
		}
		f.set(nil, nil)
		reserve(t, e, id, 1)
		if got := stockOf(t, e, id); got.Held != 1 {
			t.Errorf("stock %+v", got)
		}
	})
}

// Holds expire by themselves even if the first batch that was to expire them failed.
func TestStoreAway_HoldsThatEndMeanwhileComeBackAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &faulty{Store: memory.New(localNow)}
		e := start(t, f, engine.Config{})
		id := create(t, e, spec(1))
		reserve(t, e, id, 1)
		f.set(times(1_000_000, store.ClassUnavailable), nil)
		time.Sleep(75 * time.Second)
		f.set(nil, nil)
		time.Sleep(1100*time.Millisecond + 4*time.Second)
		if got := stockOf(t, e, id); got.Available != 1 {
			t.Errorf("stock %+v", got)
		}
	})
}

func TestBatch_OneCommandThatTheStoreCannotTakeFailsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &faulty{Store: memory.New(localNow)}
		e := start(t, f, engine.Config{})
		id := create(t, e, limited(100))
		f.set(func(b store.Batch) error {
			time.Sleep(time.Millisecond)   // let the others queue behind the first
			b.(*storetest.Over).Need = nil // so that they are admitted
			if slices.Contains(b.Needs().Users, 13) {
				return &store.Error{Op: "test", Class: store.ClassFault, Err: errors.New("unlucky")}
			}
			return nil
		}, nil)
		var wg sync.WaitGroup
		for user := range drop.UserID(20) {
			wg.Go(func() {
				_, err := e.Reserve(t.Context(), id, user+1, "", engine.Retry{})
				if (err != nil) != (user+1 == 13) {
					t.Errorf("user %d: %v", user+1, err)
				}
			})
		}
		wg.Wait()
		if got := stockOf(t, e, id); got.Held != 19 {
			t.Errorf("stock %+v", got)
		}
	})
}

func TestStop_FinishesWhatWasAcceptedAndRefusesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &faulty{Store: memory.New(localNow)}
		e := start(t, f, engine.Config{MaxBatch: 4})
		id := create(t, e, spec(100))
		f.set(func(store.Batch) error { time.Sleep(100 * time.Millisecond); return nil }, nil)
		var wg sync.WaitGroup
		for user := range drop.UserID(20) {
			wg.Go(func() {
				if _, err := e.Reserve(t.Context(), id, user+1, "", engine.Retry{}); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if err := e.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if _, err := e.Reserve(t.Context(), id, 99, "", engine.Retry{}); !errors.Is(err, engine.ErrStopping) {
			t.Errorf("after the stop: %v", err)
		}
		if err := e.Ready(t.Context()); !errors.Is(err, engine.ErrStopping) {
			t.Errorf("ready after the stop: %v", err)
		}
		if got := stockOf(t, e, id); got.Held != 20 {
			t.Errorf("stock %+v", got)
		}
	})
}

func TestStop_GivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &faulty{Store: memory.New(localNow)}
		e := start(t, f, engine.Config{})
		id := create(t, e, spec(100))
		f.set(func(store.Batch) error { time.Sleep(time.Minute); return nil }, nil)
		go func() { _, _ = e.Reserve(context.Background(), id, 1, "", engine.Retry{}) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := e.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestEngine_LeavesNoGoroutineBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent()) // a test database may be running
	e := engine.New(memory.New(localNow), quiet(engine.Config{Hold: 20 * time.Millisecond}))
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		reserve(t, e, create(t, e, spec(5)), 1)
	}
	if err := e.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.Stop(t.Context()); err != nil {
		t.Errorf("a second stop: %v", err)
	}
}
