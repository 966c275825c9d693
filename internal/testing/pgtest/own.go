package pgtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Cluster is a PostgreSQL server for one test, which may stop it, kill it, freeze it, or fill its disk.
type Cluster struct{ c *cluster }

// Where a Cluster is and how it is set up.
type Where struct {
	// Dir is an existing directory, such as the root of a small file system; "": a temporary one.
	Dir string
	// Initdb has options for initdb, and Settings those of the server: name=value. They come after those that every
	// cluster has.
	Initdb, Settings []string
}

// NewCluster starts a server that ends with the test. Without PostgreSQL's programs it does the same as Database.
func NewCluster(t testing.TB, w Where) *Cluster {
	t.Helper()
	bin, err := findBinaries()
	if errors.Is(err, errNoBinaries) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	sweep()
	dir, err := os.MkdirTemp(w.Dir, fmt.Sprintf("%s%d-", dirPrefix, os.Getpid())) //nolint:usetesting // another user must get there
	if err != nil {
		t.Fatal(err)
	}
	if w.Dir != "" { // PostgreSQL's user must be able to get there
		if err := os.Chmod(w.Dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := &cluster{bin: bin, dir: dir, settings: w.Settings, host: Loopback()}
	if err := c.init(w.Initdb...); err != nil {
		t.Fatal(errors.Join(err, os.RemoveAll(dir)))
	}
	own := &Cluster{c: c}
	own.endWith(t)
	return own
}

func (o *Cluster) endWith(t testing.TB) {
	t.Cleanup(func() {
		o.Thaw()
		o.c.stop()
		if t.Failed() {
			t.Logf("PostgreSQL's log:\n%s", o.c.log)
		}
	})
}

// Loopback returns an address of this machine that nobody else listens on. A server that is away for a while must
// keep its port, even if clients still try to connect. On 127.0.0.1 another program could get that port. Only Linux
// has all of 127/8.
func Loopback() string {
	if runtime.GOOS != "linux" {
		return "127.0.0.1"
	}
	return fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(255), 1+rand.IntN(254))
}

// URL is the URL of a database without tables.
func (o *Cluster) URL() string { return o.c.url("postgres") }

// StopFast ends the server like an administrator: it terminates the sessions and makes a checkpoint.
func (o *Cluster) StopFast() error { return o.stop(syscall.SIGINT) }

// StopImmediately ends the server without a checkpoint; the next start recovers from the log.
func (o *Cluster) StopImmediately() error { return o.stop(syscall.SIGQUIT) }

// Kill ends the server and all its sessions at once, like a power failure, except that files keep what was written to
// them.
func (o *Cluster) Kill() error {
	all := Family(o.c.process.Pid)
	for _, pid := range all {
		_ = syscall.Kill(pid, syscall.SIGKILL) // may have ended by itself
	}
	<-o.c.done
	return nil
}

func (o *Cluster) stop(sig syscall.Signal) error {
	if err := o.c.process.Signal(sig); err != nil {
		return err
	}
	select {
	case <-o.c.done:
		return nil
	case <-time.After(patience):
		return errors.New("postgres does not stop")
	}
}

// Running reports whether the server is still running.
func (o *Cluster) Running() bool {
	select {
	case <-o.c.done:
		return false
	default:
		return true
	}
}

// Start restarts a server that has ended, on the same data and port, and returns when it accepts connections.
func (o *Cluster) Start() error {
	// A server that was killed may have left processes that use its memory for a moment longer.
	deadline := time.Now().Add(patience)
	for {
		err := o.c.launch()
		if err == nil || time.Now().After(deadline) || !strings.Contains(err.Error(), "still in use") {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Freeze stops the server and its sessions from running, while their connections stay open. Thaw lets them continue.
// It finds the sessions only on Linux.
func (o *Cluster) Freeze() {
	for _, pid := range Family(o.c.process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
	}
}

// Thaw ends a Freeze.
func (o *Cluster) Thaw() {
	if !o.Running() {
		return
	}
	for _, pid := range Family(o.c.process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
}

// Family returns a process and its children. The process is first, so that it makes no more children while they are
// handled.
func Family(parent int) []int {
	all := []int{parent}
	for pid, of := range Processes() {
		if of == parent {
			all = append(all, pid)
		}
	}
	return all
}

// Processes returns all processes of this machine with their parents, or none without /proc.
func Processes() map[int]int {
	all := make(map[int]int)
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil // our pattern cannot be malformed
	}
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ") // 7 (postgres) S 1 …
		fields := strings.Fields(rest)
		if len(fields) < 2 || fields[0] == "Z" {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		parent, err2 := strconv.Atoi(fields[1])
		if err == nil && err2 == nil {
			all[pid] = parent
		}
	}
	return all
}
