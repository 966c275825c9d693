package records

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"sneakerdrop/internal/drop"
)

// Dialect writes statements for one engine.
type Dialect struct {
	Schema    string // goes before the names of tables
	Parameter string // goes before the numbers of parameters
	Limit     string // goes after the parameter of a LIMIT
	Now       string // the store's time; if empty, the time is a parameter
	True      string // stands for a flag that is set
	By        string // goes before the name of the index that a query names; empty: the engine chooses one
}

// Query asks for rows of one table in ascending order of its key.
type Query struct {
	Table *Table
	// Of is the drop that the rows belong to. It does not matter if they belong to no drop, or if All is set.
	Of  drop.ID
	All bool
	// If Where is not nil, that column must have the value Is.
	Where *Column
	Is    Argument
	// If Also is not nil, that column must have the value AlsoIs too.
	Also   *Column
	AlsoIs Argument
	// AnyOrder: nothing is sorted, so that no plan follows the key instead of Where or AtLeast.
	AnyOrder bool
	// Index serves the query best, of engines that cannot tell. Empty: they can.
	Index string
	// If AtLeast is not nil, that column, of numbers, must not be below Least, and if AtMost is not nil, that one must
	// not be above Most.
	AtLeast, AtMost *Column
	Least, Most     int64
	// If Page is not nil, it selects only some of the rows.
	Page *Page
	// If Count is not nil, it is set to the number of rows, and no row is read.
	Count *int64

	// Each row is read into Row, a pointer, and then Each is called. If Done is not nil, it is called after the last
	// row.
	Row  any
	Each func() error
	Done func() error
}

// Page is at most Limit rows after a row or, with Newest, before it in descending order. The row itself is not
// included.
type Page struct {
	From   int64
	Newest bool
	Limit  int
}

// Before returns a page of the newest rows before that one. With number 0 or less it starts at the newest.
func Before(number int64, limit int) *Page {
	if number <= 0 {
		number = math.MaxInt64
	}
	return &Page{From: number, Newest: true, Limit: limit}
}

// Select returns the query's statement and arguments.
func (d Dialect) Select(q *Query) (sql string, args []Argument) {
	t, name, beside := q.Table, "", ""
	if t.Beside != nil {
		name, beside = t.Name[:1]+".", t.Beside.Table.Name[:1]+"."
	}
	parameter := func(a Argument) string {
		args = append(args, a)
		return fmt.Sprint(d.Parameter, len(args))
	}
	whole := func(n int64) Argument { return Argument{Value: Value{Number: n}} }
	var list, conditions []string
	for i, c := range t.Reads {
		if i < len(t.Columns) {
			list = append(list, c.read(name))
		} else {
			list = append(list, c.read(beside))
		}
	}
	if t.Drop != "" && !q.All {
		conditions = append(conditions, name+t.Drop+" = "+parameter(whole(int64(q.Of))))
	}
	switch {
	case q.Where == nil:
	case q.Where.Kind == Flag && q.Is.Number == 1: // no parameter, so that an index of the rows with the flag can serve
		conditions = append(conditions, name+q.Where.Name+" = "+d.True)
	default:
		conditions = append(conditions, name+q.Where.Name+" = "+parameter(q.Is))
	}
	if q.Also != nil {
		conditions = append(conditions, name+q.Also.Name+" = "+parameter(q.AlsoIs))
	}
	if q.AtLeast != nil {
		conditions = append(conditions, name+q.AtLeast.Name+" >= "+parameter(whole(q.Least)))
	}
	if q.AtMost != nil {
		conditions = append(conditions, name+q.AtMost.Name+" <= "+parameter(whole(q.Most)))
	}
	tail := ""
	if t.Key != "" && !q.AnyOrder {
		tail = "\nORDER BY " + name + t.Key
	}
	if p := q.Page; p != nil {
		sign := " > "
		if p.Newest {
			sign = " < "
			tail += " DESC"
		}
		conditions = append(conditions, name+t.Key+sign+parameter(whole(p.From)))
		tail += "\nLIMIT " + parameter(whole(int64(max(p.Limit, 0)))) + d.Limit
	}
	if q.Count != nil {
		list, tail = []string{"count(*)"}, ""
	}
	sql = "\nSELECT " + strings.Join(list, ", ") + "\nFROM " + d.Schema + t.Name
	if d.By != "" && q.Index != "" {
		sql += d.By + q.Index
	}
	if b := t.Beside; b != nil {
		sql += fmt.Sprintf(" %s\nLEFT JOIN %s%s %s ON %s%s = %s%s", strings.TrimSuffix(name, "."), d.Schema, b.Table.Name,
			strings.TrimSuffix(beside, "."), beside, b.Table.Key, name, b.By)
	}
	if len(conditions) > 0 {
		sql += "\nWHERE " + strings.Join(conditions, " AND ")
	}
	return sql + tail, args
}

