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

// Cluster is a PostgreSQL server of one test's own: to be stopped, killed, frozen, filled up.
type Cluster struct{ c *cluster }

// Where a Cluster is and how it is set up.
type Where struct {
	// Dir is an existing directory, such as the root of a small file system; "": one of the system's temporary ones.
	Dir string
	// Initdb are options of initdb, Settings of the server: name=value. They come after those that every cluster has.
	Initdb, Settings []string
}

// NewCluster starts a server that ends with the test. Where there are no binaries it does as Database does.
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
	if w.Dir != "" { // PostgreSQL's user must get there
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

// Loopback returns an address of this machine that nobody else listens on. Where a server that is away must keep its
// port, or may have clients that still knock, another program on 127.0.0.1 could be given that port meanwhile. Only
// Linux has all of 127/8.
func Loopback() string {
	if runtime.GOOS != "linux" {
		return "127.0.0.1"
	}
	return fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(255), 1+rand.IntN(254))
}

// URL leads to a database without tables.
func (o *Cluster) URL() string { return o.c.url("postgres") }

// StopFast ends the server as an administrator does: sessions are terminated, then there is a checkpoint.
func (o *Cluster) StopFast() error { return o.stop(syscall.SIGINT) }

// StopImmediately ends the server without a checkpoint; the next start recovers from the log.
func (o *Cluster) StopImmediately() error { return o.stop(syscall.SIGQUIT) }

// Kill ends the server and all its sessions at once, as a power failure would. What they wrote to files stays.
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

// Running reports whether the server has not ended, by itself or otherwise.
func (o *Cluster) Running() bool {
	select {
	case <-o.c.done:
		return false
	default:
		return true
	}
}

// Start starts a server that has ended, where it was, and returns when it takes connections.
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

// Freeze keeps the server and its sessions from running at all; their connections stay open. Thaw lets them go on. Only
// on Linux are the sessions found.
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

// Family is a process and its children, it first, so that none is made while they are gone through.
func Family(parent int) []int {
	all := []int{parent}
	for pid, of := range Processes() {
		if of == parent {
			all = append(all, pid)
		}
	}
	return all
}

// Processes are all that run on this machine, with their parents; none where there is no /proc.
func Processes() map[int]int {
	all := make(map[int]int)
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil // the pattern is ours: cannot be malformed
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
