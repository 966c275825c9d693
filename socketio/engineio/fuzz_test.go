package engineio

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// silent is a handler that does nothing.
type silent struct{}

func (silent) Open(*Session)                        {}
func (silent) Message(*Session, []byte, bool) error { return nil }
func (silent) Close(*Session, Reason)               {}

// FuzzHandshake: whatever asks for a session is given one or told why not, and what is kept of the request can be
// read again.
func FuzzHandshake(f *testing.F) {
	for _, seed := range []struct{ method, query, headers string }{
		{"GET", "EIO=4&transport=polling", ""},
		{"GET", "EIO=4&transport=websocket", "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="},
		{"GET", "EIO=4&transport=websocket", "Upgrade: websocket"},
		{"POST", "EIO=4&transport=polling&sid=x", ""},
		{"OPTIONS", "EIO=4&transport=polling", "Origin: https://a.example\nAccess-Control-Request-Headers: x"},
		{"GET", "EIO=3&transport=polling&EIO=4", "Origin: null"},
		{"GET", "EIO=4&transport=polling&%zz;", "Origin: https://shop.example:80"},
		{"PUT", "", "X-Forwarded-For: 1.2.3.4"},
		{"GET", "EIO=4&transport=flash", ""},
		{"", "EIO=4&transport=polling", ""}, // means GET
	} {
		f.Add(seed.method, seed.query, seed.headers)
	}
	var log bytes.Buffer
	e := New(silent{}, Options{HandshakesPerSecond: -1, HandshakesPerSecondPerAddress: -1, MaxConnections: -1, MaxConnectionsPerAddress: -1, KeepHeaders: []string{"origin"}, Origins: []string{"https://*.example"}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	f.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			f.Error(err)
		}
	})
	f.Fuzz(func(t *testing.T, method, query, headers string) {
		header, err := textproto.NewReader(bufio.NewReader(strings.NewReader(headers + "\n\n"))).ReadMIMEHeader()
		if err != nil {
			t.Skip("net/http would refuse it")
		}
		r, err := http.NewRequest(method, "http://shop.example/", http.NoBody)
		if err != nil {
			t.Skip("net/http would refuse it")
		}
		r.URL.RawQuery, r.Header, r.RemoteAddr = query, http.Header(header), "192.0.2.1:5555"
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		switch {
		case rec.Code == http.StatusOK:
			q := r.URL.Query()
			asked := r.Method == http.MethodGet && q.Get("transport") == "polling" && q.Get("EIO") == "4" && q.Get("sid") == ""
			if !asked || !bytes.HasPrefix(body, []byte(`0{`)) || !json.Valid(body[1:]) {
				t.Errorf("%s ?%s %q: %s", method, query, headers, body)
			}
		case rec.Code == http.StatusNoContent && method == http.MethodOptions:
		case rec.Code < 400 || rec.Code >= 500 || !json.Valid(body):
			t.Errorf("%s ?%s %q: %d %s", method, query, headers, rec.Code, body)
		}
		if log.Len() > 0 {
			t.Errorf("%s ?%s %q: %s", method, query, headers, log.String())
			log.Reset()
		}
		_, sid, _ := strings.Cut(string(body), `"sid":"`)
		sid, _, _ = strings.Cut(sid, `"`)
		e.mu.Lock()
		session := e.sessions[sid]
		e.mu.Unlock()
		if session == nil {
			return
		}
		if kept := session.Request(); kept.Query.Encode() != r.URL.Query().Encode() || kept.Header.Get("Origin") != r.Header.Get("Origin")[:min(maxKeptHeader, len(r.Header.Get("Origin")))] {
			t.Errorf("%s ?%s %q is kept as %+v", method, query, headers, kept)
		}
		session.End(ClientClose)
	})
}
