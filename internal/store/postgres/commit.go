package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sneakerdrop/internal/store"
)

// pipelineTimeout bounds a pipeline whose context has no deadline.
const pipelineTimeout = 30 * time.Second

// commit sends the statements with a COMMIT behind them.
func (s *Store) commit(ctx context.Context, conn *pgx.Conn, out *pgx.Batch, op string) error {
	class, err := store.ClassUnavailable, ctx.Err()
	if err == nil && conn.IsClosed() {
		err = net.ErrClosed
	}
	if err == nil { // else nothing is sent
		out.Queue(runBatchCommit)
		if class, err = readCommit(conn, conn.SendBatch(ctx, out), out.Len()); err != nil {
			rollback(ctx, conn)
		}
	}
	if err != nil {
		return s.failAs(op, class, err)
	}
	return nil
}

// commitAndBegin sends what a batch has changed with COMMIT and, behind it, the first round trip of the next batch,
// in one go: the server begins it the moment the COMMIT is through. A Sync stands between them: what comes after
// cannot touch the COMMIT, and its answer does not wait for the next lock. The next batch has the connection and the
// turn from then on, if the commit succeeded.
func (s *Store) commitAndBegin(ctx context.Context, t *transaction, out *pgx.Batch, next store.Batch) error {
	conn, op := t.conn, "commit "+t.drops()
	following := &transaction{conn: conn, batches: []*loader{newLoader(next)}, turn: t.turn}
	following.batches[0].need, following.batches[0].bound = next.Needs(), t.batches[0].nextBound
	load := s.queueLoad(following)
	out.Queue(runBatchCommit)
	committing, err := prepare(ctx, conn.Conn(), out)
	var loading *pipelined
	if err == nil {
		loading, err = prepare(ctx, conn.Conn(), load)
	}
	if err != nil {
		rollback(ctx, conn.Conn())
		return s.fail(op, err)
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(pipelineTimeout)
	}
	// It outlives the commit: the next batch reads from it.
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	p := conn.Conn().PgConn().StartPipeline(ctx)
	following.results, following.end = loading, func() {
		_ = p.Close() // a connection that cannot be brought back in step is closed by it
		cancel()
	}
	var class store.Class
	if err = committing.send(p); err != nil {
		class = classify(err) // the COMMIT is not on its way
	} else if err = flush(p, loading); err != nil {
		class = classifyCommit(err, false)
	} else {
		class, err = readCommit(conn.Conn(), committing, out.Len())
	}
	if err != nil {
		following.end()
		rollback(ctx, conn.Conn())
		return s.failAs(op, class, err)
	}
	t.turn.renew()
	next.Begin(following)
	t.turn = nil
	return nil
}

// readCommit succeeds only when the server says that it committed and does not warn. What it warned of before the
// COMMIT is not about it. The class is that of the error.
func readCommit(conn *pgx.Conn, results pgx.BatchResults, statements int) (store.Class, error) {
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
			return classifyCommit(err, left == 1), err
		}
		if left == 1 {
			return committed(results, conn, tag.String())
		}
	}
}

// committed judges the answer to COMMIT.
func committed(results pgx.BatchResults, conn *pgx.Conn, tag string) (store.Class, error) {
	warning := takeWarning(conn)
	// Once COMMIT's tag is here a failure to read the rest changes nothing; the pool closes the connection.
	_ = results.Close()
	switch {
	case warning != nil:
		return store.ClassUnknown, fmt.Errorf("%w: %s", errWarned, warning.Message)
	case tag == "ROLLBACK":
		return store.ClassRolledBack, fmt.Errorf("COMMIT was answered %s", tag)
	case tag != "COMMIT":
		return store.ClassUnknown, fmt.Errorf("COMMIT was answered %q", tag)
	}
	return 0, nil
}

// classifyCommit says what a failure means in the pipeline that ends with COMMIT. atCommit: the statements before it
// had succeeded.
func classifyCommit(err error, atCommit bool) store.Class {
	if errors.Is(err, errWarned) {
		return store.ClassUnknown
	}
	// The statements could not be prepared or their arguments encoded: none was sent.
	if _, ok := errors.AsType[pgx.ErrPreprocessingBatch](err); ok {
		return classify(err)
	}
	// Not even where pgx says that it is safe to try again: it says so of a connection that it finds closed, and that
	// is what a batch without prepared statements gives in place of a lost answer.
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return store.ClassUnknown
	}
	if e.SeverityUnlocalized != "ERROR" || pgerrcode.IsConnectionException(e.Code) || strings.HasPrefix(e.Code, "57P") {
		return store.ClassUnknown
	}
	if atCommit && e.Code == pgerrcode.QueryCanceled {
		return store.ClassUnknown
	}
	return classifyState(e.Code, false)
}

// severity is how bad a notice is, in English whatever the server's lc_messages; a pooler may leave that field out.
func severity(n *pgconn.Notice) string { return cmp.Or(n.SeverityUnlocalized, n.Severity) }

// warns reports whether a notice is a WARNING or worse. The rest is for people: how long a statement took, what it
// skipped.
func warns(n *pgconn.Notice) bool {
	switch severity(n) {
	case "LOG", "INFO", "NOTICE":
		return false
	}
	return !strings.HasPrefix(severity(n), "DEBUG")
}

// warningKey is where a connection keeps the newest warning that it got.
const warningKey = "sneakerdrop.warning"

// takeWarning returns the newest warning since the last call, or nil.
func takeWarning(conn *pgx.Conn) *pgconn.Notice {
	data := conn.PgConn().CustomData()
	n, _ := data[warningKey].(*pgconn.Notice)
	delete(data, warningKey)
	return n
}

// endSilent is called after a lock was waited for in vain. It ends the sessions of other replicas, or of an earlier
// run, whose client has said half of what it had to say and then nothing for 5 s: frozen, or gone with its machine.
// They would keep their locks for as long as their connection looks alive. One that was alive after all finds its
// outcome unknown, and looks it up.
func (s *Store) endSilent(ctx context.Context, conn *pgx.Conn, cause error) {
	if code(cause) != pgerrcode.LockNotAvailable || conn.IsClosed() {
		return
	}
	rows, err := conn.Query(ctx, runBatchEndSilent)
	if err != nil {
		s.log.Warn("look for silent sessions", "error", err)
		return
	}
	var pid int32
	var ended bool
	_, err = pgx.ForEachRow(rows, []any{&pid, &ended}, func() error {
		s.log.Warn("ended a session that was silent in the middle of a transaction", "pid", pid, "ended", ended)
		return nil
	})
	if err != nil {
		s.log.Warn("end silent sessions", "error", err)
	}
}

// rollback ends a transaction that shall leave nothing. If it fails the pool closes the connection, which does the
// same.
func rollback(ctx context.Context, conn *pgx.Conn) {
	if conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_, _ = conn.Exec(ctx, "ROLLBACK")
}
