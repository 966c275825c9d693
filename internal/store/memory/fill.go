package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/text"
)

// Fill implements store.Store.
func (s *Store) Fill(ctx context.Context, people []drop.User, drops []store.Filled, replace bool) error {
	const op = "fill the store"
	if err := s.begin(ctx, op); err != nil {
		return err
	}
	defer s.calls.Done()
	filled, err := newFilling(people, drops)
	if err != nil {
		return &store.Error{Op: op, Class: store.ClassFault, Err: err}
	}
	unlock, err := s.lockAll(ctx)
	if err != nil {
		return &store.Error{Op: op, Class: store.ClassRolledBack, Err: err}
	}
	defer unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !replace && (len(s.drops) > 0 || len(s.users.byID) > 0) {
		return store.ErrNotEmpty
	}
	s.users, s.drops, s.keys = filled.users, filled.drops, filled.keys
	s.order = slices.Sorted(maps.Keys(s.drops))
	return nil
}

// filling is what Fill puts in the place of what was there.
type filling struct {
	users users
	drops map[drop.ID]*row
	keys  keys
}

func newFilling(people []drop.User, drops []store.Filled) (*filling, error) {
	f := &filling{users: newUsers(), drops: make(map[drop.ID]*row, len(drops)), keys: make(keys)}
	for _, u := range people {
		u.Email = text.LowerASCII(u.Email)
		if err := f.users.add(u); err != nil {
			return nil, fmt.Errorf("user %d: %w", u.ID, err)
		}
	}
	for _, d := range drops {
		if err := f.add(d); err != nil {
			return nil, fmt.Errorf("drop %d: %w", d.State.ID, err)
		}
	}
	return f, nil
}

func (f *filling) add(d store.Filled) error {
	id := d.State.ID
	if id < 1 || id > drop.MaxID {
		return errors.New("the number is out of range")
	}
	if f.drops[id] != nil {
		return errors.New("the number is taken")
	}
	c := drop.Changes{Ledger: d.Changes.Ledger, Kept: d.Changes.Kept}
	c.Made, c.Purchases = slices.Clone(d.Changes.Made), slices.Clone(d.Changes.Purchases)
	slices.SortFunc(c.Made, func(a, b *drop.Reservation) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(c.Purchases, func(a, b drop.Purchase) int { return cmp.Compare(a.ID, b.ID) })
	labels := make(map[string]bool, len(d.State.Sizes))
	for i := range d.State.Sizes {
		c.Sizes = append(c.Sizes, i)
		labels[d.State.Sizes[i].Label] = true
	}
	if len(labels) < len(d.State.Sizes) {
		return errors.New("a size is there twice")
	}
	r := newRow(d.State.Drop)
	if err := errors.Join(r.check(d.State, &c), f.keys.check(id, c.Kept)); err != nil {
		return err
	}
	r.write(d.State, &c)
	f.keys.add(id, c.Kept)
	f.drops[id] = r
	return nil
}

// lockAll waits out the batches under way: what they commit must not land in a drop that is no more. Locks are taken in
// ascending order, and nobody else holds two.
func (s *Store) lockAll(ctx context.Context) (unlock func(), err error) {
	s.mu.RLock()
	rows := make([]*row, 0, len(s.drops))
	for _, id := range s.order {
		rows = append(rows, s.drops[id])
	}
	s.mu.RUnlock()
	held := 0
	unlock = func() {
		for _, r := range rows[:held] {
			r.unlock()
		}
	}
	for _, r := range rows {
		if err := r.lock(ctx); err != nil {
			unlock()
			return nil, err
		}
		held++
	}
	return unlock, nil
}
