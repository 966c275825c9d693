package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/storetest"
)

// pair returns a batch and one that follows it.
func pair(first *storetest.Batch, id drop.ID) (one, two *storetest.Batch) {
	next := reserve(id, newBatch(), nil)
	first.Follower = func() store.Batch { return next }
	return first, next
}

func TestFollow_IsBegunBehindTheCommit(t *testing.T) {
	u := pgtest.Migrated(t)
	s, admin := open(t, u), connect(t, u)
	id := createDrop(t, s, 5)
	first, next := pair(reserve(id, newBatch(), nil), id)
	if err := s.RunBatch(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if !next.IsBegun() {
		t.Fatal("nothing was begun of the next batch")
	}
	wantAvailable(t, s, id, 4) // committed, whatever happens to the next batch
	awaitState(t, admin, "idle in transaction")
	if err := s.RunBatch(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	wantAvailable(t, s, id, 3)
}

// The answer to COMMIT does not wait for what comes after it.
func TestFollow_ALockInItsWayHoldsUpNothingElse(t *testing.T) {
	u := pgtest.Migrated(t)
	s, admin, other := open(t, u), connect(t, u), connect(t, u)
	id := createDrop(t, s, 5)
	// The lock is not the drop's, so it is certain who gets it first: statements that read purchases wait, the COMMIT
	// before them does not.
	first, next := pair(reserve(id, newBatch(), nil), id)
	next.Need.Recent = true
	if err := errors.Join(s.RunBatch(t.Context(), first), s.RunBatch(t.Context(), next)); err != nil { // prepares the statements
		t.Fatal(err)
	}
	first, next = pair(reserve(id, newBatch(), nil), id)
	tx, err := other.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	decide := first.Decider
	first.Decider = func(state *drop.State, now drop.Time) *drop.Changes {
		changes := decide(state, now)
		// Only statements that begin after this wait. The batch itself already has what it needs.
		if _, err := tx.Exec(t.Context(), `LOCK TABLE sneakerdrop.purchases IN ACCESS EXCLUSIVE MODE`); err != nil {
			t.Error(err)
		}
		return changes
	}
	next.Need.Recent = true
	if err := s.RunBatch(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	awaitLockWait(t, admin)
	var available int64 // not through the store, which also reads purchases
	if err := admin.QueryRow(t.Context(), `SELECT available FROM sneakerdrop.sizes WHERE drop_id = $1`, int64(id)).Scan(&available); err != nil || available != 2 {
		t.Errorf("%d are available (%v), want 2", available, err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.RunBatch(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	wantAvailable(t, s, id, 1)
}

// The first rows of a large batch are sent before the rest is encoded. None of them is committed if the connection
// breaks then, or if one of the rows is refused.
func TestFollow_WhatGoesOutEarlyStaysOnlyWithTheRest(t *testing.T) {
	u := pgtest.Migrated(t)
	s, admin := open(t, u), connect(t, u)
	id := createDrop(t, s, 5_000)
	keyed := func(n int, prefix string) []drop.Command {
		cmds := make([]drop.Command, n)
		for i := range cmds {
			c := drop.Reserve{User: drop.UserID(i + 1), Hold: time.Minute}
			cmds[i] = drop.Keyed{Key: drop.NewKey("", "reserve", fmt.Sprint(prefix, i), drop.Asked(fmt.Sprint(c))), Command: c}
		}
		return cmds
	}
	large := func(before func(*drop.Changes)) *storetest.Batch {
		batch := laneBatch(id, keyed(500, "large"))
		decide := batch.Decider
		batch.Decider = func(state *drop.State, now drop.Time) *drop.Changes {
			changes := decide(state, now)
			before(changes)
			return changes
		}
		return batch
	}
	for _, test := range []struct {
		name   string
		before func(*drop.Changes)
		class  []store.Class
	}{
		// Whether the client notices before it has sent the COMMIT depends on the network.
		{"cut", func(*drop.Changes) { terminate(t, admin, "state = 'idle in transaction'") }, []store.Class{store.ClassUnavailable, store.ClassUnknown}},
		{"refused", func(c *drop.Changes) { c.Made[499].UserID = 0 }, []store.Class{store.ClassFault}},
	} {
		first, next := pair(laneBatch(id, keyed(1, test.name)), id) // prepares the statements
		if err := errors.Join(s.RunBatch(t.Context(), first), s.RunBatch(t.Context(), next)); err != nil {
			t.Fatal(err)
		}
		before, err := s.Drop(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		first, next = pair(large(test.before), id)
		if err := s.RunBatch(t.Context(), first); err == nil || !slices.Contains(test.class, store.ClassOf(err)) {
			t.Errorf("%s: %v, want class %v", test.name, err, test.class)
		}
		if next.IsBegun() {
			t.Errorf("%s: the next batch was begun", test.name)
		}
		var kept int
		if err := admin.QueryRow(t.Context(), `SELECT count(*) FROM sneakerdrop.idempotency_keys WHERE key LIKE 'large%'`).Scan(&kept); err != nil || kept != 0 {
			t.Errorf("%s: %d keys are kept (%v), want none", test.name, kept, err)
		}
		wantAvailable(t, s, id, before.Drop.Sizes[0].Stock.Available)
	}
	first, next := pair(large(func(*drop.Changes) {}), id)
	if err := errors.Join(s.RunBatch(t.Context(), first), s.RunBatch(t.Context(), next)); err != nil {
		t.Fatal(err)
	}
	wantAvailable(t, s, id, 5_000-4-501)
}

func TestFollow_IsRunAnewWhereItsConnectionIsGone(t *testing.T) {
	u := pgtest.Migrated(t)
	s, admin := open(t, u), connect(t, u)
	id := createDrop(t, s, 5)
	first, next := pair(reserve(id, newBatch(), nil), id)
	if err := s.RunBatch(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	terminate(t, admin, "state = 'idle in transaction'")
	// Its loaded rows had already arrived, so only its COMMIT found the connection gone.
	wantClass(t, s.RunBatch(t.Context(), next), store.ClassUnknown)
	wantAvailable(t, s, id, 4)
	if err := s.RunBatch(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	wantAvailable(t, s, id, 3)
}

func TestFollow_IsNotBegunWhereTheCommitFails(t *testing.T) {
	u := pgtest.Migrated(t)
	s, admin := open(t, u), connect(t, u)
	id := createDrop(t, s, 5)
	for _, test := range []struct {
		name, raise string
		class       store.Class
		available   int64
	}{
		{"refused", `RAISE EXCEPTION SQLSTATE '40001'`, store.ClassRolledBack, 5},
		{"warned", `RAISE WARNING 'not confirmed'; RETURN NULL`, store.ClassUnknown, 4},
	} {
		exec(t, admin, `CREATE FUNCTION public.meddle() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN `+test.raise+`; END$$`)
		exec(t, admin, `CREATE CONSTRAINT TRIGGER meddle AFTER UPDATE ON sneakerdrop.drops DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION public.meddle()`)
		first, next := pair(reserve(id, newBatch(), nil), id)
		wantClass(t, s.RunBatch(t.Context(), first), test.class)
		if next.IsBegun() {
			t.Errorf("%s: the next batch was begun", test.name)
		}
		wantAvailable(t, s, id, test.available)
		exec(t, admin, `DROP TRIGGER meddle ON sneakerdrop.drops`) // waits for the drop's lock, which is free again
		exec(t, admin, `DROP FUNCTION public.meddle`)
		if err := s.RunBatch(t.Context(), next); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		wantAvailable(t, s, id, test.available-1)
		restock(t, s, id, 5-test.available+1)
		wantAvailable(t, s, id, 5)
	}
}

func TestFollow_LostAnswerOfCommitIsUnknown(t *testing.T) {
	for _, moment := range []pgtest.Moment{pgtest.BeforeCommit, pgtest.AtCommit, pgtest.AfterCommit} {
		t.Run(moment.String(), func(t *testing.T) {
			p, through := pgtest.NewProxy(t, pgtest.Migrated(t))
			s, err := postgres.Open(t.Context(), through, postgres.Options{Connections: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			id := createDrop(t, s, 5)
			// These prepare the statements; without that, COMMIT would not even be sent.
			first, next := pair(reserve(id, newBatch(), nil), id)
			if err := errors.Join(s.RunBatch(t.Context(), first), s.RunBatch(t.Context(), next)); err != nil {
				t.Fatal(err)
			}
			batch := newBatch()
			first, next = pair(reserve(id, batch, nil), id)
			p.Next(moment, (*pgtest.Line).Cut)
			wantClass(t, s.RunBatch(t.Context(), first), store.ClassUnknown)
			if next.IsBegun() {
				t.Error("the next batch was begun")
			}
			found, err := s.Committed(t.Context(), id, batch, 3)
			if err != nil || moment == pgtest.BeforeCommit && found || moment == pgtest.AfterCommit && !found {
				t.Errorf("Committed: %v, %v", found, err)
			}
			left := int64(3)
			if found {
				left--
			}
			wantAvailable(t, s, id, left)
			if err := s.RunBatch(t.Context(), next); err != nil {
				t.Fatal(err)
			}
			wantAvailable(t, s, id, left-1)
		})
	}
}
