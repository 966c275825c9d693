package api_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// follow opens a stream of events and returns what reads the next one; it is closed with ctx.
func follow(ctx context.Context, s *shop, path string) (next func() string) {
	s.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		s.Fatal(err)
	}
	res, err := s.client.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = res.Body.Close() })
	if got := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || got != "text/event-stream" {
		s.Fatalf("%s, %s", res.Status, got)
	}
	r := bufio.NewReader(res.Body)
	return func() string {
		s.Helper()
		var event strings.Builder
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				s.Fatal(err)
			}
			if line == "\n" {
				return event.String()
			}
			event.WriteString(line)
		}
	}
}

func TestEvents_ShowTheStockAsItMoves(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	one := follow(t.Context(), s, "/api/drops/events?drop=2")
	all := follow(t.Context(), s, "/API/drops/events/")
	d := s.document()
	described := d.Paths["/api/drops/events"]["get"].Responses["200"].Content["text/event-stream"].Schema
	want := func(got, event, inData string) {
		t.Helper()
		_, data, _ := strings.Cut(got, "\ndata: ")
		d.validate(t, described, []byte(data))
		if !strings.HasPrefix(got, "event: "+event+"\ndata: {") || !strings.Contains(got, inData) {
			t.Errorf("got %q, want %s with %s", got, event, inData)
		}
	}
	want(one(), "stock_update", `"dropId":2,`)
	want(all(), "stock_update", `"dropId":1,`)
	want(all(), "stock_update", `"dropId":2,`)
	r := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":2,"userId":1}`)
	for _, next := range []func() string{one, all} {
		want(next(), "stock_update", `"reason":"reserved"`)
	}
	s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, r.ID)))
	want(one(), "purchase_complete", `"dropId":2,"userId":1,"purchaseId":`)
	mustPost[dropJSON](s, "/api/drops/2/pause", "")
	want(one(), "drop_update", `"paused":true`)
}

func TestEvents_Refusals(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	for path, want := range map[string]string{
		"/api/drops/events?drop=99":  `"code":"drop_not_found"`,
		"/api/drops/events?drop=x":   `"code":"invalid"`,
		"/api/drops/events?drop=0":   `"code":"invalid"`,
		"/api/drops/events?drop=1.5": `"code":"invalid"`,
	} {
		if got := s.get(path); !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %s, want %s", path, got.status, got.body, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	follow(ctx, s, "/api/drops/events")()
	follow(ctx, s, "/api/drops/events")()
	if got := s.get("/api/drops/events"); got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, `"code":"overloaded"`) {
		t.Errorf("one more stream than allowed: %d %s", got.status, got.body)
	}
}
