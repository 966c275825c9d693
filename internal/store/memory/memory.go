// Package memory keeps drops in Go maps. The SQL engines are compared with it, and simulations run on it. It makes
// the same promises as they do, except durability.
//
// Each drop has a lock that a batch holds from load to commit. The lock is a channel, so that a wait for it honors
// the context and testing/synctest can see it. One mutex guards the committed data, and is never held during a call
// of Decide or a wait. Rows are copied on the way in and out, so that no caller can reach the store's memory.
package memory

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// schema is the version that Migrate reports. There is nothing to migrate.
const schema = 1

var errClosed = errors.New("the store is closed")

// Store is a store.Store in memory.
type Store struct {
	records.Store // everything off the hot path

	now func() drop.Time

	mu     sync.RWMutex
	drops  map[drop.ID]*row
	order  []drop.ID // all drops in ascending order; numbers may have gaps
	users  users
	keys   keys
	cold   cold
	owned  owned
	closed bool
	calls  sync.WaitGroup // call Add only under mu while not closed

	// settling is full while a batch that needs payments runs, and while somebody else changes one.
	settling chan struct{}
	// taken has the highest number of each cold table that was deleted or given away, so that none is assigned twice.
	taken map[*records.Table]int64
}

var _ store.Store = (*Store)(nil)

// New returns an empty store that uses the given clock.
func New(now func() drop.Time) *Store {
	s := &Store{now: now, drops: make(map[drop.ID]*row), users: newUsers(), keys: make(keys), cold: make(cold), owned: make(owned), taken: make(map[*records.Table]int64), settling: make(chan struct{}, 1)}
	s.Store = records.New(engine{s})
	return s
}

// begin admits a call. The call must end with calls.Done.
func (s *Store) begin(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return &store.Error{Op: op, Class: store.ClassRolledBack, Err: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return &store.Error{Op: op, Class: store.ClassUnavailable, Err: errClosed}
	}
	s.calls.Add(1)
	return nil
}

// read calls f to read the committed data.
func (s *Store) read(ctx context.Context, op string, f func() error) error {
	if err := s.begin(ctx, op); err != nil {
		return err
	}
	defer s.calls.Done()
	s.mu.RLock()
	defer s.mu.RUnlock()
	return f()
}

// write calls f to change the committed data. f must change nothing if it fails.
func (s *Store) write(ctx context.Context, op string, f func() error) error {
	if err := s.begin(ctx, op); err != nil {
		return err
	}
	defer s.calls.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	return f()
}

// lock takes a drop's lock. Release it with row.unlock.
func (s *Store) lock(ctx context.Context, op string, id drop.ID) (*row, error) {
	for {
		s.mu.RLock()
		r := s.drops[id]
		s.mu.RUnlock()
		if r == nil {
			return nil, drop.Refuse(drop.CodeDropNotFound)
		}
		if err := r.lock(ctx); err != nil {
			return nil, &store.Error{Op: op, Class: store.ClassRolledBack, Err: err}
		}
		s.mu.RLock()
		current := s.drops[id] == r
		s.mu.RUnlock()
		if current {
			return r, nil
		}
		r.unlock() // Fill replaced the drop while this call waited
	}
}

// RunBatch implements store.Store.
func (s *Store) RunBatch(ctx context.Context, b store.Batch) error {
	id := b.Of()
	op := fmt.Sprintf("run a batch of drop %d", id)
	if err := s.begin(ctx, op); err != nil {
		return err
	}
	defer s.calls.Done()
	r, err := s.lock(ctx, op, id)
	if err != nil {
		return err
	}
	defer r.unlock()

	need := b.Needs()
	if len(need.Payments) > 0 { // nobody else changes them until the batch ends
		if err := s.settle(ctx, op); err != nil {
			return err
		}
		defer s.settled()
	}
	now := s.now() // read after the locks
	s.mu.RLock()
	state := r.load(need, now, &s.users)
	s.cold.loadPayments(state, need.Payments)
	s.keys.load(state, need.Keys)
	s.mu.RUnlock()
	changes := b.Decide(state, now)
	if changes == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drops[id] != r {
		return &store.Error{Op: op, Class: store.ClassRolledBack, Err: errors.New("the drop was replaced meanwhile")}
	}
	if err := errors.Join(r.check(state, changes), s.keys.check(id, changes.Kept), s.cold.checkPayments(changes)); err != nil {
		return &store.Error{Op: op, Class: store.ClassFault, Err: err}
	}
	r.write(state, changes)
	s.keys.add(id, changes.Kept)
	s.cold.writePayments(changes)
	return nil
}

