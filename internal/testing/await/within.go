//go:build !perf

package await

import "time"

// Within bounds what is promised to take no longer than d: by Patience here, and by d itself in `make perf`, which
// has the machine to itself.
func Within(time.Duration) time.Duration { return Patience }
