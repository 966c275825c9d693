package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// maxClient is the most that the client library may weigh, compressed.
const maxClient = 10_000

func TestClient_IsForPagesOfEveryOrigin(t *testing.T) {
	h, p := handler(t, Config{})
	for at, kind := range map[string]string{
		"/client/sneakerdrop.js":   "text/javascript; charset=utf-8",
		"/client/sneakerdrop.d.ts": "text/typescript; charset=utf-8",
	} {
		w := answer(h, http.MethodGet, at, "Origin", "http://localhost:8080")
		for name, want := range map[string]string{
			"Content-Type": kind, "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin",
			"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", at, name, got, want)
			}
		}
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("%s: %d, %d bytes", at, w.Code, w.Body.Len())
		}
		if again := answer(h, http.MethodGet, at, "If-None-Match", w.Header().Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%s: asked for again: %d", at, again.Code)
		}
		if w := answer(h, http.MethodPost, at); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", at, w.Code)
		}
	}
	if got := answer(h, http.MethodGet, "/client/sneakerdrop.js").Header().Get("X-TypeScript-Types"); got != "./sneakerdrop.d.ts" {
		t.Errorf("the module's types are at %q", got)
	}
	for _, at := range []string{"/client", "/client/", "/client/package.json", "/client/client.go", "/client/README.md", "/client/openapi.json"} {
		if w := answer(h, http.MethodGet, at); w.Code != http.StatusTeapot {
			t.Errorf("%s: %d", at, w.Code)
		}
	}
	for at, f := range p.files {
		if strings.HasSuffix(at, "/client/sneakerdrop.js") && !bytes.Equal(f.Plain(), p.files["/client/sneakerdrop.js"].Plain()) {
			t.Errorf("the pages use another library: %s", at)
		}
		if strings.HasPrefix(at, "/assets/") && (answer(h, http.MethodGet, at).Header().Get("Access-Control-Allow-Origin") != "") {
			t.Errorf("%s is for every origin", at)
		}
	}
}

func TestClient_IsSmall(t *testing.T) {
	h, _ := handler(t, Config{})
	w := answer(h, http.MethodGet, "/client/sneakerdrop.js", "Accept-Encoding", "gzip")
	if w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatal("it is not compressed")
	}
	size := w.Body.Len()
	if _, err := gzip.NewReader(w.Body); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes compressed", size)
	if size > maxClient {
		t.Errorf("%d bytes compressed, at most %d", size, maxClient)
	}
}

var bundles = regexp.MustCompile(`^/assets/[0-9a-f]+/(shop|admin|verify)\.js$`)

// Nothing but the library speaks to the server: what it does about lost answers, keys and clocks would be missing.
func TestPages_SpeakThroughTheClient(t *testing.T) {
	_, p := handler(t, Config{})
	for at, f := range p.files {
		if !strings.HasSuffix(at, ".js") || strings.Contains(at, "/vendor/") || strings.HasSuffix(at, "/client/sneakerdrop.js") || bundles.MatchString(at) {
			continue // a bundle has the library in it
		}
		for _, other := range []string{"fetch(", "XMLHttpRequest", "EventSource(", "WebSocket(", "sendBeacon", "io("} {
			if bytes.Contains(f.Plain(), []byte(other)) {
				t.Errorf("%s has %s", at, other)
			}
		}
	}
}
