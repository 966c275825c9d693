package engine

import (
	"context"

	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
)

// Record appends an action to the operators' log before it is done. If the store fails and Record retries, the action
// may appear twice, the first time without an outcome.
func (e *Engine) Record(ctx context.Context, a operator.Action) (operator.ActionID, error) {
	return Ask(ctx, e, func(s store.Records) (operator.ActionID, error) { return s.Record(ctx, a) })
}

// Conclude adds an action's outcome.
func (e *Engine) Conclude(ctx context.Context, id operator.ActionID, outcome string) error {
	_, err := Ask(ctx, e, func(s store.Records) (struct{}, error) { return struct{}{}, s.Conclude(ctx, id, outcome) })
	return err
}
