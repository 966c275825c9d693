// Package http1 serves plain HTTP/1.1 requests to an http.Handler with about a third of the work that net/http needs.
// It leaves everything else to net/http.
//
// A plain request is written exactly as today's clients write it (see parse). It has a body of known length that fits
// the buffer, and gets an answer that is sent as a whole. Anything else is passed to net/http: an upgrade, a chunked
// body, a stream, an unusual spelling, TLS. The connection goes with it, including every byte that was read, and
// stays there. So no request is ever handled partly here and partly there. Handlers see no difference, but with a
// plain request they must not hijack, flush, or expect to be told that the client has left.
//
// Much of the saved work is net/http's second goroutine per request, which waits for the client to leave. The rest is
// most of the timers, a new request with its maps, and the sorting of headers. docs/adr/0006-plain-http.md has the
// measurements.
//
// A Server is safe for concurrent use. It serves the requests of one connection one after the other.
package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server serves plain requests itself and passes everything else to an http.Server. That server's handler and
// timeouts apply to both.
type Server struct {
	rest    *http.Server
	handler http.Handler // for both
	// plain reports whether the answers to a path may be sent as a whole.
	plain  func(path string) bool
	bounds Bounds

	mu        sync.Mutex // guards listeners and conns; none is added after closing is set
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
	closing   atomic.Bool
	stopped   chan struct{} // closed together with closing
	running   sync.WaitGroup
	date      atomic.Pointer[date]
	unread    unread
	counts    counts
}

// New returns a server that passes requests to rest. rest must have all its timeouts set, and belongs to the new
// server from now on. plain reports for a path, as the client wrote it, whether the handler answers it without
// hijacking, flushing or setting deadlines.
func New(rest *http.Server, plain func(path string) bool, bounds Bounds) *Server {
	s := &Server{
		rest: rest, plain: plain, bounds: bounds,
		listeners: make(map[net.Listener]struct{}), conns: make(map[*conn]struct{}), stopped: make(chan struct{}),
		unread: unread{most: maxUnread, parts: make(map[part]int)},
	}
	s.aside()
	return s
}

// Serve accepts connections until Shutdown or Close, and then returns http.ErrServerClosed. It also returns if the
// listener fails.
func (s *Server) Serve(l net.Listener) error {
	l = s.limit(l)
	s.mu.Lock()
	if s.closing.Load() {
		s.mu.Unlock()
		return http.ErrServerClosed
	}
	s.listeners[l] = struct{}{}
	s.running.Add(1)
	s.mu.Unlock()
	defer s.running.Done()

	passed := &passing{conns: make(chan net.Conn), stopped: s.stopped, addr: l.Addr()}
	s.running.Go(func() { _ = s.rest.Serve(passed) }) // ends only with s.stopped, in ErrServerClosed
	for pause := time.Duration(0); ; {
		c, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.serveConn(c, passed)
		case s.closing.Load():
			return http.ErrServerClosed
		case !passes(err):
			return err
		default: // for example too many open files: do as net/http does
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.logf("accept: %v; again in %v", err, pause)
			time.Sleep(pause)
		}
	}
}

// ServeTLS secures the listener's connections and passes them all to net/http, which also speaks HTTP/2.
func (s *Server) ServeTLS(l net.Listener, c *tls.Config) error {
	return s.rest.Serve(tls.NewListener(s.limit(l), c))
}

func passes(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Temporary() //nolint:staticcheck // what net/http asks too
}

func (s *Server) logf(format string, args ...any) {
	if s.rest.ErrorLog != nil {
		s.rest.ErrorLog.Printf(format, args...)
		return
	}
	log.Printf(format, args...)
}

func (s *Server) serveConn(nc net.Conn, passed *passing) {
	c := newConn(s, nc, passed)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		_ = nc.Close()
		return
	}
	s.conns[c] = struct{}{}
	s.running.Go(c.run)
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// stop accepts no more connections and closes those that wait for a request. With force it closes working ones too.
func (s *Server) stop(force bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.CompareAndSwap(false, true) {
		close(s.stopped)
	}
	for l := range s.listeners {
		_ = l.Close()
	}
	for c := range s.conns {
		if force || c.state.CompareAndSwap(waiting, closed) {
			_ = c.Close()
		}
	}
}

// Shutdown accepts no more connections and waits until all requests under way are answered, or returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop(false)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.running.Wait()
	}()
	err := s.rest.Shutdown(ctx)
	select {
	case <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close accepts no more connections and closes the open ones at once.
func (s *Server) Close() error {
	s.stop(true)
	return s.rest.Close()
}

// passing is the listener from which net/http gets the connections that are passed to it.
type passing struct {
	conns   chan net.Conn
	stopped <-chan struct{}
	addr    net.Addr
}

func (p *passing) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.stopped:
		return nil, net.ErrClosed
	}
}

func (p *passing) Close() error   { return nil } // stopped ends it
func (p *passing) Addr() net.Addr { return p.addr }
