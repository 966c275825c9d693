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
	"time"

	nats "github.com/nats-io/nats-server/v2/server"

	"sneakerdrop/bench/program"
)

// shop is servers of one database with a NATS between, which runs in this process.
type shop struct {
	servers []*program.Server
	nats    *nats.Server
	port    int
}

func (o settings) open(ctx context.Context, n int) (*shop, error) {
	s := &shop{port: -1}
	if err := s.broker(); err != nil {
		return nil, err
	}
	for range n {
		one, err := program.Serve(ctx, o.binary, os.TempDir(), o.database,
			"--nats=nats://127.0.0.1:"+strconv.Itoa(s.port), "--log-level=error", "--max-connections=20000", "--max-connections-per-address=20000")
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
		one.Stop()
	}
	s.away()
}

// result holds the fields of bench's JSON that are used here.
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
		args = append(args, "--url="+one.URL)
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
