// Package records describes each table of a store once: its columns and the Go fields that they are bound to, what
// its rows belong to, and what the role that serves may do with it. From that come the SQL of both engines for all
// that is cold (lists, the operators' log, export, import, counts), the maps of the memory engine, the form in which
// a copy is compared, and the rights of the role that serves PostgreSQL. What lanes need of a store is hot: it is no
// business of this package.
//
// It is pure: it knows no database, and looks at no type by reflection.
package records

import (
	"bytes"
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Kind is what a column holds.
type Kind int8

// The kinds, with their types in PostgreSQL and SQLite.
const (
	Number Kind = iota // bigint, INTEGER
	Small              // smallint, INTEGER
	Flag               // boolean, INTEGER
	Text               // text, TEXT
	Bytes              // bytea, BLOB
	UUID               // uuid, BLOB: 16 bytes
)

// Value is what one column of one row holds: a Number, which is 0 or 1 of a Flag, a Text, or Bytes, also of a UUID.
type Value struct {
	Number int64
	Text   string
	Bytes  []byte
}

// Argument is a value on its way into a statement.
type Argument struct {
	Value

	Kind Kind
	Null bool // stored as NULL
}

// Column is a column of a table.
type Column struct {
	Name string
	Kind Kind
	// Null: no value, which is the zero value in Go, is stored as NULL.
	Null bool
	// Numbered and Timed columns of a new row are given by the store: the next number, and the store's time.
	Numbered, Timed bool
	// Unique, Needed and References say what the schema says: no value twice, none that is empty, and only numbers
	// that another table has.
	Unique, Needed bool
	References     *Table

	get func(row any) Value
	set func(row any, v Value)
}

// Of returns what a row, a pointer to the table's Go type, has in the column.
func (c *Column) Of(row any) Argument {
	a := Argument{Value: c.get(row), Kind: c.Kind}
	a.Null = c.Null && a.Number == 0 && a.Text == "" && len(a.Bytes) == 0
	return a
}

// Has reports whether a row has that value in the column.
func (c *Column) Has(row any, is Argument) bool {
	v := c.get(row)
	return v.Number == is.Number && v.Text == is.Text && bytes.Equal(v.Bytes, is.Bytes)
}

// Empty reports whether a row has nothing in the column.
func (c *Column) Empty(row any) bool { return c.Has(row, Argument{}) }

// Set sets the column in a row. Bytes are kept as they are: they must not change later.
func (c *Column) Set(row any, v Value) { c.set(row, v) }

func number[T any, N ~int64 | ~int | ~uint32 | ~int8](name string, at func(*T) *N) *Column {
	return &Column{
		Name: name,
		get:  func(row any) Value { return Value{Number: int64(*at(row.(*T)))} },
		set:  func(row any, v Value) { *at(row.(*T)) = N(v.Number) },
	}
}

func flag[T any](name string, at func(*T) *bool) *Column {
	return &Column{
		Name: name, Kind: Flag,
		get: func(row any) (v Value) {
			if *at(row.(*T)) {
				v.Number = 1
			}
			return v
		},
		set: func(row any, v Value) { *at(row.(*T)) = v.Number != 0 },
	}
}

func text[T any, S ~string](name string, at func(*T) *S) *Column {
	return &Column{
		Name: name, Kind: Text,
		get: func(row any) Value { return Value{Text: string(*at(row.(*T)))} },
		set: func(row any, v Value) { *at(row.(*T)) = S(v.Text) },
	}
}

func bytesOf[T any](name string, at func(*T) *[]byte) *Column {
	return &Column{
		Name: name, Kind: Bytes,
		get: func(row any) Value { return Value{Bytes: *at(row.(*T))} },
		set: func(row any, v Value) { *at(row.(*T)) = v.Bytes },
	}
}

// array is a column of a fixed number of bytes; the schema keeps their number.
func array[T any](name string, kind Kind, at func(*T) []byte) *Column {
	return &Column{
		Name: name, Kind: kind,
		get: func(row any) Value { return Value{Bytes: at(row.(*T))} },
		set: func(row any, v Value) {
			to := at(row.(*T))
			clear(to[copy(to, v.Bytes):])
		},
	}
}

func (c *Column) small() *Column    { c.Kind = Small; return c }
func (c *Column) orNull() *Column   { c.Null = true; return c }
func (c *Column) numbered() *Column { c.Numbered = true; return c }
func (c *Column) timed() *Column    { c.Timed = true; return c }
func (c *Column) unique() *Column   { c.Unique = true; return c }
func (c *Column) needed() *Column   { c.Needed = true; return c }

// Table is a table, or a way to read one.
type Table struct {
	Name    string
	Columns []*Column
	// Reads are the columns that a row is read with: Columns, then those of Beside.
	Reads []*Column
	// Key is the column that numbers the rows, within the drop where they belong to one; lists are in its order.
	// Empty: none.
	Key string
	// Drop is the column that says which drop a row belongs to; empty: none. Where it is not among the columns no
	// field of a row has it.
	Drop string
	// Beside names columns of another table that are read together with each row.
	Beside *Beside

	// Sequence gives numbers in PostgreSQL; empty: no sequence does. Where it Rises no number is given twice,
	// whatever was deleted.
	Sequence string
	Rises    bool
	Last     int64 // the highest number that there may be; 0: any
	// Lasting: rows stay where a whole shop is replaced.
	Lasting bool
	// Within: rows are read and written as parts of another table's.
	Within bool
	// Rights are what the role that serves has on the table in PostgreSQL, and on the sequence if it may take numbers.
	Rights string
	Serves bool

	make func() any
	take func(value any) (row any, ok bool)
	give func(row any) any
}

// Beside is columns of at most one row of another table, found by that table's key.
type Beside struct {
	Table   *Table
	By      string    // our column that has its key
	Columns []*Column // bound to our rows
}

// Assign sets in a row what stands beside it.
func (b *Beside) Assign(to, beside any) {
	for _, c := range b.Columns {
		c.set(to, b.Table.Column(c.Name).get(beside))
	}
}

// New returns a pointer to an empty row.
func (t *Table) New() any { return t.make() }

// Assign copies the columns of a row that are read into another row.
func (t *Table) Assign(to, from any) {
	for _, c := range t.Reads {
		v := c.get(from)
		v.Bytes = slices.Clone(v.Bytes)
		c.set(to, v)
	}
}

// with has rows read with what stands beside them.
func (t *Table) with(b Beside) *Table {
	t.Beside, t.Reads = &b, slices.Concat(t.Columns, b.Columns)
	return t
}

// Column returns the column of that name; there must be one.
func (t *Table) Column(name string) *Column {
	return t.Columns[slices.IndexFunc(t.Columns, func(c *Column) bool { return c.Name == name })]
}

// Row returns a row as Export gives it.
func (t *Table) Row(of drop.ID, row any) store.Row { return store.Row{Drop: of, Value: t.give(row)} }

// Number returns the key of a row.
func (t *Table) Number(row any) int64 { return t.Column(t.Key).get(row).Number }

// noDrop is what keys of calls without a drop belong to.
const noDrop drop.ID = 0

// table describes a table whose rows are of the Go type T.
func table[T any](t Table, columns ...*Column) *Table {
	t.Columns, t.Reads = columns, columns
	t.make = func() any { return new(T) }
	t.take = func(value any) (any, bool) {
		if _, ok := value.(T); !ok {
			return nil, false
		}
		row := value.(T)
		return &row, true
	}
	t.give = func(row any) any { return *row.(*T) }
	return &t
}
