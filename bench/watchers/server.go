package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sneakerdrop/bench/program"
)

// server is the built program, with a database of its own where that is a file.
type server struct {
	*program.Server

	addr string
	dir  string
}

func start(ctx context.Context, binary, database string) (*server, error) {
	dir, err := os.MkdirTemp("", "sneakerdrop-bench-")
	if err != nil {
		return nil, err
	}
	if database == "" {
		database = "sqlite:" + filepath.Join(dir, "shop.db")
	}
	child, err := program.Serve(ctx, binary, dir, database, "--max-sockets-per-address=20000", "--max-connections-per-address=30000") // all watchers are here
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &server{Server: child, addr: strings.TrimPrefix(child.URL, "http://"), dir: dir}, nil
}

// stop ends the program and removes what it kept.
func (s *server) stop() {
	s.Stop()
	_ = os.RemoveAll(s.dir)
}

// units of each drop: more than any measurement can reserve.
const units = 10_000_000

// create makes a drop that has started and returns its id.
func (s *server) create(ctx context.Context, name string) (id int64, err error) {
	body := fmt.Sprintf(`{"name":%q,"price":200,"total_stock":%d,"start_time":"2026-01-01T00:00:00Z"}`, name, units)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.addr+"/api/drops/create", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("create a drop: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s", answer.Status, text)
	}
	var made struct{ ID int64 }
	if err == nil {
		err = json.Unmarshal(text, &made)
	}
	if err != nil {
		return 0, fmt.Errorf("create a drop: %w", err)
	}
	return made.ID, nil
}

// cpu is the processor time that the program has used, in steps of 10 ms. A database server's is not in it.
func (s *server) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.Pid()))
	if err != nil {
		return 0, fmt.Errorf("measure the server: %w", err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("measure the server: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

const tick = 10 * time.Millisecond // of the kernel's counters, on every Linux

// busy is the processor time that everything on the machine has used, what a hypervisor took away included.
func busy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("measure the machine: %w", err)
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	var ticks int64
	for i, field := range strings.Fields(string(line))[1:9] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("measure the machine: %w", err)
		}
		if i != 3 && i != 4 { // idle and iowait
			ticks += n
		}
	}
	return time.Duration(ticks) * tick, nil
}
