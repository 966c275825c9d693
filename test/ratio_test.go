package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// floor is what a reserve on SQLite, with identity and limits, must reach of a handler that does nothing, in one run on one
// machine: 64 connections, the load on the same processors. docs/BENCHMARKS.md has what was seen, and why this is safe.
const floor = 0.38

// A change that makes reserving much dearer fails here, on any machine: what is compared ran in turns, a second each.
func TestRatio_ReserveToAHandlerThatDoesNothing(t *testing.T) {
	var memory string // the databases are here: how fast a disk is says nothing of the program
	perSecond := func(args ...string) float64 {
		t.Helper()
		cmd := exec.Command("sneakerdrop", append([]string{"bench", "--json", "--duration=1s"}, args...)...)
		cmd.Env = append(os.Environ(), "TMPDIR="+memory)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("bench %v: %v", args, err)
		}
		var r struct {
			Accepted float64 `json:"accepted_per_second"`
		}
		if err := json.Unmarshal(out, &r); err != nil || r.Accepted == 0 {
			t.Fatalf("bench %v: %s, %v", args, out, err)
		}
		return r.Accepted
	}
	memory = t.TempDir()
	if dir, err := os.MkdirTemp("/dev/shm", "sneakerdrop-ratio-"); err == nil { //nolint:usetesting // in memory; where there is none, the disk counts too
		memory = dir
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
	}
	var ratios []float64
	for range 5 {
		noop := perSecond("--control")
		ratios = append(ratios, perSecond("--sign-in")/noop)
	}
	slices.Sort(ratios)
	t.Logf("ratios %.2f", ratios)
	if median := ratios[len(ratios)/2]; median < floor {
		t.Errorf("the median of %.2f is below %.2f", ratios, floor)
	}
}
