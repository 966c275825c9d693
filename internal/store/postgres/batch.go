package postgres

import (
	"cmp"
	"context"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// RunBatch implements store.Store.
func (s *Store) RunBatch(ctx context.Context, b store.Batch) error {
	err := s.runBatch(ctx, b)
	if err != nil && drop.CodeOf(err) == "" {
		s.floors.forgetAll()
	}
	return err
}

func (s *Store) runBatch(ctx context.Context, b store.Batch) error {
	begun, ok := b.Begun.(*begun)
	if !ok {
		var err error
		if begun, err = s.begin(ctx, &b); err != nil {
			return err
		}
	}
	conn, loaded, ours := begun.conn, begun.loader, true
	defer func() {
		if ours {
			conn.Release() // closes a connection whose transaction is still open, so a panic in Decide holds no lock
		}
	}()
	state, now, err := begun.state(b.Need.Deadline)
	if err != nil {
		rollback(ctx, conn.Conn())
		if drop.CodeOf(err) != "" {
			return err
		}
		s.endSilent(ctx, conn.Conn(), err)
		return s.fail(fmt.Sprintf("load drop %d", b.Drop), err)
	}
	if loaded.floor.denies(&state.Drop) {
		rollback(ctx, conn.Conn())
		return s.failAs(fmt.Sprintf("load drop %d", b.Drop), store.ClassRolledBack, errOlder)
	}
	was, floor := state.Drop, loaded.floorAfter(state, 0)
	changes := b.Decide(state, now)
	var out pgx.Batch
	if changes == nil && (b.Confirm == nil || !b.Confirm()) {
		rollback(ctx, conn.Conn())
		s.floors.set(b.Drop, floor)
		return nil
	}
	if changes == nil {
		out.Queue(committedTouch, int64(b.Drop))
		if err = s.commit(ctx, conn.Conn(), &out, fmt.Sprintf("confirm the state of drop %d", b.Drop)); err == nil {
			s.floors.set(b.Drop, floor)
		}
		return err
	}
	queueChanges(&out, loaded, &was, changes)
	floor = loaded.floorAfter(state, len(changes.Ended))
	op := fmt.Sprintf("commit drop %d", b.Drop)
	if next := s.following(&b); next != nil {
		err = s.commitAhead(ctx, conn, &out, next, floor, op)
		ours = next.Begun == nil
	} else {
		err = s.commit(ctx, conn.Conn(), &out, op)
	}
	if err == nil {
		s.floors.set(b.Drop, floor)
	}
	return err
}

// following is the batch to begin behind the COMMIT of b, if there is one. A pooler may give each transaction another connection.
func (s *Store) following(b *store.Batch) *store.Batch {
	if b.Next == nil || s.pooled {
		return nil
	}
	return b.Next()
}

// commit sends the statements with a COMMIT behind them.
func (s *Store) commit(ctx context.Context, conn *pgx.Conn, out *pgx.Batch, op string) error {
	if err := ctx.Err(); err != nil || conn.IsClosed() { // nothing will be sent
		return s.failAs(op, store.ClassUnavailable, cmp.Or(err, net.ErrClosed))
	}
	out.Queue(runBatchCommit)
	takeNotice(conn)
	results := conn.SendBatch(ctx, out)
	err := s.readCommit(conn, results, out.Len(), op)
	if err != nil {
		rollback(ctx, conn)
	}
	return err
}

// readCommit succeeds only when the server says that it committed and has nothing to add.
func (s *Store) readCommit(conn *pgx.Conn, results pgx.BatchResults, statements int, op string) error {
	for left := statements; ; left-- {
		tag, err := results.Exec()
		if err != nil {
			_ = results.Close() // gives the same error
			return s.failAs(op, classifyCommit(err, left == 1), err)
		}
		if left == 1 {
			return s.committed(results, conn, tag.String(), op)
		}
	}
}

// committed judges the answer to COMMIT.
func (s *Store) committed(results pgx.BatchResults, conn *pgx.Conn, tag, op string) error {
	notice := takeNotice(conn)
	// Once COMMIT's tag is here a failure to read the rest changes nothing; the pool closes the connection.
	_ = results.Close()
	switch {
	case notice != nil:
		return s.failAs(op, store.ClassUnknown, fmt.Errorf("%w: %s", errWarned, notice.Message))
	case tag == "ROLLBACK":
		return s.failAs(op, store.ClassRolledBack, fmt.Errorf("COMMIT was answered %s", tag))
	case tag != "COMMIT":
		return s.failAs(op, store.ClassUnknown, fmt.Errorf("COMMIT was answered %q", tag))
	}
	return nil
}
