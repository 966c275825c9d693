package http1

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
)

const patience = await.Patience

// echo returns what it was asked, in a way that the path selects.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	text := fmt.Sprintf("%s %s %s %q %d %q %v %v", r.Method, r.URL, r.Host, r.Header, r.ContentLength, body, err, r.Close)
	switch r.URL.Path {
	case "/typed":
		w.Header()["Content-Type"] = []string{"application/json"}
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	case "/late": // a header that comes too late
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Late", "1")
	case "/none":
		w.WriteHeader(http.StatusNoContent)
		return
	case "/same":
		w.Header().Set("ETag", `"a"`)
		w.WriteHeader(http.StatusNotModified)
		_, err = w.Write([]byte("x"))
		if !errors.Is(err, http.ErrBodyNotAllowed) {
			panic(err)
		}
		return
	case "/empty":
		return
	case "/odd":
		w.Header()["X-Split"] = []string{"a\r\nX-Forged: b", "c"}
		w.Header()["bad name"] = []string{"d"}
	case "/bye":
		w.Header().Set("Connection", "close")
	case "/long":
		text = strings.Repeat(text+"\n", 4000)
	case "/abort":
		panic(http.ErrAbortHandler)
	case "/panic":
		panic("boom")
	}
	for part := range slices.Chunk([]byte(text), 10_000) {
		_, _ = w.Write(part)
	}
}

func rest(h http.HandlerFunc) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: patience, ReadTimeout: patience, WriteTimeout: patience, IdleTimeout: patience,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
}

// start serves h both ways and returns the two addresses: ours, and that of net/http alone.
func start(t *testing.T, h http.HandlerFunc) (ours *Server, address, alone string) {
	t.Helper()
	bare := rest(h)
	ours = New(rest(h), func(path string) bool { return path != "/stream" }, Bounds{})
	var serving sync.WaitGroup
	listen := func(serve func(net.Listener) error) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		serving.Go(func() {
			if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("serve: %v", err)
			}
		})
		return l.Addr().String()
	}
	address, alone = listen(ours.Serve), listen(bare.Serve)
	t.Cleanup(func() {
		_ = ours.Close()
		_ = bare.Close()
		serving.Wait()
	})
	return ours, address, alone
}

// serve runs s until the test ends, and returns its address.
func serve(t *testing.T, s *Server) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() {
		_ = s.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

func dial(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

// answers writes requests in parts, closes that side of the connection, and returns everything that comes back,
// without the Date.
func answers(t *testing.T, address string, parts ...string) string {
	t.Helper()
	c := dial(t, address)
	for i, p := range parts {
		if i > 0 {
			time.Sleep(5 * time.Millisecond) // makes it likely that parts are read separately; nothing depends on it
		}
		if _, err := io.WriteString(c, p); err != nil {
			break // closed, as the answer says
		}
	}
	_ = c.CloseWrite()
	all, _ := io.ReadAll(c) // a reset is also an end
	return normal(t, all)
}

// normal returns answers with sorted headers and without Date.
func normal(t *testing.T, all []byte) string {
	t.Helper()
	var text strings.Builder
	for r := bufio.NewReader(bytes.NewReader(all)); ; {
		if _, err := r.Peek(1); err != nil {
			return text.String()
		}
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("%v in %q", err, all)
		}
		body, err := io.ReadAll(a.Body)
		if a.StatusCode != http.StatusBadRequest && a.Header.Get("Date") == "" && a.StatusCode < 431 {
			t.Errorf("no Date in %q", all)
		}
		a.Header.Del("Date")
		fmt.Fprintf(&text, "%s %s length %d %v close %t\n", a.Proto, a.Status, a.ContentLength, a.TransferEncoding, a.Close)
		_ = a.Header.Write(&text)
		fmt.Fprintf(&text, "%s %v\n", body, err)
	}
}

func request(method, path, more, body string) string {
	if body != "" {
		more += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return method + " " + path + " HTTP/1.1\r\nHost: shop.example\r\n" + more + "\r\n" + body
}

// Whatever is sent, the answer equals that of net/http alone.
func TestServe_AnswersAsNetHTTPDoes(t *testing.T) {
	_, address, alone := start(t, echo)
	plain := request("POST", "/typed", "Content-Type: application/json\r\nX-A: b\r\n", `{"dropId":1}`)
	var bytewise []string
	for i := range len(plain) {
		bytewise = append(bytewise, plain[i:i+1])
	}
	cases := map[string][]string{
		"plain":            {plain},
		"twice":            {plain, plain},
		"pipelined":        {plain + request("GET", "/x?y=z", "", "") + plain},
		"byte by byte":     bytewise,
		"head, then body":  {plain[:len(plain)-12], plain[len(plain)-12:]},
		"end of head late": {plain[:len(plain)-14], plain[len(plain)-14:]},
		"plain, then not":  {plain + request("GET", "/%41", "", "") + plain},
		"cut off":          {plain + plain[:40]},
		"cut off in body":  {plain + plain[:len(plain)-3]},
		"largest body":     {request("POST", "/typed", "", strings.Repeat("b", maxBody))},
		"larger body":      {request("POST", "/typed", "", strings.Repeat("b", maxBody+1))},
		"long head":        {request("GET", "/typed", "A: "+strings.Repeat("b", maxHead)+"\r\n", "")},
		"too long a head":  {request("GET", "/x", "A: "+strings.Repeat("b", 40<<10)+"\r\n", "")},
		"chunked":          {request("POST", "/x", "Transfer-Encoding: chunked\r\n", "") + "3\r\nabc\r\n0\r\n\r\n" + plain},
		"smuggled":         {request("POST", "/x", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "") + "0\r\n\r\n" + plain},
		"close":            {request("GET", "/x", "Connection: close\r\n", "") + plain},
		"1.0":              {"GET /x HTTP/1.0\r\n\r\n" + plain},
		"garbage":          {"\x16\x03\x01 hello\r\n\r\n"},
		"no host":          {"GET /x HTTP/1.1\r\n\r\n"},
		"nothing":          {""},
	}
	for _, path := range []string{"/late", "/none", "/same", "/empty", "/odd", "/bye", "/long", "/abort", "/panic", "/stream"} {
		cases[path] = []string{request("GET", path, "", "") + plain}
	}
	for name, parts := range cases {
		t.Run(name, func(t *testing.T) {
			got, want := answers(t, address, parts...), answers(t, alone, parts...)
			if got != want {
				t.Errorf("ours:\n%.2000s\nnet/http:\n%.2000s", got, want)
			}
		})
	}
}

func TestServe_AnAnswerShorterThanPromisedEndsTheConnection(t *testing.T) {
	_, address, _ := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		if _, err := io.WriteString(w, "abcd"); !errors.Is(err, http.ErrContentLength) {
			t.Errorf("more than promised: %v", err)
		}
		_, _ = io.WriteString(w, "ab")
	})
	c := dial(t, address)
	_, _ = io.WriteString(c, request("GET", "/", "", ""))
	all, err := io.ReadAll(c)
	if err != nil || !strings.HasSuffix(string(all), "\r\n\r\nab") {
		t.Errorf("%q, %v", all, err)
	}
}

