package webhooks

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

var message = Message{ID: "7-1042", Type: "purchase.completed", Body: []byte(`{"id":"7-1042"}`), Secrets: []Secret{NewSecret()}}

// to sends message to a receiver on this machine.
func to(t *testing.T, answer http.HandlerFunc, o SenderOptions) Attempt {
	t.Helper()
	r := httptest.NewServer(answer)
	defer r.Close()
	o.AllowPrivate = true
	s := NewSender(o)
	defer s.Close()
	return s.Send(t.Context(), r.URL, message)
}

func TestSend_SignsWithEachSecret(t *testing.T) {
	m := message
	m.Secrets = []Secret{NewSecret(), NewSecret()}
	got := make(chan *http.Request, 1)
	r := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for i, secret := range m.Secrets {
			if hook, err := standardwebhooks.NewWebhook(string(secret)); err != nil {
				t.Error(err)
			} else if err := hook.Verify(body, r.Header); err != nil {
				t.Errorf("secret %d: %v", i+1, err)
			}
		}
		if hook, _ := standardwebhooks.NewWebhook(string(NewSecret())); hook.Verify(body, r.Header) == nil {
			t.Error("another secret verifies the message too")
		}
		got <- r
	}))
	defer r.Close()
	s := NewSender(SenderOptions{AllowPrivate: true, UserAgent: "shop/1"})
	defer s.Close()
	if a := s.Send(t.Context(), r.URL, m); a.Outcome != Delivered || a.Status != 200 || a.Error != "" || a.At.IsZero() || a.Took <= 0 {
		t.Fatalf("%+v", a)
	}
	h := (<-got).Header
	if h.Get("Content-Type") != "application/json" || h.Get("User-Agent") != "shop/1" || h.Get("Webhook-Id") != m.ID ||
		len(strings.Fields(h.Get("Webhook-Signature"))) != 2 || h.Values("X-Idempotency-Key") != nil {
		t.Errorf("headers %v", h)
	}
}

func TestSend_SendsNothingUnsigned(t *testing.T) {
	port, accepted := listen(t)
	s := NewSender(SenderOptions{AllowPrivate: true})
	defer s.Close()
	for _, secrets := range [][]Secret{nil, {"whsec_!"}} {
		m := message
		m.Secrets = secrets
		if a := s.Send(t.Context(), "http://127.0.0.1:"+port, m); a.Outcome != Failed || a.Error == "" || strings.Contains(a.Error, "whsec_") {
			t.Errorf("%+v", a)
		}
	}
	if accepted.Load() != 0 {
		t.Error("a message was sent")
	}
}

func TestSend_TellsAnswersApart(t *testing.T) {
	for _, c := range []struct {
		status     int
		retryAfter string
		outcome    Outcome
		wait       time.Duration
	}{
		{200, "", Delivered, 0},
		{204, "60", Delivered, 0},
		{299, "", Delivered, 0},
		{400, "60", Failed, 0},
		{404, "", Failed, 0},
		{410, "", Gone, 0},
		{429, "60", Failed, time.Minute},
		{503, "60", Failed, time.Minute},
		{503, "99999999999999999999999", Failed, 24 * time.Hour},
		{503, "9223372036854775807", Failed, 24 * time.Hour},
		{503, "-5", Failed, 0},
		{503, "soon", Failed, 0},
		{503, "Fri, 01 Jan 2100 00:00:00 GMT", Failed, 24 * time.Hour},
		{503, "Fri, 01 Jan 1999 00:00:00 GMT", Failed, 0},
		{500, "60", Failed, 0},
	} {
		a := to(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", c.retryAfter)
			w.WriteHeader(c.status)
		}, SenderOptions{})
		if a.Outcome != c.outcome || a.Status != c.status || a.RetryAfter != c.wait || (a.Error == "") != (c.outcome == Delivered) {
			t.Errorf("%d, Retry-After %q: %+v", c.status, c.retryAfter, a)
		}
	}
}

