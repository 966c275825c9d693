package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// cold are the rows of the tables that nothing here looks into.
type cold map[*records.Table]*kind

// kind is the rows of one table, ascending by its key, and the highest number that there was.
type kind struct {
	rows []any
	last int64
}

// of returns the rows of a table.
func (c cold) of(t *records.Table) *kind {
	if c[t] == nil {
		c[t] = new(kind)
	}
	return c[t]
}

// place is where the row of a number is, or would be.
func (k *kind) place(t *records.Table, number int64) (i int, there bool) {
	return slices.BinarySearchFunc(k.rows, number, func(row any, n int64) int { return cmp.Compare(t.Number(row), n) })
}

// engine is the store as package records sees it.
type engine struct{ *Store }

// Read implements records.Engine. It copies the rows first, so that who gets them may take their time.
func (e engine) Read(ctx context.Context, op string, queries ...records.Query) error {
	if err := e.begin(ctx, op); err != nil {
		return err
	}
	e.mu.RLock()
	found := make([][]any, len(queries))
	for i := range queries {
		found[i] = e.find(&queries[i])
	}
	e.mu.RUnlock()
	e.calls.Done()
	for i := range queries {
		if err := hand(&queries[i], found[i]); err != nil {
			return err
		}
	}
	return nil
}

func hand(q *records.Query, rows []any) error {
	if q.Count != nil {
		*q.Count, rows = int64(len(rows)), nil
	}
	for _, row := range rows {
		q.Table.Assign(q.Row, row)
		if err := q.Each(); err != nil {
			return err
		}
	}
	if q.Done != nil {
		return q.Done()
	}
	return nil
}

// find returns copies of the rows that a query asks for.
func (s *Store) find(q *records.Query) []any {
	rows := s.rows(q)
	if q.Where != nil {
		rows = slices.DeleteFunc(rows, func(row any) bool { return !q.Where.Has(row, q.Is) })
	}
	p := q.Page
	if p == nil {
		return rows
	}
	if p.Newest {
		slices.Reverse(rows)
	}
	rows = slices.DeleteFunc(rows, func(row any) bool {
		n := q.Table.Number(row)
		return p.Newest && n >= p.From || !p.Newest && n <= p.From
	})
	return rows[:max(0, min(p.Limit, len(rows)))]
}

// rows returns copies of a table's rows, ascending.
func (s *Store) rows(q *records.Query) []any {
	switch q.Table {
	case records.Users:
		if q.Where == q.Table.Column(q.Table.Key) {
			if u, ok := s.users.byID[drop.UserID(q.Is.Number)]; ok {
				return []any{&u}
			}
			return nil
		}
		return pointers(ascending(s.users.byID))
	case records.Keys:
		return s.keys.rows(q)
	case records.Drops, records.Sizes, records.Reservations, records.Purchases, records.Sales, records.Ledger:
		var all []any
		for _, id := range s.order {
			if q.All || id == q.Of {
				all = append(all, s.drops[id].rowsOf(q, &s.users)...)
			}
		}
		return all
	}
	kept := s.cold[q.Table]
	if kept == nil {
		return nil
	}
	var all []any
	for _, row := range kept.rows {
		copied := q.Table.New()
		q.Table.Assign(copied, row)
		if b := q.Table.Beside; b != nil {
			if there := s.cold.find(b.Table, q.Table.Column(b.By).Of(row).Number); there != nil {
				b.Assign(copied, there)
			}
		}
		all = append(all, copied)
	}
	return all
}

// rowsOf returns copies of a drop's rows. What Damage did shows only where all are asked for.
func (r *row) rowsOf(q *records.Query, people *users) (all []any) {
	from := r.damaged
	if from == nil || q.Page != nil {
		from = &Rows{Head: r.state()}
		switch q.Table {
		case records.Reservations:
			from.Reservations = ascending(r.reservations)
		case records.Purchases, records.Sales:
			from.Purchases = ascending(r.purchases)
		case records.Ledger:
			from.Ledger = ascending(r.ledger)
		}
	}
	switch q.Table {
	case records.Drops:
		return []any{from.Head}
	case records.Sizes:
		for i, size := range from.Head.Sizes {
			all = append(all, &records.Size{Size: size, Position: i})
		}
		return all
	case records.Reservations:
		return pointers(slices.Clone(from.Reservations))
	case records.Purchases:
		return pointers(slices.Clone(from.Purchases))
	case records.Ledger:
		return pointers(slices.Clone(from.Ledger))
	}
	for _, p := range from.Purchases {
		buyer := people.called(p.UserID)
		all = append(all, &store.Sale{Purchase: p, Username: buyer.Username, Email: buyer.Email})
	}
	return all
}

