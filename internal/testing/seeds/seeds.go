// Package seeds chooses the seeds of a simulation.
package seeds

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// Of returns the seeds that SIMULATION=seed,seed… names, and sets replay. Without it, Of returns n seeds: the same ones
// each time or, in the soak build, 10,000 others each time.
func Of(t testing.TB, n int) (all []uint64, replay bool) {
	t.Helper()
	named := os.Getenv("SIMULATION")
	if named == "" {
		return usual(n), false
	}
	for text := range strings.SplitSeq(named, ",") {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("SIMULATION: %v", err)
		}
		all = append(all, seed)
	}
	return all, true
}

// from returns n seeds, beginning with first.
func from(first uint64, n int) []uint64 {
	all := make([]uint64, n)
	for i := range all {
		all[i] = first + uint64(i)
	}
	return all
}
