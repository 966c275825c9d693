package store

import (
	"errors"
	"fmt"
)

// ErrNotEmpty is returned by Fill when there is something that it would have to replace.
var ErrNotEmpty = errors.New("the database is not empty")

// ErrKeyUsed is in the error of a batch that would keep an answer under a key that has one: a *Error of ClassFault,
// since the same batch would fail again. One that has looked its keys up (Need.Keys) does not do so.
var ErrKeyUsed = errors.New("an answer is kept under the key")

// ErrTooNew is returned by Migrate and Ready when a newer program has migrated the database, and older ones cannot go
// on with it.
var ErrTooNew = errors.New("the database was migrated by a newer sneakerdrop; run that version or a newer one")

// ErrRights is in the error of a call that the role that serves may not make: a *Error of ClassFault.
var ErrRights = errors.New("the database role lacks the right to do this")

// Class says what a failure means for the batch, and so what its lane does next.
type Class int8

const (
	// ClassFault is a failure that no retry mends: nothing was written, the statement or its data are at fault.
	ClassFault Class = iota
	// ClassRolledBack: nothing was written and the store is well; try again at once (a serialization failure, a
	// deadlock, a lock not had in time, a primary that has just become a standby).
	ClassRolledBack
	// ClassUnavailable: nothing was written, the store is out of reach; try again later.
	ClassUnavailable
	// ClassExhausted: nothing was written, the store is out of a resource (disk, memory, connections); try again later.
	ClassExhausted
	// ClassUnknown: COMMIT was sent and its outcome is not known; ask Committed.
	ClassUnknown
)

// String names the class in metrics and logs.
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

// Error is a failure of a store: what it was doing, what that means, and the cause.
type Error struct {
	Op    string // "commit drop 7"
	Class Class
	Err   error
}

func (e *Error) Error() string { return e.Op + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of the *Error in err's chain; any other error is ClassFault.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return ClassFault
}
