//go:build !soak

package seeds

func usual(n int) []uint64 { return from(1, n) }
