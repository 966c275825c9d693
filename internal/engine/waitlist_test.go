package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
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

// waitable returns a drop with a waitlist that started long ago.
func waitable(stock int64) drop.Spec {
	s := spec(stock)
	s.Waitlist = true
	return s
}

// join lets users wait, from 1, one after the other.
func join(t testing.TB, e *engine.Engine, id drop.ID, users int) {
	t.Helper()
	for user := range drop.UserID(users) {
		p, err := e.Join(t.Context(), id, user+1, "", engine.Retry{})
		if err != nil || p.Status != drop.Waiting || p.Position != int64(user)+1 {
			t.Fatalf("user %d joined: %+v, %v", user+1, p, err)
		}
	}
}

// checkLine checks that exactly the first of those who joined were offered a unit, in their order.
func checkLine(t testing.TB, e *engine.Engine, id drop.ID, joined, offered int) {
	t.Helper()
	line, err := e.Line(t.Context(), id, 0, joined+1)
	if err != nil || len(line) != joined {
		t.Fatalf("%d entries, want %d: %v", len(line), joined, err)
	}
	for i, entry := range line {
		want := drop.Entry{
			ID: drop.NewEntryID(id, uint32(i)+1), UserID: drop.UserID(i + 1), Status: drop.Waiting,
			CreatedAt: entry.CreatedAt, EndedAt: entry.EndedAt,
		}
		if i < offered {
			want.Status, want.Offer = drop.Offered, drop.NewReservationID(id, uint32(i)+1)
		}
		if entry != want {
			t.Fatalf("entry %d is %+v, want %+v", i+1, entry, want)
		}
	}
}

func TestWaitlist_OneRestockIsOfferedToManyInOrder(t *testing.T) {
	stores.Each(t, func(t *testing.T, s store.Store) {
		offers := make(chan int, 100)
		e := start(t, s, engine.Config{Publish: func(ev engine.Event) {
			if ev.View.Drop.Stock().Available > 0 {
				t.Errorf("units are on sale while others wait: %+v", ev.View.Drop)
			}
			if len(ev.Made) > 0 {
				offers <- len(ev.Made)
			}
		}})
		id := create(t, e, waitable(0))
		join(t, e, id, 1000)
		v, err := e.Restock(t.Context(), id, drop.Restock{Add: 600}, engine.Retry{})
		if want := int64(1000 - drop.MaxOffersPerBatch); err != nil || v.Drop.Waiting() != want {
			t.Fatalf("the restock answers with %+v, %v; want %d waiting", v, err, want)
		}
		for made := 0; made < 600; {
			made += <-offers
		}
		checkLine(t, e, id, 1000, 600)
		if v, err := e.View(t.Context(), id); err != nil || v.Drop.Waiting() != 400 || v.Drop.HandsOver() || v.Drop.Stock() != (drop.Stock{Total: 600, Held: 600}) {
			t.Errorf("afterwards: %+v, %v", v.Drop, err)
		}
		if _, err := e.Reserve(t.Context(), id, 2000, "", engine.Retry{}); drop.CodeOf(err) != drop.CodeWaitlist {
			t.Errorf("a reserve while 400 wait: %v", err)
		}
	})
}

// dying runs a number of batches and then none.
type dying struct {
	store.Store
	left atomic.Int64
}

func (d *dying) RunBatch(ctx context.Context, b store.Batch) error {
	if d.left.Add(-1) < 0 {
		return &store.Error{Op: "run a batch", Class: store.ClassUnavailable, Err: errors.New("the server is gone")}
	}
	return d.Store.RunBatch(ctx, &storetest.Over{Batch: b, Follower: storetest.None})
}

func TestWaitlist_ServersFinishWhatOneLeftInTheMiddle(t *testing.T) {
	for name, replica := range map[string]bool{"another replica": true, "the next process": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &dying{Store: memory.New(localNow)}
				s.left.Store(1 << 40)
				first := start(t, s, engine.Config{})
				id := create(t, first, waitable(0))
				var other *engine.Engine
				if replica {
					other = start(t, s.Store, engine.Config{})
				}
				join(t, first, id, 1000)
				s.left.Store(1)
				if _, err := first.Restock(t.Context(), id, drop.Restock{Add: 600}, engine.Retry{}); err != nil {
					t.Fatal(err)
				}
				if replica {
					time.Sleep(1001 * time.Millisecond) // a sweep
				} else {
					time.Sleep(time.Minute)
					other = start(t, s.Store, engine.Config{})
				}
				synctest.Wait()
				checkLine(t, other, id, 1000, 600)
			})
		})
	}
}

// forgetful never loads those who wait, so its batches can offer nobody anything.
type forgetful struct {
	store.Store
	on      atomic.Bool
	batches atomic.Int64
}

func (f *forgetful) RunBatch(ctx context.Context, b store.Batch) error {
	if f.batches.Add(1) > 1000 { // a lane that spins would keep the test's clock from moving on
		return &store.Error{Op: "run a batch", Class: store.ClassFault, Err: errors.New("too many batches")}
	}
	if !f.on.Load() {
		return f.Store.RunBatch(ctx, b)
	}
	return f.Store.RunBatch(ctx, &storetest.Over{Batch: b, Follower: storetest.None, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		bare := &drop.State{
			Drop: s.Drop, LastAt: s.LastAt, Seq: s.Seq, Reserved: s.Reserved, Purchased: s.Purchased, Waited: s.Waited, LineClosed: s.LineClosed, Batch: s.Batch,
		}
		changes := b.Decide(bare, now)
		s.Drop, s.LastAt, s.Seq, s.Batch = bare.Drop, bare.LastAt, bare.Seq, bare.Batch
		return changes
	}})
}

