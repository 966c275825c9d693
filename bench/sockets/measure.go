package main

import (
	"fmt"
	"time"
)

// figures are what one round of one server gives.
type figures struct {
	idleKB    float64 // resident memory a connection
	messageUS float64 // processor time a message
	p99MS     float64 // from the server's clock to the client's
	updates   float64 // a second of the server's processor time, several drops changing at once
}

const (
	warmUp     = 100 // clients that come and go first, so that loading code is not taken for memory of connections
	broadcasts = 20  // of one update each
	period     = 200 * time.Millisecond
	ticks      = 6 // of several updates each
	limit      = 60 * time.Second
)

// round measures a fresh server with n clients.
func round(s *server, n, drops int) (f figures, err error) {
	if err := warm(s); err != nil {
		return f, err
	}
	before, err := s.settled()
	if err != nil {
		return f, err
	}
	c := &crowd{port: s.port}
	defer c.leave()
	if err := c.join(n); err != nil {
		return f, err
	}
	after, err := s.settled()
	if err != nil {
		return f, err
	}
	f.idleKB = float64(after-before) / 1024 / float64(n)

	c.latency.reset()
	one, err := deliver(s, c, n, broadcasts, 1)
	if err != nil {
		return f, err
	}
	f.messageUS = float64(one.Microseconds()) / float64(broadcasts*n)
	f.p99MS = c.latency.percentile(0.99)

	several, err := deliver(s, c, n, ticks, drops)
	if err != nil {
		return f, err
	}
	f.updates = float64(ticks*drops*n) / several.Seconds()
	if lost, gaps := c.lost.Load(), c.gaps.Load(); lost+gaps > 0 {
		return f, fmt.Errorf("%s: %d connections lost, %d gaps", s.name, lost, gaps)
	}
	return f, nil
}

func warm(s *server) error {
	c := &crowd{port: s.port}
	defer c.leave()
	if err := c.join(warmUp); err != nil {
		return err
	}
	_, err := deliver(s, c, warmUp, 5, 1)
	return err
}

// deliver broadcasts to n clients and returns the server's processor time until the last of them has everything.
func deliver(s *server, c *crowd, n, count, drops int) (time.Duration, error) {
	before, err := s.cpu()
	if err != nil {
		return 0, err
	}
	due := c.events.Load() + int64(n*count*drops)
	if err := s.ask(nil, "broadcast", count, period.Milliseconds(), drops); err != nil {
		return 0, err
	}
	if err := c.await(due, limit); err != nil {
		return 0, fmt.Errorf("%s: %w", s.name, err)
	}
	after, err := s.cpu()
	return after - before, err
}

// stalled measures what clients that never read do to a server.
type stalled struct {
	growthMB float64 // at its peak
	cut      int
	complete bool // everybody else got every update in order
}

const readers = 20 // beside those that stall

// stall makes n clients stop reading while a server sends count broadcasts, 4 a millisecond.
func stall(s *server, n, count int) (r stalled, err error) {
	if err := warm(s); err != nil {
		return r, err
	}
	c := &crowd{port: s.port}
	defer c.leave()
	if err := c.join(readers); err != nil {
		return r, err
	}
	if err := c.stall(n); err != nil {
		return r, err
	}
	before, err := s.settled()
	if err != nil {
		return r, err
	}
	sent := make(chan error, 1)
	go func() { sent <- s.ask(nil, "broadcast", count, 0.25, 1) }()
	peak := before
	for sending := true; sending; {
		select {
		case err := <-sent:
			if err != nil {
				return r, err
			}
			sending = false
		case <-time.After(50 * time.Millisecond):
		}
		now, err := s.resident()
		if err != nil {
			return r, err
		}
		peak = max(peak, now)
	}
	r.complete = c.await(int64(readers*count), limit) == nil && c.gaps.Load() == 0 && c.lost.Load() == 0
	left, err := s.connections()
	r.cut, r.growthMB = readers+n-left, float64(peak-before)/(1<<20)
	return r, err
}

// hold keeps n idle clients for a while and returns how many of them a broadcast still reaches, and what they hold.
func hold(s *server, n int, long time.Duration) (reached int64, idleKB float64, err error) {
	if err := warm(s); err != nil {
		return 0, 0, err
	}
	before, err := s.settled()
	if err != nil {
		return 0, 0, err
	}
	c := &crowd{port: s.port}
	defer c.leave()
	if err := c.join(n); err != nil {
		return 0, 0, err
	}
	time.Sleep(long)
	after, err := s.settled()
	if err != nil {
		return 0, 0, err
	}
	if _, err := deliver(s, c, n, 1, 1); err != nil {
		return c.events.Load(), 0, err
	}
	return c.events.Load(), float64(after-before) / 1024 / float64(n), nil
}
