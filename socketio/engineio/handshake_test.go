package engineio_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
	"sneakerdrop/socketio/engineio"
	"sneakerdrop/socketio/internal/wire"
)

func TestHandshake_SaysWhatClientsNeed(t *testing.T) {
	s := start(t, engineio.Options{})
	p := &wire.Poller{URL: s.url("polling"), HTTP: s.client}
	a := do(t, p, http.MethodGet, "")
	if !strings.HasPrefix(a.Body, `0{"sid":"`) ||
		!strings.HasSuffix(a.Body, `","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`) {
		t.Errorf("polling: %s", a.Body)
	}
	if a.Header.Get("Set-Cookie") != "" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", a.Header)
	}
	ws, err := wire.Dial(s.url("websocket"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	if got := read(t, ws); !strings.Contains(got, `"upgrades":[],`) {
		t.Errorf("websocket: %s", got)
	}
}

func TestHandshake_Refusals(t *testing.T) {
	s := start(t, engineio.Options{})
	for _, c := range []struct {
		method, query string
		want          string
	}{
		{"GET", "EIO=4", `{"code":0,"message":"Transport unknown"}`},
		{"GET", "EIO=4&transport=flashsocket", `{"code":0,"message":"Transport unknown"}`},
		{"GET", "EIO=4&transport=polling&sid=nobody", `{"code":1,"message":"Session ID unknown"}`},
		{"GET", "EIO=4&transport=websocket&sid=nobody", `{"code":1,"message":"Session ID unknown"}`},
		{"POST", "EIO=4&transport=polling", `{"code":2,"message":"Bad handshake method"}`},
		{"PUT", "EIO=4&transport=polling", `{"code":2,"message":"Bad handshake method"}`},
		{"GET", "EIO=4&transport=websocket", `{"code":3,"message":"Bad request"}`},
		{"GET", "transport=polling", `{"code":5,"message":"Unsupported protocol version"}`},
		{"GET", "EIO=3&transport=polling", `{"code":5,"message":"Unsupported protocol version"}`},
		{"GET", "EIO=abc&transport=polling", `{"code":5,"message":"Unsupported protocol version"}`},
	} {
		p := &wire.Poller{URL: s.http.URL + "/?" + c.query, HTTP: s.client}
		a := do(t, p, c.method, "")
		if a.Status != 400 || a.Body != c.want || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %d %s", c.method, c.query, a.Status, a.Body)
		}
	}
	if n := s.engine.Stats(); n.Handshakes != 0 || n.Refused["Transport unknown"] != 2 {
		t.Errorf("%+v", n)
	}
}

func TestHandshake_IncompleteWebSocketIsRefused(t *testing.T) {
	s := start(t, engineio.Options{})
	for _, header := range []http.Header{{"Sec-Websocket-Version": {"8"}}, {"Sec-Websocket-Key": nil}, {"Connection": {"close"}}} {
		if ws, err := wire.Dial(s.url("websocket"), header); !errors.Is(err, wire.ErrRefused) {
			t.Errorf("%v: %v %v", header, ws, err)
		}
	}
	await.Until(t, "no session is left", func() bool { return s.engine.Stats().Polling == 0 })
}

func TestOrigins(t *testing.T) {
	s := start(t, engineio.Options{Origins: []string{"https://shop.example", "https://*.shop.example"}})
	for origin, allowed := range map[string]bool{
		"https://shop.example": true, "https://eu.shop.example": true, "https://shop.example.evil": false,
		"http://shop.example": false, s.http.URL: true, "null": false,
	} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url("polling"), nil)
		r.Header.Set("Origin", origin)
		response, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if (response.StatusCode == http.StatusOK) != allowed || !allowed && response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d", origin, response.StatusCode)
		}
		if h := response.Header; allowed && origin != s.http.URL &&
			(h.Get("Access-Control-Allow-Origin") != origin || h.Get("Access-Control-Allow-Credentials") != "true" || h.Get("Vary") != "Origin") {
			t.Errorf("%s: %v", origin, h)
		}
		ws, err := wire.Dial(s.url("websocket"), http.Header{"Origin": {origin}})
		if (err == nil) != allowed {
			t.Errorf("%s: websocket: %v", origin, err)
		}
		if err == nil {
			ws.Close()
		}
	}
}

