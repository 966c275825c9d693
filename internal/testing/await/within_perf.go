//go:build perf

package await

import "time"

// Within bounds what is promised to take no longer than d, by d.
func Within(d time.Duration) time.Duration { return d }