// settle keeps others from changing payments until settled is called.
func (s *Store) settle(ctx context.Context, op string) error {
	select {
	case s.settling <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &store.Error{Op: op, Class: store.ClassRolledBack, Err: ctx.Err()}
	}
}

func (s *Store) settled() { <-s.settling }

// Committed implements store.Store.
func (s *Store) Committed(ctx context.Context, id drop.ID, batch drop.BatchID, after drop.Seq) (bool, error) {
	op := fmt.Sprintf("look for a batch of drop %d", id)
	if err := s.begin(ctx, op); err != nil {
		return false, err
	}
	defer s.calls.Done()
	r, err := s.lock(ctx, op, id)
	if err != nil {
		return false, err
	}
	defer r.unlock()
	s.mu.RLock()
	defer s.mu.RUnlock()
	return r.has(batch, after), nil
}

// CreateDrop implements store.Store.
func (s *Store) CreateDrop(
	ctx context.Context, spec drop.Spec, batch drop.BatchID, key drop.Key,
) (made store.Snapshot, replayed bool, err error) {
	err = s.write(ctx, "create a drop", func() error {
		now := s.now()
		first, err := s.keys.replay(key)
		switch replayed = first.Replayed; {
		case err != nil:
			return err
		case replayed && first.Drop == nil:
			return drop.Refuse(drop.CodeDamaged)
		case replayed:
			made = store.Snapshot{Drop: *first.Drop, Now: now}
			return nil
		}
		id := drop.ID(1)
		if n := len(s.order); n > 0 {
			id = s.order[n-1] + 1
		}
		if id > drop.MaxID {
			return drop.Refuse(drop.CodeExhausted)
		}
		state, changes := spec.Create(id, now, batch)
		r := newRow(state.Drop)
		r.write(state, changes)
		s.drops[id] = r
		s.order = append(s.order, id)
		if spec.Page != nil {
			_ = s.owned.add(records.Pages, id, records.PageRow(spec.Page, now)) // the drop is new, and has none
		}
		if spec.Secrets != nil {
			_ = s.owned.add(records.Draws, id, &store.Draw{Secrets: *spec.Secrets, UpdatedAt: now})
		}
		made = r.snapshot(now, &s.users)
		s.keys.keep(key, drop.Result{Drop: &made.Drop}, now)
		return nil
	})
	return made, replayed && err == nil, err
}

// Drop implements store.Store.
func (s *Store) Drop(ctx context.Context, id drop.ID) (snapshot store.Snapshot, err error) {
	err = s.read(ctx, fmt.Sprintf("read drop %d", id), func() error {
		r := s.drops[id]
		if r == nil {
			return drop.Refuse(drop.CodeDropNotFound)
		}
		snapshot = r.snapshot(s.now(), &s.users)
		return nil
	})
	return snapshot, err
}

// Drops implements store.Store.
func (s *Store) Drops(ctx context.Context) (all []store.Snapshot, err error) {
	err = s.read(ctx, "read the drops", func() error {
		now := s.now()
		for _, id := range s.order {
			all = append(all, s.drops[id].snapshot(now, &s.users))
		}
		return nil
	})
	return all, err
}

// Pulse implements store.Store.
func (s *Store) Pulse(ctx context.Context) (p store.Pulse, err error) {
	err = s.read(ctx, "read the pulse", func() error {
		p.Now = s.now()
		for _, id := range s.order {
			r := s.drops[id]
			p.Drops = append(p.Drops, store.DropPulse{ID: id, Version: r.drop.Version, Deadline: r.deadline(0)})
		}
		return nil
	})
	return p, err
}

// Migrate implements store.Store.
func (s *Store) Migrate(ctx context.Context) (from, to int, err error) {
	return schema, schema, s.Ready(ctx)
}

// Ready implements store.Store.
func (s *Store) Ready(ctx context.Context) error {
	return s.read(ctx, "ready", func() error { return nil })
}

// Server implements store.Store.
func (s *Store) Server(context.Context) (engine, version string, err error) { return "memory", "", nil }

// Close implements store.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.calls.Wait()
	return nil
}
