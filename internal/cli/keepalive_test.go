package cli

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/http1"
	"sneakerdrop/internal/testing/pipes"
)

// idled opens a connection, makes a request and returns how long the server then lets it wait for the next one.
func idled(t *testing.T, keepAlive time.Duration, plain func(path string) bool) (stood time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rest := api.Server(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }), slog.New(slog.DiscardHandler))
		if keepAlive > 0 {
			rest.IdleTimeout = keepAlive
		}
		server := http1.New(rest, plain, http1.Bounds{})
		l := pipes.Listen()
		done := make(chan error, 1)
		go func() { done <- server.Serve(l) }()
		client, err := l.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		from := bufio.NewReader(client)
		ask := func() {
			t.Helper()
			if _, err := io.WriteString(client, "GET /health HTTP/1.1\r\nHost: shop.example\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(from, nil)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(res.Body); err != nil || string(body) != "ok" {
				t.Fatalf("%q, %v", body, err)
			}
		}
		ask()
		time.Sleep(keepAlive * 9 / 10)
		ask() // the time starts again with each request
		began := time.Now()
		if _, err := from.ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("it ends in %v", err)
		}
		stood = time.Since(began)
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		_ = l.Close()
		<-done
	})
	return stood
}

// The server never closes a balancer's idle connection first, and closes every idle connection in the end. net/http
// serves TLS and requests that are not plain.
func TestKeepAlive_OutlivesBalancers(t *testing.T) {
	const longest = time.Hour // Envoy's, the longest in docs/howto/network.md (Behind a proxy or balancer)
	for name, plain := range map[string]func(string) bool{"plain": api.GivenWhole, "net/http": func(string) bool { return false }} {
		t.Run(name, func(t *testing.T) {
			if stood := idled(t, 0, plain); stood <= longest || stood > longest+2*time.Minute {
				t.Errorf("by default a connection stands for %s", stood)
			}
			for _, set := range []time.Duration{time.Second, 2 * time.Minute, 24 * time.Hour} {
				// http1 may add up to 5 s of slack.
				if stood := idled(t, set, plain); stood < set || stood > set+5*time.Second {
					t.Errorf("with %s it stands for %s", set, stood)
				}
			}
		})
	}
}

func TestKeepAlive_IsASetting(t *testing.T) {
	for text, want := range map[string]time.Duration{"": api.DefaultKeepAlive, "650s": 650 * time.Second, "24h": 24 * time.Hour} {
		var c commands
		said(t, &c, "", []string{"SNEAKERDROP_KEEP_ALIVE=" + text}, "serve")
		if got := time.Duration(c.Serve.KeepAlive); got != want {
			t.Errorf("%q is %s", text, got)
		}
	}
	for _, text := range []string{"0s", "999ms", "24h1s", "-1m", "600", "soon"} {
		con := &console{stdout: io.Discard, stderr: io.Discard}
		if _, _, err := con.parse(new(commands), []string{"serve", "--keep-alive=" + text}, nil); err == nil || !strings.Contains(con.sentence(err), "--keep-alive must be a time from 1s to 24h") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