func TestSend_FollowsNoRedirect(t *testing.T) {
	port, accepted := listen(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		a := to(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:"+port+"/", status)
		}, SenderOptions{})
		if a.Outcome != Failed || a.Status != status || !strings.Contains(a.Error, " to http://127.0.0.1:"+port) {
			t.Errorf("%d: %+v", status, a)
		}
	}
	if accepted.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestSend_EndsWithinTheTimeoutWhateverHangs(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"no answer": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
		"half a body": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		if a := to(t, answer, SenderOptions{Timeout: 50 * time.Millisecond}); a.Outcome != Failed || !strings.Contains(a.Error, "within 50ms") {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// TestSend_ClosesConnectionsWhoseHandshakeHangs: what an attempt began ends, so that nothing piles up.
func TestSend_ClosesConnectionsWhoseHandshakeHangs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	closed := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			_, err = io.Copy(io.Discard, conn) // says nothing, until the sender closes
			conn.Close()
		}
		closed <- err
	}()
	s := NewSender(SenderOptions{AllowPrivate: true, Timeout: 50 * time.Millisecond})
	defer s.Close()
	if a := s.Send(t.Context(), "https://"+l.Addr().String(), message); a.Outcome != Failed {
		t.Errorf("%+v", a)
	}
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("the connection is still open")
	}
}

func TestSend_KeepsTheStatusOfABrokenAnswer(t *testing.T) {
	for status, want := range map[int]Outcome{200: Failed, 410: Gone, 503: Failed} {
		a := to(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "half")
		}, SenderOptions{})
		if a.Outcome != want || a.Status != status || a.Error == "" || (a.RetryAfter > 0) != (status == 503) {
			t.Errorf("%d: %+v", status, a)
		}
	}
}

func TestSend_ShowsTheBeginningOfAnAnswer(t *testing.T) {
	for body, want := range map[string]string{
		"hello":                    "hello",
		"a\nb\x00c\x1b[31m\u202ed": "a b c [31m d",
		"\xff\xfe!":                "\uFFFD!",
		strings.Repeat("é", 600):   strings.Repeat("é", 500),
		strings.Repeat("👟", 600):   strings.Repeat("👟", 500),
		strings.Repeat("x", 1<<20): strings.Repeat("x", 500),
	} {
		a := to(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }, SenderOptions{})
		if a.Outcome != Delivered || a.Answer != want || !utf8.ValidString(a.Answer) {
			t.Errorf("%.20q: %+v", body, a)
		}
	}
}

func TestSend_ReadsNoEndlessAnswer(t *testing.T) {
	a := to(t, func(w http.ResponseWriter, _ *http.Request) {
		for chunk := make([]byte, 32<<10); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}, SenderOptions{})
	if a.Outcome != Delivered {
		t.Errorf("%+v", a)
	}
}

func TestSend_UsesAConnectionAgain(t *testing.T) {
	port, accepted := listen(t)
	s := NewSender(SenderOptions{AllowPrivate: true})
	defer s.Close()
	for range 20 {
		if a := s.Send(t.Context(), "http://127.0.0.1:"+port, message); a.Outcome != Delivered {
			t.Fatalf("%+v", a)
		}
	}
	if n := accepted.Load(); n != 1 {
		t.Errorf("20 messages took %d connections", n)
	}
}

// TestSend_OneSlowEndpointDelaysNoOtherAtItsHost: endpoints share a host, as those of an integration service do.
func TestSend_OneSlowEndpointDelaysNoOtherAtItsHost(t *testing.T) {
	const many = 40
	var slow atomic.Int64
	free, full := make(chan struct{}), make(chan struct{})
	r := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			if slow.Add(1) == many {
				close(full)
			}
			<-free
		}
	}))
	defer r.Close()
	s := NewSender(SenderOptions{AllowPrivate: true, Timeout: time.Minute})
	defer s.Close()
	attempts := make(chan Attempt, many)
	for range many {
		go func() { attempts <- s.Send(t.Context(), r.URL+"/slow", message) }()
	}
	select {
	case <-full:
	case <-time.After(30 * time.Second):
		t.Errorf("only %d messages of %d are under way", slow.Load(), many)
	}
	if a := s.Send(t.Context(), r.URL+"/quick", message); a.Outcome != Delivered {
		t.Errorf("the other endpoint: %+v", a)
	}
	close(free)
	for range many {
		if a := <-attempts; a.Outcome != Delivered {
			t.Errorf("%+v", a)
		}
	}
}

