package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

var dialect = records.Dialect{Schema: "sneakerdrop.", Parameter: "$", True: "true", Now: "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"}

// engine is the store as package records sees it.
type engine struct{ *Store }

// Read implements records.Engine. It sends all queries at once and passes rows on as they arrive. The server sends no
// faster than the receiver takes them.
func (e engine) Read(ctx context.Context, op string, queries ...records.Query) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := reader{cancel: cancel}
	var err error
	if len(queries) == 1 { // a single statement has its own snapshot
		sql, args := r.statement(&queries[0])
		var rows pgx.Rows
		if rows, err = e.pool.Query(ctx, sql, args...); err == nil {
			err = r.collect(&queries[0], rows)
		}
		if err != nil && r.stopped == nil {
			err = e.fail(op, err)
		}
	} else {
		err = e.read(ctx, op, func(b *pgx.Batch) {
			for i := range queries {
				sql, args := r.statement(&queries[i])
				b.Queue(sql, args...).Query(func(rows pgx.Rows) error { return r.collect(&queries[i], rows) })
			}
		})
	}
	if r.stopped != nil {
		return r.stopped
	}
	return err
}

// Add implements records.Engine.
func (e engine) Add(ctx context.Context, op string, t *records.Table, row any) error {
	sql, args := dialect.Add(t, row)
	into := newCells(t.Given())
	return e.writeOne(ctx, op, func(q querier) error {
		if err := q.QueryRow(ctx, sql, values(args)...).Scan(into.targets...); err != nil {
			return err
		}
		into.set(row)
		return nil
	})
}

// Numbers implements records.Engine.
func (e engine) Numbers(ctx context.Context, op string, t *records.Table, _ int64) (first int64, err error) {
	err = e.writeOne(ctx, op, func(q querier) error {
		return q.QueryRow(ctx, "SELECT nextval($1::text::regclass)", dialect.Schema+t.Sequence).Scan(&first)
	})
	return first, err
}

// Put implements records.Engine.
func (e engine) Put(ctx context.Context, op string, t *records.Table, of drop.ID, row any) (found bool, err error) {
	sql, args := dialect.Put(t, of, row)
	return e.put(ctx, op, t, row, sql, args)
}

// Replace implements records.Engine. Its UPDATE waits for a writer before it and then compares what that one committed.
func (e engine) Replace(ctx context.Context, op string, t *records.Table, of drop.ID, old, row any) (done bool, err error) {
	sql, args := dialect.Replace(t, of, old, row)
	return e.put(ctx, op, t, row, sql, args)
}

// put runs a statement that stores a row and returns what the store has set in it.
func (e engine) put(ctx context.Context, op string, t *records.Table, row any, sql string, args []records.Argument) (found bool, err error) {
	into := newCells(t.Given())
	err = e.writeOne(ctx, op, func(q querier) error { return q.QueryRow(ctx, sql, values(args)...).Scan(into.targets...) })
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err == nil {
		into.set(row)
	}
	return err == nil, err
}

// Stamp implements records.Engine.
func (e engine) Stamp(ctx context.Context, op string, t *records.Table, c *records.Column, number int64, row any) (found bool, err error) {
	into := newCells(t.Columns)
	err = e.writeOne(ctx, op, func(q querier) error { return q.QueryRow(ctx, dialect.Stamp(t, c), number).Scan(into.targets...) })
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err == nil {
		into.set(row)
	}
	return err == nil, err
}

// Swap implements records.Engine. Its UPDATE waits for a writer before it and then compares what that one committed.
func (e engine) Swap(ctx context.Context, op string, t *records.Table, old, row any) (done bool, err error) {
	sql, args := dialect.Swap(t, old, row)
	var number int64
	err = e.writeOne(ctx, op, func(q querier) error { return q.QueryRow(ctx, sql, values(args)...).Scan(&number) })
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Delete implements records.Engine.
func (e engine) Delete(ctx context.Context, op string, t *records.Table, number int64) (found bool, err error) {
	err = e.writeOne(ctx, op, func(q querier) error { return q.QueryRow(ctx, dialect.Delete(t), number).Scan(&number) })
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// reader reads the rows of queries.
type reader struct {
	stopped error // the error that a receiver of rows returned
	cancel  context.CancelFunc
}

func (r *reader) statement(q *records.Query) (sql string, args []any) {
	sql, given := dialect.Select(q)
	return sql, values(given)
}

// stop ends the reading. It closes the connection rather than reading a million remaining rows. After a refusal there
// are none.
func (r *reader) stop(err error) error {
	if err != nil {
		r.stopped = err
		if drop.CodeOf(err) == "" {
			r.cancel()
		}
	}
	return err
}

func (r *reader) collect(q *records.Query, rows pgx.Rows) error {
	var err error
	if q.Count != nil {
		_, err = pgx.ForEachRow(rows, []any{q.Count}, func() error { return nil })
	} else {
		into := newCells(q.Table.Reads)
		_, err = pgx.ForEachRow(rows, into.targets, func() error {
			into.set(q.Row)
			return r.stop(q.Each())
		})
	}
	if err == nil && q.Done != nil {
		err = r.stop(q.Done())
	}
	return err
}

// cells are where the columns of a row are read into.
type cells struct {
	columns []*records.Column
	cells   []cell
	targets []any
}

type cell struct {
	records.Value

	uuid [16]byte
	flag bool
}

func newCells(columns []*records.Column) *cells {
	c := &cells{columns: columns, cells: make([]cell, len(columns)), targets: make([]any, len(columns))}
	for i, column := range columns {
		at := &c.cells[i]
		switch column.Kind {
		case records.Text:
			c.targets[i] = &at.Text
		case records.Bytes:
			c.targets[i] = &at.Bytes
		case records.UUID:
			c.targets[i], at.Bytes = &at.uuid, at.uuid[:]
		case records.Flag:
			c.targets[i] = &at.flag
		default:
			c.targets[i] = &at.Number
		}
	}
	return c
}

// set copies what was read into a row.
func (c *cells) set(row any) {
	for i, column := range c.columns {
		at := &c.cells[i]
		if column.Kind == records.Flag {
			at.Number = 0
			if at.flag {
				at.Number = 1
			}
		}
		column.Set(row, at.Value)
	}
}

// values returns arguments in types that are encoded the same way with and without a prepared statement.
func values(args []records.Argument) []any {
	list := make([]any, len(args))
	for i := range args {
		list[i] = value(&args[i])
	}
	return list
}

func value(a *records.Argument) any {
	switch {
	case a.Null:
		return nil
	case a.Kind == records.Text:
		return a.Text
	case a.Kind == records.Bytes:
		return a.Bytes
	case a.Kind == records.UUID:
		return pgtype.UUID{Bytes: [16]byte(a.Bytes), Valid: true}
	case a.Kind == records.Flag:
		return a.Number != 0
	case a.Kind == records.Small:
		return int16(a.Number)
	default:
		return a.Number
	}
}

// writeOne runs one statement as a transaction of its own.
func (s *Store) writeOne(ctx context.Context, op string, write func(querier) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return s.fail(op, err)
	}
	defer conn.Release()
	takeWarning(conn.Conn())
	err = write(conn)
	switch n := takeWarning(conn.Conn()); {
	case errors.Is(err, pgx.ErrNoRows):
		return err
	case err != nil:
		return s.failAs(op, classifyCommit(err, false), err)
	case n != nil:
		return s.failAs(op, store.ClassUnknown, fmt.Errorf("%w: %s", errWarned, n.Message))
	}
	return nil
}
