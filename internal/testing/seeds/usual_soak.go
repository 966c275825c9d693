//go:build soak

package seeds

import "time"

func usual(int) []uint64 { return from(uint64(time.Now().UnixNano()), 10_000) }
