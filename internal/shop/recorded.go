package shop

import (
	"context"
	"time"

	"sneakerdrop/internal/operator"
)

// Log is the operators' log: an engine's, or a store's.
type Log interface {
	Record(ctx context.Context, a operator.Action) (operator.ActionID, error)
	Conclude(ctx context.Context, id operator.ActionID, outcome string) error
}

// UnrecordedError says that the log did not take an action's first entry. Nothing was done.
type UnrecordedError struct{ Err error }

func (e *UnrecordedError) Error() string { return e.Err.Error() }

// Unwrap returns what kept the log from it.
func (e *UnrecordedError) Unwrap() error { return e.Err }

// concludeTimeout bounds the wait for the last entry of an action that is over.
const concludeTimeout = 5 * time.Second

// Recorded does what an operator asks for between two entries of the log, and returns do's error. do says how it
// ended, in the log's words. Where the first entry cannot be written nothing is done, and the error is an
// *UnrecordedError; lost is told of a last one that cannot.
func Recorded(
	ctx context.Context, log Log, a operator.Action, do func() (outcome string, err error), lost func(operator.ActionID, error),
) error {
	id, err := log.Record(ctx, a)
	if err != nil {
		return &UnrecordedError{err}
	}
	outcome, err := do()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeTimeout)
	defer cancel()
	if failed := log.Conclude(ctx, id, outcome); failed != nil {
		lost(id, failed)
	}
	return err
}
