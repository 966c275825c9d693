package test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"sneakerdrop/internal/testing/await"
)

// patience is how long a test waits for something that should take milliseconds.
const patience = await.Patience

// server is a running `sneakerdrop serve`.
type server struct {
	url    string // from the ready line
	cmd    *exec.Cmd
	stdout lockedBuffer
	stderr lockedBuffer
	exited chan struct{}
}

// lockedBuffer may be read while a process writes to it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const readyLine = "sneakerdrop is ready at "

// start runs serve with the arguments until its ready line.
func start(dir string, env []string, args ...string) (*server, error) {
	return startProgram("sneakerdrop", dir, env, args...)
}

// startProgram is start with another program than the one under test.
func startProgram(program, dir string, env []string, args ...string) (*server, error) {
	s := &server{exited: make(chan struct{})}
	s.cmd = exec.Command(program, append([]string{"serve"}, args...)...)
	s.cmd.Dir, s.cmd.Env, s.cmd.Stderr = dir, env, &s.stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a ^C for the tests is theirs to pass on
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan string, 1)
	go func() {
		defer close(s.exited)
		r := bufio.NewReader(out)
		line, _ := r.ReadString('\n')
		fmt.Fprint(&s.stdout, line)
		ready <- line
		_, _ = io.Copy(&s.stdout, r)
		_ = s.cmd.Wait()
	}()
	select {
	case line := <-ready:
		u, ok := strings.CutPrefix(line, readyLine)
		if !ok {
			<-s.exited
			return nil, fmt.Errorf("serve ended before it was ready: %s%s", line, s.stderr.String())
		}
		s.url = strings.TrimSpace(u)
		return s, nil
	case <-time.After(patience):
		s.kill()
		return nil, fmt.Errorf("serve was not ready in %s: %s", patience, s.stderr.String())
	}
}

// stop sends the signal and waits for the exit code.
func (s *server) stop(sig syscall.Signal) (int, error) {
	if err := s.cmd.Process.Signal(sig); err != nil {
		return 0, err
	}
	select {
	case <-s.exited:
		return s.cmd.ProcessState.ExitCode(), nil
	case <-time.After(patience):
		s.kill()
		return 0, errors.New("serve did not stop in " + patience.String())
	}
}

// kill ends the server, if it still runs, and waits for its end.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// poll calls check until it succeeds or patience is over.
func poll(ctx context.Context, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}