// Under * every origin may connect, but a page of another machine gets no credentials: it may not use its visitors'
// cookies.
func TestOrigins_CredentialsAreForNamedOrigins(t *testing.T) {
	for _, patterns := range [][]string{nil, {"*"}, {"https://*.shop.example", "*"}} {
		s := start(t, engineio.Options{Origins: patterns})
		for _, c := range []struct {
			origin, host string
			credentials  bool
		}{
			{"https://evil.example", "", false},
			{"https://evil.example", "shop.example", false},
			{"http://localhost.evil.example", "", false},
			{"null", "", false},
			{"http://localhost:5173", "", true},
			{"http://127.0.0.1:5173", "localhost:3000", true},
			{"http://[::1]:5173", "localhost:3000", true},
			{"http://localhost:5173", "shop.example", false},
			{"https://eu.shop.example", "", len(patterns) == 2},
		} {
			for _, method := range []string{http.MethodGet, http.MethodOptions} {
				r, _ := http.NewRequestWithContext(t.Context(), method, s.url("polling"), nil)
				r.Header.Set("Origin", c.origin)
				if c.host != "" {
					r.Host = c.host
				}
				response, err := s.client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				h := response.Header
				if response.StatusCode >= 300 || h.Get("Access-Control-Allow-Origin") != c.origin ||
					(h.Get("Access-Control-Allow-Credentials") == "true") != c.credentials || h.Get("Vary") == "" {
					t.Errorf("%q, %s of %s at %q: %d %v", patterns, method, c.origin, c.host, response.StatusCode, h)
				}
			}
		}
	}
}

func TestPreflight(t *testing.T) {
	s := start(t, engineio.Options{})
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodOptions, s.url("polling"), nil)
	r.Header.Set("Origin", "https://shop.example")
	r.Header.Set("Access-Control-Request-Method", "POST")
	r.Header.Set("Access-Control-Request-Headers", "x-token")
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	h := response.Header
	if response.StatusCode != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != "https://shop.example" ||
		h.Get("Access-Control-Allow-Headers") != "x-token" || h.Get("Access-Control-Allow-Methods") != "GET,POST" {
		t.Errorf("%d %v", response.StatusCode, h)
	}
}

func TestLimits_OfConnections(t *testing.T) {
	for _, c := range []struct {
		name    string
		options engineio.Options
		want    string
	}{
		{"all", engineio.Options{MaxConnections: 2}, `503 {"code":6,"message":"Too many connections"}`},
		{"address", engineio.Options{MaxConnectionsPerAddress: 2}, `429 {"code":7,"message":"Too many connections from this address"}`},
		{"rate", engineio.Options{HandshakesPerSecond: 2}, `429 {"code":8,"message":"Too many handshakes"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.options)
			ws, sid := s.webSocket(t)
			s.poller(t)
			refused := func() error {
				if _, err := wire.Dial(s.url("websocket"), nil); err == nil || !strings.Contains(err.Error(), c.want) {
					return fmt.Errorf("websocket: %w", err)
				}
				a := do(t, &wire.Poller{URL: s.url("polling"), HTTP: s.client}, http.MethodGet, "")
				if a.Header.Get("Retry-After") == "" || !strings.HasSuffix(c.want, a.Body) {
					return fmt.Errorf("polling: %+v", a)
				}
				return nil
			}
			if c.name == "rate" { // a busy machine may take so long that one more is admitted
				await.Nil(t, refused)
				return
			}
			if err := refused(); err != nil {
				t.Error(err)
			}
			ws.Close()
			s.closed(t, sid, engineio.TransportClose)
			s.webSocket(t) // one has left: one may come
		})
	}
}

func TestLimits_HandshakesComeBackWithTime(t *testing.T) {
	s := start(t, engineio.Options{HandshakesPerSecond: 2})
	refused := 0
	for range 40 { // within less than 20 s
		if do(t, &wire.Poller{URL: s.url("polling"), HTTP: s.client}, http.MethodGet, "").Status == 429 {
			refused++
		}
	}
	if refused == 0 {
		t.Error("40 at once, and none refused")
	}
	await.Until(t, "one is admitted again", func() bool {
		time.Sleep(10 * time.Millisecond)
		return do(t, &wire.Poller{URL: s.url("polling"), HTTP: s.client}, http.MethodGet, "").Status == 200
	})
}
