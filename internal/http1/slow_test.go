package http1

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
)

// way is one of the ways in which a request reaches the handler.
type way struct {
	name string
	tls  bool
	asks func(path string, times int) string
}

func ways() []way {
	pipelined := func(more string) func(string, int) string {
		return func(path string, times int) string { return strings.Repeat(request("GET", path, more, ""), times) }
	}
	return []way{
		{"plain", false, pipelined("")},
		{"net/http", false, pipelined("X-Name: \xe9\r\n")}, // not plain
		{"TLS", true, pipelined("")},
		{"HTTP/2", false, streams},
	}
}

// streams returns the given number of requests on one HTTP/2 connection whose windows are never opened.
func streams(path string, times int) string {
	var b bytes.Buffer
	frame := func(kind, flags byte, stream int, payload string) {
		b.Write([]byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags})
		b.Write([]byte{byte(stream >> 24), byte(stream >> 16), byte(stream >> 8), byte(stream)})
		b.WriteString(payload)
	}
	b.WriteString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	frame(4, 0, 0, "\x00\x04\x00\x00\x00\x00") // SETTINGS_INITIAL_WINDOW_SIZE 0
	for i := range times {
		// GET and http from HPACK's static table; the path and the authority as literals.
		frame(1, 4|1, 2*i+1, "\x82\x86\x04"+string(rune(len(path)))+path+"\x01\x01a")
	}
	return b.String()
}

// sizes of answers: /shared sends the same bytes to everybody, /own sends each its own, /small sends few of its own.
const answerSize = 200 << 10

func sized() http.HandlerFunc {
	shared := make([]byte, answerSize)
	return func(w http.ResponseWriter, r *http.Request) {
		body := shared
		switch r.URL.Path {
		case "/own":
			body = make([]byte, answerSize)
		case "/small":
			body = make([]byte, 3<<10)
		}
		w.Header()["Content-Type"] = []string{"text/plain"}
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
		_, _ = w.Write(body)
	}
}

// fast returns a server with a short write timeout, and the address for each way.
func fast(t *testing.T, h http.HandlerFunc, timeout time.Duration) (*Server, func(way) string) {
	t.Helper()
	r := rest(h)
	r.WriteTimeout = timeout
	r.Protocols = new(http.Protocols)
	r.Protocols.SetHTTP1(true)
	r.Protocols.SetHTTP2(true)
	r.Protocols.SetUnencryptedHTTP2(true)
	s := New(r, func(string) bool { return true }, Bounds{})
	plain := serve(t, s)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.ServeTLS(l, certificate(t)) })
	t.Cleanup(func() {
		_ = s.Close()
		serving.Wait()
	})
	return s, func(w way) string {
		if w.tls {
			return l.Addr().String()
		}
		return plain
	}
}

func certificate(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// dialSmall dials with a small receive buffer.
func dialSmall(t *testing.T, w way, address string) net.Conn {
	t.Helper()
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
	}}
	c, err := d.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = c.Close() })
	if !w.tls {
		return c
	}
	secured := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	if err := secured.Handshake(); err != nil {
		t.Fatal(err)
	}
	return secured
}

func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func (u *unread) waiting() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.order.Len()
}

// A client that requests much and reads nothing costs the server little: neither the answers nor the requests behind
// the first unread one.
func TestSlowReaders_CostLittle(t *testing.T) {
	const connections, requests = 100, 30
	for _, w := range ways() {
		for path, most := range map[string]int64{"/shared": 48 << 10, "/own": answerSize + 60<<10} {
			if w.tls {
				most += 60 << 10 // for TLS on both sides: the client is also in this process
			}
			if w.name == "HTTP/2" {
				if path == "/own" {
					continue // each request has its own answer: the next test limits those
				}
				most *= requests
			}
			t.Run(w.name+path, func(t *testing.T) {
				s, at := fast(t, sized(), patience)
				before := memory()
				for range connections {
					c := dialSmall(t, w, at(w))
					if _, err := io.WriteString(c, w.asks(path, requests)); err != nil {
						t.Fatal(err)
					}
				}
				stalls := connections
				if w.name == "HTTP/2" {
					stalls *= requests
				}
				await.Until(t, "all wait for their readers", func() bool { return s.unread.waiting() == stalls || s.unread.cut.Load() > 0 })
				each := (memory() - before) / connections
				t.Logf("%d bytes a connection", each)
				if each > most {
					t.Errorf("%d bytes a connection, want at most %d", each, most)
				}
			})
		}
	}
}

// Together, unread answers hold no more memory than allowed, and the readers that make progress are not disconnected.
func TestSlowReaders_AreBoundedInAll(t *testing.T) {
	const connections = 60
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			s, at := fast(t, sized(), patience)
			s.unread.most = 10 * answerSize
			reads := dial(t, at(way{}))
			for i := range connections {
				c := dialSmall(t, w, at(w))
				_, _ = io.WriteString(c, w.asks("/own", 1))
				await.Until(t, "it waits", func() bool { return s.unread.waiting() >= min(i+1, 9) })
				if _, err := io.WriteString(reads, request("GET", "/own", "", "")); err != nil {
					t.Fatalf("after %d: %v", i, err)
				}
				if _, err := io.CopyN(io.Discard, reads, answerSize); err != nil {
					t.Fatalf("who reads was cut off after %d: %v", i, err)
				}
				if held := s.unread.bytes(); held > s.unread.most {
					t.Fatalf("%d bytes are held", held)
				}
			}
			if cut := s.unread.cut.Load(); cut < connections/2 {
				t.Errorf("%d were cut off", cut)
			}
		})
	}
}

