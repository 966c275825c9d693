package api_test

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/http1"
	"sneakerdrop/internal/testing/await"
)

// plainly serves the shop without TLS, like the program, and returns its address.
func plainly(t *testing.T, s *shop) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := http1.New(api.Server(s.handler, slog.New(slog.DiscardHandler)), api.GivenWhole, http1.Bounds{})
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

func http2Client(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: await.Patience}
}

// Clients that use HTTP/2 with prior knowledge (curl --http2-prior-knowledge, gRPC gateways, meshes) get the same
// answers without TLS as with it.
func TestHTTP2_WithoutTLS(t *testing.T) {
	s := newShop(t)
	url, client := "http://"+plainly(t, s), http2Client(t)
	call := func(method, path, body string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		a, err := client.Do(r)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		if err != nil || a.ProtoMajor != 2 {
			t.Fatalf("%s %s: %s, %v", method, path, a.Proto, err)
		}
		return a, string(text)
	}
	if a, text := call("POST", "/api/drops/create", createBody); a.StatusCode != http.StatusOK && a.StatusCode != http.StatusCreated {
		t.Fatal(a.Status, text)
	}
	if a, text := call("POST", "/api/drops/reserve", `{"dropId":1,"userName":"Ann"}`); a.StatusCode != http.StatusOK {
		t.Error(a.Status, text)
	}
	if a, text := call("POST", "/api/drops/reserve", strings.Repeat(" ", 65<<10)+`{}`); a.StatusCode != http.StatusRequestEntityTooLarge {
		t.Error("a body that is too long:", a.Status, text)
	}
	var all sync.WaitGroup
	for range 300 { // more than the allowed streams
		all.Go(func() {
			if a, text := call("GET", "/api/drops/1", ""); a.StatusCode != http.StatusOK {
				t.Error(a.Status, text)
			}
		})
	}
	all.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/drops/events", nil)
	a, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	begun := make([]byte, len("event: "))
	if _, err := io.ReadFull(a.Body, begun); err != nil || string(begun) != "event: " || a.ProtoMajor != 2 {
		t.Errorf("a stream: %q, %v, %s", begun, err, a.Proto)
	}
}

// The server limits the concurrent requests of one HTTP/2 connection, and announces the limit in its first frame.
func TestHTTP2_BoundsStreamsAndBodies(t *testing.T) {
	c, err := net.Dial("tcp", plainly(t, newShop(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(await.Patience))
	_, _ = io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	head := make([]byte, 9)
	if _, err := io.ReadFull(c, head); err != nil || head[3] != 4 {
		t.Fatalf("the first frame: %x, %v", head, err)
	}
	settings := make([]byte, int(head[1])<<8|int(head[2]))
	if _, err := io.ReadFull(c, settings); err != nil {
		t.Fatal(err)
	}
	said := make(map[uint16]uint32)
	for ; len(settings) >= 6; settings = settings[6:] {
		said[binary.BigEndian.Uint16(settings)] = binary.BigEndian.Uint32(settings[2:])
	}
	const streams, window, headers = 3, 4, 6
	if said[streams] != 100 || said[window] != 64<<10 || said[headers] < 32<<10 || said[headers] > 33<<10 {
		t.Errorf("%v", said)
	}
}

// RFC 9113, 3.1 removed the upgrade of RFC 7540, so the request is answered in HTTP/1.1.
func TestHTTP2_AnUpgradeIsIgnored(t *testing.T) {
	s := newShop(t)
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+plainly(t, s)+"/api/drops", nil)
	r.Header = http.Header{"Connection": {"Upgrade, HTTP2-Settings"}, "Upgrade": {"h2c"}, "Http2-Settings": {"AAMAAABkAAQAAP__"}}
	a, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if text, err := io.ReadAll(a.Body); err != nil || a.StatusCode != http.StatusOK || a.ProtoMajor != 1 || string(text) != "[]" {
		t.Errorf("%s %s %q, %v", a.Proto, a.Status, text, err)
	}
}
