package test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// spoiler is a proxy in front of a server. It keeps its address while the server is killed and started again, and
// does to each call what the page says.
type spoiler struct {
	t    *testing.T
	url  string
	dir  string
	args []string

	mu       sync.Mutex
	server   *server // nil while it is away
	down     bool    // the proxy is unreachable
	gate     chan struct{}
	parked   int
	conns    map[net.Conn]bool
	strikes  map[spoil]int
	restarts sync.WaitGroup
}

func newSpoiler(t *testing.T, args ...string) *spoiler {
	t.Helper()
	s := &spoiler{t: t, dir: t.TempDir(), args: args, gate: make(chan struct{}), conns: make(map[net.Conn]bool), strikes: make(map[spoil]int)}
	s.server = startFor(t, s.dir, args...)
	front := httptest.NewUnstartedServer(s)
	front.Listener = &keptListener{front.Listener, s}
	front.Config.ErrorLog = log.New(io.Discard, "", 0)
	front.Start()
	s.url = front.URL
	t.Cleanup(func() {
		s.cut()
		s.restarts.Wait()
		front.Close()
	})
	return s
}

// keptListener remembers its connections, so that they can be cut.
type keptListener struct {
	net.Listener
	s *spoiler
}

func (l *keptListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.s.mu.Lock()
		l.s.conns[c] = true
		l.s.mu.Unlock()
	}
	return c, err
}

// cut ends all connections and lets no new one through until mend.
func (s *spoiler) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
	for c := range s.conns {
		_ = c.Close()
	}
	clear(s.conns)
}

func (s *spoiler) mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = false
}

// release lets the parked calls continue.
func (s *spoiler) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.gate)
	s.gate, s.parked = make(chan struct{}), 0
}

// awaitParked waits until that many calls are parked.
func (s *spoiler) awaitParked(calls int) {
	s.t.Helper()
	if err := poll(s.t.Context(), func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.parked < calls {
			return fmt.Errorf("%d calls are parked, want %d", s.parked, calls)
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
}

// behind is the address of the server, empty while it is away.
func (s *spoiler) behind() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil || s.down {
		return ""
	}
	return s.server.url
}

// rewrite stops the server, changes its database, and starts it again.
func (s *spoiler) rewrite(sql string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	rewrite(s.t, s.server, s.dir, sql)
	s.server = startFor(s.t, s.dir, s.args...)
}

// strike ends the server and starts it again. It returns when the server has ended, or begins to.
func (s *spoiler) strike(f spoil, sig syscall.Signal) {
	s.mu.Lock()
	dying := s.server
	s.server = nil
	s.mu.Unlock()
	if dying == nil {
		return // another call has killed it
	}
	if sig != syscall.SIGTERM {
		dying.kill()
	}
	s.restarts.Go(func() {
		if sig == syscall.SIGTERM {
			if _, err := dying.stop(sig); err != nil {
				s.t.Error(err)
			}
		}
		next, err := start(s.dir, dying.cmd.Env, append([]string{"--addr=127.0.0.1:0"}, s.args...)...)
		if err != nil {
			s.t.Errorf("start again: %v", err)
			return
		}
		s.t.Cleanup(next.kill)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.server = next
		s.strikes[f]++
	})
}

var bundleOfShop = regexp.MustCompile(`^/assets/[0-9a-f]+/shop\.js$`)

func (s *spoiler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := s.behind()
	if at == "" {
		panic(http.ErrAbortHandler) // like a refused connection
	}
	if f := spoil(r.Header.Get("X-Spoil")); f != "" {
		s.spoil(w, r, f)
		return
	}
	if bundleOfShop.MatchString(r.URL.Path) {
		// The page runs the modules themselves, because the test looks at what they know, and a bundle hides that.
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = io.WriteString(w, `import "./shop/main.js";`)
		return
	}
	to, err := url.Parse(at)
	if err != nil {
		panic(err)
	}
	proxy := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			p.Out.Host = p.In.Host
			if p.In.Header.Get("X-World") != "" {
				p.Out.Header.Del("Accept-Encoding")
			}
		},
		ModifyResponse: shiftAnswer,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:       log.New(io.Discard, "", 0),
	}
	proxy.ServeHTTP(w, r)
}

