package test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// answerAs makes a GET under a host's name and returns its status, headers and body.
func answerAs(t *testing.T, url, host string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

// Without sign-in, a server on loopback answers only to names of this machine, because a web site may point any other
// name here. With --allowed-host it answers to that name too.
func TestHosts_OnLoopbackOnlyThisMachinesNames(t *testing.T) {
	const handshake = "/socket.io/?EIO=4&transport=polling"
	paths := []string{"/", "/admin", "/api/drops", "/api/drops/1", "/health", "/nowhere", handshake, "/socket.io/socket.io.js", "/metrics", "/docs", "/demo-payment/x"}
	s := startFor(t, t.TempDir(), "--demo")
	for _, path := range paths {
		for _, host := range []string{"evil.example", "evil.example:3000", "localhost.evil.example", "192.0.2.1"} {
			if status, _, body := answerAs(t, s.url+path, host); status != http.StatusMisdirectedRequest || !strings.Contains(body, `"code":"misdirected_request"`) {
				t.Errorf("%s as %s: %d %s", path, host, status, body)
			}
		}
		for _, host := range []string{"localhost", "localhost:8080", "127.0.0.1", "[::1]:3000"} {
			if status, _, body := answerAs(t, s.url+path, host); status == http.StatusMisdirectedRequest {
				t.Errorf("%s as %s: %s", path, host, body)
			}
		}
	}
	named := startFor(t, t.TempDir(), "--allowed-host=shop.test,other.test", "--allowed-host=third.test")
	for host, want := range map[string]int{
		"shop.test": http.StatusOK, "Other.test:443": http.StatusOK, "third.test": http.StatusOK, "localhost": http.StatusOK,
		"fourth.test": http.StatusMisdirectedRequest,
	} {
		if status, _, _ := answerAs(t, named.url+"/api/drops", host); status != want {
			t.Errorf("%s: %d, want %d", host, status, want)
		}
	}
	reachable := startFor(t, t.TempDir(), "--addr=0.0.0.0:0", "--insecure")
	if status, _, _ := answerAs(t, reachable.url+"/api/drops", "shop.example"); status != http.StatusOK {
		t.Errorf("beyond loopback, without names: %d", status)
	}
}

// Answers of sockets over HTTP have the same headers as every other answer.
func TestSockets_AnswerWithTheSecurityHeaders(t *testing.T) {
	s := startFor(t, t.TempDir())
	for _, path := range []string{
		"/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=3&transport=polling", "/socket.io/?EIO=4&transport=polling&sid=x",
		"/socket.io/socket.io.js", "/socket.io/nothing", "/socket.io",
	} {
		status, h, _ := answerAs(t, s.url+path, "localhost", "Origin", "https://evil.example")
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: %d %v", path, status, h)
		}
		if h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: a page that nobody named may send cookies", path)
		}
	}
}
