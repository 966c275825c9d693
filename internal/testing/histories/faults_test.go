package histories

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/storetest"
)

var errMade = errors.New("made to fail")

// troubled is a store whose calls fail while it is on.
type troubled struct {
	store.Store
	h    *history
	on   atomic.Bool
	late sync.WaitGroup // commits whose callers already have their answer

	mu  sync.Mutex
	rnd *rand.Rand
}

func newTroubled(h *history, s store.Store, number uint64) *troubled {
	return &troubled{Store: s, h: h, rnd: rand.New(rand.NewPCG(h.seed, 1000+number))}
}

// run switches the trouble on for a time.
func (s *troubled) run(ctx context.Context) {
	s.on.Store(true)
	<-ctx.Done()
	s.on.Store(false)
}

func (s *troubled) draw(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rnd.IntN(n)
}

func failure(c store.Class) error { return &store.Error{Op: "test", Class: c, Err: errMade} }

// RunBatch fails before the commit, fails after it, or commits and still reports a failure.
func (s *troubled) RunBatch(ctx context.Context, b store.Batch) error {
	if !s.on.Load() {
		return s.Store.RunBatch(ctx, b)
	}
	fate := s.draw(100)
	pause := time.Duration(s.draw(3000)) * time.Microsecond
	decided := make(chan struct{}, 8) // a store may decide more than once
	given := &storetest.Over{Batch: b, Decider: func(state *drop.State, now drop.Time) *drop.Changes {
		changes := b.Decide(state, now)
		decided <- struct{}{}
		if fate < 40 { // a slow commit, under the lock
			time.Sleep(pause)
		}
		if fate < 10 {
			return nil
		}
		return changes
	}}
	if fate < 22 {
		given.Follower = storetest.None // whoever is told that a batch failed has none that was begun behind it
	}
	begun := b.Begun() != nil
	switch {
	case fate < 3:
		return s.fail("store errors before the commit: rolled back", s.Store.RunBatch(ctx, given), store.ClassRolledBack)
	case fate < 5:
		return s.fail("store errors before the commit: fault", s.Store.RunBatch(ctx, given), store.ClassFault)
	case fate < 10:
		return s.fail("commits lost on their way", s.Store.RunBatch(ctx, given), store.ClassUnknown)
	case fate < 18:
		return s.fail("commits whose answers were lost", s.Store.RunBatch(ctx, given), store.ClassUnknown)
	case fate < 22:
		return s.commitLate(ctx, given, decided)
	case fate < 40:
		s.h.count("slow commits")
	case begun: // the store has to end what was begun
	case fate < 46:
		return s.fail("store errors before the commit: unavailable", nil, store.ClassUnavailable)
	case fate < 48:
		return s.fail("store errors before the commit: exhausted", nil, store.ClassExhausted)
	}
	return s.Store.RunBatch(ctx, given)
}

func (s *troubled) fail(what string, err error, class store.Class) error {
	if err != nil {
		return err
	}
	s.h.count(what)
	return failure(class)
}

// commitLate answers while the commit is still in progress.
func (s *troubled) commitLate(ctx context.Context, b store.Batch, decided chan struct{}) error {
	done := make(chan error, 1)
	first, need := true, b.Needs() // a follower that has its answer begins and decides nothing more
	once := &storetest.Over{Batch: b, Need: func() drop.Need { return need }, Decider: func(state *drop.State, now drop.Time) *drop.Changes {
		if !first {
			return nil
		}
		first = false
		return b.Decide(state, now)
	}}
	s.late.Go(func() { done <- s.Store.RunBatch(context.WithoutCancel(ctx), once) })
	select {
	case err := <-done:
		return s.fail("commits whose answers were lost", err, store.ClassUnknown)
	case <-decided:
		return s.fail("commits that came late", nil, store.ClassUnknown)
	}
}

// Committed fails sometimes, and so may a whole look-up.
func (s *troubled) Committed(ctx context.Context, id drop.ID, batch drop.BatchID, after drop.Seq) (bool, error) {
	if s.on.Load() && s.draw(100) < 60 {
		return false, s.fail("look-ups of a commit that failed", nil, store.ClassUnavailable)
	}
	return s.Store.Committed(ctx, id, batch, after)
}

// Drop and Pulse fail sometimes, so that views stay unchanged.
func (s *troubled) Drop(ctx context.Context, id drop.ID) (store.Snapshot, error) {
	if s.on.Load() && s.draw(100) < 20 {
		return store.Snapshot{}, s.fail("reads that failed", nil, store.ClassUnavailable)
	}
	return s.Store.Drop(ctx, id)
}

func (s *troubled) Pulse(ctx context.Context) (store.Pulse, error) {
	if s.on.Load() && s.draw(100) < 20 {
		return store.Pulse{}, s.fail("reads that failed", nil, store.ClassUnavailable)
	}
	return s.Store.Pulse(ctx)
}

// WaitingBefore and Draw are read after the batch, for the answer to a call that has taken effect. They mostly fail, so
// that trying again does not always help.
func (s *troubled) WaitingBefore(ctx context.Context, e *drop.Entry) (int64, error) {
	if s.on.Load() && s.draw(100) < 85 {
		return 0, s.fail("reads for an answer that failed", nil, store.ClassUnavailable)
	}
	return s.Store.WaitingBefore(ctx, e)
}

func (s *troubled) Draw(ctx context.Context, id drop.ID) (store.Draw, bool, error) {
	if s.on.Load() && s.draw(100) < 85 {
		return store.Draw{}, false, s.fail("reads for an answer that failed", nil, store.ClassUnavailable)
	}
	return s.Store.Draw(ctx, id)
}
