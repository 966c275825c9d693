package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// clock times everything that is measured here: it is the time since the program began.
type clock struct{ began time.Time }

func (c clock) now() time.Duration { return time.Since(c.began) }

// reserve is one answered reserve. As nothing but reserves moves stock, it is seen by a watcher who is told
// that at most units − number are available.
type reserve struct {
	drop     int64
	number   int64 // the reservation's number in its drop, from 1 without a gap: the low half of its id
	sent     time.Duration
	answered time.Duration
}

// load reserves on a number of connections, each waiting for its answer before it asks again.
type load struct {
	clock
	addr  string
	drops []int64
	pace  time.Duration // between two reserves of one connection, however long answers take; 0: none

	stopping atomic.Bool
	working  *errgroup.Group
	mu       sync.Mutex
	all      []reserve
}

// begin opens the connections and starts to reserve.
func (l *load) begin(ctx context.Context, connections int) error {
	l.working, ctx = errgroup.WithContext(ctx)
	for i := range connections {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.addr)
		if err != nil {
			l.stopping.Store(true)
			return errors.Join(fmt.Errorf("connect a buyer: %w", err), l.working.Wait())
		}
		l.working.Go(func() error {
			defer conn.Close()
			done, err := l.buy(conn, i, l.now()+l.pace*time.Duration(i)/time.Duration(connections))
			l.mu.Lock()
			defer l.mu.Unlock()
			l.all = append(l.all, done...)
			return err
		})
	}
	return nil
}

// end waits for the answers under way and returns all reserves.
func (l *load) end() ([]reserve, error) {
	l.stopping.Store(true)
	err := l.working.Wait()
	return l.all, err
}

// buy reserves until end. A paced reserve counts as sent when it was due.
func (l *load) buy(conn net.Conn, buyer int, due time.Duration) ([]reserve, error) {
	done := make([]reserve, 0, 1<<14)
	r := bufio.NewReader(conn)
	var request []byte
	for i := buyer; !l.stopping.Load(); i++ {
		sent := l.now()
		if l.pace > 0 {
			time.Sleep(due - sent)
			sent = due
			due += l.pace
		}
		request = appendRequest(request[:0], l.drops[i%len(l.drops)], 1+i)
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := conn.Write(request); err != nil {
			return done, fmt.Errorf("reserve: %w", err)
		}
		id, err := readReservation(r)
		if err != nil {
			return done, fmt.Errorf("reserve: %w", err)
		}
		done = append(done, reserve{drop: id >> 32, number: id & (1<<32 - 1), sent: sent, answered: l.now()})
	}
	return done, nil
}

func appendRequest(b []byte, drop int64, user int) []byte {
	body := fmt.Appendf(nil, `{"dropId":%d,"userId":%d}`, drop, user)
	return fmt.Appendf(b, "POST /api/drops/reserve HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		len(body), body)
}

// readReservation reads one answer and returns the reservation's id: net/http's client would take more of
// the machine than the server that is measured.
func readReservation(r *bufio.Reader) (int64, error) {
	status, length := "", -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if status == "" {
			status = string(line)
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		}
		if len(line) == 0 {
			break
		}
	}
	if length < 0 {
		return 0, fmt.Errorf("an answer without a length: %s", status)
	}
	body, err := r.Peek(length)
	if err != nil {
		return 0, err
	}
	id := number(body, `"id":`)
	if status != "HTTP/1.1 200 OK" || id == 0 {
		return 0, fmt.Errorf("%s %s", status, body)
	}
	_, err = io.CopyN(io.Discard, r, int64(length))
	return id, err
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

// between returns the reserves that were answered in a span of time.
func between(all []reserve, from, to time.Duration) []reserve {
	return slices.DeleteFunc(slices.Clone(all), func(r reserve) bool { return r.answered < from || r.answered >= to })
}

// percentile sorts values and returns the one that a share of them does not exceed; 0 of none.
func percentile(values []time.Duration, share float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(len(values)-1, int(share*float64(len(values))))]
}
