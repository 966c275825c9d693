package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// classified is an error whose class its result code does not tell.
type classified struct {
	class store.Class
	error
}

func (c classified) Unwrap() error { return c.error }

// failure turns err into the error that the contract promises. A refusal or sentinel is returned unchanged; anything
// else becomes a *store.Error.
func failure(op string, err error) error {
	if err == nil || drop.CodeOf(err) != "" || errors.Is(err, store.ErrNotEmpty) {
		return err
	}
	return &store.Error{Op: op, Class: classOf(err), Err: explain(err)}
}

// classOf classifies a failure before COMMIT. Nothing was written.
func classOf(err error) store.Class {
	if c, ok := errors.AsType[classified](err); ok {
		return c.class
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return store.ClassUnavailable
	}
	code := sqlite.ErrCode(err)
	if code == sqlite.ResultIOErrNoMem {
		return store.ClassExhausted
	}
	switch code.ToPrimary() {
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return store.ClassRolledBack
	case sqlite.ResultFull, sqlite.ResultNoMem:
		return store.ClassExhausted
	case sqlite.ResultIOErr, sqlite.ResultCantOpen, sqlite.ResultReadOnly, sqlite.ResultProtocol,
		sqlite.ResultPerm, sqlite.ResultInterrupt:
		return store.ClassUnavailable
	default:
		return store.ClassFault
	}
}

// commitError classifies a failed COMMIT. Without a lock, memory or disk space, SQLite has undone it. After any other
// failure it is unknown how much has reached the disk.
func commitError(err error) error {
	class := classOf(err)
	if class != store.ClassRolledBack && class != store.ClassExhausted {
		class = store.ClassUnknown
	}
	return classified{class, fmt.Errorf("commit: %w", err)}
}

// explain adds the remedy to errors that an operator has to fix.
func explain(err error) error {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCorrupt:
		return fmt.Errorf("the database file is damaged; stop the server and restore a backup: %w", err)
	case sqlite.ResultNotADB:
		return fmt.Errorf("the file is not an SQLite database; name another file: %w", err)
	case sqlite.ResultFull:
		return fmt.Errorf("the disk is full; free some space: %w", err)
	default:
		return err
	}
}

// NotWritable reports whether an error says that this user may not write the file or its folder.
func NotWritable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || sqlite.ErrCode(err).ToPrimary() == sqlite.ResultReadOnly
}
