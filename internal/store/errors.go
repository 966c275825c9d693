package store

import (
	"errors"
	"fmt"
)

// ErrNotEmpty is returned by Fill if it would have to replace existing data.
var ErrNotEmpty = errors.New("the database is not empty")

// ErrKeyUsed is the cause of a batch's failure if it would keep an answer under a key that already has one. The
// failure is a *Error of ClassFault, because the same batch would fail again. A batch that has looked up its keys
// (Need.Keys) never gets it.
var ErrKeyUsed = errors.New("an answer is already kept under the key")

// ErrTooNew is returned by Migrate and Ready if a newer program has migrated the database and this one cannot work
// with it.
var ErrTooNew = errors.New("the database was migrated by a newer sneakerdrop; run that version or a newer one")

// ErrRights is in the error of a call that the role that serves may not make: a *Error of ClassFault.
var ErrRights = errors.New("the database role lacks the right to do this")

// Class says what is known after a failure. The lane decides by it what to do next.
type Class int8

const (
	// ClassFault: nothing was written, and no retry helps. The statement or its data are at fault.
	ClassFault Class = iota
	// ClassRolledBack: nothing was written and the store works; retry at once. Causes are a serialization failure, a
	// deadlock, a lock timeout, or a primary that has just become a standby.
	ClassRolledBack
	// ClassUnavailable: nothing was written and the store is out of reach; retry later.
	ClassUnavailable
	// ClassExhausted: nothing was written because the store lacks a resource (disk, memory, connections); retry
	// later.
	ClassExhausted
	// ClassUnknown: COMMIT was sent and its outcome is unknown; call Committed.
	ClassUnknown
)

// String returns the class's name in metrics and logs.
func (c Class) String() string {
	switch c {
	case ClassFault:
		return "fault"
	case ClassRolledBack:
		return "rolled_back"
	case ClassUnavailable:
		return "unavailable"
	case ClassExhausted:
		return "exhausted"
	case ClassUnknown:
		return "unknown"
	default:
		return fmt.Sprintf("Class(%d)", int8(c))
	}
}

// Error is a failure of a store: the operation, what is known after it, and the cause.
type Error struct {
	Op    string // for example "commit drop 7"
	Class Class
	Err   error
}

func (e *Error) Error() string { return e.Op + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of the *Error in err's chain. Any other error is ClassFault.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return ClassFault
}
