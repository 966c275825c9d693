package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

// sightings counts the calls of EnsureSubjects and fails as many of them as the test says.
type sightings struct {
	store.Store
	calls, asked, fail atomic.Int64
	slow               time.Duration
}

func (s *sightings) EnsureSubjects(ctx context.Context, subjects []drop.Subject) ([]drop.User, error) {
	s.calls.Add(1)
	s.asked.Add(int64(len(subjects)))
	time.Sleep(s.slow)
	if s.fail.Add(-1) >= 0 {
		return nil, &store.Error{Op: "test", Class: store.ClassUnavailable, Err: errors.New("away")}
	}
	return s.Store.EnsureSubjects(ctx, subjects)
}

func someone(n int) drop.Subject {
	return drop.Subject{Issuer: "https://id", Subject: strconv.Itoa(n), Username: fmt.Sprint("Ann ", n), Email: fmt.Sprintf("ann%d@example.com", n)}
}

func TestBuyer_ACrowdIsFoundInAFewCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sightings{Store: memory.New(localNow), slow: time.Millisecond}
		e := start(t, s, engine.Config{})
		const crowd = 2000
		ids := make([]drop.UserID, crowd)
		var all sync.WaitGroup
		for i := range crowd {
			all.Go(func() {
				u, err := e.Buyer(t.Context(), someone(i))
				if err != nil || u.Username != someone(i).Username {
					t.Errorf("buyer %d: %+v, %v", i, u, err)
				}
				ids[i] = u.ID
			})
		}
		all.Wait()
		if n := s.calls.Load(); n > 8 {
			t.Errorf("%d calls for a crowd of %d", n, crowd)
		}
		seen := make(map[drop.UserID]bool)
		before := s.calls.Load()
		for i := range crowd {
			u, err := e.Buyer(t.Context(), someone(i))
			if err != nil || u.ID != ids[i] || seen[u.ID] {
				t.Fatalf("buyer %d again: %+v, %v", i, u, err)
			}
			seen[u.ID] = true
		}
		if n := s.calls.Load() - before; n != 0 {
			t.Errorf("%d calls for buyers that are known", n)
		}
	})
}

func TestBuyer_WithANewNameIsTold(t *testing.T) {
	s := &sightings{Store: memory.New(localNow)}
	e := start(t, s, engine.Config{})
	was, err := e.Buyer(t.Context(), someone(1))
	if err != nil {
		t.Fatal(err)
	}
	renamed := someone(1)
	renamed.Username = "Ann Smith"
	for _, renamed.PublicName = range []string{"", "Ann S.", ""} {
		for range 2 {
			now, err := e.Buyer(t.Context(), renamed)
			if err != nil || now.ID != was.ID || now.Username != "Ann Smith" || now.PublicName != renamed.PublicName {
				t.Errorf("renamed: %+v, %v", now, err)
			}
		}
		if kept, err := s.User(t.Context(), was.ID); err != nil || kept.Username != "Ann Smith" || kept.PublicName != renamed.PublicName {
			t.Errorf("kept: %+v, %v", kept, err)
		}
	}
	if n := s.calls.Load(); n != 4 {
		t.Errorf("%d calls", n)
	}
}

func TestBuyer_WithANumberOfTheShopsNeedsNoStore(t *testing.T) {
	s := &sightings{Store: memory.New(localNow)}
	e := start(t, s, engine.Config{})
	numbered := someone(1)
	numbered.Number = 77
	u, err := e.Buyer(t.Context(), numbered)
	if err != nil || u.ID != 77 || s.calls.Load() != 0 {
		t.Errorf("%+v, %v, %d calls", u, err, s.calls.Load())
	}
}

func TestBuyer_StoreThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sightings{Store: memory.New(localNow)}
		e := start(t, s, engine.Config{})
		s.fail.Store(3)
		if _, err := e.Buyer(t.Context(), someone(1)); err != nil {
			t.Error(err)
		}
		s.fail.Store(1 << 40)
		if _, err := e.Buyer(t.Context(), someone(2)); !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("a store that stays away: %v", err)
		}
		s.fail.Store(0)
		if _, err := e.Buyer(t.Context(), someone(2)); err != nil {
			t.Errorf("once it is back: %v", err)
		}
	})
}

func TestBuyer_TooManyAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sightings{Store: memory.New(localNow), slow: time.Second}
		e := start(t, s, engine.Config{})
		var refused atomic.Int64
		var all sync.WaitGroup
		for i := range 25_000 {
			all.Go(func() {
				if _, err := e.Buyer(t.Context(), someone(i)); errors.Is(err, engine.ErrOverloaded) {
					refused.Add(1)
				} else if err != nil {
					t.Errorf("buyer %d: %v", i, err)
				}
			})
		}
		all.Wait()
		if n := refused.Load(); n < 4_000 || n > 5_000 {
			t.Errorf("%d of 25,000 were refused", n)
		}
	})
}

func TestBuyer_StopFinishesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sightings{Store: memory.New(localNow), slow: time.Second}
		e := start(t, s, engine.Config{})
		found := make(chan error, 1)
		go func() {
			_, err := e.Buyer(t.Context(), someone(1))
			found <- err
		}()
		synctest.Wait()
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-found; err != nil {
			t.Errorf("who waited: %v", err)
		}
		if _, err := e.Buyer(t.Context(), someone(2)); !errors.Is(err, engine.ErrStopping) {
			t.Errorf("after the stop: %v", err)
		}
	})
}