func TestSend_VerifiesCertificates(t *testing.T) {
	r := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer r.Close()
	known := x509.NewCertPool()
	known.AddCert(r.Certificate())
	for _, c := range []struct {
		roots   *x509.CertPool
		outcome Outcome
	}{{known, Delivered}, {x509.NewCertPool(), Failed}} {
		s := NewSender(SenderOptions{AllowPrivate: true, RootCAs: c.roots})
		a := s.Send(t.Context(), r.URL, message)
		s.Close()
		if a.Outcome != c.outcome || c.outcome == Failed && !strings.Contains(a.Error, "certificate") {
			t.Errorf("%+v", a)
		}
	}
}

func TestSend_ExplainsWhyThereIsNoAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	s := NewSender(SenderOptions{AllowPrivate: true})
	defer s.Close()
	if a := s.Send(t.Context(), "http://"+l.Addr().String(), message); a.Outcome != Failed || a.Error != "The receiver refused the connection." {
		t.Errorf("%+v", a)
	}
	public := NewSender(SenderOptions{})
	defer public.Close()
	if a := public.Send(t.Context(), "http://example.com/", message); a.Outcome != Refused || !strings.HasPrefix(a.Error, "The address is not allowed: it must begin with https://") {
		t.Errorf("an address that was allowed before: %+v", a)
	}
	for err, want := range map[error]string{
		&net.DNSError{Name: "a.example", IsNotFound: true}: "The name a.example does not exist.",
		&net.DNSError{Name: "a.example"}:                   "The name a.example could not be looked up.",
		fmt.Errorf("read: %w", io.EOF):                     "The receiver closed the connection without a complete answer.",
		errors.New("odd"):                                  "The message could not be sent: odd.",
	} {
		if _, got := s.explain(err); got != want {
			t.Errorf("%v: %s", err, got)
		}
	}
}

func TestRetryAfter_FollowsTheSchedule(t *testing.T) {
	for failed, want := range map[int]time.Duration{
		0: 5 * time.Second, 1: 5 * time.Second, 2: 5 * time.Minute, 3: 30 * time.Minute, 4: 2 * time.Hour, 5: 5 * time.Hour,
		6: 10 * time.Hour, 7: 14 * time.Hour, 8: 20 * time.Hour, 9: 24 * time.Hour, 10: 24 * time.Hour, 1000: 24 * time.Hour,
	} {
		different := false
		for range 100 {
			got := RetryAfter(failed, 0)
			if got < want*9/10 || got > want*11/10 {
				t.Errorf("after %d attempts: %s", failed, got)
			}
			different = different || got != want
		}
		if !different {
			t.Errorf("after %d attempts: no jitter", failed)
		}
	}
	if got := RetryAfter(1, time.Hour); got != time.Hour {
		t.Errorf("the receiver asks for an hour, and gets %s", got)
	}
	if got := RetryAfter(4, time.Second); got < time.Hour {
		t.Errorf("the receiver asks for a second, and gets %s", got)
	}
}

func TestSecret_IsNeverShown(t *testing.T) {
	s := NewSecret()
	if len(s) != len(secretPrefix)+44 || s == NewSecret() {
		t.Errorf("a secret of %d bytes", len(s))
	}
	if text := fmt.Sprintf("%s %v %+v", s, s, message) + s.LogValue().String(); strings.Contains(text, string(s)[8:]) || strings.Contains(text, string(message.Secrets[0])[8:]) {
		t.Error("formatting shows the secret")
	}
}

func BenchmarkSend(b *testing.B) {
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer r.Close()
	s := NewSender(SenderOptions{AllowPrivate: true})
	defer s.Close()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if a := s.Send(b.Context(), r.URL, message); a.Outcome != Delivered {
				b.Errorf("%+v", a)
			}
		}
	})
}
