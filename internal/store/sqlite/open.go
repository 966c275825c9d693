package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// applicationID marks a file as ours: "SDRP". SQLite's header and file(1) call it the application id.
const applicationID = 0x53445250

const (
	busyTimeout     = 5 * time.Second
	besideTimeout   = 20 * time.Second // for a server's writes to leave room for one
	besidePause     = 200 * time.Microsecond
	writerCacheKiB  = 64 << 10
	readerCacheKiB  = 8 << 10
	checkpointPages = 8000     // 32 MiB: needs an eighth of the fsyncs of SQLite's default of 1000, and a log of that size still recovers fast
	journalBytes    = 64 << 20 // how much of an overgrown log to keep
)

// checkPath creates a missing file. If SQLite created it, everybody could read it.
func checkPath(path string, readOnly bool) error {
	if path == "" || path == ":memory:" {
		return errors.New("the embedded database needs a file; name one, such as sneakerdrop.db")
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return errors.New("it is a directory; name a file")
	} else if err != nil && readOnly {
		return err
	}
	if readOnly {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	return f.Close()
}

const lockSuffix = ".lock"

// lockName takes the lock of the one server that serves the file under this name, which must not be a symbolic link.
// The lock is an SQLite lock on an empty database beside the file, path.lock. It works the same on every system, ends
// with the process, and never blocks a reader of path.
func lockName(path string) (*sqlite.Conn, error) {
	name := path + lockSuffix
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	conn, err := sqlite.OpenConn(name, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(0)
	if err := execute(conn, "BEGIN EXCLUSIVE"); err != nil {
		if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultBusy {
			err = ErrServed
		}
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// openWriter opens the connection that writes. It checks that the file is ours before it changes anything.
func openWriter(path string) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(busyTimeout)
	err = checkOurs(conn)
	if err == nil {
		err = pragmas(conn,
			"journal_mode = wal", "synchronous = full", "foreign_keys = off", "temp_store = memory",
			fmt.Sprintf("cache_size = -%d", writerCacheKiB),
			fmt.Sprintf("wal_autocheckpoint = %d", checkpointPages),
			fmt.Sprintf("journal_size_limit = %d", journalBytes),
		)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func prepareReader(conn *sqlite.Conn) error {
	conn.SetBusyTimeout(busyTimeout)
	return pragmas(conn, "query_only = on", fmt.Sprintf("cache_size = -%d", readerCacheKiB))
}

// checkFile is checkOurs for a file that is not open yet.
func checkFile(path string) error {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return err
	}
	conn.SetBusyTimeout(busyTimeout)
	return errors.Join(checkOurs(conn), conn.Close())
}

// checkOurs refuses another program's file. A file without tables belongs to nobody yet.
func checkOurs(conn *sqlite.Conn) error {
	tables, err := integer(conn, sqlOpenTables)
	if err != nil {
		return err
	}
	id, err := integer(conn, "PRAGMA application_id")
	if err != nil {
		return err
	}
	if id != applicationID && (tables > 0 || id != 0) {
		return errors.New("the file is the database of another program; name another file")
	}
	return nil
}

func pragmas(conn *sqlite.Conn, settings ...string) error {
	for _, p := range settings {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+p, nil); err != nil {
			return fmt.Errorf("set %s: %w", p, err)
		}
	}
	return nil
}

// execute runs a cached statement without arguments or rows.
func execute(conn *sqlite.Conn, query string) error {
	st, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	return run(st)
}

// run runs a statement that returns no row, and resets it.
func run(st *sqlite.Stmt) error {
	if _, err := st.Step(); err != nil {
		return err
	}
	return st.Reset()
}

// integer returns the single number that a query returns.
func integer(conn *sqlite.Conn, query string, args ...int64) (int64, error) {
	st, err := prepare(conn, query, args...)
	if err != nil {
		return 0, err
	}
	return sqlitex.ResultInt64(st)
}

// prepare takes a statement from the connection's cache and binds numbers to its first parameters.
func prepare(conn *sqlite.Conn, query string, args ...int64) (*sqlite.Stmt, error) {
	st, err := conn.Prepare(query)
	if err != nil {
		return nil, err
	}
	bind(st, args...)
	return st, nil
}

func bind(st *sqlite.Stmt, args ...int64) {
	for i, a := range args {
		st.BindInt64(i+1, a)
	}
}
