package engine

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/storetest"
)

// history plays random commands on one drop with random pauses, and asks the gate before each reserve.
type history struct {
	*rand.Rand
	t       *testing.T
	engine  *Engine
	id      drop.ID
	made    []drop.ReservationID
	refused map[drop.Code]int // by the gate
	granted int               // by the lane, after the gate let the reserve through
}

func newHistory(t *testing.T, seed uint64, now func() drop.Time) *history {
	h := &history{Rand: rand.New(rand.NewPCG(seed, 1)), t: t, refused: make(map[drop.Code]int)}
	h.engine = New(memory.New(now), Config{
		Hold: time.Duration(50+h.IntN(3000)) * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	})
	if err := h.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	sp := drop.Spec{Name: "Comet", StartTime: now().Add(time.Duration(h.IntN(1500)) * time.Millisecond), LimitPerUser: h.IntN(3), Waitlist: h.IntN(2) == 0, OfferFor: 10}
	if h.IntN(2) == 0 {
		sp.Sizes = []drop.SizeSpec{{Label: "9", Stock: int64(h.IntN(3))}, {Label: "10", Stock: int64(h.IntN(3))}}
	} else {
		total := int64(h.IntN(4))
		sp.TotalStock = &total
	}
	v, err := h.engine.Create(t.Context(), sp, Retry{})
	if err != nil {
		t.Fatal(err)
	}
	h.id = v.Drop.ID
	return h
}

func (h *history) lane() *lane {
	l, err := h.engine.lane(h.t.Context(), h.id)
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

func (h *history) command() drop.Command {
	switch h.IntN(15) {
	case 0:
		return drop.Pause{}
	case 1:
		return drop.Resume{}
	case 2:
		return drop.Restock{Add: int64(h.IntN(3) - 1), Size: h.size()}
	case 3, 4:
		return drop.Cancel{Reservation: h.reservation()}
	case 5, 6:
		return drop.MakePurchase{Reservation: h.reservation()}
	case 12, 13:
		return drop.Join{User: drop.UserID(6 + h.IntN(5)), Size: h.size()}
	case 14:
		return drop.Leave{Entry: drop.NewEntryID(h.id, uint32(1+h.IntN(5)))}
	default:
		return drop.Reserve{User: drop.UserID(1 + h.IntN(5)), Size: h.size(), Hold: h.engine.Hold}
	}
}

func (h *history) size() string { return []string{"9", "10", "11", ""}[h.IntN(4)] }

func (h *history) reservation() drop.ReservationID {
	if len(h.made) == 0 {
		return drop.NewReservationID(h.id, 1)
	}
	return h.made[h.IntN(len(h.made))]
}

// step runs one command past the gate. If the gate refuses it, the lane must refuse it too, with the same code.
func (h *history) step() {
	cmd := h.command()
	var refusal *drop.Error
	if c, ok := cmd.(drop.Reserve); ok {
		refusal = h.lane().gate(c)
	}
	result, err := h.lane().do(h.t.Context(), cmd)
	switch {
	case refusal != nil && drop.CodeOf(err) != refusal.Code:
		h.t.Fatalf("the gate refused %+v with %v, the lane said %v, %v", cmd, refusal, result, err)
	case refusal != nil:
		h.refused[refusal.Code]++
	case err == nil && result.Reservation.ID != 0:
		h.granted++
		h.made = append(h.made, result.Reservation.ID)
	}
}

func (h *history) pause() {
	switch h.IntN(10) {
	case 0:
		time.Sleep(time.Duration(h.IntN(2000)) * time.Millisecond)
	case 1, 2: // to the exact millisecond around the next end of a hold
		if next := drop.Time(h.lane().wakesAt.Load()); next != 0 {
			time.Sleep(max(h.engine.offset.until(next)+time.Duration(h.IntN(3)-1)*time.Millisecond, 0))
		}
	case 3, 4:
		time.Sleep(time.Duration(h.IntN(3)) * time.Millisecond)
	}
	if h.IntN(2) == 0 {
		synctest.Wait() // otherwise work started by the pause would overlap with the next command
	}
}

func TestGate_NeverRefusesWhatTheLaneWouldGrant(t *testing.T) {
	refused, granted := make(map[drop.Code]int), 0
	for range 300 {
		seed := rand.Uint64()
		synctest.Test(t, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("seed %d", seed)
				}
			}()
			skew := time.Duration(rand.New(rand.NewPCG(seed, 2)).IntN(7200)-3600) * time.Second
			h := newHistory(t, seed, func() drop.Time { return drop.TimeOf(time.Now().Add(skew)) })
			for range 150 {
				h.pause()
				h.step()
			}
			if err := h.engine.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			granted += h.granted
			for code, n := range h.refused {
				refused[code] += n
			}
		})
	}
	t.Logf("granted %d, refused by the gate %v", granted, refused)
	for _, code := range []drop.Code{
		drop.CodeOutOfStock, drop.CodeNotStarted, drop.CodePaused, drop.CodeSizeNotFound, drop.CodeSizeRequired, drop.CodeWaitlist,
	} {
		if refused[code] < 100 {
			t.Errorf("the gate refused %d with %s: the histories show nothing", refused[code], code)
		}
	}
}

