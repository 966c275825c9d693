package http1

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// The states of a connection. It changes between waiting and working; closed is final.
const (
	waiting int32 = iota // for a request
	working              // on one
	closed
)

// conn is one connection.
type conn struct {
	net.Conn

	server  *Server
	tracked *tracked // nil if it is in no room
	passed  *passing
	peer    string
	state   atomic.Int32
	reads   deadline

	in       []byte // bytes that were read; in[from:to] is not used yet
	from, to int
	asked    bool      // a complete request was read
	now      time.Time // the end of the last request

	request  *http.Request // reused for each request
	url      url.URL
	values   []string // values of its headers
	body     body
	response response

	raw     syscall.RawConn // nil if there is none
	attempt attempt
	out     [4][]byte // what response writes at once
}

func newConn(s *Server, nc net.Conn, passed *passing) *conn {
	// The context never ends: a request that is answered as a whole has nobody to notify.
	ctx := context.WithValue(context.Background(), http.ServerContextKey, s.rest)
	ctx = context.WithValue(ctx, http.LocalAddrContextKey, nc.LocalAddr())
	c := &conn{
		Conn: nc, server: s, passed: passed, peer: nc.RemoteAddr().String(), reads: deadline{set: nc.SetReadDeadline},
		request: (&http.Request{Header: make(http.Header)}).WithContext(ctx), response: response{header: make(http.Header)},
	}
	c.tracked, _ = nc.(*tracked)
	c.attempt.prepare(c)
	return c
}

// run serves the connection's requests until one is not plain, or the connection ends.
func (c *conn) run() {
	defer c.server.forget(c)
	for {
		switch c.next() {
		case served:
		case notPlain:
			c.pass()
			return
		case ended:
			_ = c.Close()
			return
		}
	}
}

// outcome is what happened to a request.
type outcome int

const (
	served   outcome = iota
	notPlain         // and none of it was used
	ended            // the connection has ended
)

// maxEmpty is how many empty lines may precede a request. RFC 9112, 2.2 recommends ignoring at least one, because
// some clients end a body with one. With more of them, net/http gets the request and refuses it.
const maxEmpty = 32

// next reads one request and answers it.
func (c *conn) next() outcome {
	for empty := 0; ; empty++ {
		if out := c.await(empty == 0); out != served {
			return out
		}
		if empty == maxEmpty || !bytes.HasPrefix(c.in[c.from:c.to], []byte("\r\n")) {
			break
		}
		c.from += len("\r\n")
	}
	head, length, out := c.readHead()
	if out != served {
		return out
	}
	if out := c.readBody(head, length); out != served {
		return out
	}
	return c.serve()
}

// await waits for data, and for both bytes of an empty line. first says that nothing of a request has arrived yet.
// Its time starts only once, however many empty lines come before it.
func (c *conn) await(first bool) outcome {
	if c.from == c.to {
		c.from, c.to = 0, 0
		if c.state.Store(waiting); c.server.closing.Load() {
			return ended
		}
		if c.asked {
			c.reads.within(c.now, c.server.rest.IdleTimeout)
		} else if first {
			c.reads.exactly(c.server.rest.ReadHeaderTimeout)
		}
		if c.more() != nil || !c.state.CompareAndSwap(waiting, working) {
			return ended
		}
	}
	if c.to-c.from > 1 || c.in[c.from] != '\r' {
		return served
	}
	if c.asked {
		c.reads.exactly(c.server.rest.ReadHeaderTimeout)
	}
	if err := c.more(); errors.Is(err, io.EOF) {
		return notPlain
	} else if err != nil {
		return ended
	}
	return served
}

// readHead reads and parses the head. It returns the lengths of the head and of the body.
func (c *conn) readHead() (head, length int, out outcome) {
	for seen, good := 0, 0; ; { // good counts the bytes of complete lines that a plain request may have
		unread := c.in[c.from:c.to]
		overlap := max(seen-3, 0) // the end may have arrived in two parts
		if i := bytes.Index(unread[overlap:], []byte("\r\n\r\n")); i >= 0 {
			head = overlap + i + 4
			length, plain := c.parse(string(unread[:head]))
			if !plain || head > maxHead || !c.server.plain(c.url.Path) {
				return 0, 0, notPlain
			}
			return head, length, served
		}
		lines, hope := promising(string(unread[good:]), good == 0)
		if good += lines; !hope || len(unread) >= maxHead {
			return 0, 0, notPlain
		}
		if seen == 0 && c.asked { // the first request's time began with the connection
			c.reads.exactly(c.server.rest.ReadHeaderTimeout)
		}
		seen = len(unread)
		// A head that breaks off is not plain: net/http answers it.
		if err := c.more(); errors.Is(err, io.EOF) {
			return 0, 0, notPlain
		} else if err != nil {
			return 0, 0, ended
		}
	}
}

// bodyPatience is how long a body may take to follow its head. After that, net/http gets the request. Its handler
// starts without waiting for the body, and answers even if none arrives.
const bodyPatience = time.Second