// A connection that is passed on is still a TCP connection, and includes the bytes that were already read.
func TestServe_PassesTheConnectionOn(t *testing.T) {
	_, address, _ := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/stream" {
			return
		}
		if _, ok := w.(http.Flusher); !ok {
			t.Error("a stream cannot flush")
		}
		c, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		defer c.Close()
		if _, ok := c.(syscall.Conn); !ok {
			t.Errorf("%T has no descriptor", c)
		}
		line, _ := buffered.ReadString('\n')
		fmt.Fprintf(c, "you said %s", line)
	})
	c := dial(t, address)
	_, _ = io.WriteString(c, request("GET", "/", "", "")+request("GET", "/stream", "Connection: Upgrade\r\nUpgrade: words\r\n", "")+"hello\n")
	all, _ := io.ReadAll(c)
	if !strings.HasSuffix(string(all), "you said hello\n") {
		t.Errorf("%q", all)
	}
}

func TestShutdown_WaitsForAnswersAndClosesWhatIsIdle(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s, address, _ := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(entered)
			<-leave
		}
		_, _ = io.WriteString(w, "done")
	})
	idle, busy := dial(t, address), dial(t, address)
	_, _ = io.WriteString(idle, request("GET", "/", "", ""))
	if _, err := http.ReadResponse(bufio.NewReader(idle), nil); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(busy, request("GET", "/slow", "", ""))
	<-entered
	stopped := make(chan error)
	go func() { stopped <- s.Shutdown(t.Context()) }()
	if n, err := idle.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("the idle connection: %d, %v", n, err)
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped (%v) while a request was under way", err)
	default:
	}
	close(leave)
	all, err := io.ReadAll(busy)
	if err != nil || !strings.HasSuffix(string(all), "done") || !strings.Contains(string(all), "Connection: close\r\n") {
		t.Errorf("the busy connection: %q, %v", all, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestShutdown_EndsWithItsContext(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s, address, _ := start(t, func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-leave
	})
	defer close(leave)
	c := dial(t, address)
	_, _ = io.WriteString(c, request("GET", "/slow", "", ""))
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	_ = s.Close()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("cut off, it read %d bytes, %v", n, err)
	}
}

// A request that is not complete in time ends the connection, however slowly its bytes arrive.
func TestServe_ASlowRequestIsCutOff(t *testing.T) {
	r := rest(echo)
	r.ReadHeaderTimeout, r.ReadTimeout = 200*time.Millisecond, 200*time.Millisecond
	address := serve(t, New(r, func(string) bool { return true }, Bounds{}))
	for part, begin := range map[string]string{"head": "GET / HTTP/1.1\r\nA: ", "body": strings.TrimSuffix(request("POST", "/", "", strings.Repeat("b", 4000)), strings.Repeat("b", 4000))} {
		c := dial(t, address)
		_, _ = io.WriteString(c, begin)
		for began := time.Now(); ; {
			if _, err := c.Write([]byte("b")); err != nil {
				break // reset
			}
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			if _, err := c.Read(make([]byte, 1)); err != nil && !errors.Is(err, syscall.ETIMEDOUT) && !isTimeout(err) {
				break // the end
			}
			if time.Since(began) > patience {
				t.Fatalf("a %s that drips in was waited for", part)
			}
		}
	}
}

func isTimeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}
