package engine_test

import (
	"context"
	"errors"
	"sync"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/storetest"
)

// faulty is a store whose batches fail as the test says.
type faulty struct {
	store.Store
	mu sync.Mutex
	// before and after run around each batch. If before returns an error, the batch does not run. An error of after
	// replaces the batch's answer.
	before, after func(store.Batch) error
	// committed runs before a look-up of an unknown outcome.
	committed func() error
}

func (f *faulty) RunBatch(ctx context.Context, b store.Batch) error {
	before, after := f.hooks()
	need := b.Needs()
	asked := &storetest.Over{Batch: b, Need: func() drop.Need { return need }}
	if err := before(asked); err != nil {
		return err
	}
	if err := f.Store.RunBatch(ctx, asked); err != nil {
		return err
	}
	return after(asked)
}

func (f *faulty) Committed(ctx context.Context, id drop.ID, batch drop.BatchID, after drop.Seq) (bool, error) {
	f.mu.Lock()
	committed := f.committed
	f.mu.Unlock()
	if committed != nil {
		if err := committed(); err != nil {
			return false, err
		}
	}
	return f.Store.Committed(ctx, id, batch, after)
}

func (f *faulty) set(before, after func(store.Batch) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.after = before, after
}

func (f *faulty) hooks() (before, after func(store.Batch) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, after = f.before, f.after
	well := func(store.Batch) error { return nil }
	if before == nil {
		before = well
	}
	if after == nil {
		after = well
	}
	return before, after
}

// times returns a hook that fails its first n calls.
func times(n int, class store.Class) func(store.Batch) error {
	return func(store.Batch) error {
		if n--; n >= 0 {
			return &store.Error{Op: "test", Class: class, Err: errors.New("made to fail")}
		}
		return nil
	}
}
