package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// importRows is how many rows wait in memory for a COPY.
const importRows = 5_000

// Export implements store.Exporter. It crosses drops.
func (s *Store) Export(ctx context.Context, each func(store.Row) error) error {
	const op = "read everything"
	if err := s.wholly(ctx); err != nil {
		return err // what this program does not know would be left out
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return s.fail(op, err)
	}
	defer conn.Release()
	var b pgx.Batch
	b.Queue(readBegin)
	s.queueSettings(&b)
	b.Queue(exportSettings)
	r := reader{cancel: cancel}
	if err = conn.SendBatch(ctx, &b).Close(); err == nil {
		err = r.export(ctx, conn.Conn(), each)
	}
	rollback(ctx, conn.Conn()) // there is nothing to commit
	if r.stopped != nil {
		return r.stopped
	}
	if err != nil {
		return s.fail(op, err)
	}
	return nil
}

// export reads all rows in a connection's transaction.
func (r *reader) export(ctx context.Context, conn *pgx.Conn, each func(store.Row) error) error {
	return records.Export(func(q records.Query) error {
		sql, args := r.statement(&q)
		rows, err := conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		return r.collect(&q, rows)
	}, each)
}

// Import implements store.Importer. It uses COPY with some thousands of rows at a time, and takes seconds for a
// million.
func (s *Store) Import(ctx context.Context, into store.Into, fill func(put func(store.Row) error) error, check func(store.Rows) error) error {
	const op = "store everything"
	pooled, err := s.pool.Acquire(ctx)
	if err != nil {
		return s.fail(op, err)
	}
	defer pooled.Release()
	conn := pooled.Conn()
	m := &filling{ctx: ctx, conn: conn, into: into, rows: make(map[*records.Table][][]any), next: make(map[*records.Table]int64)}
	defer rollback(ctx, conn) // does nothing after a commit
	empty, err := m.begin(s)
	if err != nil {
		return s.fail(op, err)
	}
	if !empty {
		return store.ErrNotEmpty
	}
	if err = fill(m.put); err == nil {
		err = m.flush()
	}
	if m.failed != nil { // fill may have wrapped the error
		return s.fail(op, m.failed)
	}
	if err == nil && check != nil {
		err = check(m.stored)
	}
	if err != nil {
		return err
	}
	var out pgx.Batch
	m.restart(&out)
	defer s.bounds.forgetAll()
	return s.commit(ctx, conn, &out, op)
}

// filling receives rows and stores them by the thousand.
type filling struct {
	ctx    context.Context //nolint:containedctx // of one call
	conn   *pgx.Conn
	into   store.Into
	failed error

	waiting int
	rows    map[*records.Table][][]any
	next    map[*records.Table]int64 // for each table that is or was made empty, the number of its next row
}

// begin makes room. empty reports whether the store has no more than into allows.
func (m *filling) begin(s *Store) (empty bool, err error) {
	var in pgx.Batch
	s.queueBegin(&in)
	in.Queue(exportSettings)
	fresh := records.Tables
	if m.into != store.IntoNothing {
		fresh = records.Shop()
	}
	if m.into == store.IntoAnyShop {
		empty = true
		in.Queue(fmt.Sprintf(importLock, dialect.Names(fresh), "ACCESS EXCLUSIVE"))
		in.Queue(fmt.Sprintf(importDelete, dialect.Names(fresh)))
	} else {
		asked := records.Beginning(m.into)
		in.Queue(fmt.Sprintf(importLock, dialect.Names(asked), "SHARE ROW EXCLUSIVE"))
		in.Queue(dialect.Empty(asked)).QueryRow(func(row pgx.Row) error { return row.Scan(&empty) })
	}
	for _, t := range fresh {
		if t.Sequence == "" {
			continue
		}
		m.next[t] = 1
		if t.Rises {
			in.Queue(fmt.Sprintf(importNext, t.Sequence)).QueryRow(func(row pgx.Row) error {
				var n int64
				err := row.Scan(&n)
				m.next[t] = n
				return err
			})
		}
	}
	return empty, m.conn.SendBatch(m.ctx, &in).Close()
}

func (m *filling) put(r store.Row) error {
	if m.failed == nil {
		m.failed = records.Parts(r, m.keep)
	}
	if m.waiting++; m.failed == nil && m.waiting >= importRows {
		return m.flush()
	}
	return m.failed
}

func (m *filling) keep(t *records.Table, of drop.ID, row any) error {
	m.rows[t] = append(m.rows[t], values(t.Values(of, row)))
	if next, ok := m.next[t]; ok {
		m.next[t] = max(next, t.Number(row)+1)
	}
	return nil
}

// flush stores the waiting rows table by table. Each COPY first asks the server for the columns' types.
func (m *filling) flush() error {
	for _, t := range records.Tables {
		if m.failed != nil {
			return m.failed
		}
		if len(m.rows[t]) == 0 {
			continue
		}
		if _, err := m.conn.CopyFrom(m.ctx, pgx.Identifier{"sneakerdrop", t.Name}, t.Stored(), pgx.CopyFromRows(m.rows[t])); err != nil {
			m.failed = fmt.Errorf("copy %s: %w", t.Name, err)
		}
	}
	m.waiting = 0
	clear(m.rows)
	return m.failed
}

// stored returns what Export would.
func (m *filling) stored(each func(store.Row) error) error {
	ctx, cancel := context.WithCancel(m.ctx)
	defer cancel()
	r := reader{cancel: cancel}
	if err := r.export(ctx, m.conn, each); r.stopped == nil {
		return err
	}
	return r.stopped
}

// restart makes new numbers begin above the stored ones.
func (m *filling) restart(out *pgx.Batch) {
	for _, t := range records.Tables {
		next, ok := m.next[t]
		if !ok {
			continue
		}
		if t.Last > 0 {
			next = min(next, t.Last+1) // the sequence's end: no number is left
		}
		out.Queue(fmt.Sprintf(importNumbers, t.Sequence, next))
	}
}
