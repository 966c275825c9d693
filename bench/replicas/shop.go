package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"
)

// server is the built program as a child.
type server struct {
	url     string
	process *exec.Cmd
	log     bytes.Buffer // read once the process has ended
}

func (o settings) start(ctx context.Context, args ...string) (*server, error) {
	s := &server{}
	s.process = exec.CommandContext(ctx, o.binary, append([]string{
		"serve", "--addr=127.0.0.1:0", "--hold=24h", "--log-level=error", "--max-connections=20000",
	}, args...)...)
	s.process.Dir = os.TempDir() // where no .env is
	s.process.Env = []string{"PATH=" + os.Getenv("PATH"), "DATABASE_URL=" + o.database}
	s.process.Stderr = &s.log
	s.process.Cancel = func() error { return s.process.Process.Signal(syscall.SIGTERM) }
	s.process.WaitDelay = 10 * time.Second
	out, err := s.process.StdoutPipe()
	if err == nil {
		err = s.process.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", o.binary, err)
	}
	if _, err := fmt.Fscanf(out, "sneakerdrop is ready at %s\n", &s.url); err != nil {
		s.stop()
		return nil, fmt.Errorf("start %s: %w\n%s", o.binary, err, s.log.Bytes())
	}
	return s, nil
}

func (s *server) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	if err := s.process.Wait(); err != nil {
		fmt.Fprintf(os.Stderr, "a server ended with %v:\n%s", err, s.log.Bytes())
	}
}

// shop is servers of one database with a NATS between, which runs in this process.
type shop struct {
	servers []*server
	nats    *nats.Server
	port    int
}

func (o settings) open(ctx context.Context, n int) (*shop, error) {
	s := &shop{port: -1}
	if err := s.broker(); err != nil {
		return nil, err
	}
	for range n {
		one, err := o.start(ctx, "--nats=nats://127.0.0.1:"+strconv.Itoa(s.port))
		if err != nil {
			s.close()
			return nil, err
		}
		s.servers = append(s.servers, one)
	}
	return s, nil
}

// broker starts NATS, on the port that it had before.
func (s *shop) broker() (err error) {
	if s.nats, err = nats.NewServer(&nats.Options{Host: "127.0.0.1", Port: s.port, NoSigs: true, NoLog: true}); err != nil {
		return err
	}
	s.nats.Start()
	if !s.nats.ReadyForConnections(10 * time.Second) {
		return errors.New("NATS does not start")
	}
	_, port, err := splitPort(s.nats.Addr().String())
	s.port = port
	return err
}

func (s *shop) away() {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
}

func (s *shop) close() {
	for _, one := range s.servers {
		one.stop()
	}
	s.away()
}

// result is what of bench's JSON is used here.
type result struct {
	Accepted  float64 `json:"accepted_per_second"`
	Errors    int64   `json:"errors"`
	Servers   []int64 `json:"servers"`
	Latencies []struct {
		P99 float64 `json:"p99_ms"`
	} `json:"latency"`
}

func (r *result) p99() float64 {
	if len(r.Latencies) == 0 {
		return 0
	}
	return r.Latencies[0].P99
}

// uneven is how far a server's share is off an equal one, at most, as a part of that.
func (r *result) uneven() float64 {
	sum := int64(0)
	for _, n := range r.Servers {
		sum += n
	}
	worst := 0.0
	for _, n := range r.Servers {
		off := float64(n)*float64(len(r.Servers))/float64(sum) - 1
		worst = max(worst, off, -off)
	}
	return worst
}

// sell measures so many servers of one shop. An answer that is not true ends it in an error.
func (o settings) sell(ctx context.Context, n int) (r result, err error) {
	s, err := o.open(ctx, n)
	if err != nil {
		return r, err
	}
	defer s.close()
	args := []string{"bench", "--json", "--connections=" + strconv.Itoa(o.connections), "--duration=" + o.long.String()}
	for _, one := range s.servers {
		args = append(args, "--url="+one.url)
	}
	cmd := exec.CommandContext(ctx, o.binary, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("%w: %s", err, stderr.String())
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, err
	}
	if r.Errors > 0 {
		return r, fmt.Errorf("%d calls of %d servers failed", r.Errors, n)
	}
	return r, nil
}
