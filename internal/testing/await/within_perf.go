//go:build perf

package await

import "time"

// Within returns the limit for something that is promised within d: d itself.
func Within(d time.Duration) time.Duration { return d }
