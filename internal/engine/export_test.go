package engine

import "time"

// SetJitter makes the waits between attempts depend on a seed. Call it before Start.
func SetJitter(e *Engine, jitter func(n time.Duration) time.Duration) { e.jitter = jitter }
