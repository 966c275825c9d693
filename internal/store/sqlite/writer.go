package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// work runs inside a transaction. wrote reports whether there is anything to commit. It may run again after a failure
// was reported, but never twice for one answer.
type work func(conn *sqlite.Conn) (wrote bool, err error)

var errPanicked = errors.New("the work panicked")

// task is a piece of work and the channel that its caller waits on.
type task struct {
	work  work
	begun atomic.Bool // set by the writer when it begins, or by the caller to withdraw it
	wrote bool
	err   error
	// panicked is the value that the work panicked with. The caller's goroutine panics with it again.
	panicked any
	done     chan struct{}
}

// writer owns the connection that writes.
type writer struct {
	queue  chan *task
	exited chan struct{}
	reopen func() (*sqlite.Conn, error)
	beside bool // another process serves the file
	log    *slog.Logger

	// Only the goroutine uses the fields below.
	conn   *sqlite.Conn // nil if it broke and must be opened again
	commit func(*sqlite.Conn) error
	group  []*task
}

func newWriter(conn *sqlite.Conn, reopen func() (*sqlite.Conn, error), beside bool, log *slog.Logger) *writer {
	w := &writer{
		queue: make(chan *task, queueCap), exited: make(chan struct{}), reopen: reopen, beside: beside, log: log, conn: conn,
		commit: func(c *sqlite.Conn) error { return execute(c, "COMMIT") },
	}
	go w.loop()
	return w
}

// do queues the work and waits until it is committed or has failed. If ctx ends first, work that has not begun is
// withdrawn. do waits for work that has begun, because it will end soon and a known outcome is better.
func (w *writer) do(ctx context.Context, f work) error {
	t := &task{work: f, done: make(chan struct{})}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case w.queue <- t:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		if t.begun.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		<-t.done
	}
	if t.panicked != nil {
		panic(t.panicked)
	}
	return t.err
}

// close ends the goroutine after all queued work. Nothing may be queued any more.
func (w *writer) close() error {
	close(w.queue)
	<-w.exited
	if w.conn == nil {
		return nil
	}
	if w.beside { // moving the log is the server's task
		return w.conn.Close()
	}
	// A reader in another process can keep the log from being emptied. The next server then moves it into the file.
	if err := pragmas(w.conn, "wal_checkpoint(truncate)"); err != nil {
		w.log.Warn("checkpoint on close", "err", err)
	}
	return w.conn.Close()
}

func (w *writer) loop() {
	defer close(w.exited)
	for t := range w.queue {
		w.group = append(w.group[:0], t)
		w.fill()
		for rest := w.group; len(rest) > 0; {
			rest = w.transact(rest)
		}
		clear(w.group)
	}
}

// fill takes more queued work, without waiting.
func (w *writer) fill() {
	for len(w.group) < groupCap {
		select {
		case t, ok := <-w.queue:
			if !ok {
				return
			}
			w.group = append(w.group, t)
		default:
			return
		}
	}
}

// transact runs the tasks in one transaction and answers them. If a failure ends the transaction early, it returns
// the tasks that have not begun.
func (w *writer) transact(tasks []*task) (rest []*task) {
	if err := w.begin(); err != nil {
		answer(tasks, err)
		return nil
	}
	wrote := false
	for i, t := range tasks {
		if !t.begun.CompareAndSwap(false, true) {
			continue // withdrawn
		}
		w.runOne(t, len(tasks) > 1)
		if !w.inTransaction() { // SQLite has ended the transaction: out of disk space or memory, or an I/O error
			answer(tasks[:i], ended(t.err))
			answer(tasks[i:i+1], t.err)
			return tasks[i+1:]
		}
		wrote = wrote || t.wrote
	}
	w.end(tasks, wrote)
	return nil
}

// perform does the work. It catches a panic and passes it to the caller, so that the writer can serve the others.
func (t *task) perform(conn *sqlite.Conn) {
	defer func() {
		if v := recover(); v != nil {
			t.err = errPanicked
			t.panicked = fmt.Sprintf("%v\n\nin the writer:\n%s", v, debug.Stack())
		}
		t.wrote = t.wrote && t.err == nil
	}()
	t.wrote, t.err = t.work(conn)
}

