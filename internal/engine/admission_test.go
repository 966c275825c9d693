package engine_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/storetest"
)

// unhurried is a store for one lane that decides a batch some time after it has read the clock, as if the answer took
// time to arrive.
type unhurried struct {
	store.Store

	takes time.Duration
	read  atomic.Int64 // the clock as read for the batch under way
	fail  func() error // the error of an attempt after its decision; nil commits it
	then  func()       // runs after a failed attempt
	begun bool         // whether the batch began behind another's COMMIT
	made  []int        // how many reservations each batch made
}

func newUnhurried(takes time.Duration) *unhurried {
	u := &unhurried{takes: takes}
	u.Store = memory.New(func() drop.Time {
		if at := u.read.Load(); at != 0 {
			return drop.Time(at)
		}
		return localNow()
	})
	return u
}

func (u *unhurried) RunBatch(ctx context.Context, b store.Batch) error {
	need := b.Needs() // after this, calls can only join by admission
	u.read.Store(int64(localNow()))
	defer u.read.Store(0)
	time.Sleep(u.takes)
	u.begun = b.Begun() != nil
	failed, decided := error(nil), false
	kept := func() drop.Need { return need }
	given := &storetest.Over{Batch: b, Need: kept, Follower: storetest.None, Anew: true, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		changes := b.Decide(s, now)
		if u.fail != nil {
			failed = u.fail()
		}
		if failed != nil || changes == nil {
			return nil
		}
		decided = true
		u.made = append(u.made, len(changes.Made))
		return changes
	}}
	if err := errors.Join(u.Store.RunBatch(ctx, given), failed); err != nil {
		if u.then != nil {
			u.then()
		}
		return err
	}
	if decided {
		if following := b.Next(); following != nil {
			following.Begin(storetest.Begun(b.Of()))
		}
	}
	time.Sleep(u.takes)
	return nil
}

// at runs f in its own goroutine after the given time.
func at(all *sync.WaitGroup, after time.Duration, f func()) {
	all.Go(func() {
		time.Sleep(after)
		f()
	})
}

const ms = time.Millisecond

func TestAdmit_WhatComesBeforeTheDecisionIsPartOfTheBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newUnhurried(5 * ms)
		e := start(t, s, engine.Config{MaxBatch: 7})
		id := create(t, e, spec(100))
		var all sync.WaitGroup
		for user := range drop.UserID(9) {
			at(&all, time.Duration(user)/2*ms, func() { reserve(t, e, id, user+1) })
		}
		all.Wait()
		if !slices.Equal(s.made, []int{7, 2}) {
			t.Errorf("batches of %v, want 7 and 2", s.made)
		}
	})
}

// If the queue is empty, a batch still begins behind the COMMIT of a large one. It takes the calls that arrive before
// it is decided.
func TestAdmit_ToABatchThatBeganEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newUnhurried(5 * ms)
		e := start(t, s, engine.Config{})
		id := create(t, e, spec(100))
		var all sync.WaitGroup
		for user := range drop.UserID(8) {
			at(&all, 0, func() { reserve(t, e, id, user+1) })
		}
		at(&all, 12*ms, func() {
			began := time.Now()
			reserve(t, e, id, 99)
			if took := time.Since(began); !s.begun || took != 8*ms {
				t.Errorf("begun behind the commit: %v, answered after %v", s.begun, took)
			}
		})
		all.Wait()
		if !slices.Equal(s.made, []int{8, 1}) {
			t.Errorf("batches of %v, want 8 and 1", s.made)
		}
		time.Sleep(100 * ms)
		reserve(t, e, id, 100)
		if s.begun {
			t.Error("an empty batch stays open for ever")
		}
	})
}

// The holds of users who arrive late are not loaded.
func TestAdmit_NobodyWhereARuleAsksWhatUsersHold(t *testing.T) {
	limit := 2
	for name, c := range map[string]struct {
		limit int
		first func(*engine.Engine, drop.ID) error
	}{
		"a limited drop": {2, func(e *engine.Engine, id drop.ID) error {
			_, err := e.Reserve(context.Background(), id, 1, "", engine.Retry{})
			return err
		}},
		"a batch that sets the limit": {0, func(e *engine.Engine, id drop.ID) error {
			_, err := e.Edit(context.Background(), id, drop.Edit{LimitPerUser: &limit})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := start(t, newUnhurried(5*ms), engine.Config{})
				s := spec(100)
				s.LimitPerUser = c.limit
				id := create(t, e, s)
				reserve(t, e, id, 7)
				reserve(t, e, id, 7)
				var all sync.WaitGroup
				at(&all, 0, func() {
					if err := c.first(e, id); err != nil {
						t.Error(err)
					}
				})
				at(&all, 2*ms, func() {
					_, err := e.Reserve(t.Context(), id, 7, "", engine.Retry{})
					wantCode(t, err, drop.CodeLimitReached)
				})
				all.Wait()
			})
		})
	}
}

