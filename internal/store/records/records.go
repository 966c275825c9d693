// Package records describes each table of a store once. A description has the columns and their Go fields, the owner
// of the rows, and the rights of the role that serves.
//
// From these descriptions come the SQL of both engines for everything off the hot path (lists, the operators' log,
// export, import, counts) and the maps of the memory engine. The encoding that compares a copy and the rights in
// PostgreSQL come from them too. The hot path of a store is not in this package.
//
// The package is pure: it uses no database and no reflection.
package records

import (
	"bytes"
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Kind is the type of a column.
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

// Value is the value of one column in one row: a Number (0 or 1 for a Flag), a Text, or Bytes (also for a UUID).
type Value struct {
	Number int64
	Text   string
	Bytes  []byte
}

// Argument is a value that is passed to a statement.
type Argument struct {
	Value

	Kind Kind
	Null bool // stored as NULL
}

// Column is a column of a table.
type Column struct {
	Name string
	Kind Kind
	// Null: an empty value, which is the zero value in Go, is stored as NULL.
	Null bool
	// The store sets Numbered and Timed columns of a new row, to the next number and to the store's time.
	Numbered, Timed bool
	// Fixed: batches do not change it.
	Fixed bool
	// Unique, Needed and References repeat what the schema says: no value twice, no empty value, and only numbers
	// that exist in another table.
	Unique, Needed bool
	References     *Table

	get func(row any) Value
	set func(row any, v Value)
}

// Of returns a row's value in the column. row is a pointer to the table's Go type.
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

// Empty reports whether a row has no value in the column.
func (c *Column) Empty(row any) bool { return c.Has(row, Argument{}) }

// Set sets the column in a row. It does not copy Bytes, so they must not change later.
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

// array is a column with a fixed number of bytes, which the schema enforces.
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
func (c *Column) fixed() *Column    { c.Fixed = true; return c }
func (c *Column) unique() *Column   { c.Unique = true; return c }
func (c *Column) needed() *Column   { c.Needed = true; return c }

// Table describes a table, or one way to read it.
type Table struct {
	Name    string
	Columns []*Column
	// Reads are the columns that are read for a row: Columns, then those of Beside.
	Reads []*Column
	// Key is the column that numbers the rows, within their drop if they belong to one. Lists are in its order. It is
	// empty if there is none.
	Key string
	// Drop is the column with the drop that a row belongs to, or empty. If it is not among Columns, no Go field holds
	// it.
	Drop string
	// Beside names columns of another table that are read together with each row.
	Beside *Beside

	// Sequence is the PostgreSQL sequence that assigns numbers, or empty. If the table Rises, no number is assigned
	// twice, even after a deletion.
	Sequence string
	Rises    bool
	Last     int64 // the highest possible number; 0 means any
	// Lasting: rows stay when a whole shop is replaced.
	Lasting bool
	// Within: rows are read and written as parts of another table's rows.
	Within bool
	// Rights are the rights of the serving role on the table in PostgreSQL, and on the sequence if that role may take
	// numbers.
	Rights string
	Serves bool

	make func() any
	take func(value any) (row any, ok bool)
	give func(row any) any
}

// Beside is a set of columns from at most one row of another table, found by that table's key.
type Beside struct {
	Table   *Table
	By      string    // our column that holds the other table's key
	Columns []*Column // bound to our rows
}

// Assign copies the columns of the other table's row into a row.
func (b *Beside) Assign(to, beside any) {
	for _, c := range b.Columns {
		c.set(to, b.Table.Column(c.Name).get(beside))
	}
}

// New returns a pointer to an empty row.
func (t *Table) New() any { return t.make() }

// Assign copies all columns that are read from one row into another.
func (t *Table) Assign(to, from any) {
	for _, c := range t.Reads {
		v := c.get(from)
		v.Bytes = slices.Clone(v.Bytes)
		c.set(to, v)
	}
}

// with returns a table whose rows are read together with b.
func (t *Table) with(b Beside) *Table {
	t.Beside, t.Reads = &b, slices.Concat(t.Columns, b.Columns)
	return t
}

// Column returns the column with that name, which must exist.
func (t *Table) Column(name string) *Column {
	return t.Columns[slices.IndexFunc(t.Columns, func(c *Column) bool { return c.Name == name })]
}

// Row returns a row in the form that Export uses.
func (t *Table) Row(of drop.ID, row any) store.Row { return store.Row{Drop: of, Value: t.give(row)} }

// Number returns a row's key.
func (t *Table) Number(row any) int64 { return t.Column(t.Key).get(row).Number }

// noDrop is the drop that the keys of calls without a drop belong to.
const noDrop drop.ID = 0

// table describes a table whose rows have the Go type T.
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
