// Package sqlite keeps drops in one SQLite file, for a shop that runs on one machine.
//
// One goroutine, the writer, owns the only connection that writes. It takes the work that queued up while its last
// transaction committed and runs all of it in one transaction, each piece inside a savepoint. It answers after
// COMMIT. The lanes of several drops thus share one fsync, and the transaction serves as the lock of every drop in
// it. Reads use a small pool of read-only connections and see the last commit.
//
// The file is in WAL mode with synchronous=FULL, so every answer survives a power failure. Only one server at a time
// may serve a file (see Open). Other processes may read it.
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
	queueCap = 256 // pieces of work that may wait for the writer; further ones wait in their callers
	groupCap = 64  // pieces of work in one transaction
)

// ErrServed is in the error of Open if another process serves the file.
var ErrServed = errors.New("another sneakerdrop serves this file; stop it first, or name another file")

// ErrOtherName is in the error of Open, with Beside or ReadOnly, if the server has the file open under another name.
var ErrOtherName = errors.New("a sneakerdrop serves this file under another name (a hard link or a mount of it); use that name, or stop the server")

var (
	errClosed   = errors.New("the store is closed")
	errReadOnly = errors.New("the store was opened for reading only")
)

// Options are the options of Open. The zero value works.
type Options struct {
	// Now is the clock that decides. Nil means the process's clock.
	Now func() drop.Time
	// Log receives messages for operators. Nil means slog.Default.
	Log *slog.Logger
	// ReadOnly opens the file while a server serves it. Every write then fails with ClassFault.
	ReadOnly bool
	// Beside opens the file while a server serves it, for an occasional small write. The two processes wait for each
	// other.
	Beside bool
}

// Store is a store.Store in one SQLite file.
type Store struct {
	records.Store // everything off the hot path

	path string
	now  func() drop.Time
	log  *slog.Logger

	lock    *lock   // the server's lock; nil with ReadOnly or Beside
	writer  *writer // nil with ReadOnly
	readers *sqlitex.Pool

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup // calls under way
}

var _ store.Store = (*Store)(nil)

// Open opens the file. If it does not exist, Open creates it so that only its owner can read it. It refuses another
// program's file, and a file that another server serves.
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

// endWriter ends the writer and the lock, which a read-only store does not have.
func (s *Store) endWriter() error {
	if s.writer == nil {
		return nil
	}
	return errors.Join(s.writer.close(), s.lock.release())
}

// Close waits for the calls under way, moves the log into the file and closes it.
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

// enter registers a call so that Close waits for it. s.calls.Done ends the registration.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.calls.Add(1)
	return nil
}

// write makes the writer run work, and returns once it is committed. op names it in errors.
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
		// An interrupt refuses every statement, even ROLLBACK, until it is cleared.
		conn.SetInterrupt(nil)
		if !conn.AutocommitEnabled() {
			err = errors.Join(err, execute(conn, "ROLLBACK"))
		}
	}()
	return f(conn)
}
