package engineio_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/pipes"
	"sneakerdrop/socketio/engineio"
	"sneakerdrop/socketio/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// log is a Handler that keeps all that it is called with.
type log struct {
	mu       sync.Mutex
	sessions map[string]*engineio.Session
	messages map[string][]string
	reasons  map[string]engineio.Reason
	echo     bool
}

func newLog() *log {
	return &log{
		sessions: map[string]*engineio.Session{}, messages: map[string][]string{}, reasons: map[string]engineio.Reason{},
		echo: true,
	}
}

func (l *log) Open(s *engineio.Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sessions[s.ID()] = s
}

func (l *log) Message(s *engineio.Session, data []byte, binary bool) error {
	if string(data) == "panic" {
		panic("as asked")
	}
	if string(data) == "bad" {
		return errors.New("bad")
	}
	l.mu.Lock()
	l.messages[s.ID()] = append(l.messages[s.ID()], string(data))
	l.mu.Unlock()
	switch {
	case !l.echo:
	case binary:
		s.Send(engineio.NewBinaryPacket(data))
	default:
		s.Send(engineio.NewPacket(data))
	}
	return nil
}

func (l *log) Close(s *engineio.Session, r engineio.Reason) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reasons[s.ID()] != "" {
		panic("closed twice")
	}
	l.reasons[s.ID()] = r
}

func (l *log) session(t *testing.T, sid string) *engineio.Session {
	t.Helper()
	var s *engineio.Session
	await.Until(t, "the session is open", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		s = l.sessions[sid]
		return s != nil
	})
	return s
}

func (l *log) all() []*engineio.Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []*engineio.Session
	for _, s := range l.sessions {
		list = append(list, s)
	}
	return list
}

// closed waits for the end of a session and compares its reason.
func (l *log) closed(t *testing.T, sid string, want engineio.Reason) {
	t.Helper()
	var got engineio.Reason
	await.Until(t, "the session is closed: "+string(want), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		got = l.reasons[sid]
		return got != ""
	})
	if got != want {
		t.Fatalf("closed for %q, want %q", got, want)
	}
}

type server struct {
	*log
	engine *engineio.Server
	http   *httptest.Server
	client *http.Client
	pipes  *pipes.Listener // what the server listens on, if not this machine
}

func start(t *testing.T, o engineio.Options) *server {
	t.Helper()
	return startOn(t, nil, o)
}

// startOn is start where the test listens; nil: on this machine.
func startOn(t *testing.T, at *pipes.Listener, o engineio.Options) *server {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	l, transport := newLog(), &http.Transport{}
	s := &server{log: l, engine: engineio.New(l, o), client: &http.Client{Transport: transport}, pipes: at}
	s.http = httptest.NewUnstartedServer(s.engine)
	if at != nil {
		_ = s.http.Listener.Close()
		s.http.Listener, transport.DialContext = at, at.Dial
	}
	s.http.Start()
	t.Cleanup(func() { s.stop(t) })
	return s
}

func (s *server) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), await.Patience)
	defer cancel()
	if err := s.engine.Close(ctx); err != nil {
		t.Errorf("close the server: %v", err)
	}
	s.client.CloseIdleConnections()
	s.http.Close()
	if n := s.engine.Stats(); n.Polling != 0 || n.WebSocket != 0 {
		t.Errorf("after Close: %+v", n)
	}
}

func (s *server) url(transport string) string { return s.http.URL + "/?EIO=4&transport=" + transport }

// webSocket opens a session.
func (s *server) webSocket(t *testing.T) (*wire.WebSocket, string) {
	t.Helper()
	ws, err := s.dial(t)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	sid, err := wire.SID(read(t, ws))
	if err != nil {
		t.Fatal(err)
	}
	return ws, sid
}

func (s *server) dial(t *testing.T) (*wire.WebSocket, error) {
	if s.pipes == nil {
		return wire.Dial(s.url("websocket"), nil)
	}
	u, err := url.Parse(s.url("websocket"))
	if err != nil {
		return nil, err
	}
	conn, err := s.pipes.Dial(t.Context(), "", "")
	if err != nil {
		return nil, err
	}
	return wire.Open(conn, u, nil)
}

func (s *server) poller(t *testing.T) *wire.Poller {
	t.Helper()
	p := &wire.Poller{URL: s.url("polling"), HTTP: s.client}
	if err := p.Handshake(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

func read(t *testing.T, ws *wire.WebSocket) string {
	t.Helper()
	got, err := ws.Next()
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return got
}

// ends reads until the connection ends.
func ends(t *testing.T, ws *wire.WebSocket) error {
	t.Helper()
	for {
		if _, err := ws.Next(); err != nil {
			if strings.Contains(err.Error(), "timeout") {
				t.Fatal("the connection does not end")
			}
			return err
		}
	}
}

func do(t *testing.T, p *wire.Poller, method, body string) wire.Answer {
	t.Helper()
	a, err := p.Do(t.Context(), method, body)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func expect(t *testing.T, a wire.Answer, status int, body string) {
	t.Helper()
	if a.Status != status || a.Body != body {
		t.Fatalf("answer %d %q, want %d %q", a.Status, a.Body, status, body)
	}
}
