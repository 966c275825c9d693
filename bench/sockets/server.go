package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// server is a child process that is measured.
type server struct {
	name    string
	port    int
	process *exec.Cmd
	control io.WriteCloser
	answers *bufio.Reader
}

// start runs a server pinned to a core and waits until it listens.
func start(name string, core int, command ...string) (*server, error) {
	s := &server{name: name}
	args := append([]string{"-c", strconv.Itoa(core)}, command...)
	s.process = exec.Command("taskset", args...) //nolint:noctx // ours or Node's; stop ends it
	s.process.Stderr = os.Stderr
	var err error
	if s.control, err = s.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.answers = bufio.NewReader(out)
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if _, err := fmt.Fscanf(s.answers, "listening %d\n", &s.port); err != nil {
		s.stop()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return s, nil
}

// stop ends the server and waits for its process.
func (s *server) stop() {
	_ = s.control.Close()
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// ask sends one command and decodes the answer into answer, which may be nil.
func (s *server) ask(answer any, command string, args ...any) error {
	if _, err := fmt.Fprintln(s.control, append([]any{command}, args...)...); err != nil {
		return fmt.Errorf("%s: %s: %w", s.name, command, err)
	}
	line, err := s.answers.ReadBytes('\n')
	if err == nil && answer != nil {
		err = json.Unmarshal(line, answer)
	}
	if err != nil {
		return fmt.Errorf("%s: %s: %w", s.name, command, err)
	}
	return nil
}

// settled asks the server to collect its garbage and returns its resident memory in bytes. Both servers are asked, so
// that what is compared is what their connections hold.
func (s *server) settled() (int64, error) {
	time.Sleep(500 * time.Millisecond)
	for range 2 {
		if err := s.ask(nil, "collect"); err != nil {
			return 0, err
		}
	}
	return s.resident()
}

func (s *server) connections() (n int, err error) {
	return n, s.ask(&n, "connections")
}

// resident is the memory of the process in bytes.
func (s *server) resident() (int64, error) {
	fields, err := s.proc("statm")
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// cpu is the processor time that the process has used, in steps of 10 ms.
func (s *server) cpu() (time.Duration, error) {
	fields, err := s.proc("stat")
	if err != nil {
		return 0, err
	}
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil // USER_HZ is 100 on every Linux
}

// proc returns the fields of the process's file, for stat those after the command's name, which may hold spaces.
func (s *server) proc(file string) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.process.Process.Pid, file))
	if err != nil {
		return nil, fmt.Errorf("measure %s: %w", s.name, err)
	}
	if i := bytes.LastIndexByte(text, ')'); i >= 0 {
		text = text[i+1:]
	}
	return strings.Fields(string(text)), nil
}
