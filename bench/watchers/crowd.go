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
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// sampleEvery is how many watchers there are to one whose every update is kept.
const sampleEvery = 50

// crowd is a number of Socket.IO clients over WebSocket that watch every drop.
type crowd struct {
	clock
	addr     string
	watchers []*watcher
	reading  sync.WaitGroup

	updates atomic.Int64 // stock_update events received
	lost    atomic.Int64 // connections that ended before leave
	leaving atomic.Bool
}

// watcher is one client. Its reader owns every field except newest until leave.
type watcher struct {
	conn    net.Conn
	newest  [32]atomic.Int64 // what it was told last to be available, by drop modulo 32
	rose    int              // updates with more on sale than the one before, which no reserve does
	second  int64
	count   [32]int // updates in that second, by drop modulo 32
	most    int     // the largest of them ever
	sampled bool
	seen    []update
}

type update struct {
	at        time.Duration
	available int64
}

// join opens n clients; they read until leave.
func (c *crowd) join(ctx context.Context, n int) error {
	dialing, ctx := errgroup.WithContext(ctx)
	dialing.SetLimit(32)
	c.watchers = make([]*watcher, n)
	for i := range n {
		dialing.Go(func() error {
			conn, r, err := dial(ctx, c.addr)
			if err != nil {
				return fmt.Errorf("connect a watcher: %w", err)
			}
			w := &watcher{conn: conn, sampled: i%sampleEvery == 0}
			c.watchers[i] = w
			c.reading.Go(func() { c.read(w, r) })
			return nil
		})
	}
	return dialing.Wait()
}

// leave closes every client and waits for its reader.
func (c *crowd) leave() {
	c.leaving.Store(true)
	for _, w := range c.watchers {
		if w != nil {
			_ = w.conn.Close()
		}
	}
	c.reading.Wait()
}

// await returns once every watcher was told how much each drop has left, or says how many were not.
func (c *crowd) await(left map[int64]int64) error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		behind := 0
		for _, w := range c.watchers {
			for drop, n := range left {
				if w.newest[drop%32].Load() != n {
					behind++
					break
				}
			}
		}
		if behind == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d watchers were not told the last state", behind, len(c.watchers))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

const upgrade = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n" +
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// frame returns a client's frame, masked as the protocol requires, with a mask of zeros.
func frame(text string) []byte {
	return append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
}

// dial opens a client and connects it to the default namespace. Its own code, not a library's: clients share the
// machine with the server, so they must take little of it.
func dial(ctx context.Context, addr string) (net.Conn, *bufio.Reader, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	r := bufio.NewReader(conn)
	if err := greet(conn, r); err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	_ = conn.SetDeadline(time.Time{})
	return conn, r, nil
}

func greet(conn net.Conn, r *bufio.Reader) error {
	if _, err := io.WriteString(conn, upgrade); err != nil {
		return err
	}
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the server answered %s", answer.Status)
	}
	if _, err := conn.Write(frame("40")); err != nil {
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
		return nil, errors.New("a frame longer than any that is sent")
	}
	_, _ = r.Discard(skip)
	return r.Peek(size)
}

// read takes what one client is told, and answers its pings.
func (c *crowd) read(w *watcher, r *bufio.Reader) {
	pong := frame("3")
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
			_, _ = w.conn.Write(pong)
		case bytes.HasPrefix(text, []byte(`42["stock_update",`)):
			w.note(c.now(), number(text, `"dropId":`)%32, number(text, `"available_stock":`))
			c.updates.Add(1)
		}
		_, _ = r.Discard(len(text))
	}
}

func (w *watcher) note(at time.Duration, drop, available int64) {
	if before := w.newest[drop].Swap(available); before != 0 && available > before {
		w.rose++
	}
	if second := int64(at / time.Second); second != w.second {
		w.second, w.count = second, [32]int{}
	}
	w.count[drop]++
	w.most = max(w.most, w.count[drop])
	if w.sampled {
		w.seen = append(w.seen, update{at, available})
	}
}

// delays returns the delay of each reserve at each watcher of the sample. A delay runs from the moment that since
// gives to the first update that shows the reserve. It is negative if the update came before that moment. Call it
// after leave. The reserves must be of one drop, sorted by number, and watchers must have been told of no other drop.
func (c *crowd) delays(reserves []reserve, since func(reserve) time.Duration) ([]time.Duration, error) {
	var all []time.Duration
	for _, w := range c.watchers {
		if !w.sampled {
			continue
		}
		i := 0
		for _, r := range reserves {
			for i < len(w.seen) && w.seen[i].available > units-r.number {
				i++
			}
			if i == len(w.seen) {
				return nil, fmt.Errorf("reservation %d was never shown", r.number)
			}
			all = append(all, w.seen[i].at-since(r))
		}
	}
	return all, nil
}

// tally returns the most updates that any watcher got of one drop in any second, and how many went backwards.
func (c *crowd) tally() (most, rose int) {
	for _, w := range c.watchers {
		most = max(most, w.most)
		rose += w.rose
	}
	return most, rose
}
