//go:build linux

package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sneakerdrop/internal/testing/pgtest"
)

// program is something that runs on a machine and is restarted when it ends, like a service.
type program struct {
	name    string
	machine *machine
	args    []string
	env     []string
	dir     string // its own, where its log is
	as      *syscall.Credential

	process *os.Process
	done    chan struct{} // closed when it has ended
}

// mark is in the environment of every program, so that all of them can be found.
const mark = "SNEAKERDROP_TEST_CLUSTER_OF"

// start starts the program from a thread of its own that lives as long, because a child is signaled when that thread
// ends.
func (p *program) start() error {
	log, err := os.OpenFile(filepath.Join(p.dir, p.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, log, log
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=" + p.dir, fmt.Sprint(mark, "=", os.Getpid())}, p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: p.as}
	started, done := make(chan error), make(chan struct{})
	go func() {
		defer log.Close()
		runtime.LockOSThread()
		err := p.machine.enter()
		if err == nil {
			err = cmd.Start()
		}
		started <- err
		if err == nil {
			_ = cmd.Wait() // the log says how it ended
			close(done)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.process, p.done = cmd.Process, done
	return nil
}

func (p *program) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return p.process != nil
	}
}

// send sends a signal to the program and all its children, except those that left its group.
func (p *program) send(s syscall.Signal) {
	if p.running() {
		_ = syscall.Kill(-p.process.Pid, s) // it may have just ended
	}
}

func (p *program) kill() {
	p.send(syscall.SIGKILL)
	<-p.done
}

// stop asks the program to end.
func (p *program) stop() error {
	p.send(syscall.SIGTERM)
	select {
	case <-p.done:
		return nil
	case <-time.After(patience):
		p.kill()
		return fmt.Errorf("%s did not stop within %s", p.name, patience)
	}
}

// tail is the end of the program's log.
func (p *program) tail() string {
	text, err := os.ReadFile(filepath.Join(p.dir, p.name+".log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// account is the user that the programs run as if we are root, because PostgreSQL refuses to run as root.
func account(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	must(t, err)
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	must(t, err)
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	must(t, err)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// strays are processes that were started here by any program and still run.
func strays() []int {
	var found []int
	ours := fmt.Appendf(nil, "%s=%d\x00", mark, os.Getpid())
	for pid := range pgtest.Processes() {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err == nil && strings.Contains(string(env)+"\x00", string(ours)) {
			found = append(found, pid)
		}
	}
	slices.Sort(found)
	return found
}

// endAll kills everything that was started here, and returns what remains.
func endAll() error {
	deadline := time.Now().Add(patience)
	for {
		left := strays()
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.New("processes live on: " + fmt.Sprint(left))
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