// Between replicas a refusal may be stale, but never by more than documented.
func TestGate_BetweenReplicasIsStaleFor500msAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := func() drop.Time { return drop.TimeOf(time.Now()) }
		s := memory.New(now)
		var replicas [2]*Engine
		for i := range replicas {
			replicas[i] = New(s, Config{Log: slog.New(slog.DiscardHandler)})
			if err := replicas[i].Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		one := int64(1)
		v, err := replicas[0].Create(t.Context(), drop.Spec{Name: "Comet", StartTime: 1, TotalStock: &one}, Retry{})
		if err != nil {
			t.Fatal(err)
		}
		id := v.Drop.ID
		stale := 0
		for range 20 {
			r, err := replicas[0].Reserve(t.Context(), id, 1, "", Retry{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := replicas[1].Reserve(t.Context(), id, 2, "", Retry{}); drop.CodeOf(err) != drop.CodeOutOfStock {
				t.Fatal(err) // the second replica has now seen the drop sold out
			}
			if _, err := replicas[0].Cancel(t.Context(), r.ID, 0, Retry{}); err != nil {
				t.Fatal(err)
			}
			if _, err := replicas[1].Reserve(t.Context(), id, 2, "", Retry{}); err != nil {
				stale++
				time.Sleep(confirmedFor + time.Millisecond)
			}
			again, err := replicas[1].Reserve(t.Context(), id, 2, "", Retry{})
			if err != nil {
				t.Fatalf("%v after the unit came back: %v", confirmedFor, err)
			}
			if _, err := replicas[1].Cancel(t.Context(), again.ID, 0, Retry{}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if stale == 0 {
			t.Error("no refusal was stale: the test shows nothing")
		}
		for _, e := range replicas {
			if err := e.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

// oneUnit starts an engine on a store with a drop of one unit, and returns the drop's lane too. hold is 0 for the
// default.
func oneUnit(t *testing.T, s store.Store, hold time.Duration) (*Engine, *lane) {
	t.Helper()
	e := New(s, Config{Hold: hold, Log: slog.New(slog.DiscardHandler)})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	one := int64(1)
	v, err := e.Create(t.Context(), drop.Spec{Name: "Comet", StartTime: 1, TotalStock: &one}, Retry{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := e.lane(t.Context(), v.Drop.ID)
	if err != nil {
		t.Fatal(err)
	}
	return e, l
}

// early begins the next batch behind a COMMIT. It reads the clock for it at once, and then the COMMIT's answer takes
// its time.
type early struct {
	store.Store
	read   atomic.Pointer[drop.Time] // the clock as read for the batch that has begun
	answer time.Duration
	expiry time.Duration // how long a batch waits that only expires holds
}

func (e *early) now() drop.Time {
	if read := e.read.Load(); read != nil {
		return *read
	}
	return drop.TimeOf(time.Now())
}

func (e *early) RunBatch(ctx context.Context, b store.Batch) error {
	need := b.Needs()
	if b.Begun() == nil && need.Deadline {
		time.Sleep(e.expiry)
	}
	time.Sleep(time.Millisecond) // the lock
	err := e.Store.RunBatch(ctx, &storetest.Over{Batch: b, Need: func() drop.Need { return need }, Follower: storetest.None})
	e.read.Store(nil)
	if err != nil {
		return err
	}
	if next := b.Next(); next != nil {
		now := e.now()
		next.Begin(storetest.Begun(b.Of()))
		e.read.Store(&now)
		time.Sleep(e.answer)
	}
	return nil
}

// A batch that began behind another's COMMIT read the clock long before it runs. What it confirms is just as old.
func TestGate_KnowsHowOldABatchIsThatWasBegunEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &early{answer: 80 * time.Millisecond, expiry: time.Second}
		s.Store = memory.New(s.now)
		e, l := oneUnit(t, s, 100*time.Millisecond)
		var calls sync.WaitGroup
		for user := range drop.UserID(2) {
			calls.Go(func() {
				_, err := l.do(t.Context(), drop.Reserve{User: user + 1, Hold: e.Hold})
				if user == 1 && drop.CodeOf(err) != drop.CodeOutOfStock || user == 0 && err != nil {
					t.Errorf("user %d: %v", user+1, err)
				}
			})
			synctest.Wait() // the first is on its way when the second comes
		}
		calls.Wait()
		third := drop.Reserve{User: 3, Hold: e.Hold}
		if refusal := l.gate(third); refusal == nil {
			t.Error("the gate says nothing while the unit is held: the test shows nothing")
		}
		time.Sleep(60 * time.Millisecond)
		if refusal := l.gate(third); refusal != nil {
			t.Errorf("%v, and the hold is over", refusal)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A lane may be paused anywhere, even between its view and its timer. At no moment may the gate take a view with a
// hold for one whose holds never end.
func TestGate_KnowsThatTheHoldsOfItsViewEnd(t *testing.T) {
	e, l := oneUnit(t, memory.New(func() drop.Time { return drop.TimeOf(time.Now()) }), time.Millisecond)
	var (
		done        atomic.Bool
		held, wrong int
		gate        sync.WaitGroup
	)
	gate.Go(func() {
		for !done.Load() {
			v, deadline, ok := l.known()
			if !ok || v.Drop.Stock().Held == 0 {
				continue
			}
			if held++; deadline == 0 {
				wrong++
			}
		}
	})
	for range 1000 {
		if _, err := l.do(t.Context(), drop.Reserve{User: 1, Hold: e.Hold}); err != nil {
			t.Fatal(err)
		}
		for l.view.Load().Drop.Stock().Held > 0 {
			runtime.Gosched()
		}
	}
	done.Store(true)
	gate.Wait()
	if held == 0 || wrong > 0 {
		t.Errorf("%d of %d times a view with a hold had no end of it", wrong, held)
	}
	if err := e.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// After the drop is sold out, a crowd costs the store two batches per second. A released unit can be reserved at
// once.
func TestGate_KeepsTheCrowdFromTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var batches atomic.Int64
		e, l := oneUnit(t, memory.New(func() drop.Time { batches.Add(1); return drop.TimeOf(time.Now()) }), 0)
		r, err := e.Reserve(t.Context(), l.id, 1, "", Retry{})
		if err != nil {
			t.Fatal(err)
		}
		batches.Store(0)
		for range 1000 {
			for user := range drop.UserID(10) {
				if _, err := e.Reserve(t.Context(), l.id, user+2, "", Retry{}); drop.CodeOf(err) != drop.CodeOutOfStock {
					t.Fatal(err)
				}
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n, sweeps := batches.Load(), int64(10); n > 20+sweeps+1 {
			t.Errorf("10,000 refusals in 10 s asked the store %d times", n)
		}
		if _, err := e.Cancel(t.Context(), r.ID, 0, Retry{}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Reserve(t.Context(), l.id, 99, "", Retry{}); err != nil {
			t.Errorf("right after the unit came back: %v", err)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