// rows are the answers kept in the scope of a drop, in the order of their keys.
func (k keys) rows(q *records.Query) (all []any) {
	order := slices.SortedFunc(maps.Keys(k), func(a, b scope) int {
		return cmp.Or(cmp.Compare(a.caller, b.caller), cmp.Compare(a.operation, b.operation), cmp.Compare(a.value, b.value))
	})
	for _, in := range order {
		if q.All || in.drop == q.Of {
			kept := k[in]
			all = append(all, &kept)
		}
	}
	return all
}

func pointers[T any](list []T) []any {
	all := make([]any, len(list))
	for i := range list {
		all[i] = &list[i]
	}
	return all
}

func ascending[K cmp.Ordered, V any](rows map[K]V) []V {
	list := make([]V, 0, len(rows))
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		list = append(list, rows[id])
	}
	return list
}

// find returns the row of that number, or nil.
func (c cold) find(t *records.Table, number int64) any {
	if k := c[t]; k != nil {
		if i, there := k.place(t, number); there {
			return k.rows[i]
		}
	}
	return nil
}

// add keeps a row, or refuses what a database refuses by its constraints.
func (c cold) add(t *records.Table, row any) error {
	k := c.of(t)
	for _, column := range t.Columns {
		is := column.Of(row)
		same := func(other any) bool { return column.Has(other, is) }
		switch {
		case column.Needed && column.Empty(row):
			return fmt.Errorf("a row of %s has no %s", t.Name, column.Name)
		case column.Unique && slices.ContainsFunc(k.rows, same):
			return fmt.Errorf("a row of %s with that %s is there already", t.Name, column.Name)
		case column.References != nil && c.find(column.References, is.Number) == nil:
			return fmt.Errorf("%s has no row of the number %d", column.References.Name, is.Number)
		}
	}
	number := t.Number(row)
	i, there := k.place(t, number)
	if there {
		return fmt.Errorf("the number %d of %s is taken", number, t.Name)
	}
	k.rows, k.last = slices.Insert(k.rows, i, row), max(k.last, number)
	return nil
}

// Add implements records.Engine.
func (e engine) Add(ctx context.Context, op string, t *records.Table, row any) error {
	if err := e.begin(ctx, op); err != nil {
		return err
	}
	defer e.calls.Done()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range t.Columns {
		switch {
		case c.Timed:
			c.Set(row, records.Value{Number: int64(e.now())})
		case c.Numbered:
			c.Set(row, records.Value{Number: e.cold.of(t).last + 1})
		}
	}
	kept := t.New()
	t.Assign(kept, row)
	if err := e.cold.add(t, kept); err != nil {
		return &store.Error{Op: op, Class: store.ClassFault, Err: err}
	}
	return nil
}

// Stamp implements records.Engine.
func (e engine) Stamp(ctx context.Context, op string, t *records.Table, c *records.Column, number int64, row any) (found bool, err error) {
	if err := e.begin(ctx, op); err != nil {
		return false, err
	}
	defer e.calls.Done()
	e.mu.Lock()
	defer e.mu.Unlock()
	kept := e.cold.find(t, number)
	if kept == nil {
		return false, nil
	}
	if c.Empty(kept) {
		c.Set(kept, records.Value{Number: int64(e.now())})
	}
	t.Assign(row, kept)
	return true, nil
}

// Delete implements records.Engine.
func (e engine) Delete(ctx context.Context, op string, t *records.Table, number int64) (found bool, err error) {
	if err := e.begin(ctx, op); err != nil {
		return false, err
	}
	defer e.calls.Done()
	e.mu.Lock()
	defer e.mu.Unlock()
	k := e.cold.of(t)
	i, found := k.place(t, number)
	if found {
		k.rows = slices.Delete(k.rows, i, i+1)
	}
	return found, nil
}

// Rows is all that is recorded of one drop, for Damage.
type Rows struct {
	Head         *drop.State
	Ledger       []drop.LedgerEntry
	Reservations []drop.Reservation
	Purchases    []drop.Purchase
}

// Damage is for the tests of an audit: from now on ReadBooks gives the drop's rows as f leaves them, in f's order and
// whatever no constraint would let pass. Nothing else sees them, and what batches do later does not show in them.
func (s *Store) Damage(id drop.ID, f func(*Rows)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.drops[id]
	if r.damaged == nil {
		r.damaged = &Rows{
			Head: r.state(), Ledger: ascending(r.ledger), Reservations: ascending(r.reservations), Purchases: ascending(r.purchases),
		}
	}
	f(r.damaged)
}
