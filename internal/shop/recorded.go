package shop

import (
	"context"
	"time"

	"sneakerdrop/internal/operator"
)

// Log is the operators' log. An engine and a store implement it.
type Log interface {
	Record(ctx context.Context, a operator.Action) (operator.ActionID, error)
	Conclude(ctx context.Context, id operator.ActionID, outcome string) error
}

// UnrecordedError says that the log could not store an action's first entry. Nothing was done.
type UnrecordedError struct{ Err error }

func (e *UnrecordedError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UnrecordedError) Unwrap() error { return e.Err }

// concludeTimeout limits the wait for the last entry of an action.
const concludeTimeout = 5 * time.Second

// Recorded runs do between two entries of the operators' log, and returns do's error. do also returns its outcome, as
// the log writes it. If the first entry cannot be written, Recorded does not run do and returns an *UnrecordedError.
// It calls lost if the last entry cannot be written.
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
