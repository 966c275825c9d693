package engine

import (
	"context"
	"time"

	"sneakerdrop/internal/drop"
)

// SetJitter makes the waits between attempts depend on a seed. Call it before Start.
func SetJitter(e *Engine, jitter func(n time.Duration) time.Duration) { e.jitter = jitter }

// Do runs any command in its drop's lane.
func Do(ctx context.Context, e *Engine, id drop.ID, cmd drop.Command, r Retry) (drop.Result, error) {
	return e.do(ctx, id, cmd, r)
}
