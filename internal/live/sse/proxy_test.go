package sse_test

import (
	"bufio"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/live"
	"sneakerdrop/internal/live/sse"
	"sneakerdrop/internal/testing/await"
)

// compressing is a reverse proxy that compresses every text for clients that accept gzip, unless it says no-transform
// (RFC 9111, 5.2.2.6). The compression middleware of Node.js and many balancers do this. Like them, it sends
// compressed data only once there is enough of it.
func compressing(t *testing.T, backend http.Handler) *httptest.Server {
	t.Helper()
	behind := httptest.NewServer(backend)
	t.Cleanup(behind.Close)
	at, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(at) },
		ModifyResponse: func(res *http.Response) error {
			if strings.Contains(res.Header.Get("Cache-Control"), "no-transform") || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/") {
				return nil
			}
			plain, packed, out := res.Body, io.Writer(nil), (*io.PipeWriter)(nil)
			res.Body, out = io.Pipe()
			packed = gzip.NewWriter(out)
			go func() {
				_, err := io.Copy(packed, plain)
				_ = plain.Close()
				_ = out.CloseWithError(err)
			}()
			res.Header.Set("Content-Encoding", "gzip")
			return nil
		},
		FlushInterval: -1,
	}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	return front
}

// ask opens a stream with gzip accepted, as browsers do.
func ask(t *testing.T, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func TestStream_ArrivesThroughAProxyThatCompresses(t *testing.T) {
	h := live.New(live.Config{Window: time.Millisecond})
	s := sse.New(h, 0, 0)
	front := compressing(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = s.Serve(w, r, 0, 0) }))
	t.Cleanup(func() {
		s.Close()
		h.Close()
	})
	publish(h, 7, 2)
	shown(t, h, 7, 2)
	res := ask(t, front.URL)
	if got := res.Header.Get("Content-Encoding"); got != "" {
		t.Fatalf("the proxy compressed the stream: %s", got)
	}
	got := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(res.Body).ReadString('\n')
		got <- line
	}()
	select {
	case line := <-got:
		want(t, line, "event: stock_update\n")
	case <-time.After(await.Patience):
		t.Fatal("no event came through the proxy")
	}
	if accel := res.Header.Get("X-Accel-Buffering"); accel != "no" {
		t.Errorf("X-Accel-Buffering is %q: nginx would hold events back", accel)
	}
}

// TestProxy_CompressesWhatDoesNotForbidIt makes sure that the proxy compresses at all, so that the test above means
// something.
func TestProxy_CompressesWhatDoesNotForbidIt(t *testing.T) {
	front := compressing(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = io.WriteString(w, "data: 1\n\n")
	}))
	if got := ask(t, front.URL).Header.Get("Content-Encoding"); got != "gzip" {
		t.Errorf("Content-Encoding is %q", got)
	}
}
