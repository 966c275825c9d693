package memory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// Export implements store.Exporter.
func (s *Store) Export(ctx context.Context, each func(store.Row) error) error {
	var all []store.Row
	err := s.read(ctx, "read everything", func() error {
		return s.export(func(r store.Row) error {
			all = append(all, r)
			return nil
		})
	})
	for _, row := range all {
		if err := each(row); err != nil {
			return err
		}
	}
	return err
}

func (s *Store) export(each func(store.Row) error) error {
	return records.Export(func(q records.Query) error { return hand(&q, s.find(&q)) }, each)
}

// Import implements store.Importer.
func (s *Store) Import(ctx context.Context, into store.Into, fill func(put func(store.Row) error) error, check func(store.Rows) error) error {
	const op = "store everything"
	if err := s.begin(ctx, op); err != nil {
		return err
	}
	defer s.calls.Done()
	s.mu.RLock()
	takes := s.mayImport(into)
	s.mu.RUnlock()
	if !takes {
		return store.ErrNotEmpty
	}
	f := filling{Store: New(s.now), heads: map[drop.ID]*store.Filled{noDrop: {Changes: &drop.Changes{}}}, revisions: make(map[drop.ID][]drop.Revision)}
	err := fill(f.put)
	if err == nil {
		f.finish()
	}
	if f.failed != nil { // fill may have wrapped the error
		return &store.Error{Op: op, Class: store.ClassFault, Err: f.failed}
	}
	if err == nil && check != nil {
		err = check(f.export)
	}
	if err != nil {
		return err
	}
	// Batches under way end first, so that they do not commit into a drop that is gone. The drops are locked in
	// ascending order, and nothing else holds two locks.
	s.mu.RLock()
	var rows []*row
	for _, id := range s.order {
		rows = append(rows, s.drops[id])
	}
	s.mu.RUnlock()
	for _, r := range rows {
		if err := r.lock(ctx); err != nil {
			return &store.Error{Op: op, Class: store.ClassRolledBack, Err: err}
		}
		defer r.unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mayImport(into) {
		return store.ErrNotEmpty
	}
	s.users, s.drops, s.keys, s.owned, s.order = f.users, f.drops, f.keys, f.owned, f.Store.order
	for _, t := range records.Tables {
		if into == store.IntoNothing || !t.Lasting {
			s.cold[t] = f.cold[t]
		}
	}
	return nil
}

// mayImport reports whether the store contains no more than into allows.
func (s *Store) mayImport(into store.Into) bool {
	for _, t := range records.Beginning(into) {
		if len(s.find(&records.Query{Table: t, All: true})) > 0 {
			return false
		}
	}
	return true
}

// filling is what an import puts in place of the old content.
type filling struct {
	*Store

	order []*store.Filled
	heads map[drop.ID]*store.Filled // the newest of each number, and the rows without a drop
	// revisions are those of each drop. A batch makes at most one, so they are not among its changes.
	revisions map[drop.ID][]drop.Revision
	failed    error
}

func (f *filling) put(r store.Row) error {
	if f.failed == nil {
		f.failed = records.Parts(r, f.keep)
	}
	return f.failed
}

func (f *filling) keep(t *records.Table, of drop.ID, row any) error {
	switch row := row.(type) {
	case *store.User:
		return f.users.add(*row)
	case *drop.State:
		d := &store.Filled{State: row, Changes: &drop.Changes{}}
		f.order, f.heads[row.ID] = append(f.order, d), d
		return nil
	case *records.Size: // part of the state
		return nil
	}
	if t.Drop == "" {
		return f.cold.add(t, row)
	}
	d := f.heads[of]
	if d == nil {
		return fmt.Errorf("a row of %s belongs to drop %d, which has to come first", t.Name, of)
	}
	c := d.Changes
	switch row := row.(type) {
	case *drop.Reservation:
		c.Made = append(c.Made, row)
	case *drop.Purchase:
		c.Purchases = append(c.Purchases, *row)
	case *drop.LedgerEntry:
		c.Ledger = append(c.Ledger, *row)
	case *drop.Entry:
		c.Joined = append(c.Joined, row)
	case *drop.DrawEntry:
		c.Entered = append(c.Entered, row)
	case *drop.Pass:
		c.Passes = append(c.Passes, *row)
	case *drop.Revision:
		f.revisions[of] = append(f.revisions[of], *row)
	case *drop.Kept:
		row.Answer = bytes.Clone(row.Answer)
		c.Kept = append(c.Kept, *row)
	default:
		return f.owned.add(t, of, row)
	}
	return nil
}

func (f *filling) finish() {
	for _, d := range f.order {
		if f.failed = f.add(d); f.failed != nil {
			f.failed = fmt.Errorf("drop %d: %w", d.State.ID, f.failed)
			return
		}
	}
	kept := f.heads[noDrop].Changes.Kept
	if f.failed = f.keys.check(noDrop, kept); f.failed == nil {
		f.keys.add(noDrop, kept)
	}
	f.Store.order = slices.Sorted(maps.Keys(f.drops))
}

// add stores a drop with its rows.
func (f *filling) add(d *store.Filled) error {
	id := d.State.ID
	if id < 1 || id > drop.MaxID {
		return errors.New("the number is out of range")
	}
	if f.drops[id] != nil {
		return errors.New("the number is taken")
	}
	c := d.Changes
	slices.SortFunc(c.Made, func(a, b *drop.Reservation) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(c.Purchases, func(a, b drop.Purchase) int { return cmp.Compare(a.ID, b.ID) })
	labels := make(map[string]bool, len(d.State.Sizes))
	for i := range d.State.Sizes {
		c.Sizes = append(c.Sizes, i)
		labels[d.State.Sizes[i].Label] = true
	}
	if len(labels) < len(d.State.Sizes) {
		return errors.New("a size appears twice")
	}
	r := newRow(d.State.Drop)
	if err := errors.Join(r.check(d.State, c), f.keys.check(id, c.Kept)); err != nil {
		return err
	}
	r.write(d.State, c)
	for _, v := range f.revisions[id] {
		if _, taken := r.revisions[v.Version]; taken {
			return fmt.Errorf("revision %d already exists", v.Version)
		}
		r.revisions[v.Version] = v
	}
	f.keys.add(id, c.Kept)
	f.drops[id] = r
	return nil
}
