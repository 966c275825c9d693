// Package http1 serves plain HTTP/1.1 requests to an http.Handler with about a third of the work that net/http takes
// for one, and leaves everything else to net/http.
//
// A request is plain when it is written to the letter as today's clients write it (see parse), has a body of a known
// length that fits the buffer, and asks for an answer that is given whole. What is not plain (an upgrade, a chunked
// body, a stream, an odd spelling, TLS) goes to net/http together with its connection, with every byte that was read,
// and stays there: nothing is ever judged by halves. Handlers see no difference, except in what they must not want of
// a plain request: hijacking, flushing, and being told that the client has gone.
//
// What it saves is net/http's second goroutine for each request, which waits for the client to go away, most of the
// timers, a fresh request with its maps, and a sort of the headers. docs/adr/0006-plain-http.md has the figures.
//
// A Server is safe for concurrent use. Requests of one connection are served one after the other.
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

// Server serves plain requests itself and everything else by way of an http.Server, whose handler and timeouts count
// for both.
type Server struct {
	rest    *http.Server
	handler http.Handler // of both
	// plain says of a path whether its answers may be given whole.
	plain  func(path string) bool
	bounds Bounds

	mu        sync.Mutex // guards listeners and conns, and that none comes once closing is set
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
	closing   atomic.Bool
	stopped   chan struct{} // closed with closing
	running   sync.WaitGroup
	date      atomic.Pointer[date]
	unread    unread
	counts    counts
}

// New returns a server beside rest, which must have all its timeouts set and is the new server's from now on. plain
// says of a path, as the client wrote it, whether the handler answers it without hijacking, flushing or deadlines of
// its own.
func New(rest *http.Server, plain func(path string) bool, bounds Bounds) *Server {
	s := &Server{
		rest: rest, plain: plain, bounds: bounds,
		listeners: make(map[net.Listener]struct{}), conns: make(map[*conn]struct{}), stopped: make(chan struct{}),
		unread: unread{most: maxUnread, parts: make(map[part]int)},
	}
	s.aside()
	return s
}

// Serve accepts connections until Shutdown or Close, and then returns http.ErrServerClosed, or until the listener
// fails.
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
	s.running.Go(func() { _ = s.rest.Serve(passed) }) // ends with s.stopped alone, in ErrServerClosed
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
		default: // too many open files, for one: as net/http does
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.logf("accept: %v; again in %v", err, pause)
			time.Sleep(pause)
		}
	}
}

// ServeTLS secures the connections of the listener and serves them, all by net/http: HTTP/2 is among them.
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

// stop takes no more connections, and closes those that wait for a request; with force those at work too.
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

// Shutdown takes no more connections, lets the requests under way be answered and returns when all are, or with ctx's
// error.
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

// Close takes no more connections and cuts off those that are open.
func (s *Server) Close() error {
	s.stop(true)
	return s.rest.Close()
}

// passing is the listener from which net/http gets the connections that are passed on to it.
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

func (p *passing) Close() error   { return nil } // stopped says it
func (p *passing) Addr() net.Addr { return p.addr }
