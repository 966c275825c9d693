package records

import (
	"encoding/binary"
	"fmt"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
)

// Export passes on all rows in the order of store.Exporter. It also counts the rows that belong to drops, so that a
// row whose drop does not exist is noticed. An error of each is returned by read.
func Export(read func(Query) error, each func(store.Row) error) error {
	x := &export{read: read, each: each, seen: make(map[*Table]int64)}
	for _, t := range Tables {
		if t.Within || t.Drop != "" {
			continue
		}
		if err := x.rows(t, noDrop); err != nil {
			return err
		}
	}
	if err := x.rows(Keys, noDrop); err != nil {
		return err
	}
	var heads []*drop.State
	head := new(drop.State)
	if err := read(Query{Table: Drops, All: true, Row: head, Each: func() error {
		one := *head
		heads = append(heads, &one)
		return nil
	}}); err != nil {
		return err
	}
	for _, head := range heads {
		if err := x.drop(head); err != nil {
			return fmt.Errorf("drop %d: %w", head.ID, err)
		}
	}
	return x.checkCounts()
}

type export struct {
	read func(Query) error
	each func(store.Row) error
	seen map[*Table]int64
}

func (x *export) rows(t *Table, of drop.ID) error {
	row := t.New()
	return x.read(Query{Table: t, Of: of, Row: row, Each: func() error {
		x.seen[t]++
		return x.each(t.Row(of, row))
	}})
}

func (x *export) drop(head *drop.State) error {
	x.seen[Drops]++
	size := new(Size)
	if err := x.read(Query{Table: Sizes, Of: head.ID, Row: size, Each: func() error {
		x.seen[Sizes]++
		head.Sizes = append(head.Sizes, size.Size)
		return nil
	}, Done: func() error { return x.each(store.Row{Drop: head.ID, Value: head}) }}); err != nil {
		return err
	}
	for _, t := range []*Table{Ledger, Reservations, Purchases, Keys, Revisions, Pages, Entries, DrawEntries, Draws, Passes} {
		if err := x.rows(t, head.ID); err != nil {
			return err
		}
	}
	return nil
}

func (x *export) checkCounts() error {
	for _, t := range Tables {
		if t.Drop == "" {
			continue
		}
		var n int64
		if err := x.read(Query{Table: t, All: true, Count: &n}); err != nil {
			return err
		}
		if seen := x.seen[t]; n != seen {
			return fmt.Errorf("%d rows of the table %s belong to no drop", n-seen, t.Name)
		}
	}
	return nil
}

// Parts calls put for each table row that makes up r. put may keep the row.
func Parts(r store.Row, put func(t *Table, of drop.ID, row any) error) error {
	for _, t := range Tables {
		row, ok := t.take(r.Value)
		if !ok {
			continue
		}
		if err := put(t, r.Drop, row); err != nil {
			return err
		}
		return within(r, put)
	}
	return fmt.Errorf("a row of type %T cannot be stored", r.Value)
}

// within handles the parts of r that are in tables of their own.
func within(r store.Row, put func(t *Table, of drop.ID, row any) error) error {
	switch v := r.Value.(type) {
	case *drop.State:
		for i, size := range v.Sizes {
			if err := put(Sizes, v.ID, &Size{Size: size, Position: i}); err != nil {
				return fmt.Errorf("size %q: %w", size.Label, err)
			}
		}
	case operator.Action:
		if v.Outcome != "" {
			return put(Outcomes, noDrop, &Outcome{Action: v.ID, Outcome: v.Outcome})
		}
	}
	return nil
}

// Append appends an encoding of the row that differs if any column differs.
func Append(b []byte, r store.Row) ([]byte, error) {
	err := Parts(r, func(t *Table, of drop.ID, row any) error {
		b = append(b, t.Name...)
		for _, v := range t.Values(of, row) {
			b = binary.AppendVarint(b, v.Number)
			b = append(binary.AppendUvarint(b, uint64(len(v.Text))), v.Text...)
			b = append(binary.AppendUvarint(b, uint64(len(v.Bytes))), v.Bytes...)
		}
		return nil
	})
	return b, err
}
