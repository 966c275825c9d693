package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// RunBatch implements store.Store.
func (s *Store) RunBatch(ctx context.Context, b store.Batch) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return s.fail(fmt.Sprintf("connect for drop %d", b.Drop), err)
	}
	defer conn.Release() // closes a connection whose transaction is still open, so a panic in Decide holds no lock
	state, now, err := s.load(ctx, conn.Conn(), b)
	if err != nil {
		rollback(ctx, conn.Conn())
		if drop.CodeOf(err) != "" {
			return err
		}
		s.endSilent(ctx, conn.Conn(), err)
		return s.fail(fmt.Sprintf("load drop %d", b.Drop), err)
	}
	was := state.Drop
	changes := b.Decide(state, now)
	if changes == nil {
		rollback(ctx, conn.Conn())
		return nil
	}
	var out pgx.Batch
	queueChanges(&out, &was, state, changes)
	return s.commit(ctx, conn.Conn(), &out, fmt.Sprintf("commit drop %d", b.Drop))
}

// commit sends the statements with a COMMIT behind them, and succeeds only when the server says that it committed and
// has nothing to add.
func (s *Store) commit(ctx context.Context, conn *pgx.Conn, out *pgx.Batch, op string) error {
	out.Queue(runBatchCommit)
	takeNotice(conn)
	results := conn.SendBatch(ctx, out)
	last := out.Len() - 1
	for i := range out.Len() {
		tag, err := results.Exec()
		if err == nil && i == last {
			return s.committed(results, conn, tag.String(), op)
		}
		if err != nil {
			_ = results.Close() // gives the same error
			class := classifyCommit(err, i == last)
			rollback(ctx, conn)
			return s.failAs(op, class, err)
		}
	}
	panic("a batch without COMMIT")
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