// shiftAnswer moves the times in an answer to a page that believes it slept for X-World milliseconds.
func shiftAnswer(res *http.Response) error {
	ms, _ := strconv.Atoi(res.Request.Header.Get("X-World"))
	if ms == 0 || !strings.Contains(res.Header.Get("Content-Type"), "json") {
		return nil
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	body = shifted(body, time.Duration(ms)*time.Millisecond)
	res.Body = io.NopCloser(bytes.NewReader(body))
	res.ContentLength = int64(len(body))
	res.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

var timesInJSON = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[\d:.]+Z"`)

func shifted(body []byte, by time.Duration) []byte {
	return timesInJSON.ReplaceAllFunc(body, func(quoted []byte) []byte {
		at, err := time.Parse(time.RFC3339, strings.Trim(string(quoted), `"`))
		if err != nil {
			return quoted
		}
		return []byte(at.Add(by).Format(`"2006-01-02T15:04:05.000Z"`))
	})
}

// reply is an answer of the server.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// spoil does what the fault says to a call.
func (s *spoiler) spoil(w http.ResponseWriter, r *http.Request, f spoil) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s.mu.Lock()
	gate := s.gate
	s.mu.Unlock()
	var got *reply
	if f.done() && f != twice {
		got = s.forward(r, body)
	}
	switch f {
	case lostBefore, lostAfter:
		panic(http.ErrAbortHandler)
	case killed, stopped:
		sent := make(chan *reply, 1)
		go func(at string) { sent <- s.ask(at, r, body) }(s.behind())
		s.strike(f, map[spoil]syscall.Signal{killed: syscall.SIGKILL, stopped: syscall.SIGTERM}[f])
		if got = <-sent; got == nil {
			panic(http.ErrAbortHandler)
		}
		got.write(w)
	case killedAfter:
		s.strike(f, syscall.SIGKILL)
		panic(http.ErrAbortHandler)
	case cut:
		got.writeHead(w, len(got.body))
		_, _ = w.Write(got.body[:len(got.body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case half:
		got.body = got.body[:len(got.body)/2]
		got.write(w)
	case signInPage:
		website(http.StatusOK, "<!doctype html><h1>Welcome to our café</h1>").write(w)
	case badGateway, gatewayLate:
		website(http.StatusBadGateway, "<html><h1>502 Bad Gateway</h1></html>").write(w)
	case overloaded, unavailable:
		refusal(http.StatusServiceUnavailable, string(f)).write(w)
	case unknownDone, unknownNot:
		refusal(http.StatusServiceUnavailable, "outcome_unknown").write(w)
	case inFlight:
		refusal(http.StatusConflict, "in_flight").write(w)
	case hang, hangAfter:
		<-r.Context().Done()
	case late:
		time.Sleep(300 * time.Millisecond)
		got.write(w)
	case twice:
		other := make(chan *reply, 1)
		go func() { other <- s.ask(s.behind(), r, body) }()
		got = s.forward(r, body)
		<-other
		got.write(w)
	case parked, parkedAfter:
		s.mu.Lock()
		s.parked++
		s.mu.Unlock()
		select {
		case <-gate:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
		if f == parked {
			got = s.forward(r, body)
		}
		got.write(w)
	default:
		s.t.Errorf("no such fault: %q", f)
	}
}

// forward makes the server do a call, whatever happens to the client meanwhile. If the server is away, it closes the
// client's connection.
func (s *spoiler) forward(r *http.Request, body []byte) *reply {
	got := s.ask(s.behind(), r, body)
	if got == nil {
		panic(http.ErrAbortHandler)
	}
	return got
}

// ask is forward with an address; there is no answer if nobody listens.
func (s *spoiler) ask(at string, r *http.Request, body []byte) *reply {
	if at == "" {
		return nil
	}
	req, err := http.NewRequestWithContext(s.t.Context(), r.Method, at+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil
	}
	req.Header, req.Host = r.Header.Clone(), r.Host
	for _, name := range []string{"Accept-Encoding", "Connection", "X-Spoil"} {
		req.Header.Del(name)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		return nil
	}
	if ms, _ := strconv.Atoi(r.Header.Get("X-World")); ms != 0 {
		all = shifted(all, time.Duration(ms)*time.Millisecond)
	}
	return &reply{res.StatusCode, res.Header, all}
}

func (a *reply) writeHead(w http.ResponseWriter, length int) {
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(length))
	w.WriteHeader(a.status)
}

func (a *reply) write(w http.ResponseWriter) {
	a.writeHead(w, len(a.body))
	_, _ = w.Write(a.body)
}

func website(status int, body string) *reply {
	return &reply{status, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, []byte(body)}
}

func refusal(status int, code string) *reply {
	return &reply{
		status,
		http.Header{"Content-Type": {"application/json"}, "Retry-After": {"1"}},
		fmt.Appendf(nil, `{"error":"The test says so","code":%q}`, code),
	}
}
