// Package sqlite keeps drops in one SQLite file: the engine of a shop that runs on one machine.
//
// One goroutine, the writer, owns the one connection that writes. It takes what queued while its last transaction
// committed, runs each piece inside a savepoint of one transaction and answers all of it after COMMIT; so the lanes of
// several drops share one fsync, and a transaction is the lock of every drop in it. Reads go past it to a small pool of
// read-only connections and see the last commit.
//
// The file is in WAL mode with synchronous=FULL: what was answered survives a power cut. One server at a time serves a
// file (see Open); other processes may read it.
package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

const (
	readers  = 4   // connections for reads
	queueCap = 256 // pieces of work that wait for the writer; more wait in their callers
	groupCap = 64  // pieces of work in one transaction
)

// ErrServed is in the error of Open where another process serves the file.
var ErrServed = errors.New("another sneakerdrop serves this file; stop it first, or name another file")

// ErrOtherName is in the error of Open, beside a server, where that server has the file under another name.
var ErrOtherName = errors.New("a sneakerdrop serves this file under another name (a hard link, or a mount of it); use that name, or stop the server")

var (
	errClosed   = errors.New("the store is closed")
	errReadOnly = errors.New("the store was opened for reading only")
)

// Options of Open. The zero value is good.
type Options struct {
	// Now is the clock that decides; nil: the process clock.
	Now func() drop.Time
	// Log takes what an operator should know; nil: slog.Default.
	Log *slog.Logger
	// ReadOnly opens the file beside the server that serves it. Whatever writes is ClassFault.
	ReadOnly bool
	// Beside opens the file beside the server that serves it, for a small write now and then: the two wait for one
	// another.
	Beside bool
}

// Store is a store.Store on one SQLite file.
type Store struct {
	records.Store // what is cold

	path string
	now  func() drop.Time
	log  *slog.Logger

	lock    *lock   // the server's; nil when ReadOnly or Beside
	writer  *writer // nil when ReadOnly
	readers *sqlitex.Pool

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup // calls under way
}

var _ store.Store = (*Store)(nil)

// Open opens the file, and makes it, readable by its owner alone, where there is none. It refuses, in one sentence, a
// file of another program and one that another server has open.
func Open(path string, o Options) (*Store, error) {
	s := &Store{path: path, now: o.Now, log: o.Log}
	s.Store = records.New(engine{s})
	if s.now == nil {
		s.now = func() drop.Time { return drop.TimeOf(time.Now()) }
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if err := s.open(o); err != nil {
		return nil, &store.Error{Op: "open database " + path, Class: classOf(err), Err: explain(err)}
	}
	return s, nil
}

func (s *Store) open(o Options) (err error) {
	beside := o.ReadOnly || o.Beside
	if err := checkPath(s.path, beside); err != nil {
		return err
	}
	if beside {
		if err := checkName(s.path); err != nil {
			return err
		}
		if err := checkFile(s.path); err != nil {
			return err
		}
	} else if s.lock, err = takeLock(s.path); err != nil {
		return err
	}
	if !o.ReadOnly {
		conn, err := openWriter(s.path)
		if err != nil {
			return errors.Join(err, s.lock.release())
		}
		s.writer = newWriter(conn, func() (*sqlite.Conn, error) { return openWriter(s.path) }, o.Beside, s.log)
	}
	s.readers, err = sqlitex.NewPool(s.path, sqlitex.PoolOptions{
		Flags: sqlite.OpenReadOnly, PoolSize: readers, PrepareConn: prepareReader,
	})
	if err != nil {
		return errors.Join(err, s.endWriter())
	}
	return nil
}

// endWriter ends what a store that was opened for reading does not have.
func (s *Store) endWriter() error {
	if s.writer == nil {
		return nil
	}
	return errors.Join(s.writer.close(), s.lock.release())
}

// Close waits for the calls under way, moves the log into the file and lets go of it.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.calls.Wait()
	if err := errors.Join(s.readers.Close(), s.endWriter()); err != nil {
		return &store.Error{Op: "close database " + s.path, Class: classOf(err), Err: explain(err)}
	}
	return nil
}

// enter counts a call in, so that Close waits for it; s.calls.Done counts it out.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.calls.Add(1)
	return nil
}

// write has the writer run work, and returns once it is committed. op names it in errors.
func (s *Store) write(ctx context.Context, op string, work work) error {
	if s.writer == nil {
		return &store.Error{Op: op, Class: store.ClassFault, Err: errReadOnly}
	}
	if err := s.enter(); err != nil {
		return &store.Error{Op: op, Class: store.ClassUnavailable, Err: err}
	}
	defer s.calls.Done()
	return failure(op, s.writer.do(ctx, work))
}

// read runs f on one snapshot of the database.
func (s *Store) read(ctx context.Context, op string, f func(*sqlite.Conn) error) error {
	if err := s.enter(); err != nil {
		return &store.Error{Op: op, Class: store.ClassUnavailable, Err: err}
	}
	defer s.calls.Done()
	conn, err := s.readers.Take(ctx)
	if err != nil {
		return &store.Error{Op: op, Class: store.ClassUnavailable, Err: err}
	}
	defer s.readers.Put(conn)
	return failure(op, inSnapshot(conn, f))
}

func inSnapshot(conn *sqlite.Conn, f func(*sqlite.Conn) error) (err error) {
	if err := execute(conn, "BEGIN"); err != nil {
		return err
	}
	defer func() {
		// An interrupt refuses every statement until it is taken back, ROLLBACK too.
		conn.SetInterrupt(nil)
		if !conn.AutocommitEnabled() {
			err = errors.Join(err, execute(conn, "ROLLBACK"))
		}
	}()
	return f(conn)
}
