package api_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/identity"
	"sneakerdrop/internal/limit"
	"sneakerdrop/internal/testing/await"
)

// follow opens a stream of events and returns a function that reads the next one, or "end" after the last. The stream
// ends with ctx.
func follow(ctx context.Context, s *shop, path string) (next func() string) {
	s.Helper()
	return followAs(ctx, s, "", path)
}

func followAs(ctx context.Context, s *shop, token, path string) (next func() string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(ctx, await.Patience)
	s.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		s.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
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
			if errors.Is(err, io.EOF) {
				return "end"
			}
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

func TestEvents_TellABuyerWhatIsItsOwn(t *testing.T) {
	g := newGuarded(t)
	ann, others := followAs(t.Context(), g.shop, g.ann, "/api/drops/events?drop=1"), followAs(t.Context(), g.shop, g.bob, "/api/drops/events")
	r := g.reserve(g.ann)
	mustAs[map[string]any](g.shop, g.ann, "POST", "/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, r.ID))
	reservation, hers := fmt.Sprintf(`"id":%d,"dropId":1,"userId":%d,"status":`, r.ID, g.annID), fmt.Sprintf(`"userId":%d,`, g.annID)
	for _, want := range []string{
		"event: reservation_update\ndata: {" + reservation + `"active",`, "event: reservation_update\ndata: {" + reservation + `"completed",`,
		"event: purchase_complete\ndata: {\"dropId\":1," + hers,
	} {
		for got := ""; !strings.HasPrefix(got, want); {
			if got = ann(); got == "end" || strings.HasPrefix(got, "event: reservation_update") && !strings.HasPrefix(got, want) {
				t.Fatalf("she was told %q, want %q", got, want)
			}
		}
	}
	for got := ""; !strings.HasPrefix(got, "event: purchase_complete\n"); {
		if got = others(); got == "end" || strings.Contains(got, hers) || strings.Contains(got, "reservation_update") {
			t.Fatalf("another buyer was told %q", got)
		}
	}
}

func TestEvents_EndWithTheToken(t *testing.T) {
	g := newGuarded(t)
	const left = 2 * time.Second // more than the second that is lost when a token's end is rounded down
	short := g.p.token("ann", claims{"exp": time.Now().Add(left - identity.Leeway).Unix()})
	long, next := followAs(t.Context(), g.shop, g.ann, "/api/drops/events"), followAs(t.Context(), g.shop, short, "/api/drops/events")
	for got := ""; got != "end"; {
		if got = next(); !strings.HasPrefix(got, "event: stock_update\n") && got != "end" {
			t.Fatalf("told %q", got)
		}
	}
	g.refused(g.as(short, "GET", "/api/drops/events", ""), http.StatusUnauthorized, "token_expired")
	g.reserve(g.ann)
	for got := ""; !strings.HasPrefix(got, "event: reservation_update\n"); {
		if got = long(); got == "end" {
			t.Fatal("a stream with a token that is good has ended")
		}
	}
}

// TestAccess_Matrix tests which tokens are refused.
func TestEvents_ABuyersLimitCounts(t *testing.T) {
	rules, err := limit.ParseRules("read=0.01/2")
	if err != nil {
		t.Fatal(err)
	}
	g := newGuarded(t, func(c *api.Config) { c.BuyerLimits = rules }) // the stream has begun
	followAs(t.Context(), g.shop, g.ann, "/api/drops/events")
	g.refused(g.as(g.ann, "GET", "/api/drops/events", ""), http.StatusTooManyRequests, "rate_limited")
	follow(t.Context(), g.shop, "/api/drops/events") // everybody
}

func TestEvents_WithoutIdentityTokensCountForNothing(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	if got := followAs(t.Context(), s, "rubbish", "/api/drops/events")(); !strings.HasPrefix(got, "event: stock_update\n") {
		t.Errorf("told %q", got)
	}
	if text := s.get("/openapi.json").body; strings.Contains(text, "reservation_update") {
		t.Error("the document promises what no stream has here")
	}
}

// A page of the shop's own origin sends its token to another origin, so the browser sends a preflight first.
func TestEvents_PagesOfOtherOriginsMaySendATokenIfAllowed(t *testing.T) {
	for _, c := range []struct {
		allowed []string
		page    string
		allows  bool
	}{
		{nil, "https://shop.example", true},
		{[]string{"https://shop.example"}, "https://shop.example", true},
		{[]string{"https://shop.example"}, "https://evil.example", false},
	} {
		g := newGuarded(t, func(a *api.Config) { a.AllowedOrigins = c.allowed })
		asks := g.request("OPTIONS", "/api/drops/events", "")
		asks.Header.Set("Origin", c.page)
		asks.Header.Set("Access-Control-Request-Method", "GET")
		asks.Header.Set("Access-Control-Request-Headers", "authorization")
		h := g.do(asks).header
		origin := h.Get("Access-Control-Allow-Origin")
		if allowed := (origin == "*" || origin == c.page) && h.Get("Access-Control-Allow-Headers") == "authorization"; allowed != c.allows {
			t.Errorf("%v, a page of %s: %v", c.allowed, c.page, h)
		}
		refused := g.request("GET", "/api/drops/events", "")
		refused.Header.Set("Origin", c.page)
		refused.Header.Set("Authorization", "Bearer rubbish")
		r := g.do(refused)
		g.refused(r, http.StatusUnauthorized, "invalid_token")
		if readable := r.header.Get("Access-Control-Allow-Origin") != ""; readable != c.allows {
			t.Errorf("%v, a page of %s reads why it was refused: %v", c.allowed, c.page, readable)
		}
	}
}
