package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	floodEvery = 10 * time.Millisecond
	floodBurst = 10 // messages each time: 1,000 a second
)

// flood is a number of clients that say "watch" 1,000 times a second, and connect again as soon as they are cut.
type flood struct {
	clock
	addr    string
	message []byte // frames of one burst

	stopping atomic.Bool
	working  sync.WaitGroup
	opened   atomic.Int64
	said     atomic.Int64

	mu     sync.Mutex
	lasted []time.Duration // of each connection that was cut
	uncut  time.Duration   // the longest of those that were still open at the end
	err    error
}

func (f *flood) begin(ctx context.Context, clients int, drop int64) {
	f.message = bytes.Repeat(frame(fmt.Sprintf(`42["watch",%d]`, drop)), floodBurst)
	for range clients {
		f.working.Go(func() {
			for !f.stopping.Load() {
				if err := f.connect(ctx); err != nil {
					f.mu.Lock()
					f.err = err
					f.mu.Unlock()
					return
				}
			}
		})
	}
}

// end stops and returns how long each connection lasted until it was cut.
func (f *flood) end() ([]time.Duration, error) {
	f.stopping.Store(true)
	f.working.Wait()
	return f.lasted, f.err
}

// connect floods until it is cut.
func (f *flood) connect(ctx context.Context) error {
	conn, r, err := dial(ctx, f.addr)
	if err != nil {
		return fmt.Errorf("connect a flooder: %w", err)
	}
	f.opened.Add(1)
	began := f.now()
	cut := make(chan struct{})
	go func() {
		defer close(cut)
		f.drain(conn, r)
	}()
	tick := time.NewTicker(floodEvery)
	defer tick.Stop()
	for !f.stopping.Load() {
		select {
		case <-cut:
			f.mu.Lock()
			f.lasted = append(f.lasted, f.now()-began)
			f.mu.Unlock()
			return conn.Close()
		case <-tick.C:
			_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
			if _, err := conn.Write(f.message); err == nil {
				f.said.Add(floodBurst)
			}
		}
	}
	f.mu.Lock()
	f.uncut = max(f.uncut, f.now()-began)
	f.mu.Unlock()
	err = conn.Close()
	<-cut
	return err
}

// drain reads until the server closes the connection.
func (f *flood) drain(conn net.Conn, r *bufio.Reader) {
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.Copy(io.Discard, r)
}
