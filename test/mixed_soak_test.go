//go:build soak

package test

import (
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"sneakerdrop/internal/testing/pgtest"
)

// For five minutes, as many buyers as the machine can handle reserve, buy or never come back, and holds of 60 s end.
// The last minute is as fast as the first. The server's memory stays where it was after the second minute, and the
// audit finds no discrepancies.
//
// Within five minutes, the machine's own speed changes more than a shop's may. So the first minute is that of another
// shop, in turns of 10 s with the last minute of this one.
func TestSoak_MixedLifeStaysAsFastAsItWas(t *testing.T) {
	for name, databases := range map[string][2]string{
		"PostgreSQL": {pgtest.Database(t), pgtest.Database(t)},
		"SQLite":     {"sqlite:shop.db", "sqlite:shop.db"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			old, fresh := startFor(t, dir, "--database="+databases[0]), startFor(t, t.TempDir(), "--database="+databases[1])
			const minutes, turns = 4, 6
			var accepted, memory, ratios []float64
			for range minutes {
				accepted, memory = append(accepted, mixedLife(t, old, "1m")), append(memory, metricValue(t, old.url, "process_resident_memory_bytes"))
			}
			for range turns {
				first, last := mixedLife(t, fresh, "10s"), mixedLife(t, old, "10s")
				ratios = append(ratios, last/first)
			}
			memory = append(memory, metricValue(t, old.url, "process_resident_memory_bytes"))
			slices.Sort(ratios)
			median := (ratios[turns/2-1] + ratios[turns/2]) / 2
			t.Logf("accepted a second %.0f, memory %.0f; the last minute to the first: %.2f of %.2f", accepted, memory, median, ratios)
			if median < 0.9 {
				t.Errorf("the last minute has %.2f of the first, want at least 0.9", median)
			}
			if memory[minutes] > 1.5*memory[1] {
				t.Errorf("memory grew from %.0f to %.0f bytes", memory[1], memory[minutes])
			}
			if _, err := old.stop(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			audit := exec.Command("sneakerdrop", "audit", "--database="+databases[0])
			audit.Dir = dir
			if out, err := audit.CombinedOutput(); err != nil || !strings.Contains(string(out), "clean") {
				t.Errorf("audit: %v\n%s", err, out)
			}
		})
	}
}

// mixedLife loads a server and returns how many calls it accepted per second.
func mixedLife(t *testing.T, s *server, duration string) float64 {
	t.Helper()
	return acceptedPerSecond(t, "--url="+s.url, "--scenario=mixed", "--connections=256", "--duration="+duration)
}
