//go:build !perf

package await

import "time"

// Within returns the limit for something that is promised within d: Patience here, and d itself in `make perf`, which
// has the machine to itself.
func Within(time.Duration) time.Duration { return Patience }
