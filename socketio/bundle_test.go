package socketio_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"sneakerdrop/socketio"
)

func TestBundle(t *testing.T) {
	s := start(t, socketio.Options{}, nil)
	get := func(name string, header ...string) (int, http.Header, string) {
		t.Helper()
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/socket.io/"+name, nil)
		r.Header.Set("Accept-Encoding", "identity")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		response, err := s.http.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var body io.Reader = response.Body
		if response.Header.Get("Content-Encoding") == "gzip" {
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		data, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Header, string(data)
	}
	for name, kind := range map[string]string{
		"socket.io.js": "text/javascript", "socket.io.min.js": "text/javascript", "socket.io.esm.min.js": "text/javascript",
		"socket.io.js.map": "application/json", "socket.io.min.js.map": "application/json",
	} {
		want, err := os.ReadFile("client/" + name)
		if err != nil {
			t.Fatal(err)
		}
		status, plain, body := get(name)
		etag := plain.Get("Etag")
		if status != http.StatusOK || body != string(want) || !strings.HasPrefix(plain.Get("Content-Type"), kind) ||
			!strings.HasPrefix(etag, `"`) || plain.Get("Cache-Control") != "public, max-age=0, must-revalidate" {
			t.Errorf("%s: %d %v", name, status, plain)
		}
		_, packed, body := get(name, "Accept-Encoding", "br, gzip")
		if packed.Get("Content-Encoding") != "gzip" || body != string(want) || packed.Get("Etag") == etag {
			t.Errorf("%s, gzip: %v", name, packed)
		}
		for _, e := range []string{etag, packed.Get("Etag")} {
			encoding := "identity"
			if e != etag {
				encoding = "gzip"
			}
			if again, _, body := get(name, "If-None-Match", e, "Accept-Encoding", encoding); again != http.StatusNotModified || body != "" {
				t.Errorf("%s, known: %d", name, again)
			}
		}
	}
	for accept, want := range map[string]string{
		"gzip": "gzip", "GZIP": "gzip", "x-gzip": "gzip", "*": "gzip", "br, gzip;q=0.001": "gzip", "gzip ; q=1.000": "gzip", "br;q=1, *;q=0.1": "gzip",
		"gzip;q=0": "", "gzip;q=0.0": "", "gzip; Q=0.000": "", "gzip;q=0, *": "", "*;q=0.0": "", "gzip;q=x": "", "br": "", "": "",
	} {
		if _, h, _ := get("socket.io.js", "Accept-Encoding", accept); h.Get("Content-Encoding") != want {
			t.Errorf("Accept-Encoding %q: %q, want %q", accept, h.Get("Content-Encoding"), want)
		}
	}
	for _, name := range []string{"README.md", "LICENSE", "socket.io.txt", "client/socket.io.js", "../server.go"} {
		if status, _, _ := get(name); status != http.StatusNotFound {
			t.Errorf("%s: %d", name, status)
		}
	}
	response, err := s.http.Client().Post(s.http.URL+"/socket.io/socket.io.js", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", response.StatusCode)
	}
	s.http.Client().CloseIdleConnections()
}
