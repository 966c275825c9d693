package test

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/testing/pgtest"
)

// What docs/TESTING.md promises of memory. The promises of time are in figures_perf_test.go: memory is no smaller on a
// faster machine.
func TestFigures_IdleMemoryBelow40MB(t *testing.T) {
	t.Parallel()
	for name, args := range engines(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := start(t.TempDir(), os.Environ(), append(args, "--addr", "localhost:0", "--demo")...)
			if err != nil {
				t.Fatal(err)
			}
			defer s.kill()
			mustGet(t, s.url+"/api/drops")
			// Idle is what is measured: two sweeps go by, and what the start left behind goes back to the system.
			var mb float64
			for range 10 {
				time.Sleep(2 * time.Second)
				if mb = residentMB(t, s.cmd.Process.Pid); mb <= 40 {
					break
				}
			}
			t.Logf("resident: %.1f MB", mb)
			if mb > 40 {
				t.Errorf("resident: %.1f MB, want at most 40", mb)
			}
		})
	}
}

// engines gives serve's arguments for a fresh database of each kind.
func engines(t *testing.T) map[string][]string {
	return map[string][]string{"sqlite": nil, "postgres": {"--database", pgtest.Database(t)}}
}

func mustGet(t *testing.T, url string) {
	t.Helper()
	if status, body := get(t, url); status != http.StatusOK {
		t.Fatalf("%s: %d %s", url, status, body)
	}
}

func mustPost(t *testing.T, url, body string) {
	t.Helper()
	if answer := post(t, url, body); !strings.HasPrefix(answer, "200 ") {
		t.Fatalf("%s: %s", url, answer)
	}
}

// residentMB reads what the kernel says of a process's memory.
func residentMB(t *testing.T, pid int) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	kb, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	n, err := strconv.Atoi(kb)
	if err != nil {
		t.Fatalf("VmRSS: %v", err)
	}
	return float64(n) / 1024
}
