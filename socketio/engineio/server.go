package engineio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lxzan/gws"
)

// A Handler is told of all sessions of a server.
type Handler interface {
	// Open is called before any Message of the session. It must not wait for the client.
	Open(s *Session)
	// Message gets one message of the client; an error ends the session with ParseError. The data is the handler's to
	// keep. Until it returns, nothing more of this client is read.
	Message(s *Session, data []byte, binary bool) error
	// Close is called last, once the session has ended.
	Close(s *Session, r Reason)
}

// A Server holds sessions.
type Server struct {
	options  Options
	handler  Handler
	upgrader *gws.Upgrader
	started  time.Time
	ping     *Packet
	origins  Origins
	counters counters
	inbound  inbound
	running  sync.WaitGroup // sessions and their goroutines
	writers  sync.Pool      // of *directWriter
	chunks   sync.Pool      // of *[]byte

	mu         sync.Mutex
	closed     bool
	sessions   map[string]*Session
	count      int // sessions that have not ended
	addresses  map[string]*addressUse
	sweptAt    int64 // when addresses were last looked through
	handshakes bucket
}

// New returns a server that gives its sessions to h.
func New(h Handler, o Options) *Server {
	e := &Server{
		options:   o.WithDefaults(),
		handler:   h,
		started:   time.Now(),
		ping:      encodeText(typePing, nil),
		counters:  counters{refused: map[string]int64{}, closed: map[Reason]int64{}},
		sessions:  map[string]*Session{},
		addresses: map[string]*addressUse{},
	}
	e.writers.New = func() any { return newDirectWriter() }
	e.chunks.New = func() any { return new([]byte) }
	e.origins = Origins(e.options.Origins)
	e.inbound.limit = int64(e.options.MaxInboundBytes)
	e.handshakes = bucket{tokens: float32(e.options.HandshakesPerSecond)}
	e.upgrader = newUpgrader(e.options)
	return e
}

// now is monotonic, in nanoseconds; it is never 0 once the first timer runs.
func (e *Server) now() int64 { return int64(time.Since(e.started)) }

// ServeHTTP serves every request of the protocol: handshakes, polls, posts, upgrades and preflights.
func (e *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !e.origins.allow(w, r) {
		e.refuse(w, forbidden)
		return
	}
	if r.Method == http.MethodOptions {
		preflight(w, r)
		return
	}
	q := r.URL.Query()
	transport, isUpgrade := q.Get("transport"), strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
	switch {
	case transport != "polling" && transport != "websocket":
		e.refuse(w, unknownTransport)
	case q.Get("EIO") != "4":
		e.refuse(w, unsupportedVersion)
	case q.Get("sid") != "":
		e.serveSession(w, r, q.Get("sid"), transport)
	case r.Method != http.MethodGet:
		e.refuse(w, badHandshakeMethod)
	case len(r.URL.RawQuery) > maxQuery:
		e.refuse(w, tooLongQuery)
	case isUpgrade != (transport == "websocket"):
		e.refuse(w, badRequest)
	default:
		e.handshake(w, r, transport)
	}
}

func (e *Server) serveSession(w http.ResponseWriter, r *http.Request, sid, transport string) {
	e.mu.Lock()
	s := e.sessions[sid]
	e.mu.Unlock()
	switch {
	case s == nil:
		e.refuse(w, unknownSession)
	case transport == "websocket":
		s.serveUpgrade(w, r)
	case r.Method == http.MethodGet:
		s.servePoll(w, r)
	case r.Method == http.MethodPost:
		s.servePost(w, r)
	default:
		e.refuse(w, badRequest)
	}
}

func (e *Server) handshake(w http.ResponseWriter, r *http.Request, transport string) {
	s, p := e.admit(r)
	if p != nil {
		e.refuse(w, p)
		return
	}
	if transport == "websocket" {
		e.openWebSocket(w, r, s)
		return
	}
	e.begin(s)
	if err := e.answer(w, http.StatusOK, textPlain, e.openPacket(s, `["websocket"]`).payload); err != nil {
		s.End(TransportError)
	}
}