// read returns the column as it appears in a SELECT list.
func (c *Column) read(of string) string {
	switch {
	case !c.Null:
		return of + c.Name
	case c.Kind == Text, c.Kind == Bytes:
		return "coalesce(" + of + c.Name + ", '')"
	default:
		return "coalesce(" + of + c.Name + ", 0)"
	}
}

// Stored returns the column names of a stored row: the drop's column, if no field holds it, then the table's columns.
func (t *Table) Stored() []string {
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	if t.unsaid() {
		return append([]string{t.Drop}, names...)
	}
	return names
}

// Changing returns the columns that are not Fixed, with the key.
func (t *Table) Changing() []*Column {
	return slices.DeleteFunc(slices.Clone(t.Columns), func(c *Column) bool { return c.Fixed })
}

// unsaid reports whether no field of a row holds its drop.
func (t *Table) unsaid() bool { return t.Drop != "" && t.Columns[0].Name != t.Drop }

// Values returns a row's values for the columns in Stored.
func (t *Table) Values(of drop.ID, row any) []Argument {
	values := make([]Argument, 0, len(t.Columns)+1)
	if t.unsaid() {
		values = append(values, Argument{Value: Value{Number: int64(of)}})
	}
	for _, c := range t.Columns {
		values = append(values, c.Of(row))
	}
	return values
}

// Insert returns the statement that stores a row unchanged. Its parameters are Values.
func (d Dialect) Insert(t *Table) string {
	names := t.Stored()
	parameters := make([]string, len(names))
	for i := range names {
		parameters[i] = fmt.Sprint(d.Parameter, i+1)
	}
	return fmt.Sprintf("\nINSERT INTO %s%s (%s)\nVALUES (%s)", d.Schema, t.Name, strings.Join(names, ", "), strings.Join(parameters, ", "))
}

// Add returns the statement that stores a new row and returns the columns in Given. Its arguments come from the row,
// which must contain the time if the program sets it.
func (d Dialect) Add(t *Table, row any) (sql string, args []Argument) {
	var names, values []string
	for _, c := range t.Columns {
		if c.Numbered {
			continue
		}
		names = append(names, c.Name)
		if c.Timed && d.Now != "" {
			values = append(values, d.Now)
			continue
		}
		args = append(args, c.Of(row))
		values = append(values, fmt.Sprint(d.Parameter, len(args)))
	}
	return fmt.Sprintf("\nINSERT INTO %s%s (%s)\nVALUES (%s)\nRETURNING %s", d.Schema, t.Name,
		strings.Join(names, ", "), strings.Join(values, ", "), t.givenNames()), args
}

// Set returns the statement that changes the row with a number. Its parameters are the columns in Changing.
func (d Dialect) Set(t *Table) string {
	var sets []string
	key := ""
	for i, c := range t.Changing() {
		if set := fmt.Sprint(c.Name, " = ", d.Parameter, i+1); c.Name == t.Key {
			key = set
		} else {
			sets = append(sets, set)
		}
	}
	return fmt.Sprintf("\nUPDATE %s%s\nSET %s\nWHERE %s", d.Schema, t.Name, strings.Join(sets, ", "), key)
}

// List returns the table's columns as they appear in a SELECT list.
func (t *Table) List() string {
	list := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		list[i] = c.read("")
	}
	return strings.Join(list, ", ")
}

// Put returns the statement that stores the one row that a drop has, in place of the one that is there, where there is
// such a drop. It gives the columns of Given. Its arguments are the drop and what the row has, in which a time that the
// program gives must stand.
func (d Dialect) Put(t *Table, of drop.ID, row any) (sql string, args []Argument) {
	sets := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		sets[i] = c.Name + " = excluded." + c.Name
	}
	return d.putOr(t, of, row, "UPDATE SET "+strings.Join(sets, ", "))
}

// putOr returns the statement that stores the one row that a drop has, and what it does where there is one.
func (d Dialect) putOr(t *Table, of drop.ID, row any, otherwise string) (sql string, args []Argument) {
	args = []Argument{{Value: Value{Number: int64(of)}}}
	names, values := []string{t.Drop}, []string{d.Parameter + "1"}
	for _, c := range t.Columns {
		names = append(names, c.Name)
		if c.Timed && d.Now != "" {
			values = append(values, d.Now)
			continue
		}
		args = append(args, c.Of(row))
		values = append(values, fmt.Sprint(d.Parameter, len(args)))
	}
	return fmt.Sprintf("\nINSERT INTO %[1]s%[2]s (%[3]s)\nSELECT %[4]s\nFROM %[1]sdrops\nWHERE id = %[5]s1\n"+
		"ON CONFLICT (%[6]s) DO %[7]s\nRETURNING %[8]s",
		d.Schema, t.Name, strings.Join(names, ", "), strings.Join(values, ", "), d.Parameter, t.Drop, otherwise, t.givenNames()), args
}

