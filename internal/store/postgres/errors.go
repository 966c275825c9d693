package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"sneakerdrop/internal/store"
)

// errWarned: a COMMIT that came with a warning, such as that a standby has not confirmed it.
var errWarned = errors.New("COMMIT came with a warning")

// errOlder: the drop is older than it was, or another of its number.
var errOlder = errors.New("the drop is not the one that it was: the database was put back")

// errLocked: another replica has kept the drop's lock, and too many wait for others.
var errLocked = errors.New("the drop's lock was not free in time")

// errForgotten: a key was still used when it was claimed, and free again a moment later.
var errForgotten = errors.New("the key was forgotten just now")

// fail is the error of a call that has written nothing.
func (s *Store) fail(op string, err error) error {
	return s.failAs(op, classify(err), err)
}

func (s *Store) failAs(op string, class store.Class, err error) error {
	switch _, connecting := errors.AsType[*pgconn.ConnectError](err); {
	case connecting:
		s.primary.doubt()
	case demoted(err):
		s.log.Warn("the database is read only: dropping all connections", "error", err)
		s.leave()
	case gone(err):
		s.leave()
	}
	if code(err) == pgerrcode.InsufficientPrivilege {
		err = fmt.Errorf("%w: %w", store.ErrRights, err)
	}
	return &store.Error{Op: op, Class: class, Err: err}
}

// leave gives up all connections: those that are idle now, those at work when they are released. They lead to a
// server that is no primary any more, or that has gone; a new one costs milliseconds, each dead one an attempt.
func (s *Store) leave() {
	s.primary.doubt()
	s.pool.Reset()
}

// demoted reports that the server takes no writes: it has become a standby, or was made read only.
func demoted(err error) bool {
	return code(err) == pgerrcode.ReadOnlySQLTransaction || errors.Is(err, pgconn.ErrReadOnlyConnection)
}

// gone reports that a connection was ended from the other side: the server says that it stops, or the line broke.
func gone(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case pgerrcode.AdminShutdown, pgerrcode.CrashShutdown, pgerrcode.CannotConnectNow:
			return true
		}
		return pgerrcode.IsConnectionException(e.Code)
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}

// code returns the SQLSTATE in err's chain, or "".
func code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// classify says what a failure means when COMMIT was not sent, or surely not obeyed.
func classify(err error) store.Class {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		_, connecting := errors.AsType[*pgconn.ConnectError](err)
		return classifyState(e.Code, connecting)
	}
	if _, unfit := errors.AsType[*SettingError](err); !unfit && (unreachable(err) || errors.Is(err, pgconn.ErrReadOnlyConnection)) {
		return store.ClassUnavailable
	}
	return store.ClassFault
}

func classifyState(state string, connecting bool) store.Class {
	switch {
	case pgerrcode.IsInsufficientResources(state):
		return store.ClassExhausted
	case connecting, pgerrcode.IsConnectionException(state):
		return store.ClassUnavailable
	}
	switch state {
	case pgerrcode.SerializationFailure, pgerrcode.DeadlockDetected, pgerrcode.IdleInTransactionSessionTimeout,
		pgerrcode.ReadOnlySQLTransaction, pgerrcode.LockNotAvailable, pgerrcode.QueryCanceled:
		return store.ClassRolledBack
	case pgerrcode.AdminShutdown, pgerrcode.CrashShutdown, pgerrcode.CannotConnectNow:
		return store.ClassUnavailable
	default:
		return store.ClassFault
	}
}

// unreachable reports an error of the way to the server, or of the time that it took.
func unreachable(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, puddle.ErrClosedPool) ||
		pgconn.SafeToRetry(err) || pgconn.Timeout(err) {
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	_, ok := errors.AsType[net.Error](err)
	return ok
}
