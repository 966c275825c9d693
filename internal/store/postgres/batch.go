package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// RunBatch implements store.Store.
func (s *Store) RunBatch(ctx context.Context, b store.Batch) error {
	if t, ok := b.Begun().(*transaction); ok {
		t.batches[0].batch = b // the one that Next gave, or what stands for it
		return s.runAlone(ctx, t)
	}
	m := &member{loader: newLoader(b), woken: make(chan struct{}), since: time.Now()}
	m.deadline, _ = ctx.Deadline()
	s.groups.join(m)
	for {
		if err := s.groups.await(ctx, m); err != nil {
			return s.fail(fmt.Sprintf("await the turn of drop %d", b.Of()), err)
		}
		switch {
		case m.done:
			return m.err
		case !m.turn.mayWait:
			s.runGroup(ctx, m.group)
			continue
		}
		t, err := s.begin(ctx, m.turn, m.loader)
		if err != nil {
			m.turn.end()
			return err
		}
		return s.runAlone(ctx, t)
	}
}

// runAlone ends the transaction of one batch.
func (s *Store) runAlone(ctx context.Context, t *transaction) error {
	err := s.transact(ctx, t)
	if errors.Is(t.batches[0].err, errOlder) { // nothing was decided, and what was known is forgotten
		s.bounds.failed(t.batches[0].err)
		var again *transaction
		if again, err = s.begin(ctx, t.turn, newLoader(t.batches[0].batch)); err == nil {
			t, err = again, s.transact(ctx, again)
		}
	}
	err = cmp.Or(err, t.batches[0].err)
	t.turn.end()
	s.bounds.failed(err)
	return err
}

// transact reads the answers of the first round trip, has each batch decided that can be, and commits what they decide. The error is that of all
// of them.
func (s *Store) transact(ctx context.Context, t *transaction) error {
	conn, ours := t.conn, true
	defer func() {
		if ours {
			conn.Release() // closes a connection whose transaction is still open, so a panic in Decide holds no lock
		}
	}()
	if err := t.read(); err != nil {
		rollback(ctx, conn.Conn())
		s.endSilent(ctx, conn.Conn(), err)
		return s.fail("load "+t.drops(), err)
	}
	var w writes
	for _, l := range t.batches {
		l.decide(&w)
	}
	var out pgx.Batch
	w.queue(&out)
	var err error
	switch next := s.following(t); {
	case out.Len() == 0:
		rollback(ctx, conn.Conn())
	case next != nil:
		err = s.commitAndBegin(ctx, t, &out, next)
		ours = t.turn != nil
	default:
		err = s.commit(ctx, conn.Conn(), &out, "commit "+t.drops())
	}
	if err != nil {
		return err
	}
	for _, l := range t.batches {
		if l.err == nil {
			s.bounds.set(l.batch.Of(), l.nextBound)
		}
	}
	return nil
}

// decide has the batch decided, and adds to w what it leaves to be written. Where it cannot be, err says why.
func (l *loader) decide(w *writes) {
	switch b := l.batch; {
	case !l.found:
		l.err = drop.Refuse(drop.CodeDropNotFound)
	case l.bound.denies(&l.state.Drop):
		l.err = &store.Error{Op: fmt.Sprintf("load drop %d", b.Of()), Class: store.ClassRolledBack, Err: errOlder}
	default:
		if !l.need.Deadline {
			l.state.Deadline = 0
		}
		was, loaded := l.state.Drop, l.boundAfter(0)
		l.changes = b.Decide(&l.state, l.now)
		switch {
		case l.changes != nil:
			l.writes = true
			w.add(l, &was)
			l.nextBound = l.boundAfter(len(l.changes.Ended))
		case b.Confirms():
			l.writes = true
			w.confirms = append(w.confirms, int64(b.Of()))
			fallthrough
		default:
			l.nextBound = loaded
		}
	}
}

// following is the batch to begin behind the COMMIT, if there is one. A pooler may give each transaction another connection, and
// those who wait for their turn go first.
func (s *Store) following(t *transaction) store.Batch {
	l := t.batches[0]
	if t.turn == nil || l.changes == nil || s.pooled || s.groups.awaited() {
		return nil
	}
	return l.batch.Next()
}

// commit sends the statements with a COMMIT behind them.
func (s *Store) commit(ctx context.Context, conn *pgx.Conn, out *pgx.Batch, op string) error {
	if err := ctx.Err(); err != nil || conn.IsClosed() { // nothing will be sent
		return s.failAs(op, store.ClassUnavailable, cmp.Or(err, net.ErrClosed))
	}
	out.Queue(runBatchCommit)
	results := conn.SendBatch(ctx, out)
	err := s.readCommit(conn, results, out.Len(), op)
	if err != nil {
		rollback(ctx, conn)
	}
	return err
}

// readCommit succeeds only when the server says that it committed and does not warn. What it warned of before the COMMIT is not about it.
func (s *Store) readCommit(conn *pgx.Conn, results pgx.BatchResults, statements int, op string) error {
	for left := statements; ; left-- {
		if left == 1 {
			takeWarning(conn)
		}
		tag, err := results.Exec()
		if err != nil {
			_ = results.Close() // gives the same error
			if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == pgerrcode.UniqueViolation && e.ConstraintName == keysConstraint {
				err = errors.Join(store.ErrKeyUsed, err)
			}
			return s.failAs(op, classifyCommit(err, left == 1), err)
		}
		if left == 1 {
			return s.committed(results, conn, tag.String(), op)
		}
	}
}

// committed judges the answer to COMMIT.
func (s *Store) committed(results pgx.BatchResults, conn *pgx.Conn, tag, op string) error {
	warning := takeWarning(conn)
	// Once COMMIT's tag is here a failure to read the rest changes nothing; the pool closes the connection.
	_ = results.Close()
	switch {
	case warning != nil:
		return s.failAs(op, store.ClassUnknown, fmt.Errorf("%w: %s", errWarned, warning.Message))
	case tag == "ROLLBACK":
		return s.failAs(op, store.ClassRolledBack, fmt.Errorf("COMMIT was answered %s", tag))
	case tag != "COMMIT":
		return s.failAs(op, store.ClassUnknown, fmt.Errorf("COMMIT was answered %q", tag))
	}
	return nil
}
