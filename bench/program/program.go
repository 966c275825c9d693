// Package program runs the built sneakerdrop as a child of what measures it.
package program

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Server is a child that serves.
type Server struct {
	URL     string
	process *exec.Cmd
	log     bytes.Buffer // read once the process has ended
}

// Serve starts binary's serve on a free port of this machine, in dir, where no .env may be, and returns when it is
// ready. Its holds outlive every measurement, so that nothing but buyers moves stock. It is stopped when ctx ends.
func Serve(ctx context.Context, binary, dir, database string, args ...string) (*Server, error) {
	s := &Server{}
	s.process = exec.CommandContext(ctx, binary, append([]string{"serve", "--addr=127.0.0.1:0", "--hold=24h", "--database=" + database}, args...)...)
	s.process.Dir = dir
	s.process.Env = []string{"PATH=" + os.Getenv("PATH")}
	s.process.Stderr = &s.log
	s.process.Cancel = func() error { return s.process.Process.Signal(syscall.SIGTERM) }
	s.process.WaitDelay = 10 * time.Second
	out, err := s.process.StdoutPipe()
	if err == nil {
		err = s.process.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	if _, err := fmt.Fscanf(out, "sneakerdrop is ready at %s\n", &s.URL); err != nil {
		s.Stop()
		return nil, fmt.Errorf("start %s: %w\n%s", binary, err, s.log.Bytes())
	}
	return s, nil
}

// Pid is the child's process.
func (s *Server) Pid() int { return s.process.Process.Pid }

// Stop ends the child, and says on standard error if that went wrong.
func (s *Server) Stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	if err := s.process.Wait(); err != nil {
		fmt.Fprintf(os.Stderr, "a server ended with %v:\n%s", err, s.log.Bytes())
	}
}
