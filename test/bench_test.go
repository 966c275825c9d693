package test

import (
	"bytes"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A ^C, which a terminal sends to the whole process group, ends a run, which then reports what it has found so far.
func TestBench_EndsEarlyWithTheResultSoFar(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sneakerdrop", "bench", "--duration=1h", "--connections=4")
	cmd.Dir = t.TempDir()
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond) // at any time
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		early := strings.Contains(problems.String(), "canceled") // on a slow machine: before the first result
		if err == nil && !strings.Contains(out.String(), "clean") || err != nil && !early {
			t.Errorf("%v: %s%s", err, out.String(), problems.String())
		}
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		t.Fatal("it goes on")
	}
}
