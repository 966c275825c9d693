package http1

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"time"
)

// The same rules apply to requests that net/http serves. The server waits for a reader as long as it makes progress,
// and counts what its answer holds meanwhile. It may close a connection to make room while the connection waits for
// its client.

const (
	// largeWrite is more than net/http's buffers hold: the handler's own bytes then wait.
	largeWrite = 4 << 10
	// streamCost is roughly what a waiting request on an HTTP/2 connection holds besides its headers, most of it a
	// stack.
	streamCost = 16 << 10
)

type trackedKey struct{}

// aside hands a request that is not plain HTTP/1.1 to net/http.
func (s *Server) aside() {
	before, handler := s.rest.ConnContext, s.rest.Handler
	s.handler = handler
	s.rest.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if before != nil {
			ctx = before(ctx, c)
		}
		return context.WithValue(ctx, trackedKey{}, trackedOf(c))
	}
	s.rest.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &paced{
			ResponseWriter: w, control: http.NewResponseController(w), server: s, until: time.Now().Add(s.rest.WriteTimeout), http2: r.ProtoMajor == 2,
		}
		p.conn, _ = r.Context().Value(trackedKey{}).(*tracked)
		if p.http2 {
			p.cost = streamCost + sizeOf(r.Header)
		}
		if !p.begin() {
			panic(http.ErrAbortHandler)
		}
		defer p.end()
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &pacedBody{ReadCloser: r.Body, of: p}
		}
		handler.ServeHTTP(p, r)
		p.finish()
	})
}

// trackedOf finds the tracked connection inside its wrappers. It returns nil if there is none.
func trackedOf(c net.Conn) *tracked {
	for {
		switch is := c.(type) {
		case *tracked:
			return is
		case *tls.Conn:
			c = is.NetConn()
		case *unreadTCP:
			c = is.tcp
		default:
			return nil
		}
	}
}

func sizeOf(h http.Header) (bytes int64) {
	for name, values := range h {
		for _, v := range values {
			bytes += int64(len(name) + len(v))
		}
	}
	return bytes
}

// paced is the http.ResponseWriter of a request that net/http serves.
type paced struct {
	http.ResponseWriter

	control *http.ResponseController
	server  *Server
	conn    *tracked // nil if it is in no room
	until   time.Time
	own     bool // the handler has set its own deadline
	http2   bool
	wrote   bool
	taken   bool  // taken over from net/http
	cost    int64 // while it waits
}

func (p *paced) begin() bool { return p.conn == nil || p.conn.begin() }

func (p *paced) end() {
	if p.conn != nil && !p.taken {
		p.conn.end()
	}
}

// waiting runs do, which waits for the client. What the connection holds meanwhile is counted if it is much.
func (p *paced) waiting(do func(*stall) error, parts ...[]byte) error {
	p.end()
	defer p.begin() // false if it was closed, which the next operation notices
	if p.cost == 0 && len(parts) == 0 {
		return do(nil)
	}
	s := p.server.unread.hold(p.cut, p.cost, parts...)
	defer p.server.unread.release(s)
	return do(s)
}

// cut closes the connection below TLS, which would send something first.
func (p *paced) cut() {
	if p.conn != nil {
		_ = p.conn.Close()
	}
}

func (p *paced) Write(b []byte) (n int, err error) {
	p.wrote = true
	if p.own {
		return p.ResponseWriter.Write(b)
	}
	var held [][]byte
	if len(b) >= largeWrite {
		held = [][]byte{b}
	}
	err = p.waiting(func(s *stall) error {
		for {
			p.extend()
			k, err := p.ResponseWriter.Write(b[n:min(len(b), n+piece)])
			if n += k; err != nil || n == len(b) {
				return err
			}
			if s != nil {
				p.server.unread.progress(s)
			}
		}
	}, held...)
	return n, err
}

// extend gives the next piece its time, or at least three quarters of it: moving a deadline has a cost too.
func (p *paced) extend() {
	timeout := p.server.rest.WriteTimeout
	if now := time.Now(); timeout > 0 && p.until.Before(now.Add(timeout*3/4)) {
		p.until = now.Add(timeout)
		_ = p.control.SetWriteDeadline(p.until)
	}
}

// finish writes what a stream's answer left in buffers, while the wait for the client can still be counted.
func (p *paced) finish() {
	if p.http2 && p.wrote && !p.own {
		_ = p.FlushError()
	}
}

// FlushError is called by http.ResponseController.
func (p *paced) FlushError() error {
	if p.own {
		return p.control.Flush()
	}
	p.extend()
	return p.waiting(func(*stall) error { return p.control.Flush() })
}

// Flush implements http.Flusher.
func (p *paced) Flush() { _ = p.FlushError() }

// SetWriteDeadline leaves deadlines to the handler from now on.
func (p *paced) SetWriteDeadline(at time.Time) error {
	p.own = !at.IsZero()
	return p.control.SetWriteDeadline(at)
}

// Hijack takes the connection over. It counts as working until it is closed.
func (p *paced) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, buffered, err := p.control.Hijack()
	p.taken = p.taken || err == nil
	return c, buffered, err
}

// Unwrap lets http.ResponseController do the rest.
func (p *paced) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// pacedBody is a request's body.
type pacedBody struct {
	io.ReadCloser

	of *paced
}

func (b *pacedBody) Read(into []byte) (n int, err error) {
	_ = b.of.waiting(func(*stall) error {
		n, err = b.ReadCloser.Read(into)
		return nil
	})
	return n, err
}
