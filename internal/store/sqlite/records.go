package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store/records"
)

var dialect = records.Dialect{Parameter: "?", True: "1", Limit: " + 0", By: " INDEXED BY "}

// engine is the store as package records sees it.
type engine struct{ *Store }

// Read implements records.Engine. While it runs, a checkpoint can only move the part of the log that it sees, so the
// log grows.
func (e engine) Read(ctx context.Context, op string, queries ...records.Query) error {
	var r reader
	err := e.read(ctx, op, func(conn *sqlite.Conn) error {
		r.conn = conn
		for _, q := range queries {
			if err := r.read(q); err != nil {
				return err
			}
		}
		return nil
	})
	return cmp.Or(r.stopped, err)
}

// Add implements records.Engine.
func (e engine) Add(ctx context.Context, op string, t *records.Table, row any) error {
	return e.write(ctx, op, func(conn *sqlite.Conn) (bool, error) {
		e.time(t, row)
		query, args := dialect.Add(t, row)
		st, err := bound(conn, query, args)
		if err != nil {
			return false, err
		}
		return true, rows(st, func() { scan(st, t.Given(), row) })
	})
}

// Numbers implements records.Engine.
func (e engine) Numbers(ctx context.Context, op string, t *records.Table, n int64) (first int64, err error) {
	err = e.write(ctx, op, func(conn *sqlite.Conn) (bool, error) {
		st, err := bound(conn, sqlNumbers, []records.Argument{
			{Value: records.Value{Text: t.Name}, Kind: records.Text}, {Value: records.Value{Number: n}},
		})
		if err != nil {
			return false, err
		}
		return true, rows(st, func() { first = st.ColumnInt64(0) })
	})
	if err == nil && first == 0 {
		err = fmt.Errorf("%s: the table %s has no row in sqlite_sequence", op, t.Name)
	}
	return first, err
}

// Put implements records.Engine.
func (e engine) Put(ctx context.Context, op string, t *records.Table, of drop.ID, row any) (found bool, err error) {
	return e.put(ctx, op, t, row, func() (string, []records.Argument) { return dialect.Put(t, of, row) })
}

// Replace implements records.Engine.
func (e engine) Replace(ctx context.Context, op string, t *records.Table, of drop.ID, old, row any) (done bool, err error) {
	return e.put(ctx, op, t, row, func() (string, []records.Argument) { return dialect.Replace(t, of, old, row) })
}

// put runs a statement that stores a row and returns what the store has set in it.
func (e engine) put(ctx context.Context, op string, t *records.Table, row any, statement func() (string, []records.Argument)) (found bool, err error) {
	err = e.write(ctx, op, func(conn *sqlite.Conn) (bool, error) {
		e.time(t, row)
		query, args := statement()
		st, err := bound(conn, query, args)
		if err != nil {
			return false, err
		}
		found = false
		err = rows(st, func() {
			found = true
			scan(st, t.Given(), row)
		})
		return found, err
	})
	return found && err == nil, err
}

// time sets the columns of a row that the store gives its time to.
func (e engine) time(t *records.Table, row any) {
	for _, c := range t.Given() {
		if c.Timed {
			c.Set(row, records.Value{Number: int64(e.now())})
		}
	}
}

// Stamp implements records.Engine.
func (e engine) Stamp(ctx context.Context, op string, t *records.Table, c *records.Column, number int64, row any) (found bool, err error) {
	err = e.write(ctx, op, func(conn *sqlite.Conn) (bool, error) {
		st, err := prepare(conn, dialect.Stamp(t, c), number, int64(e.now()))
		if err != nil {
			return false, err
		}
		return true, rows(st, func() {
			found = true
			scan(st, t.Columns, row)
		})
	})
	return found && err == nil, err
}

// Swap implements records.Engine.
func (e engine) Swap(ctx context.Context, op string, t *records.Table, old, row any) (done bool, err error) {
	err = e.write(ctx, op, func(conn *sqlite.Conn) (bool, error) {
		query, args := dialect.Swap(t, old, row)
		st, err := bound(conn, query, args)
		if err == nil {
			done = false
			err = rows(st, func() { done = true })
		}
		return done, err
	})
	return done && err == nil, err
}

// Delete implements records.Engine.
func (e engine) Delete(ctx context.Context, op string, t *records.Table, number int64) (found bool, err error) {
	err = e.write(ctx, op, func(conn *sqlite.Conn) (bool, error) {
		st, err := prepare(conn, dialect.Delete(t), number)
		if err == nil {
			err = rows(st, func() { found = true })
		}
		return found, err
	})
	return found && err == nil, err
}

// reader reads rows within a transaction.
type reader struct {
	conn    *sqlite.Conn
	stopped error // the error that a receiver of rows returned
}

func (r *reader) read(q records.Query) error {
	query, args := dialect.Select(&q)
	st, err := bound(r.conn, query, args)
	if err != nil {
		return err
	}
	for {
		more, err := st.Step()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if q.Count != nil {
			*q.Count = st.ColumnInt64(0)
			continue
		}
		scan(st, q.Table.Reads, q.Row)
		if r.stopped = q.Each(); r.stopped != nil {
			return errors.Join(r.stopped, st.Reset())
		}
	}
	if err := st.Reset(); err != nil || q.Done == nil {
		return err
	}
	r.stopped = q.Done()
	return r.stopped
}

// bound takes a statement from the connection's cache and binds its parameters.
func bound(conn *sqlite.Conn, query string, args []records.Argument) (*sqlite.Stmt, error) {
	st, err := conn.Prepare(query)
	if err != nil {
		return nil, err
	}
	for i := range args {
		bindArgument(st, i+1, &args[i])
	}
	return st, nil
}

func bindArgument(st *sqlite.Stmt, i int, a *records.Argument) {
	switch {
	case a.Null:
		st.BindNull(i)
	case a.Kind == records.Text:
		st.BindText(i, a.Text)
	case a.Kind == records.Bytes || a.Kind == records.UUID:
		st.BindBytes(i, a.Bytes)
	default:
		st.BindInt64(i, a.Number)
	}
}

// scan reads a statement's columns into a row.
func scan(st *sqlite.Stmt, columns []*records.Column, row any) {
	for i, c := range columns {
		var v records.Value
		switch c.Kind {
		case records.Text:
			v.Text = st.ColumnText(i)
		case records.Bytes, records.UUID:
			v.Bytes = make([]byte, st.ColumnLen(i))
			st.ColumnBytes(i, v.Bytes)
		default:
			v.Number = st.ColumnInt64(i)
		}
		c.Set(row, v)
	}
}

// inserts are the statements that store a row unchanged.
var inserts = func() map[*records.Table]string {
	all := make(map[*records.Table]string)
	for _, t := range records.Tables {
		all[t] = dialect.Insert(t)
	}
	return all
}()

func insert(conn *sqlite.Conn, t *records.Table, of drop.ID, row any) error {
	st, err := bound(conn, inserts[t], t.Values(of, row))
	if err == nil {
		err = run(st)
	}
	if err != nil {
		return fmt.Errorf("insert into %s: %w", t.Name, err)
	}
	return nil
}
