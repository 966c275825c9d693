package engine_test

import (
	"crypto/sha256"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/stores"
)

// soon is a drop that starts in an hour.
func soon(e *engine.Engine, stock int64) drop.Spec {
	s := spec(stock)
	s.StartTime = e.Now().Add(time.Hour)
	return s
}

// letIn makes an access with those terms and passes.
func letIn(t testing.TB, e *engine.Engine, id drop.ID, terms drop.Access, passes ...drop.Hash) {
	t.Helper()
	if _, err := e.AddAccess(t.Context(), id, drop.AddAccess{Terms: terms, Passes: passes}, engine.Retry{}); err != nil {
		t.Fatal(err)
	}
}

// Of 500 who show one code of ten uses at the same time, at any of three servers, exactly ten are let in.
func TestAccess_ACodeOfTenUsesLetsTenIn(t *testing.T) {
	stores.Each(t, func(t *testing.T, s store.Store) {
		var servers []*engine.Engine
		for range 3 {
			servers = append(servers, start(t, s, engine.Config{}))
		}
		id := create(t, servers[0], soon(servers[0], 500))
		letIn(t, servers[0], id, drop.Access{Uses: 10}, drop.HashCode(id, "TEN-USES"))
		var (
			mu   sync.Mutex
			told = make(map[drop.Code]int)
			all  sync.WaitGroup
		)
		for user := range drop.UserID(500) {
			all.Go(func() {
				e := servers[int(user)%len(servers)]
				_, err := e.ReserveEarly(t.Context(), id, user+1, "", "ten-uses", engine.Retry{})
				if err != nil && drop.CodeOf(err) == "" {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				told[drop.CodeOf(err)]++
			})
		}
		all.Wait()
		if told[""] != 10 || told[drop.CodeCodeInvalid] != 490 {
			t.Errorf("of 500: %v", told)
		}
		if snapshot, err := s.Drop(t.Context(), id); err != nil || snapshot.Drop.Accesses[0].Used != 10 || snapshot.Drop.Stock().Held != 10 {
			t.Errorf("%+v, %v", snapshot.Drop, err)
		}
	})
}

// What is kept goes back on time although nobody calls, also if the server that made the access is gone.
func TestAccess_WhatIsKeptGoesBackOnTime(t *testing.T) {
	for name, gone := range map[string]bool{"the same server": false, "another one": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := memory.New(localNow)
				first := start(t, s, engine.Config{})
				id := create(t, first, soon(first, 5))
				letIn(t, first, id, drop.Access{Uses: 1, Units: 3}, drop.HashCode(id, "member-1"))
				e := first
				if gone {
					if err := first.Stop(t.Context()); err != nil {
						t.Fatal(err)
					}
					e = start(t, s, engine.Config{})
				}
				time.Sleep(time.Hour - time.Millisecond)
				synctest.Wait()
				if v, err := e.View(t.Context(), id); err != nil || v.Drop.Stock().Available != 2 {
					t.Errorf("a millisecond before: %+v, %v", v.Drop.Stock(), err)
				}
				time.Sleep(2 * time.Millisecond)
				synctest.Wait()
				if v, err := e.View(t.Context(), id); err != nil || v.Drop.Stock().Available != 5 || v.Drop.KeptOf(0) != 0 {
					t.Errorf("at its end: %+v, %v", v.Drop.Stock(), err)
				}
			})
		})
	}
}

// A list knows a buyer by number or by email, and nobody else.
func TestAccess_ListsKnowBuyersByEmail(t *testing.T) {
	stores.Each(t, func(t *testing.T, s store.Store) {
		e := start(t, s, engine.Config{})
		id := create(t, e, soon(e, 9))
		ann, _, err := s.EnsureUser(t.Context(), "Ann", "ann@example.com", drop.Key{})
		if err != nil {
			t.Fatal(err)
		}
		letIn(t, e, id, drop.Access{Uses: 1, List: true, Emails: true}, drop.HashEmail(sha256.Sum256([]byte("ann@example.com"))), drop.HashBuyer(7),
			drop.HashEmail(sha256.Sum256(nil))) // a line of a list may have the hash of nothing
		for user, want := range map[drop.UserID]drop.Code{ann.ID: "", 7: "", 8: drop.CodeCodeRequired, ann.ID + 1: drop.CodeCodeRequired} {
			if _, err := e.Reserve(t.Context(), id, user, "", engine.Retry{}); drop.CodeOf(err) != want {
				t.Errorf("user %d: %v, want %q", user, err, want)
			}
		}
	})
}

// A code is part of what a key was used for.
func TestAccess_AKeyIsForOneCode(t *testing.T) {
	e := start(t, memory.New(stores.Now), engine.Config{})
	id := create(t, e, soon(e, 9))
	letIn(t, e, id, drop.Access{Uses: 1}, drop.HashCode(id, "first-code"), drop.HashCode(id, "second-code"))
	reserve := func(code string) (drop.Reservation, error) {
		return e.ReserveEarly(t.Context(), id, 1, "", code, engine.Retry{Key: "k"})
	}
	one, err := reserve("first-code")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := reserve("FIRST CODE"); err != nil || again != one {
		t.Errorf("again: %+v, %v", again, err)
	}
	if _, err := reserve("second-code"); drop.CodeOf(err) != drop.CodeIdempotencyMismatch {
		t.Errorf("with another code: %v", err)
	}
}
