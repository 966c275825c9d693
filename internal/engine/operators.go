package engine

import (
	"context"

	"sneakerdrop/internal/operator"
)

// Token returns an operator's token; see store.Operators.
func (e *Engine) Token(ctx context.Context, hash operator.Hash) (operator.Token, error) {
	return again(ctx, e, func() (operator.Token, error) { return e.store.Token(ctx, hash) })
}

// Record appends an action to the operators' log before it is done. Tried again where the store fails, an action may stand
// there twice, the first time without an outcome.
func (e *Engine) Record(ctx context.Context, a operator.Action) (operator.ActionID, error) {
	return again(ctx, e, func() (operator.ActionID, error) { return e.store.Record(ctx, a) })
}

// Conclude adds an action's outcome.
func (e *Engine) Conclude(ctx context.Context, id operator.ActionID, outcome string) error {
	_, err := again(ctx, e, func() (struct{}, error) { return struct{}{}, e.store.Conclude(ctx, id, outcome) })
	return err
}

// Actions reads the operators' log; see store.Operators.
func (e *Engine) Actions(ctx context.Context, before operator.ActionID, limit int) ([]operator.Action, error) {
	return again(ctx, e, func() ([]operator.Action, error) { return e.store.Actions(ctx, before, limit) })
}
