package records

import (
	"fmt"
	"math"
	"strings"

	"sneakerdrop/internal/drop"
)

// Dialect writes statements for one engine.
type Dialect struct {
	Schema    string // stands before the names of tables
	Parameter string // stands before the numbers of parameters
	Limit     string // stands behind the parameter of a LIMIT
	Now       string // the store's time; empty: it is a parameter
}

// Query asks for the rows of one table, ascending by its key.
type Query struct {
	Table *Table
	// Of is the drop that the rows belong to, where they belong to drops, unless they are All asked for.
	Of  drop.ID
	All bool
	// Where, if not nil, must have the value Is.
	Where *Column
	Is    Argument
	// Page, if not nil, asks for some of them only.
	Page *Page
	// Count, if not nil, is set to how many rows there are, and none is read.
	Count *int64

	// Row is a pointer to what each row is read into before Each is called. Done, if not nil, is called after the last.
	Row  any
	Each func() error
	Done func() error
}

// Page is at most Limit rows from one on: those after it or, with Newest, those before it, descending. The row itself
// is not among them.
type Page struct {
	From   int64
	Newest bool
	Limit  int
}

// Before is a page of the newest rows before that one; 0 or less: of all.
func Before(number int64, limit int) *Page {
	if number <= 0 {
		number = math.MaxInt64
	}
	return &Page{From: number, Newest: true, Limit: limit}
}

// Select returns the query's statement and its arguments.
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
	if q.Where != nil {
		conditions = append(conditions, name+q.Where.Name+" = "+parameter(q.Is))
	}
	tail := ""
	if t.Key != "" {
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
	if b := t.Beside; b != nil {
		sql += fmt.Sprintf(" %s\nLEFT JOIN %s%s %s ON %s%s = %s%s", strings.TrimSuffix(name, "."), d.Schema, b.Table.Name,
			strings.TrimSuffix(beside, "."), beside, b.Table.Key, name, b.By)
	}
	if len(conditions) > 0 {
		sql += "\nWHERE " + strings.Join(conditions, " AND ")
	}
	return sql + tail, args
}

// read returns the column as a SELECT list names it.
func (c *Column) read(of string) string {
	switch {
	case !c.Null:
		return of + c.Name
	case c.Kind == Text:
		return "coalesce(" + of + c.Name + ", '')"
	default:
		return "coalesce(" + of + c.Name + ", 0)"
	}
}

// Stored are the names of the columns of a stored row: which drop it belongs to, where no field says it, then the
// table's columns.
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

// unsaid reports whether a row has no field for the drop that it belongs to.
func (t *Table) unsaid() bool { return t.Drop != "" && t.Columns[0].Name != t.Drop }

// Values are what a row has in the columns that are Stored.
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

// Insert returns the statement that stores a row as it is: its parameters are Values.
func (d Dialect) Insert(t *Table) string {
	names := t.Stored()
	parameters := make([]string, len(names))
	for i := range names {
		parameters[i] = fmt.Sprint(d.Parameter, i+1)
	}
	return fmt.Sprintf("\nINSERT INTO %s%s (%s)\nVALUES (%s)", d.Schema, t.Name, strings.Join(names, ", "), strings.Join(parameters, ", "))
}

// Add returns the statement that stores a new row and gives the columns of Given. Its arguments are those of the row,
// in which a time that the program gives must stand.
func (d Dialect) Add(t *Table, row any) (sql string, args []Argument) {
	var names, values, given []string
	for _, c := range t.Given() {
		given = append(given, c.Name)
	}
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
		strings.Join(names, ", "), strings.Join(values, ", "), strings.Join(given, ", ")), args
}

// Put returns the statement that stores the one row that a drop has, in place of the one that is there, where there is
// such a drop. It gives the columns of Given. Its arguments are the drop and what the row has, in which a time that the
// program gives must stand.
func (d Dialect) Put(t *Table, of drop.ID, row any) (sql string, args []Argument) {
	args = []Argument{{Value: Value{Number: int64(of)}}}
	names, values := []string{t.Drop}, []string{d.Parameter + "1"}
	var sets, given []string
	for _, c := range t.Columns {
		names, sets = append(names, c.Name), append(sets, c.Name+" = excluded."+c.Name)
		if c.Timed && d.Now != "" {
			values = append(values, d.Now)
			continue
		}
		args = append(args, c.Of(row))
		values = append(values, fmt.Sprint(d.Parameter, len(args)))
	}
	for _, c := range t.Given() {
		given = append(given, c.Name)
	}
	return fmt.Sprintf("\nINSERT INTO %[1]s%[2]s (%[3]s)\nSELECT %[4]s\nFROM %[1]sdrops\nWHERE id = %[5]s1\n"+
		"ON CONFLICT (%[6]s) DO UPDATE SET %[7]s\nRETURNING %[8]s",
		d.Schema, t.Name, strings.Join(names, ", "), strings.Join(values, ", "), d.Parameter, t.Drop,
		strings.Join(sets, ", "), strings.Join(given, ", ")), args
}

// Given are the columns of a new row that the store gives; where it gives none, the key.
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

// Stamp returns the statement that sets a column, unless it is set, to a time in the row of a number, and reads the
// row. Its parameters are the number and, where the program gives it, the time.
func (d Dialect) Stamp(t *Table, c *Column) string {
	now := d.Now
	if now == "" {
		now = d.Parameter + "2"
	}
	list := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		list[i] = c.read("")
	}
	return fmt.Sprintf("\nUPDATE %s%s\nSET %[3]s = coalesce(%[3]s, %[4]s)\nWHERE %[5]s = %[6]s1\nRETURNING %[7]s",
		d.Schema, t.Name, c.Name, now, t.Key, d.Parameter, strings.Join(list, ", "))
}

// Empty returns the statement that tells whether none of the tables has a row.
func (d Dialect) Empty(tables []*Table) string {
	none := make([]string, len(tables))
	for i, t := range tables {
		none[i] = "NOT EXISTS (SELECT 1 FROM " + d.Schema + t.Name + ")"
	}
	return "\nSELECT " + strings.Join(none, "\n   AND ")
}

// Clear returns the statement that deletes all rows of a table.
func (d Dialect) Clear(t *Table) string { return "DELETE FROM " + d.Schema + t.Name }

// Delete returns the statement that deletes the row of a number, its parameter, and gives the number of one that was
// there.
func (d Dialect) Delete(t *Table) string {
	return fmt.Sprintf("\nDELETE FROM %s%s\nWHERE %[3]s = %[4]s1\nRETURNING %[3]s", d.Schema, t.Name, t.Key, d.Parameter)
}

// Names lists tables as a statement does.
func (d Dialect) Names(tables []*Table) string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = d.Schema + t.Name
	}
	return strings.Join(names, ", ")
}