// admit makes a session, if the limits leave room for it.
func (e *Server) admit(r *http.Request) (*Session, *problem) {
	o, address := &e.options, e.options.Address(r)
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	use := e.useLocked(address, now)
	switch {
	case e.closed:
		return nil, shuttingDown
	case e.count >= o.MaxConnections:
		return nil, tooManyConnections
	case use.sessions >= o.MaxConnectionsPerAddress:
		return nil, tooManyOfAddress
	case !e.mayShakeHandsLocked(use, now):
		return nil, tooManyHandshakes
	}
	s := &Session{
		id:      newID(),
		server:  e,
		request: keep(r, o.KeepHeaders),
		address: address,
		done:    make(chan struct{}),
		talk:    bucket{2 * float32(o.MessagesPerSecond), now},
		pingAt:  now + int64(o.PingInterval),
	}
	first := o.PingInterval
	if o.FirstPollTimeout > 0 {
		s.askBy = now + int64(o.FirstPollTimeout)
		first = min(first, o.FirstPollTimeout)
	}
	s.timer = time.AfterFunc(first, s.tick)
	e.sessions[s.id] = s
	use.sessions++
	e.count++
	e.running.Add(1)
	e.counters.polling.Add(1) // until a WebSocket is attached
	return s, nil
}

func newID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// begin tells the handler of a session.
func (e *Server) begin(s *Session) {
	e.counters.handshakes.Add(1)
	s.reading.Lock()
	defer s.reading.Unlock()
	s.mu.Lock()
	s.opened = s.state != ended
	s.mu.Unlock()
	if s.opened {
		defer s.rescue()
		e.handler.Open(s)
	}
}

// openPacket tells the client of its session. upgrades is an array in any case: clients throw at null.
func (e *Server) openPacket(s *Session, upgrades string) *Packet {
	o := &e.options
	return encodeText(typeOpen, fmt.Appendf(nil, `{"sid":%q,"upgrades":%s,"pingInterval":%d,"pingTimeout":%d,"maxPayload":%d}`,
		s.id, upgrades, o.PingInterval.Milliseconds(), o.PingTimeout.Milliseconds(), o.MaxPayload))
}

// leave counts out a session that ended.
func (e *Server) leave(s *Session, r Reason) {
	s.mu.Lock()
	keep := s.farewell
	if s.ws != nil {
		e.counters.webSocket.Add(-1)
	} else {
		e.counters.polling.Add(-1)
	}
	s.mu.Unlock()
	e.counters.close(r)
	e.mu.Lock()
	defer e.mu.Unlock()
	if !keep {
		delete(e.sessions, s.id)
	}
	e.count--
	if use := e.addresses[s.address]; use != nil { // always there
		use.sessions--
	}
}

func (e *Server) forget(s *Session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.sessions, s.id)
}

// Close ends all sessions in a way that makes clients come back, refuses new ones, and waits until no goroutine of the
// server is left, or for ctx. A second Close waits too.
func (e *Server) Close(ctx context.Context) error {
	e.mu.Lock()
	e.closed = true
	sessions := slices.Collect(maps.Values(e.sessions))
	e.mu.Unlock()
	for _, s := range sessions {
		s.End(ServerShutdown)
	}
	done := make(chan struct{})
	go func() {
		e.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *Server) refuse(w http.ResponseWriter, p *problem) {
	e.counters.refuse(p)
	if p.status == http.StatusServiceUnavailable || p.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	_ = e.answer(w, p.status, textJSON, fmt.Appendf(nil, `{"code":%d,"message":%q}`, p.code, p.message))
}

// rescue ends the session of a handler that panics; other sessions go on.
func (s *Session) rescue() {
	cause := recover()
	if cause == nil {
		return
	}
	s.server.options.Log.Error("engineio: handler panicked", slog.Any("cause", cause), slog.String("stack", string(debug.Stack())))
	s.End(HandlerPanic)
}
