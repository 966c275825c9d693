//go:build soak

package test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"sneakerdrop/internal/store/postgres/pgtest"
)

// Five minutes of buyers who reserve, buy or never come back, as many as the machine takes, holds of 60 s ending among them: the last minute
// is as fast as the first, the server's memory stays where it was after the second, and the books are right.
func TestSoak_MixedLifeStaysAsFastAsItWas(t *testing.T) {
	for name, database := range map[string]string{"PostgreSQL": pgtest.Database(t), "SQLite": "sqlite:shop.db"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := startFor(t, dir, "--database="+database)
			var accepted, memory []float64
			for range 5 {
				cmd := exec.Command("sneakerdrop", "bench", "--url="+s.url, "--scenario=mixed", "--connections=256", "--duration=1m", "--json")
				out, err := cmd.Output()
				var r struct {
					Accepted float64 `json:"accepted_per_second"`
					Errors   int     `json:"errors"`
				}
				if err != nil || json.Unmarshal(out, &r) != nil || r.Errors > 0 || r.Accepted == 0 {
					t.Fatalf("bench: %v, %s", err, out)
				}
				accepted, memory = append(accepted, r.Accepted), append(memory, metricValue(t, s.url, "process_resident_memory_bytes"))
			}
			t.Logf("accepted a second %.0f, memory %.0f", accepted, memory)
			if ratio := accepted[4] / accepted[0]; ratio < 0.9 {
				t.Errorf("the last minute has %.2f of the first, want at least 0.9", ratio)
			}
			if memory[4] > 1.5*memory[1] {
				t.Errorf("memory grew from %.0f to %.0f bytes", memory[1], memory[4])
			}
			if _, err := s.stop(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			audit := exec.Command("sneakerdrop", "audit", "--database="+database)
			audit.Dir = dir
			if out, err := audit.CombinedOutput(); err != nil || !strings.Contains(string(out), "clean") {
				t.Errorf("audit: %v\n%s", err, out)
			}
		})
	}
}
