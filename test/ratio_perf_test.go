//go:build perf

package test

import (
	"os"
	"slices"
	"testing"
)

// floor is the lowest share of an empty handler's throughput that a reserve on SQLite must reach, with identity and
// limits. Both run on one machine in one run, with 64 connections and the load on the same processors.
// docs/BENCHMARKS.md has the measurements, and says why this limit is safe.
const floor = 0.38

// A change that makes reserving much more expensive fails here, on any machine, because the two alternate every
// second.
func TestRatio_ReserveToAHandlerThatDoesNothing(t *testing.T) {
	// The databases are in memory, because the speed of a disk says nothing about the program. If there is no such
	// place, the disk counts too.
	memory := t.TempDir()
	if dir, err := os.MkdirTemp("/dev/shm", "sneakerdrop-ratio-"); err == nil { //nolint:usetesting // the test's own folder may be on a disk
		memory = dir
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
	}
	t.Setenv("TMPDIR", memory)
	var ratios []float64
	for range 5 {
		noop := acceptedPerSecond(t, "--duration=1s", "--control")
		ratios = append(ratios, acceptedPerSecond(t, "--duration=1s", "--sign-in")/noop)
	}
	slices.Sort(ratios)
	t.Logf("ratios %.2f", ratios)
	if median := ratios[len(ratios)/2]; median < floor {
		t.Errorf("the median of %.2f is below %.2f", ratios, floor)
	}
}