// runOne runs one task. If it is among others, it runs inside a savepoint, so that its failure affects only itself.
func (w *writer) runOne(t *task, among bool) {
	if among {
		if t.err = execute(w.conn, "SAVEPOINT task"); t.err != nil {
			return
		}
	}
	t.perform(w.conn)
	if !among || !w.inTransaction() {
		return
	}
	var undo error
	if t.err != nil {
		undo = execute(w.conn, "ROLLBACK TO task")
	}
	if err := errors.Join(undo, execute(w.conn, "RELEASE task")); err != nil {
		// What the task wrote may still be there, so the whole transaction must be undone.
		t.err = errors.Join(t.err, err)
		w.rollback()
	}
}

// end commits if there is anything to commit, and answers the tasks.
func (w *writer) end(tasks []*task, wrote bool) {
	alone := len(tasks) == 1 && tasks[0].err != nil // ran without a savepoint
	if !wrote || alone {
		w.rollback()
		answer(tasks, nil)
		return
	}
	err := w.commit(w.conn)
	if err == nil {
		answer(tasks, nil)
		return
	}
	err = commitError(err)
	w.log.Error("commit", "err", err, "class", classOf(err).String())
	w.rollback()
	if classOf(err) == store.ClassUnknown {
		w.discard() // the connection's cache is in doubt too
	}
	answer(tasks, err)
}

// answer ends the tasks. A task without an error of its own gets err. A task that wrote nothing, such as a refusal,
// may depend on what an earlier task wrote. So it fails together with the transaction and is run again.
func answer(tasks []*task, err error) {
	for _, t := range tasks {
		switch {
		case err == nil || t.err != nil && drop.CodeOf(t.err) == "":
		case t.wrote || classOf(err) != store.ClassUnknown:
			t.err = err
		default:
			t.err = classified{store.ClassRolledBack, err}
		}
		t.begun.Store(true)
		close(t.done)
	}
}

// ended returns the error of tasks whose transaction another task ended. They may be retried once that task's problem
// is over.
func ended(cause error) error {
	class := classOf(cause)
	if class == store.ClassFault {
		class = store.ClassRolledBack
	}
	return classified{class, fmt.Errorf("another piece of work ended the transaction: %w", cause)}
}

func (w *writer) begin() error {
	if w.conn == nil {
		conn, err := w.reopen()
		if err != nil {
			return classified{store.ClassUnavailable, fmt.Errorf("open the database again: %w", err)}
		}
		w.conn = conn
	}
	if err := w.lock(); err != nil {
		if class := classOf(err); class == store.ClassUnavailable || class == store.ClassFault {
			w.discard()
		}
		return err
	}
	return nil
}

// lock begins a transaction with the file's only write lock. SQLite's own wait sleeps longer and longer, up to 100
// ms, while a busy server releases the lock only for microseconds at a time. So beside a server this tries often.
func (w *writer) lock() error {
	if !w.beside {
		return execute(w.conn, "BEGIN IMMEDIATE")
	}
	w.conn.SetBusyTimeout(0)
	defer w.conn.SetBusyTimeout(busyTimeout)
	for deadline := time.Now().Add(besideTimeout); ; time.Sleep(besidePause) {
		err := execute(w.conn, "BEGIN IMMEDIATE")
		if sqlite.ErrCode(err).ToPrimary() != sqlite.ResultBusy || time.Now().After(deadline) {
			return err
		}
	}
}

func (w *writer) inTransaction() bool { return w.conn != nil && !w.conn.AutocommitEnabled() }

// rollback takes the connection out of the transaction. If that fails, it discards the connection.
func (w *writer) rollback() {
	if !w.inTransaction() {
		return
	}
	if err := execute(w.conn, "ROLLBACK"); err != nil || w.inTransaction() {
		w.log.Error("rollback", "err", err)
		w.discard()
	}
}

// discard closes the connection. The next transaction opens another one.
func (w *writer) discard() {
	if w.conn == nil {
		return
	}
	if err := w.conn.Close(); err != nil {
		w.log.Error("close the broken connection", "err", err)
	}
	w.conn = nil
}
