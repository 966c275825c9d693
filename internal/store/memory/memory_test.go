package memory_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/storetest"
)

func clock() drop.Time { return drop.TimeOf(time.Now()) }

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		s := memory.New(clock)
		t.Cleanup(func() { _ = s.Close() })
		return s
	})
}

func TestEngine(t *testing.T) { storetest.Engine(t, memory.New(clock).Engine()) }

func plain(stock int64) drop.Spec {
	return drop.Spec{Name: "Air Test", Price: 100, TotalStock: &stock, LimitPerUser: 1}
}

func create(t *testing.T, s *memory.Store) drop.ID {
	t.Helper()
	snapshot, _, err := s.CreateDrop(t.Context(), plain(9), drop.BatchID{1}, drop.Key{})
	if err != nil {
		t.Fatalf("CreateDrop: %v", err)
	}
	return snapshot.Drop.ID
}

func decide(results *[]drop.Result, cmds ...drop.Command) func(*drop.State, drop.Time) *drop.Changes {
	return func(s *drop.State, now drop.Time) *drop.Changes {
		r, c := drop.Apply(s, now, drop.BatchID{2}, cmds)
		if results != nil {
			*results = r
		}
		return c
	}
}

func run(t *testing.T, s store.Store, b store.Batch) {
	t.Helper()
	if err := s.RunBatch(t.Context(), b); err != nil {
		t.Errorf("RunBatch: %v", err)
	}
}

// If a lane forgets to ask for rows, tests on memory must fail as they would with SQL.
func TestRunBatch_LoadsNoMoreThanIsNeeded(t *testing.T) {
	s := memory.New(clock)
	id := create(t, s)
	reserve := drop.Reserve{User: 1, Hold: time.Hour}
	var held, got []drop.Result
	run(t, s, &storetest.Batch{Drop: id, Decider: decide(&held, reserve)})
	run(t, s, &storetest.Batch{Drop: id, Decider: decide(&got, reserve, drop.Cancel{Reservation: held[0].Reservation.ID})})
	if got[0].Err != nil || got[0].Reservation.ID == held[0].Reservation.ID {
		t.Errorf("a user who was not named: %+v", got[0])
	}
	if got[1].Err == nil || got[1].Err.Code != drop.CodeReservationNotFound {
		t.Errorf("a reservation that was not named: %+v", got[1])
	}
}

func TestRunBatch_WaitsInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(clock)
		id := create(t, s)
		start := clock()
		go run(t, s, &storetest.Batch{Drop: id, Decider: func(*drop.State, drop.Time) *drop.Changes {
			time.Sleep(time.Minute)
			return nil
		}})
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := s.RunBatch(ctx, &storetest.Batch{Drop: id, Decider: decide(nil, drop.Pause{})})
		if !errors.Is(err, context.DeadlineExceeded) || store.ClassOf(err) != store.ClassRolledBack || clock() != start+10_000 {
			t.Errorf("a wait of 10 s ended after %s with %v", clock().Sub(start), err)
		}
		run(t, s, &storetest.Batch{Drop: id, Decider: func(_ *drop.State, now drop.Time) *drop.Changes {
			if now != start+60_000 {
				t.Errorf("decided %s after the lock was taken, want a minute", now.Sub(start))
			}
			return nil
		}})
	})
}

func TestFill_ReplacesAfterTheBatchesUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New(clock)
		id := create(t, s)
		go run(t, s, &storetest.Batch{Drop: id, Decider: func(st *drop.State, now drop.Time) *drop.Changes {
			time.Sleep(time.Minute)
			return decide(nil, drop.Pause{})(st, now)
		}})
		synctest.Wait()
		filled := make(chan error, 1)
		go func() {
			spec := plain(5)
			state, changes := spec.Create(id, clock(), drop.BatchID{3})
			filled <- store.Fill(t.Context(), s, nil, []store.Filled{{State: state, Changes: changes}}, true)
		}()
		synctest.Wait()
		if len(filled) > 0 {
			t.Error("Fill did not wait for a batch under way")
		}
		// This batch waits for the drop that Fill removes, and must run on its replacement.
		run(t, s, &storetest.Batch{Drop: id, Decider: func(st *drop.State, _ drop.Time) *drop.Changes {
			if st.Paused || st.Stock().Total != 5 {
				t.Errorf("loaded %+v", st.Drop)
			}
			return nil
		}})
		if err := <-filled; err != nil {
			t.Errorf("Fill: %v", err)
		}
	})
}

func TestClose_RefusesLaterCalls(t *testing.T) {
	s := memory.New(clock)
	id := create(t, s)
	_ = s.Close()
	err := s.RunBatch(t.Context(), &storetest.Batch{Drop: id, Decider: decide(nil, drop.Pause{})})
	if store.ClassOf(err) != store.ClassUnavailable {
		t.Errorf("RunBatch: %v", err)
	}
	if err := s.Ready(t.Context()); store.ClassOf(err) != store.ClassUnavailable {
		t.Errorf("Ready: %v", err)
	}
}
