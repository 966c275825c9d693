package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// cold has the rows of the tables that this package does not look into. Each table's rows are in ascending order of
// its key.
type cold map[*records.Table][]any

// place returns the index of the row with that number, or where it would be.
func (c cold) place(t *records.Table, number int64) (i int, there bool) {
	return slices.BinarySearchFunc(c[t], number, func(row any, n int64) int { return cmp.Compare(t.Number(row), n) })
}

// owned are the rows of which a drop has at most one in each table, by table and drop.
type owned map[*records.Table]map[drop.ID]any

// put keeps a copy of a row in place of the one that is there.
func (o owned) put(t *records.Table, of drop.ID, row any) {
	if o[t] == nil {
		o[t] = make(map[drop.ID]any)
	}
	kept := t.New()
	t.Assign(kept, row)
	o[t][of] = kept
}

// add keeps a copy of the first row.
func (o owned) add(t *records.Table, of drop.ID, row any) error {
	if o[t][of] != nil {
		return fmt.Errorf("drop %d has a row of %s already", of, t.Name)
	}
	o.put(t, of, row)
	return nil
}

// is reports whether a drop has exactly that row; nil: none.
func (o owned) is(t *records.Table, of drop.ID, row any) bool {
	kept := o[t][of]
	if kept == nil || row == nil {
		return kept == nil && row == nil
	}
	return same(t, kept, row)
}

// rows are copies of the rows of a query, ascending by drop.
func (o owned) rows(q *records.Query) (all []any) {
	for _, of := range slices.Sorted(maps.Keys(o[q.Table])) {
		if q.All || of == q.Of {
			copied := q.Table.New()
			q.Table.Assign(copied, o[q.Table][of])
			all = append(all, copied)
		}
	}
	return all
}

// engine is the store as package records sees it.
type engine struct{ *Store }

