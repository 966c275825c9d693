package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// crowd is a number of Socket.IO clients over WebSocket, and what they have received. It is the same code for both
// servers.
type crowd struct {
	port    int
	running sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn

	events  atomic.Int64 // updates received
	gaps    atomic.Int64 // updates missing, repeated or out of order
	lost    atomic.Int64 // connections that ended before leave
	leaving atomic.Bool
	latency latencies
}

// join opens n clients; they read until leave.
func (c *crowd) join(n int) error {
	dialing, ctx := errgroup.WithContext(context.Background())
	dialing.SetLimit(64)
	for range n {
		dialing.Go(func() error {
			conn, r, err := dial(ctx, c.port)
			if err != nil {
				return fmt.Errorf("connect a client: %w", err)
			}
			c.keep(conn)
			c.running.Go(func() { c.read(conn, r) })
			return nil
		})
	}
	return dialing.Wait()
}

// stall opens n clients that never read.
func (c *crowd) stall(n int) error {
	for range n {
		conn, _, err := dial(context.Background(), c.port)
		if err != nil {
			return fmt.Errorf("connect a client that stalls: %w", err)
		}
		c.keep(conn)
	}
	return nil
}

func (c *crowd) keep(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, conn)
}

// leave closes every client and waits for its reader.
func (c *crowd) leave() {
	c.leaving.Store(true)
	c.mu.Lock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
	c.mu.Unlock()
	c.running.Wait()
}

// await returns once n updates have come in, or says how many have.
func (c *crowd) await(n int64, limit time.Duration) error {
	for deadline := time.Now().Add(limit); c.events.Load() < n; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d updates after %v; %d connections lost", c.events.Load(), n, limit, c.lost.Load())
		}
	}
	return nil
}

// handshake is a browser's, compression left out: servers keep headers, so they are part of what a connection holds.
const handshake = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost:3000\r\nConnection: Upgrade\r\n" +
	"Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 " +
	"(KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36\r\nUpgrade: websocket\r\nOrigin: http://localhost:3000\r\n" +
	"Sec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// frame returns a client's frame, masked as the protocol requires, with a mask of zeros.
func frame(text string) []byte {
	return append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
}

var connect, pong = frame("40"), frame("3")

// dial opens a client and connects it to the default namespace.
func dial(ctx context.Context, port int) (net.Conn, *bufio.Reader, error) {
	d := net.Dialer{Timeout: 20 * time.Second}
	conn, err := d.DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	r := bufio.NewReader(conn)
	if err := greet(conn, r); err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	return conn, r, nil
}

func greet(conn net.Conn, r *bufio.Reader) error {
	if _, err := io.WriteString(conn, handshake); err != nil {
		return err
	}
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	_ = answer.Body.Close() // what follows an upgrade is not part of it
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the server answered %s", answer.Status)
	}
	if _, err := conn.Write(connect); err != nil {
		return err
	}
	for _, want := range []string{"0{", "40{"} {
		text, err := next(r)
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(text, []byte(want)) {
			return fmt.Errorf("the server said %q for %q", text, want)
		}
		_, _ = r.Discard(len(text))
	}
	return nil
}

// next returns the text of the next frame, to be discarded by the caller. It stays in r's buffer.
func next(r *bufio.Reader) ([]byte, error) {
	head, err := r.Peek(2)
	if err != nil {
		return nil, err
	}
	if head[0] != 0x81 {
		return nil, fmt.Errorf("a frame that starts with %#x", head[0])
	}
	size, skip := int(head[1]), 2
	switch {
	case size == 126:
		if head, err = r.Peek(4); err != nil {
			return nil, err
		}
		size, skip = int(binary.BigEndian.Uint16(head[2:])), 4
	case size > 126:
		return nil, errors.New("a frame longer than any that was sent")
	}
	_, _ = r.Discard(skip)
	return r.Peek(size)
}

// read counts what one client gets and answers its pings.
func (c *crowd) read(conn net.Conn, r *bufio.Reader) {
	var version int64 // the newest seen; the first update may have any
	for {
		text, err := next(r)
		if err != nil {
			if !c.leaving.Load() {
				c.lost.Add(1)
			}
			return
		}
		switch {
		case string(text) == "2":
			_, _ = conn.Write(pong)
		case bytes.HasPrefix(text, []byte("42")):
			v, at := number(text, `"version":`), number(text, `"at":`)
			if version != 0 && v != version+1 {
				c.gaps.Add(1)
			}
			version = v
			c.latency.add(monotonic() - at)
			c.events.Add(1)
		}
		_, _ = r.Discard(len(text))
	}
}

// number reads the field after name, 0 if it is absent.
func number(text []byte, name string) int64 {
	i := bytes.Index(text, []byte(name))
	if i < 0 {
		return 0
	}
	var n int64
	for _, digit := range text[i+len(name):] {
		if digit < '0' || digit > '9' {
			break
		}
		n = 10*n + int64(digit-'0')
	}
	return n
}

// monotonic is the machine's clock in µs, which all its processes share.
func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // it takes a constant and a pointer: no machine refuses it
	}
	return t.Nano() / 1000
}

// latencies counts in steps of 100 µs up to 10 s.
type latencies [100_000]atomic.Uint32

func (l *latencies) add(us int64) {
	l[min(max(us, 0)/100, int64(len(l)-1))].Add(1)
}

// percentile returns the latency in ms that a share of all updates did not exceed.
func (l *latencies) percentile(share float64) float64 {
	var all, seen int64
	for i := range l {
		all += int64(l[i].Load())
	}
	for i := range l {
		if seen += int64(l[i].Load()); float64(seen) >= share*float64(all) {
			return float64(i+1) / 10
		}
	}
	return 0
}

func (l *latencies) reset() {
	for i := range l {
		l[i].Store(0)
	}
}