// Replace returns the statement that stores the one row that a drop has, if the row that is there equals old in every
// column. Without old it stores the row if there is none, and if there is such a drop. It gives the columns of Given,
// or no row if it stored nothing. Its arguments follow the same rule as those of Put.
func (d Dialect) Replace(t *Table, of drop.ID, old, row any) (sql string, args []Argument) {
	if old == nil {
		return d.putOr(t, of, row, "NOTHING")
	}
	parameter := func(a Argument) string {
		args = append(args, a)
		return fmt.Sprint(d.Parameter, len(args))
	}
	conditions := []string{t.Drop + " = " + parameter(Argument{Value: Value{Number: int64(of)}})}
	var sets []string
	for _, c := range t.Columns {
		if c.Timed && d.Now != "" {
			sets = append(sets, c.Name+" = "+d.Now)
		} else {
			sets = append(sets, c.Name+" = "+parameter(c.Of(row)))
		}
		conditions = append(conditions, c.Name+" IS NOT DISTINCT FROM "+parameter(c.Of(old)))
	}
	return fmt.Sprintf("\nUPDATE %s%s\nSET %s\nWHERE %s\nRETURNING %s", d.Schema, t.Name, strings.Join(sets, ", "),
		strings.Join(conditions, " AND "), t.givenNames()), args
}

// Swap returns the statement that stores a row with a number in place of old, if the row that is there equals old in
// every column. It returns the number if it did.
func (d Dialect) Swap(t *Table, old, row any) (sql string, args []Argument) {
	parameter := func(a Argument) string {
		args = append(args, a)
		return fmt.Sprint(d.Parameter, len(args))
	}
	var sets, conditions []string
	for _, c := range t.Columns {
		if c.Name != t.Key && !c.Timed {
			sets = append(sets, c.Name+" = "+parameter(c.Of(row)))
		}
		if c.Name == t.Key {
			conditions = append(conditions, c.Name+" = "+parameter(c.Of(old)))
		} else {
			conditions = append(conditions, c.Name+" IS NOT DISTINCT FROM "+parameter(c.Of(old)))
		}
	}
	return fmt.Sprintf("\nUPDATE %s%s\nSET %s\nWHERE %s\nRETURNING %s", d.Schema, t.Name, strings.Join(sets, ", "),
		strings.Join(conditions, " AND "), t.Key), args
}

func (t *Table) givenNames() string {
	given := t.Given()
	names := make([]string, len(given))
	for i, c := range given {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// Given returns the columns of a new row that the store sets or, if it sets none, the key.
func (t *Table) Given() (given []*Column) {
	for _, c := range t.Columns {
		if c.Numbered || c.Timed {
			given = append(given, c)
		}
	}
	if given == nil {
		given = []*Column{t.Column(t.Key)}
	}
	return given
}

// Stamp returns the statement that sets a column of a row to a time, unless it is set, and reads the row. Its
// parameters are the row's number and, if the program sets it, the time.
func (d Dialect) Stamp(t *Table, c *Column) string {
	now := d.Now
	if now == "" {
		now = d.Parameter + "2"
	}
	return fmt.Sprintf("\nUPDATE %s%s\nSET %[3]s = coalesce(%[3]s, %[4]s)\nWHERE %[5]s = %[6]s1\nRETURNING %[7]s",
		d.Schema, t.Name, c.Name, now, t.Key, d.Parameter, t.List())
}

// Empty returns the statement that tells whether all the tables are empty.
func (d Dialect) Empty(tables []*Table) string {
	none := make([]string, len(tables))
	for i, t := range tables {
		none[i] = "NOT EXISTS (SELECT 1 FROM " + d.Schema + t.Name + ")"
	}
	return "\nSELECT " + strings.Join(none, "\n   AND ")
}

// Clear returns the statement that deletes all rows of a table.
func (d Dialect) Clear(t *Table) string { return "DELETE FROM " + d.Schema + t.Name }

// Delete returns the statement that deletes the row with the number in its parameter, and returns that number if the
// row existed.
func (d Dialect) Delete(t *Table) string {
	return fmt.Sprintf("\nDELETE FROM %s%s\nWHERE %[3]s = %[4]s1\nRETURNING %[3]s", d.Schema, t.Name, t.Key, d.Parameter)
}

// Names returns the tables' names as a list for a statement.
func (d Dialect) Names(tables []*Table) string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = d.Schema + t.Name
	}
	return strings.Join(names, ", ")
}
