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

// pipelineTimeout limits a pipeline whose context has no deadline.
const pipelineTimeout = 30 * time.Second

// commit sends the statements, followed by a COMMIT.
func (s *Store) commit(ctx context.Context, conn *pgx.Conn, out *pgx.Batch, op string) error {
	class, err := store.ClassUnavailable, ctx.Err()
	if err == nil && conn.IsClosed() {
		err = net.ErrClosed
	}
	if err == nil { // otherwise nothing was sent
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

// commitAndBegin sends a batch's changes with COMMIT and, right behind it, the first round trip of the next batch.
// The server then begins the next batch as soon as the COMMIT is done.
//
// A Sync separates the two, so that nothing behind it can affect the COMMIT, and the answer to COMMIT does not wait
// for the next lock. If the commit succeeds, the next batch owns the connection and the turn.
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
	// The deadline outlives the commit, because the next batch reads from this pipeline.
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	p := conn.Conn().PgConn().StartPipeline(ctx)
	following.results, following.end = loading, func() {
		_ = p.Close() // if the connection is out of step, Close closes it
		cancel()
	}
	var class store.Class
	if err = committing.send(p); err != nil {
		class = classify(err) // the COMMIT was not sent
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

// readCommit succeeds only if the server reports a commit and does not warn. Warnings before the COMMIT are about
// other statements. The class is that of the error.
func readCommit(conn *pgx.Conn, results pgx.BatchResults, statements int) (store.Class, error) {
	for left := statements; ; left-- {
		if left == 1 {
			takeWarning(conn)
		}
		tag, err := results.Exec()
		if err != nil {
			_ = results.Close() // returns the same error
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

// committed evaluates the answer to COMMIT.
func committed(results pgx.BatchResults, conn *pgx.Conn, tag string) (store.Class, error) {
	warning := takeWarning(conn)
	// Once COMMIT's tag has arrived, a failure to read the rest changes nothing; the pool closes the connection.
	_ = results.Close()
	switch {
	case warning != nil:
		return store.ClassUnknown, fmt.Errorf("%w: %s", errWarned, warning.Message)
	case tag == "ROLLBACK":
		return store.ClassRolledBack, fmt.Errorf("COMMIT returned %s", tag)
	case tag != "COMMIT":
		return store.ClassUnknown, fmt.Errorf("COMMIT returned %q", tag)
	}
	return 0, nil
}

// classifyCommit classifies a failure in the pipeline that ends with COMMIT. atCommit says that the statements before
// it had succeeded.
func classifyCommit(err error, atCommit bool) store.Class {
	if errors.Is(err, errWarned) {
		return store.ClassUnknown
	}
	// The statements could not be prepared, or their arguments could not be encoded. None was sent.
	if _, ok := errors.AsType[pgx.ErrPreprocessingBatch](err); ok {
		return classify(err)
	}
	// Any other error is unknown, even if pgx says that a retry is safe. It says so about a connection that it finds
	// closed, and a batch without prepared statements gets that error when its answer is lost.
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

// severity returns a notice's severity in English, whatever the server's lc_messages. A pooler may leave the English
// field out.
func severity(n *pgconn.Notice) string { return cmp.Or(n.SeverityUnlocalized, n.Severity) }

// warns reports whether a notice is a WARNING or worse. Others are for people, such as how long a statement took or
// what it skipped.
func warns(n *pgconn.Notice) bool {
	switch severity(n) {
	case "LOG", "INFO", "NOTICE":
		return false
	}
	return !strings.HasPrefix(severity(n), "DEBUG")
}

// warningKey is where a connection keeps the newest warning that it received.
const warningKey = "sneakerdrop.warning"

// takeWarning returns the newest warning since the last call, or nil.
func takeWarning(conn *pgx.Conn) *pgconn.Notice {
	data := conn.PgConn().CustomData()
	n, _ := data[warningKey].(*pgconn.Notice)
	delete(data, warningKey)
	return n
}

// endSilent is called after a wait for a lock timed out. It ends sessions whose client stopped in the middle of a
// message and has been silent for 5 s. Such a client is a replica that froze or whose machine is gone. Its locks
// would last as long as its connection looks alive. If the client was alive after all, its outcome is unknown, and it
// looks it up.
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

// rollback ends a transaction without a trace. If it fails, the pool closes the connection, which has the same
// effect.
func rollback(ctx context.Context, conn *pgx.Conn) {
	if conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_, _ = conn.Exec(ctx, "ROLLBACK")
}
