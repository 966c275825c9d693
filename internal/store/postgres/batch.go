package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// RunBatch implements store.Store.
func (s *Store) RunBatch(ctx context.Context, b store.Batch) error {
	if t, ok := b.Begun().(*transaction); ok {
		t.batches[0].batch = b // the batch from Next, or one that stands for it
		return s.runAlone(ctx, t)
	}
	m := &member{loader: newLoader(b), woken: make(chan struct{}), since: time.Now()}
	m.deadline, _ = ctx.Deadline()
	s.groups.join(m)
	for {
		if err := s.groups.await(ctx, m); err != nil {
			return s.fail(fmt.Sprintf("wait for the turn of drop %d", b.Of()), err)
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

// begin takes a connection and sends the first round trip.
func (s *Store) begin(ctx context.Context, turn *turn, batches ...*loader) (*transaction, error) {
	t := &transaction{batches: batches, turn: turn, end: func() {}}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, s.fail("connect for "+t.drops(), err)
	}
	defer func() {
		if t.conn == nil { // Needs has panicked
			conn.Release()
		}
	}()
	for _, l := range batches {
		l.need = l.batch.Needs()
		l.bound = s.bounds.get(l.batch.Of())
	}
	t.conn = conn
	t.results = conn.SendBatch(ctx, s.queueLoad(t))
	return t, nil
}

// runAlone finishes the transaction of one batch.
func (s *Store) runAlone(ctx context.Context, t *transaction) error {
	err := s.transact(ctx, t)
	if failed := t.batches[0].err; errors.Is(failed, errOlder) || errors.Is(failed, errWaiting) { // nothing was decided
		s.bounds.undecided(t.batches[0])
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

// transact reads the answers of the first round trip, lets each batch decide if it can, and commits the results. An
// error applies to all the batches.
func (s *Store) transact(ctx context.Context, t *transaction) error {
	conn, ours := t.conn, true
	defer func() {
		if ours {
			conn.Release() // Release closes a connection whose transaction is still open, so a panic in Decide holds no lock
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

// decide lets the batch decide, and adds what to write to w. If the batch cannot decide, err says why.
func (l *loader) decide(w *writes) {
	switch b := l.batch; {
	case !l.found:
		l.err = drop.Refuse(drop.CodeDropNotFound)
	case l.bound.lines.sizes == 0 && l.state.Waiting() > 0:
		l.err = &store.Error{Op: fmt.Sprintf("load drop %d", b.Of()), Class: store.ClassRolledBack, Err: errWaiting}
	case l.bound.denies(&l.state.Drop):
		l.err = &store.Error{Op: fmt.Sprintf("load drop %d", b.Of()), Class: store.ClassRolledBack, Err: errOlder}
	default:
		if !l.need.Deadline {
			l.state.Deadline = 0
		}
		l.waited, l.closed = l.state.Waited, l.state.LineClosed
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

// following returns the batch to begin behind the COMMIT, or nil. It returns nil behind a pooler, which may give each
// transaction another connection. It also does if others wait for their turn, because they go first.
func (s *Store) following(t *transaction) store.Batch {
	l := t.batches[0]
	if t.turn == nil || l.changes == nil || s.pooled || s.groups.awaited() {
		return nil
	}
	return l.batch.Next()
}

// Behind implements store.Begun.
func (t *transaction) Behind() drop.ID { return t.batches[0].batch.Of() }
