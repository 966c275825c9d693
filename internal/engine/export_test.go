package engine

import "time"

// SetJitter puts the waits between attempts under a seed. Call it before Start.
func SetJitter(e *Engine, jitter func(n time.Duration) time.Duration) { e.jitter = jitter }
