//go:build perf || soak

package test

import (
	"encoding/json"
	"os/exec"
	"testing"
)

// acceptedPerSecond runs a load that must have no error.
func acceptedPerSecond(t *testing.T, args ...string) float64 {
	t.Helper()
	out, err := exec.Command("sneakerdrop", append([]string{"bench", "--json"}, args...)...).Output()
	var r struct {
		Accepted float64 `json:"accepted_per_second"`
		Errors   int     `json:"errors"`
	}
	if err != nil || json.Unmarshal(out, &r) != nil || r.Errors > 0 || r.Accepted == 0 {
		t.Fatalf("bench %v: %v, %s", args, err, out)
	}
	return r.Accepted
}