// One HTTP/2 connection has many requests under way. Each counts while it waits, however short its answer or its
// body.
func TestSlowReaders_EachStreamCounts(t *testing.T) {
	for name, says := range map[string]string{
		"not read": streams("/small", 30), "half a body": strings.ReplaceAll(streams("/body", 30), "\x01\x05\x00", "\x01\x04\x00"),
	} {
		t.Run(name, func(t *testing.T) {
			s, at := fast(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				sized()(w, r)
			}, patience)
			s.unread.most = 100 * streamCost
			for range 10 {
				_, _ = io.WriteString(dialSmall(t, way{}, at(way{})), says)
			}
			await.Until(t, "some are cut off", func() bool { return s.unread.cut.Load() >= 5 })
			await.Until(t, "the rest fits", func() bool { return s.unread.bytes() <= s.unread.most })
		})
	}
}

// The server waits for a slow but steady reader, for many times as long as for one that reads nothing.
func TestSlowReaders_AreWaitedForWhileTheyRead(t *testing.T) {
	const timeout = 2 * time.Second // a piece takes a tenth of it
	for _, w := range ways() {
		if w.name == "HTTP/2" {
			continue // its client here opens no windows
		}
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			size := 30 * piece
			s, at := fast(t, func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Length", strconv.Itoa(size))
				_, _ = rw.Write(make([]byte, size))
			}, timeout)
			steady, stuck := dialSmall(t, w, at(w)), dialSmall(t, w, at(w))
			for _, c := range []net.Conn{steady, stuck} {
				if _, err := io.WriteString(c, w.asks("/", 1)); err != nil {
					t.Fatal(err)
				}
			}
			began := time.Now()
			got, into := 0, make([]byte, 8<<10)
			for got < size {
				n, err := steady.Read(into)
				if got += n; err != nil {
					t.Fatalf("after %s and %d of %d bytes: %v", time.Since(began), got, size, err)
				}
				time.Sleep(20 * time.Millisecond)
			}
			if took := time.Since(began); took < 2*timeout {
				t.Fatalf("it took only %s", took)
			}
			await.Until(t, "who takes nothing is gone", func() bool { return s.unread.waiting() == 0 })
			if left, err := io.ReadAll(stuck); len(left) >= size && err == nil {
				t.Error("who took nothing got all of it")
			}
		})
	}
}

// Whatever is written in whatever parts arrives unchanged, even if it is more than the kernel accepts at once.
func TestWrite_LongAnswersArriveAsTheyWere(t *testing.T) {
	want := make([]byte, 5<<20)
	_, _ = rand.Read(want)
	for _, chunked := range []bool{false, true} {
		_, at := fast(t, func(w http.ResponseWriter, _ *http.Request) {
			if !chunked {
				w.Header().Set("Content-Length", strconv.Itoa(len(want)))
			}
			for p := want; len(p) > 0; { // parts of many sizes
				n := min(len(p), 1+len(p)*2/3)
				_, _ = w.Write(p[:n])
				p = p[n:]
			}
		}, patience)
		for _, w := range ways()[:3] {
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
			scheme := map[bool]string{false: "http://", true: "https://"}[w.tls]
			for range 3 {
				r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, scheme+at(w)+"/", nil)
				if w.name == "net/http" {
					r.Header.Set("X-Name", "\xe9")
				}
				a, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(a.Body)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s, chunked %t: %d bytes, %v", w.name, chunked, len(got), err)
				}
				_ = a.Body.Close()
			}
			client.CloseIdleConnections()
		}
	}
}

func TestUnread_CountsWhatIsSharedOnce(t *testing.T) {
	u := &unread{most: 1000, parts: make(map[part]int)}
	ended := ""
	hold := func(name string, more int64, parts ...[]byte) *stall {
		return u.hold(func() { ended += name }, more, parts...)
	}
	shared, own := make([]byte, 600), make([]byte, 300)
	a := hold("a", 0, shared, nil)
	b := hold("b", 50, shared, own)
	if u.bytes() != 950 || ended != "" {
		t.Fatalf("%d held, %q ended", u.bytes(), ended)
	}
	u.progress(a) // b is the slowest
	c := hold("c", 100, shared[:10])
	if u.bytes() != 710 || ended != "b" {
		t.Fatalf("%d held, %q ended", u.bytes(), ended)
	}
	for _, s := range []*stall{a, b, c} {
		u.release(s)
	}
	if u.bytes() != 0 || len(u.parts) != 0 || u.order.Len() != 0 {
		t.Errorf("%d held, %d parts, %d wait", u.bytes(), len(u.parts), u.order.Len())
	}
	if hold("d", 1001); ended != "bd" {
		t.Errorf("more than all may hold: %q ended", ended)
	}
}
