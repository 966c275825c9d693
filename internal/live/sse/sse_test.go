package sse_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/live"
	"sneakerdrop/internal/live/sse"
	"sneakerdrop/internal/testing/await"
)

// serve runs a hub with streams on a real server until the test ends.
func serve(t *testing.T, most int) (*live.Hub, *sse.Streams, *httptest.Server) {
	t.Helper()
	return serveHub(t, live.New(live.Config{Window: time.Millisecond}), most)
}

// serveHub serves /?drop=7&buyer=1001.
func serveHub(t *testing.T, h *live.Hub, most int) (*live.Hub, *sse.Streams, *httptest.Server) {
	t.Helper()
	s := sse.New(h, most, 0)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var id drop.ID
		var buyer drop.UserID
		_, _ = fmt.Sscan(r.URL.Query().Get("drop"), &id)
		_, _ = fmt.Sscan(r.URL.Query().Get("buyer"), &buyer)
		if err := s.Serve(w, r, id, buyer); errors.Is(err, sse.ErrTooMany) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(func() {
		s.Close()
		server.Close()
		h.Close()
	})
	return h, s, server
}

func publish(h *live.Hub, id drop.ID, version int64) {
	h.Publish(engine.Event{
		View:   &engine.View{Drop: drop.Drop{ID: id, Version: version, Sizes: []drop.Size{{Stock: drop.Stock{Total: version, Available: version}}}}},
		Ledger: []drop.LedgerEntry{{Reason: drop.Restocked, Units: 1}},
	})
}

// lines reads a stream's events, one string each.
func lines(t *testing.T, url string) (next func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if got := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("%s, %s", res.Status, got)
	}
	r := bufio.NewReader(res.Body)
	return func() string {
		t.Helper()
		var event strings.Builder
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return "end"
			}
			if line == "\n" {
				return event.String()
			}
			event.WriteString(line)
		}
	}
}

func stock(id drop.ID, version int64, reason string) string {
	if reason != "" {
		reason = `"reason":"` + reason + `",`
	}
	return fmt.Sprintf("event: stock_update\ndata: {\"dropId\":%d,\"available_stock\":%d,%s\"version\":%d}\n", id, version, reason, version)
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// shown waits until the hub shows the drop in that version.
func shown(t *testing.T, h *live.Hub, id drop.ID, version int64) {
	t.Helper()
	mark := fmt.Sprintf(`"version":%d}`, version)
	await.Until(t, "the hub shows the drop", func() (found bool) {
		h.Join(id, func(s []live.Update) { found = len(s) == 1 && strings.HasSuffix(string(s[0].JSON), mark) })
		return found
	})
}

func TestStream_StateFirstThenWhatFollows(t *testing.T) {
	h, _, server := serve(t, 0)
	publish(h, 7, 2)
	publish(h, 8, 3)
	shown(t, h, 7, 2)
	shown(t, h, 8, 3)
	all, one := lines(t, server.URL), lines(t, server.URL+"?drop=8")
	want(t, all(), stock(7, 2, ""))
	want(t, all(), stock(8, 3, ""))
	want(t, one(), stock(8, 3, ""))
	publish(h, 7, 4)
	want(t, all(), stock(7, 4, "restocked"))
	publish(h, 8, 5)
	want(t, all(), stock(8, 5, "restocked"))
	want(t, one(), stock(8, 5, "restocked"))
}

func TestStream_BoundIsRefused(t *testing.T) {
	h, s, server := serve(t, 1)
	publish(h, 7, 2)
	shown(t, h, 7, 2)
	next := lines(t, server.URL)
	want(t, next(), stock(7, 2, ""))
	res, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable || s.Count() != 1 {
		t.Errorf("the second of one allowed: %s, %d open", res.Status, s.Count())
	}
}

// One address cannot take all the streams. With IPv6, an address is a network.
func TestStream_BoundOfOneAddressIsRefused(t *testing.T) {
	h := live.New(live.Config{Window: time.Millisecond})
	defer h.Close()
	s := sse.New(h, 10, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = r.Header.Get("From")
		if err := s.Serve(w, r, 0, 0); errors.Is(err, sse.ErrTooMany) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	defer s.Close()
	open := func(from string) (int, func()) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("From", from)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, func() { _ = res.Body.Close() }
	}
	var end func()
	for _, c := range []struct {
		from   string
		status int
	}{
		{"192.0.2.1:1", 200},
		{"192.0.2.1:2", 200},
		{"192.0.2.1:3", 503},
		{"192.0.2.2:1", 200},
		{"[2001:db8::1]:1", 200},
		{"[2001:db8::2]:1", 200},
		{"[2001:db8::3]:1", 503},
		{"[2001:db8:0:1::1]:1", 200},
	} {
		status, closeIt := open(c.from)
		if status != c.status {
			t.Errorf("%s: %d, want %d", c.from, status, c.status)
		}
		if end == nil {
			end = closeIt // the first stream's
		} else {
			defer closeIt()
		}
	}
	end()
	await.Until(t, "who went counts no more", func() bool {
		status, closeIt := open("192.0.2.1:4")
		t.Cleanup(closeIt)
		return status == http.StatusOK
	})
}

func TestStream_CloseEndsAll(t *testing.T) {
	h, s, server := serve(t, 0)
	publish(h, 7, 2)
	shown(t, h, 7, 2)
	next := lines(t, server.URL)
	want(t, next(), stock(7, 2, ""))
	s.Close()
	want(t, next(), "end")
}

// A client that never reads costs one bounded queue, and nobody waits for it.
func TestStream_OneThatNeverReadsHoldsNobodyUp(t *testing.T) {
	h, s, server := serve(t, 0)
	stalled, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(stalled, "GET / HTTP/1.1\r\nHost: test\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "it is connected", func() bool { return s.Count() > 0 })
	next := lines(t, server.URL+"?drop=1")
	began := time.Now()
	for version := int64(1); version <= 300; version++ {
		for id := range drop.ID(50) {
			publish(h, id+1, version)
		}
	}
	shown(t, h, 1, 300)
	for next() != stock(1, 300, "restocked") {
		continue // events from before
	}
	if took := time.Since(began); took > await.Within(5*time.Second) {
		t.Errorf("took %v", took)
	}
	_ = stalled.Close()
	await.Until(t, "the one who went is no longer counted", func() bool {
		publish(h, 1, time.Now().UnixNano()) // the server notices when it writes
		return s.Count() <= 1
	})
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