func TestWaitlist_ALaneThatCanOfferNothingDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &forgetful{Store: memory.New(localNow)}
		e := start(t, s, engine.Config{})
		id := create(t, e, waitable(0))
		join(t, e, id, 2)
		pause := func() int64 {
			time.Sleep(10 * time.Second)
			return s.batches.Swap(0)
		}
		if _, err := e.Pause(t.Context(), id, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Restock(t.Context(), id, drop.Restock{Add: 1}, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		pause()
		if n := pause(); n > 0 {
			t.Errorf("%d batches in 10 s of a pause, want none", n)
		}
		s.on.Store(true)
		if _, err := e.Resume(t.Context(), id, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		if v, err := e.View(t.Context(), id); err != nil || !v.Drop.HandsOver() {
			t.Fatalf("the line keeps nothing: %+v, %v", v.Drop, err)
		}
		if n := pause(); n < 9 || n > 13 {
			t.Errorf("%d batches in 10 s, want one for each sweep", n)
		}
		s.on.Store(false)
		time.Sleep(1001 * time.Millisecond)
		synctest.Wait()
		checkLine(t, e, id, 2, 1)
	})
}

func TestWaitlist_TellsTheBuyerHowFarTheEntryHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, memory.New(localNow), engine.Config{})
		id := create(t, e, waitable(1))
		first, err := e.Join(t.Context(), id, 1, "", engine.Retry{})
		r := first.Reservation
		if err != nil || first.Status != drop.Offered || first.Position != 0 || first.Estimate != 0 || r == nil || r.ID != first.Offer || !r.Offer {
			t.Fatalf("joined while a unit is available: %+v, %v", first, err)
		}
		if r.ExpiresAt != localNow()+drop.DefaultOfferFor*1000 {
			t.Errorf("the offer ends at %v", r.ExpiresAt)
		}
		for user := range drop.UserID(4) {
			p, err := e.Join(t.Context(), id, user+2, "", engine.Retry{})
			if err != nil || p.Position != int64(user)+1 || p.Estimate != time.Duration(p.Position)*15*time.Minute {
				t.Fatalf("user %d joined: %+v, %v", user+2, p, err)
			}
		}
		for i, want := range []engine.Place{ // user 5 when offers have expired
			{Position: 4, Estimate: time.Hour},                       // one turn in 15 minutes
			{Position: 3, Estimate: 22*time.Minute + 30*time.Second}, // two
			{Position: 2, Estimate: 15 * time.Minute},                // two: the first was 20 minutes ago
		} {
			if i > 0 {
				time.Sleep(drop.DefaultOfferFor * time.Second)
				synctest.Wait()
			}
			again, err := e.Join(t.Context(), id, 5, "", engine.Retry{})
			if want.Entry = again.Entry; err != nil || again != want {
				t.Errorf("joined again after %d offers expired: %+v, %v; want %+v", i, again, err, want)
			}
			places, err := e.Places(t.Context(), id, 5)
			if err != nil || len(places) != 1 || places[0] != want {
				t.Errorf("the places after %d offers expired: %+v, %v; want %+v", i, places, err, want)
			}
		}
		places, err := e.Places(t.Context(), id, 3)
		if err != nil || len(places) != 1 || places[0].Reservation == nil || places[0].Reservation.ID != places[0].Offer {
			t.Errorf("the places of a user with an offer: %+v, %v", places, err)
		}
		if _, err := e.Leave(t.Context(), places[0].ID, 0, engine.Retry{}); drop.CodeOf(err) != drop.CodeOffered {
			t.Errorf("left with an offer: %v", err)
		}
		quiet := create(t, e, waitable(0))
		if p, err := e.Join(t.Context(), quiet, 1, "", engine.Retry{}); err != nil || p.Position != 1 || p.Estimate != 0 {
			t.Errorf("joined a line that never moved: %+v, %v", p, err)
		}
	})
}

func TestLeave_IsForTheOwnEntry(t *testing.T) {
	e := start(t, memory.New(stores.Now), engine.Config{})
	id := create(t, e, waitable(0))
	join(t, e, id, 3)
	for _, of := range []drop.EntryID{drop.NewEntryID(id, 1), drop.NewEntryID(id, 9), drop.NewEntryID(99, 1), 0} {
		if _, err := e.Leave(t.Context(), of, 2, engine.Retry{}); drop.CodeOf(err) != drop.CodeEntryNotFound {
			t.Errorf("user 2 leaves with entry %d: %v", of, err)
		}
	}
	for range 2 {
		p, err := e.Leave(t.Context(), drop.NewEntryID(id, 2), 2, engine.Retry{})
		if err != nil || p.Status != drop.Left || p.Position != 0 {
			t.Errorf("left: %+v, %v", p, err)
		}
	}
	if p, err := e.Join(t.Context(), id, 3, "", engine.Retry{}); err != nil || p.Position != 2 {
		t.Errorf("the one behind: %+v, %v", p, err)
	}
}