// Calls with a key are admitted too, while keys are new. A call that needs more ends the admission.
func TestAdmit_NobodyOvertakesACallThatNeedsMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newUnhurried(5 * ms)
		e := start(t, s, engine.Config{})
		id := create(t, e, spec(100))
		var all sync.WaitGroup
		at(&all, 0, func() { reserve(t, e, id, 1) })
		at(&all, 1*ms, func() { reserveKeyed(t, e, id, 2, "k") })
		at(&all, 2*ms, func() {
			if _, err := e.Restock(t.Context(), id, drop.Restock{Add: 1}, engine.Retry{}); err != nil {
				t.Error(err)
			}
		})
		at(&all, 3*ms, func() { reserve(t, e, id, 3) })
		all.Wait()
		if !slices.Equal(s.made, []int{2, 1}) {
			t.Errorf("batches of %v, want 2 and 1", s.made)
		}
	})
}

// The batch's time precedes the calls' arrival. A call that it would refuse may have become valid since.
func TestAdmit_RefusesNobodyByAnEarlierTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newUnhurried(5*ms), engine.Config{})
		s := spec(1)
		s.StartTime = localNow().Add(13 * ms)
		id := create(t, e, s)
		time.Sleep(time.Until(s.StartTime.Time()) - 2*ms)
		var all sync.WaitGroup
		at(&all, 0, func() {
			if _, err := e.Restock(t.Context(), id, drop.Restock{Add: 1}, engine.Retry{}); err != nil {
				t.Error(err)
			}
		})
		at(&all, 3*ms, func() { reserve(t, e, id, 1) })
		at(&all, 4*ms, func() { reserve(t, e, id, 2) })
		all.Wait()
		_, err := e.Reserve(t.Context(), id, 3, "", engine.Retry{})
		wantCode(t, err, drop.CodeOutOfStock)
	})
}

func TestAdmit_NobodyToABatchOfAnOldTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newUnhurried(200*ms), engine.Config{})
		id := create(t, e, spec(100))
		var all sync.WaitGroup
		at(&all, 0, func() { reserve(t, e, id, 1) })
		at(&all, 100*ms, func() {
			began := localNow()
			if r := reserve(t, e, id, 2); r.CreatedAt < began.Add(-engine.MaxBackdated) {
				t.Errorf("the hold began %v before it was asked for", began.Sub(r.CreatedAt))
			}
		})
		all.Wait()
	})
}

func TestAdmit_OnceHoweverOftenTheBatchIsTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newUnhurried(5 * ms)
		e := start(t, s, engine.Config{})
		id := create(t, e, spec(100))
		attempts := 0
		s.fail = func() error {
			if attempts++; attempts <= 3 {
				return &store.Error{Op: "test", Class: store.ClassRolledBack, Err: errors.New("not yet")}
			}
			return nil
		}
		var all sync.WaitGroup
		for user := range drop.UserID(20) {
			at(&all, time.Duration(user)*ms, func() { reserve(t, e, id, user+1) })
		}
		all.Wait()
		if got := stockOf(t, e, id); got.Held != 20 {
			t.Errorf("stock %+v, want 20 held", got)
		}
	})
}

// Between two attempts at a batch, another replica may set a rule for users whose holds were not loaded.
func TestAdmit_ARuleThatIsSetBetweenTwoAttempts(t *testing.T) {
	for name, seen := range map[string]int{"where none was known": 0, "where one was known that was lifted": 99} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newUnhurried(5 * ms)
				e, other := start(t, s, engine.Config{}), start(t, s.Store, engine.Config{})
				made := spec(100)
				made.LimitPerUser = seen
				id := create(t, e, made)
				for _, user := range []drop.UserID{1, 1, 7, 7} {
					reserve(t, e, id, user)
				}
				time.Sleep(1500 * ms) // the other replica has seen it
				limit := func(n int) {
					if _, err := other.Edit(t.Context(), id, drop.Edit{LimitPerUser: &n}); err != nil {
						t.Error(err)
					}
				}
				limit(0)
				failed := false
				s.fail = func() error {
					if failed {
						return nil
					}
					failed = true
					return &store.Error{Op: "test", Class: store.ClassRolledBack, Err: errors.New("not yet")}
				}
				s.then = func() { limit(2) }
				var all sync.WaitGroup
				for i, user := range []drop.UserID{1, 7} {
					at(&all, time.Duration(i)*2*ms, func() {
						_, err := e.Reserve(t.Context(), id, user, "", engine.Retry{})
						wantCode(t, err, drop.CodeLimitReached)
					})
				}
				all.Wait()
			})
		})
	}
}