// Read implements records.Engine. It copies the rows first, so the receiver may take its time.
func (e engine) Read(ctx context.Context, op string, queries ...records.Query) error {
	found := make([][]any, len(queries))
	err := e.read(ctx, op, func() error {
		for i := range queries {
			found[i] = e.find(&queries[i])
		}
		return nil
	})
	for i := 0; err == nil && i < len(queries); i++ {
		err = hand(&queries[i], found[i])
	}
	return err
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

// find returns copies of the rows that match a query.
func (s *Store) find(q *records.Query) []any {
	rows := s.rows(q)
	if q.Where != nil {
		rows = slices.DeleteFunc(rows, func(row any) bool { return !q.Where.Has(row, q.Is) })
	}
	if q.Also != nil {
		rows = slices.DeleteFunc(rows, func(row any) bool { return !q.Also.Has(row, q.AlsoIs) })
	}
	if q.AtLeast != nil {
		rows = slices.DeleteFunc(rows, func(row any) bool { return q.AtLeast.Of(row).Number < q.Least })
	}
	if q.AtMost != nil {
		rows = slices.DeleteFunc(rows, func(row any) bool { return q.AtMost.Of(row).Number > q.Most })
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

// rows returns copies of a table's rows in ascending order.
func (s *Store) rows(q *records.Query) []any {
	switch q.Table {
	case records.Users:
		if q.Where == q.Table.Column(q.Table.Key) {
			if u, ok := s.users.byID[drop.UserID(q.Is.Number)]; ok {
				return []any{&u}
			}
			return nil
		}
		return ascending(s.users.byID)
	case records.Keys:
		return s.keys.rows(q)
	case records.Drops, records.Sizes, records.Reservations, records.Purchases, records.Sales, records.Ledger, records.Revisions,
		records.Entries, records.DrawEntries, records.Passes:
		var all []any
		for _, id := range s.order {
			if q.All || id == q.Of {
				all = append(all, s.drops[id].rowsOf(q.Table, &s.users)...)
			}
		}
		return all
	case records.Pages, records.Draws:
		return s.owned.rows(q)
	}
	var all []any
	for _, row := range s.cold[q.Table] {
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

// rowsOf returns copies of a drop's rows.
func (r *row) rowsOf(t *records.Table, people *users) (all []any) {
	switch t {
	case records.Drops:
		return []any{r.state()}
	case records.Sizes:
		for i, size := range r.drop.Sizes {
			all = append(all, &records.Size{Size: size, Position: i})
		}
	case records.Reservations:
		return ascending(r.reservations)
	case records.Purchases:
		return ascending(r.purchases)
	case records.Entries:
		return ascending(r.entries)
	case records.DrawEntries:
		return ascending(r.drawEntries)
	case records.Passes:
		return ascending(r.passes)
	case records.Ledger:
		return ascending(r.ledger)
	case records.Revisions:
		return ascending(r.revisions)
	case records.Sales:
		for _, id := range slices.Sorted(maps.Keys(r.purchases)) {
			p := r.purchases[id]
			buyer := people.called(p.UserID)
			all = append(all, &store.Sale{Purchase: p, Username: buyer.Username, Email: buyer.Email})
		}
	}
	return all
}

// rows returns the answers kept in a drop's scope, in the order of their keys.
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

// ascending returns pointers to copies of the rows, in ascending order of their keys.
func ascending[K cmp.Ordered, V any](rows map[K]V) []any {
	list := make([]any, 0, len(rows))
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		one := rows[id]
		list = append(list, &one)
	}
	return list
}

// find returns the row with that number, or nil.
func (c cold) find(t *records.Table, number int64) any {
	if i, there := c.place(t, number); there {
		return c[t][i]
	}
	return nil
}

// next returns the number after the highest one.
func (c cold) next(t *records.Table) int64 {
	if n := len(c[t]); n > 0 {
		return t.Number(c[t][n-1]) + 1
	}
	return 1
}

// add stores a row. It refuses what a database's constraints refuse.
func (c cold) add(t *records.Table, row any) error {
	for _, column := range t.Columns {
		is := column.Of(row)
		same := func(other any) bool { return column.Has(other, is) }
		switch {
		case column.Needed && column.Empty(row):
			return fmt.Errorf("a row of %s has no %s", t.Name, column.Name)
		case column.Unique && slices.ContainsFunc(c[t], same):
			return fmt.Errorf("a row of %s with that %s already exists", t.Name, column.Name)
		case column.References != nil && c.find(column.References, is.Number) == nil:
			return fmt.Errorf("%s has no row with number %d", column.References.Name, is.Number)
		}
	}
	number := t.Number(row)
	i, there := c.place(t, number)
	if there {
		return fmt.Errorf("the number %d of %s is taken", number, t.Name)
	}
	c[t] = slices.Insert(c[t], i, row)
	return nil
}

// Add implements records.Engine.
func (e engine) Add(ctx context.Context, op string, t *records.Table, row any) error {
	return e.write(ctx, op, func() error {
		for _, c := range t.Columns {
			switch {
			case c.Timed:
				c.Set(row, records.Value{Number: int64(e.now())})
			case c.Numbered:
				c.Set(row, records.Value{Number: max(e.cold.next(t), e.taken[t]+1)})
			}
		}
		kept := t.New()
		t.Assign(kept, row)
		if err := e.cold.add(t, kept); err != nil {
			return &store.Error{Op: op, Class: store.ClassFault, Err: err}
		}
		return nil
	})
}

// Numbers implements records.Engine.
func (e engine) Numbers(ctx context.Context, op string, t *records.Table, n int64) (first int64, err error) {
	err = e.write(ctx, op, func() error {
		first = max(e.cold.next(t), e.taken[t]+1)
		e.taken[t] = first + n - 1
		return nil
	})
	return first, err
}

// Put implements records.Engine.
func (e engine) Put(ctx context.Context, op string, t *records.Table, of drop.ID, row any) (found bool, err error) {
	return e.put(ctx, op, t, of, row, func() bool { return true })
}

// Replace implements records.Engine.
func (e engine) Replace(ctx context.Context, op string, t *records.Table, of drop.ID, old, row any) (done bool, err error) {
	return e.put(ctx, op, t, of, row, func() bool { return e.owned.is(t, of, old) })
}

// put stores a drop's row if may, which is called under the same lock, lets it.
func (e engine) put(ctx context.Context, op string, t *records.Table, of drop.ID, row any, may func() bool) (done bool, err error) {
	err = e.write(ctx, op, func() error {
		if done = e.drops[of] != nil && may(); !done {
			return nil
		}
		for _, c := range t.Columns {
			if c.Timed {
				c.Set(row, records.Value{Number: int64(e.now())})
			}
		}
		e.owned.put(t, of, row)
		return nil
	})
	return done && err == nil, err
}

// Stamp implements records.Engine.
func (e engine) Stamp(ctx context.Context, op string, t *records.Table, c *records.Column, number int64, row any) (found bool, err error) {
	err = e.write(ctx, op, func() error {
		kept := e.cold.find(t, number)
		if found = kept != nil; !found {
			return nil
		}
		if c.Empty(kept) {
			c.Set(kept, records.Value{Number: int64(e.now())})
		}
		t.Assign(row, kept)
		return nil
	})
	return found, err
}

// Swap implements records.Engine.
func (e engine) Swap(ctx context.Context, op string, t *records.Table, old, row any) (done bool, err error) {
	if t == records.Payments {
		if err := e.settle(ctx, op); err != nil {
			return false, err
		}
		defer e.settled()
	}
	err = e.write(ctx, op, func() error {
		kept := e.cold.find(t, t.Number(old))
		done = kept != nil && same(t, kept, old)
		if !done {
			return nil
		}
		for _, c := range t.Columns {
			if c.Name != t.Key && !c.Timed {
				v := c.Of(row).Value
				v.Bytes = bytes.Clone(v.Bytes)
				c.Set(kept, v)
			}
		}
		return nil
	})
	return done && err == nil, err
}

// same reports whether two rows of a table are equal in every column.
func same(t *records.Table, a, b any) bool {
	return !slices.ContainsFunc(t.Columns, func(c *records.Column) bool { return !c.Has(a, c.Of(b)) })
}

// Delete implements records.Engine.
func (e engine) Delete(ctx context.Context, op string, t *records.Table, number int64) (found bool, err error) {
	err = e.write(ctx, op, func() error {
		var i int
		if i, found = e.cold.place(t, number); found {
			e.cold[t] = slices.Delete(e.cold[t], i, i+1)
			e.taken[t] = max(e.taken[t], number)
		}
		return nil
	})
	return found, err
}
