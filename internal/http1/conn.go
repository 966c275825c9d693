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

// What a connection does. From working it goes back to waiting; closed is for good.
const (
	waiting int32 = iota // for a request
	working              // on one
	closed
)

// conn is one connection.
type conn struct {
	net.Conn

	server  *Server
	tracked *tracked // nil: it has no room
	passed  *passing
	peer    string
	state   atomic.Int32
	reads   deadline

	in       []byte // what was read; in[from:to] is not yet used
	from, to int
	asked    bool      // a request was read whole
	now      time.Time // the end of the last request

	request  *http.Request // one after the other, made anew in place
	url      url.URL
	values   []string // of its headers
	body     body
	response response

	raw     syscall.RawConn // nil: there is none
	attempt attempt
	out     [4][]byte // what response writes at once
}

func newConn(s *Server, nc net.Conn, passed *passing) *conn {
	// The context has no end: a request that is answered whole has nobody to tell.
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

// run serves the requests of the connection until one is not plain, or it ends.
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

// outcome is what became of a request.
type outcome int

const (
	served   outcome = iota
	notPlain         // and nothing of it is used
	ended            // the connection is
)

// maxEmpty is how many empty lines may stand before a request. RFC 9112, 2.2 asks to ignore one at least: some
// clients end a body with one. A request behind more of them is net/http's, which refuses it.
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

// await waits until something is there to be read, and for both bytes of an empty line. The first one says that
// nothing of a request came yet: its time begins only once, whatever stands before it.
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

// readHead reads and parses the head. It returns how long that is, and how long the body.
func (c *conn) readHead() (head, length int, out outcome) {
	for seen, good := 0, 0; ; { // good are the bytes of whole lines that a plain request may have
		unread := c.in[c.from:c.to]
		overlap := max(seen-3, 0) // the end may have come in two parts
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
		// One that breaks off is not plain: net/http has an answer to that.
		if err := c.more(); errors.Is(err, io.EOF) {
			return 0, 0, notPlain
		} else if err != nil {
			return 0, 0, ended
		}
	}
}

// bodyPatience is how long a body may come behind its head. Then the request is net/http's, whose handler does not
// wait for the body before it begins, and which answers where none comes.
const bodyPatience = time.Second

// readBody waits for the whole body, and gives it to the request.
func (c *conn) readBody(head, length int) outcome {
	for first := true; c.to-c.from < head+length; first = false {
		if first {
			c.reads.exactly(min(bodyPatience, c.server.rest.ReadTimeout))
		}
		if err := c.more(); errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) {
			return notPlain // a body that breaks off, or is late
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

// more reads what there is. There is always room: a plain request fits the buffer at its largest, and most fit one of
// half the size.
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

// parse makes the request anew from its head.
func (c *conn) parse(head string) (length int, plain bool) {
	r := c.request
	clear(r.Header)
	c.values, c.url = c.values[:0], url.URL{}
	r.URL, r.Host, r.RemoteAddr, r.Pattern = &c.url, "", c.peer, ""
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	r.Form, r.PostForm, r.MultipartForm = nil, nil, nil
	return parse(r, head, &c.values)
}

// body is a request's, in the buffer of the connection.
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

// mark says that the connection is quiet, since when, or at work. false: it was closed to make room for another.
func (c *conn) mark(quiet int64) bool { return c.tracked == nil || c.tracked.mark(quiet) }

// handle runs the handler; false: it panicked, and the connection is good for nothing.
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

// pass gives the connection to net/http, with all that was read of it and not used.
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

// tcp is what is asked of a TCP connection, or of what a listener wraps around one.
type tcp interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

// unreadTCP and unreadConn have bytes that are to be read before those of the connection.
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

// slack is by how much a deadline may be later than was asked for: to move one costs more than all of parse.
const slack = 5 * time.Second

// deadline is one of a connection's.
type deadline struct {
	set func(time.Time) error // fails on a closed connection, as what it is for then does
	at  time.Time
}

// within moves the deadline if it is earlier than it should be, or later by more than slack.
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
