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

// errWarned: the COMMIT came with a warning, for example that a standby has not confirmed it.
var errWarned = errors.New("COMMIT came with a warning")

// errOlder: the drop is older than before, or another drop has its number.
var errOlder = errors.New("the drop is older than before: the database was restored or has lost commits")

// errLocked: another replica holds the drop's lock, and too many transactions already wait for locks.
var errLocked = errors.New("the drop's lock was not free in time")

// errWaiting: buyers wait, and the batch did not load them.
var errWaiting = errors.New("the lines of the waitlist were not loaded")

// errForgotten: the key was in use when it was claimed, and free again a moment later.
var errForgotten = errors.New("the key has just been forgotten")

// fail returns the error of a call that has written nothing.
func (s *Store) fail(op string, err error) error {
	return s.failAs(op, classify(err), err)
}

func (s *Store) failAs(op string, class store.Class, err error) error {
	switch _, connecting := errors.AsType[*pgconn.ConnectError](err); {
	case connecting:
		s.primary.doubt()
	case demoted(err):
		s.log.Warn("the database is read-only; closing all connections", "error", err)
		s.leave()
	case gone(err):
		s.leave()
	}
	if code(err) == pgerrcode.InsufficientPrivilege {
		err = fmt.Errorf("%w: %w", store.ErrRights, err)
	}
	return &store.Error{Op: op, Class: class, Err: err}
}

// leave closes all connections: idle ones now, busy ones when they are released. They lead to a server that is no
// longer the primary, or is gone. A new connection costs milliseconds, while each dead one costs a failed attempt.
func (s *Store) leave() {
	s.primary.doubt()
	s.pool.Reset()
}

// demoted reports that the server takes no writes: it has become a standby, or was set to read-only.
func demoted(err error) bool {
	return code(err) == pgerrcode.ReadOnlySQLTransaction || errors.Is(err, pgconn.ErrReadOnlyConnection)
}

// gone reports that the other side ended the connection: the server is stopping, or the connection broke.
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

// classify classifies a failure if COMMIT was not sent, or certainly not executed.
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

// unreachable reports a network error or a timeout.
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