// readBody waits for the whole body and gives it to the request.
func (c *conn) readBody(head, length int) outcome {
	for first := true; c.to-c.from < head+length; first = false {
		if first {
			c.reads.exactly(min(bodyPatience, c.server.rest.ReadTimeout))
		}
		if err := c.more(); errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) {
			return notPlain // the body broke off or is late
		} else if err != nil {
			return ended
		}
	}
	c.asked = true
	c.from += head
	r := c.request
	r.Body, r.ContentLength = http.NoBody, int64(length)
	if length > 0 {
		c.body.Reset(c.in[c.from : c.from+length])
		r.Body = &c.body
	}
	c.from += length
	return served
}

// more reads what is available. There is always room: the largest plain request fits the buffer, and most fit half of
// it.
func (c *conn) more() error {
	switch {
	case c.in == nil:
		c.in = make([]byte, maxHead)
	case c.to < len(c.in):
	case c.from == 0 && len(c.in) == maxHead:
		c.in = append(c.in, make([]byte, maxBody)...)
	default:
		c.from, c.to = 0, copy(c.in, c.in[c.from:c.to])
	}
	n, err := c.Read(c.in[c.to:])
	c.to += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// parse fills the request from its head.
func (c *conn) parse(head string) (length int, plain bool) {
	r := c.request
	clear(r.Header)
	c.values, c.url = c.values[:0], url.URL{}
	r.URL, r.Host, r.RemoteAddr, r.Pattern = &c.url, "", c.peer, ""
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	r.Form, r.PostForm, r.MultipartForm = nil, nil, nil
	return parse(r, head, &c.values)
}

// body is a request's body, in the connection's buffer.
type body struct{ bytes.Reader }

func (b *body) Close() error { return nil }

func (c *conn) serve() outcome {
	if !c.mark(atWork) {
		return ended
	}
	w := &c.response
	w.begin(c)
	if !c.handle() {
		return ended
	}
	if err := w.finish(); err != nil || w.last {
		return ended
	}
	c.now = time.Now()
	c.mark(c.now.UnixNano())
	return served
}

// mark records that the connection is quiet since the given time, or working. It returns false if the connection was
// closed to make room for another.
func (c *conn) mark(quiet int64) bool { return c.tracked == nil || c.tracked.mark(quiet) }

// handle runs the handler. It returns false after a panic, when the connection can no longer be used.
func (c *conn) handle() (ok bool) {
	defer func() {
		cause := recover()
		ok = cause == nil
		if !ok && cause != http.ErrAbortHandler { //nolint:errorlint // what was panicked with, not an error to unwrap
			c.server.logf("panic serving %s: %v", c.peer, cause)
		}
	}()
	c.server.handler.ServeHTTP(&c.response, c.request)
	return true
}

// pass hands the connection to net/http, with all bytes that were read but not used.
func (c *conn) pass() {
	_ = c.SetDeadline(time.Time{})
	var passed net.Conn
	unread := c.in[c.from:c.to]
	if t, ok := c.Conn.(tcp); ok {
		passed = &unreadTCP{tcp: t, unread: unread}
	} else {
		passed = &unreadConn{Conn: c.Conn, unread: unread}
	}
	select {
	case c.passed.conns <- passed:
	case <-c.server.stopped:
		_ = c.Close()
	}
}

// tcp is the part of a TCP connection that this package uses; a listener may wrap it.
type tcp interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

// unreadTCP and unreadConn have bytes to read before those of the connection.
type (
	unreadTCP struct {
		tcp

		unread []byte
	}
	unreadConn struct {
		net.Conn

		unread []byte
	}
)

func (c *unreadTCP) Read(p []byte) (int, error)  { return readFirst(&c.unread, c.tcp, p) }
func (c *unreadConn) Read(p []byte) (int, error) { return readFirst(&c.unread, c.Conn, p) }

func readFirst(unread *[]byte, then io.Reader, p []byte) (int, error) {
	if len(*unread) == 0 {
		return then.Read(p)
	}
	n := copy(p, *unread)
	if *unread = (*unread)[n:]; len(*unread) == 0 {
		*unread = nil // a long life need not keep the buffer
	}
	return n, nil
}

// slack is how much later than requested a deadline may be. Moving a deadline costs more than all of parse.
const slack = 5 * time.Second

// deadline is one of a connection's deadlines.
type deadline struct {
	set func(time.Time) error // fails on a closed connection, as the read or write does then
	at  time.Time
}

// within moves the deadline if it is too early, or too late by more than slack.
func (d *deadline) within(now time.Time, least time.Duration) {
	by := now.Add(least)
	if d.at.Before(by) || d.at.After(by.Add(slack)) {
		d.at = by.Add(slack)
		_ = d.set(d.at)
	}
}

func (d *deadline) exactly(in time.Duration) {
	d.at = time.Now().Add(in)
	_ = d.set(d.at)
}
