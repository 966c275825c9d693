package api_test

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/limit"
)

// limitedTo has such a slow rate that only the burst counts within a test.
func limitedTo(t *testing.T, rules string, proxies ...string) option {
	t.Helper()
	r, err := limit.ParseRules(rules)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *api.Config) {
		c.AddressLimits = r
		for _, p := range proxies {
			c.TrustedProxies = append(c.TrustedProxies, netip.MustParsePrefix(p))
		}
		c.Sockets = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.RemoteAddr)) })
	}
}

func (s *shop) from(address, method, path, body string) reply {
	s.Helper()
	req := s.request(method, path, body)
	req.Header.Set("X-Forwarded-For", address)
	return s.do(req)
}

func TestLimits_EachClassHasItsOwn(t *testing.T) {
	s := newShop(t, limitedTo(t, "read=0.01/3,buy=0.01/2,operate=0.01/1"))
	s.ok(s.post("/api/drops/create", createBody))
	for range 2 {
		s.ok(s.post("/api/drops/reserve", `{"dropId":1,"userId":3}`))
	}
	refused := s.post("/api/drops/reserve", `{"dropId":1,"userId":3}`)
	after, err := strconv.Atoi(refused.header.Get("Retry-After"))
	if refused.status != http.StatusTooManyRequests || !strings.Contains(refused.body, `"code":"rate_limited"`) || err != nil || after < 90 || after > 100 {
		t.Fatalf("the third reserve: %d %v %s", refused.status, refused.header, refused.body)
	}
	if got := refused.header.Get("RateLimit-Policy"); got != `"buy";q=2;w=200` {
		t.Errorf("RateLimit-Policy %s", got)
	}
	if got := refused.header.Get("RateLimit"); !strings.HasPrefix(got, `"buy";r=0;t=`) {
		t.Errorf("RateLimit %s", got)
	}
	first := s.get("/api/drops/1")
	if s.ok(first); !strings.Contains(first.body, `"available_stock":3`) {
		t.Errorf("a refused reserve did something: %s", first.body)
	}
	if got := first.header.Get("RateLimit"); !strings.HasPrefix(got, `"read";r=2;t=`) {
		t.Errorf("RateLimit of a read that was allowed: %s", got)
	}
	if r := s.post("/api/drops/1/pause", ``); r.status != http.StatusTooManyRequests {
		t.Errorf("a second operator's call: %d", r.status)
	}
	s.ok(s.get("/socket.io/?EIO=4&transport=polling"))
	s.ok(s.get("/api/drops"))
	if r := s.get("/socket.io/?EIO=4&transport=polling"); r.status != http.StatusTooManyRequests {
		t.Errorf("a fourth read, which opens a socket: %d", r.status)
	}
	for _, query := range []string{"&sid=", "&sid", "&sid=&sid=x"} {
		if r := s.get("/socket.io/?EIO=4&transport=polling" + query); r.status != http.StatusTooManyRequests {
			t.Errorf("a session opened with %s: %d", query, r.status)
		}
	}
	s.ok(s.get("/socket.io/?EIO=4&transport=polling&sid=x")) // within a session
	for range 5 {
		s.ok(s.get("/health"))
		s.ok(s.get("/readyz"))
	}
	if r := s.get("/metrics"); !strings.Contains(r.body, `sneakerdrop_rate_limited_total{caller="address",class="buy"} 1`) {
		t.Errorf("not counted: %d", r.status)
	}
}

func TestLimits_ForgedHeadersAreIgnored(t *testing.T) {
	s := newShop(t, limitedTo(t, "read=0.01/2"))
	s.ok(s.from("198.51.100.1", http.MethodGet, "/api/drops", ""))
	s.ok(s.from("198.51.100.2", http.MethodGet, "/api/drops", ""))
	if r := s.from("198.51.100.3", http.MethodGet, "/api/drops", ""); r.status != http.StatusTooManyRequests {
		t.Errorf("an address that anybody can write got through: %d", r.status)
	}
	if n := strings.Count(s.log.String(), "--trusted-proxy"); n != 1 {
		t.Errorf("%d warnings about the ignored header, want 1", n)
	}
}

func TestLimits_BehindATrustedProxy(t *testing.T) {
	s := newShop(t, limitedTo(t, "read=0.01/1", "127.0.0.0/8", "::1/128"))
	for _, address := range []string{"198.51.100.1", "198.51.100.2", "2001:db8:0:1::1", "2001:db8:0:2::1"} {
		s.ok(s.from(address, http.MethodGet, "/api/drops", ""))
	}
	for _, address := range []string{"198.51.100.1", "203.0.113.77, 198.51.100.2", "2001:db8:0:1:ffff::9"} {
		if r := s.from(address, http.MethodGet, "/api/drops", ""); r.status != http.StatusTooManyRequests {
			t.Errorf("%s once more: %d", address, r.status)
		}
	}
	s.ok(s.from("198.51.100.9", http.MethodPost, "/api/drops/create", createBody))
	if !strings.Contains(s.log.String(), `"from":"198.51.100.9:`) {
		t.Errorf("the log does not say where an operator's call came from: %s", s.log)
	}
	if r := s.from("198.51.100.77", http.MethodGet, "/socket.io/?EIO=4", ""); !strings.HasPrefix(r.body, "198.51.100.77:") {
		t.Errorf("sockets see the address %s", r.body)
	}
}
