package api_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/api"
)

func TestPaths_MatchWithoutRegardToCaseAndTrailingSlash(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/API/Drops/Create/", createBody)
	for _, path := range []string{
		"/api/drops", "/api/drops/", "/API/DROPS", "/Api/Drops/", "/api/drops?Limit=X", "/api/drops/1", "/API/drops/1/",
		"/health/", "/HEALTH", "/Docs", "/OpenAPI.json", "/api/users/3/Reservations/?limit=2",
		"/api/drops/%31", "/api/DROPS/%31/", "/api/%64rops",
	} {
		if r := s.get(path); r.status != http.StatusOK {
			t.Errorf("GET %s: %d %s", path, r.status, r.body)
		}
	}
	for _, path := range []string{
		"/", "/api", "//api/drops", "/api//drops", "/api/drops//", "/api/./drops", "/api/../api/drops", "/api/x/../drops",
		"/api/drops/1/2", "/api%2Fdrops", "/api/drops/reserve", "/api/drops/create", "/api/drops/purchase/", "/API/drops/cancel",
		"/api/dropsy", "/openapi.yaml", "/openapi-3.0.json", "/schemas/Drop.json", "/docs/x", "/api/users", "/api/users/3", "/healthz",
		"/%2e%2e/api/drops", "/*", "/api/drops/%00/x", "/api%2f/É", "/api/%2fdrops/", "/API/drops/%2F/", "/api/drops%2F1/É/",
	} {
		s.refused(s.get(path), 404, "route_not_found")
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH", "POST", "TRACE", "BREW", "OPTIONS"} {
		for _, path := range []string{"/api/drops", "/api/drops/1", "/health", "/nowhere", "/api/drops/1/pause", "/api/drops/reserve"} {
			posted := method == "POST" && (strings.HasSuffix(path, "/pause") || strings.HasSuffix(path, "/reserve"))
			if posted || method == "PATCH" && path == "/api/drops/1" {
				continue
			}
			s.refused(s.do(s.request(method, path, "")), 404, "route_not_found")
		}
	}
	for _, method := range []string{"PUT", "PATCH"} {
		s.refused(s.do(s.request(method, "/api/drops/reserve", `{}`)), 404, "route_not_found")
	}
	for _, path := range []string{"/API/Drops/1/Pause/", "/api/drops/%31/pause"} {
		if r := s.post(path, ""); r.status != http.StatusOK {
			t.Errorf("POST %s: %d %s", path, r.status, r.body)
		}
	}
}

func TestHead_WorksWhereGetDoes(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	for _, path := range []string{"/api/drops", "/api/drops/1", "/health", "/livez", "/docs", "/openapi.json", "/api/users/3/reservations"} {
		got, head := s.get(path), s.do(s.request(http.MethodHead, path, ""))
		if head.status != 200 || head.body != "" || head.header.Get("Content-Length") != strconv.Itoa(len(got.body)) ||
			head.header.Get("ETag") != got.header.Get("ETag") {
			t.Errorf("HEAD %s: %+v", path, head)
		}
	}
	if head := s.do(s.request(http.MethodHead, "/nowhere", "")); head.status != 404 || head.body != "" {
		t.Errorf("HEAD /nowhere: %+v", head)
	}
}

func TestCORS(t *testing.T) {
	s := newShop(t)
	req := s.request(http.MethodGet, "/api/drops", "")
	req.Header.Set("Origin", "https://shop.example")
	r := s.do(req)
	if r.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("headers %v", r.header)
	}
	exposed := strings.ToLower(r.header.Get("Access-Control-Expose-Headers"))
	if !strings.Contains(exposed, "etag") || !strings.Contains(exposed, "retry-after") || !strings.Contains(exposed, "content-disposition") {
		t.Errorf("exposed: %s", exposed)
	}
	for _, path := range []string{"/api/drops/reserve", "/api/drops/", "/nowhere"} {
		req := s.request(http.MethodOptions, path, "")
		req.Header.Set("Origin", "https://shop.example")
		req.Header.Set("Access-Control-Request-Method", "POST")
		req.Header.Set("Access-Control-Request-Headers", "content-type,idempotency-key,x-anything")
		r := s.do(req)
		if r.status != http.StatusNoContent || r.header.Get("Access-Control-Allow-Origin") != "*" ||
			r.header.Get("Access-Control-Allow-Headers") != "content-type,idempotency-key,x-anything" ||
			r.header.Get("Access-Control-Allow-Methods") != "POST" {
			t.Errorf("preflight of %s: %+v", path, r)
		}
	}
}

func TestCORS_OfAListOfOrigins(t *testing.T) {
	s := newShop(t, func(c *api.Config) { c.AllowedOrigins = []string{"https://shop.example"} })
	for origin, want := range map[string]string{"https://shop.example": "https://shop.example", "https://evil.example": "", "null": ""} {
		req := s.request(http.MethodGet, "/api/drops", "")
		req.Header.Set("Origin", origin)
		r := s.do(req)
		if got := r.header.Get("Access-Control-Allow-Origin"); got != want || !strings.Contains(r.header.Get("Vary"), "Origin") {
			t.Errorf("origin %s: allowed %q, Vary %q", origin, got, r.header.Get("Vary"))
		}
	}
}

func TestEveryAnswer_HasTheSecurityHeadersAndARequestID(t *testing.T) {
	s := newShop(t)
	for _, path := range []string{"/api/drops", "/nowhere", "/docs", "/openapi.json", "/api/drops/x"} {
		r := s.get(path)
		csp := r.header.Get("Content-Security-Policy")
		if r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("Referrer-Policy") == "" ||
			!strings.HasPrefix(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") ||
			r.header.Get("X-Request-Id") == "" || r.header.Get("Cache-Control") == "" {
			t.Errorf("%s: %v", path, r.header)
		}
	}
	for given, kept := range map[string]bool{
		"a.b_c-9": true, strings.Repeat("x", 64): true, strings.Repeat("x", 65): false, "a b": false, `a"b`: false, "ü": false,
	} {
		req := s.request(http.MethodGet, "/health", "")
		req.Header.Set("X-Request-Id", given)
		if got := s.do(req).header.Get("X-Request-Id"); (got == given) != kept || got == "" {
			t.Errorf("request id %q became %q", given, got)
		}
	}
}

func TestBody_MediaType(t *testing.T) {
	s := newShop(t)
	for contentType, ok := range map[string]bool{
		"application/json": true, "Application/JSON": true, "application/json; charset=utf-8": true, `application/json;charset="UTF-8"`: true,
		"application/json; x=y": true, "": false, "text/plain": false, "application/json; charset=latin1": false, "application/ld+json": false,
		"application/x-www-form-urlencoded": false, "application/json, text/plain": false, "application/json;;=": false, "json": false,
	} {
		req := s.request(http.MethodPost, "/api/drops/create", createBody)
		req.Header.Set("Content-Type", contentType)
		if contentType == "" {
			req.Header.Del("Content-Type")
		}
		if r := s.do(req); ok && r.status != 200 {
			t.Errorf("%q: %d %s", contentType, r.status, r.body)
		} else if !ok {
			s.refused(r, 415, "unsupported_media_type")
		}
	}
	req := s.request(http.MethodPost, "/api/drops/create", createBody)
	req.Header.Set("Content-Encoding", "gzip")
	s.refused(s.do(req), 415, "unsupported_media_type")
	req = s.request(http.MethodPost, "/api/drops/create", createBody)
	req.Header.Add("Content-Type", "text/plain")
	s.refused(s.do(req), 415, "unsupported_media_type")
}

func TestBody_SizeLimit(t *testing.T) {
	s := newShop(t)
	fill := func(total int) string {
		return createBody[:len(createBody)-1] + `,"x":"` + strings.Repeat("y", total-len(createBody)-7) + `"}`
	}
	if body := fill(64 << 10); len(body) != 64<<10 {
		t.Fatalf("built %d bytes", len(body))
	}
	if r := s.post("/api/drops/create", fill(64<<10)); r.status != 200 {
		t.Fatalf("64 KiB: %+v", r)
	}
	s.refused(s.post("/api/drops/create", fill(64<<10+1)), 413, "too_large")
	for size, status := range map[int]int{64 << 10: 200, 64<<10 + 1: 413} {
		req := s.request(http.MethodPost, "/api/drops/create", "")
		req.Body = io.NopCloser(strings.NewReader(fill(size))) // of unknown length: chunked
		req.ContentLength = -1
		req.Header.Set("Content-Type", "application/json")
		if r := s.do(req); r.status != status {
			t.Errorf("chunked %d: %d %s", size, r.status, r.body)
		}
	}
}

func TestBody_ThatIsAnnouncedTooLargeIsNotWaitedFor(t *testing.T) {
	s := newShop(t)
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "POST /api/drops/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", 1<<40)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func TestBody_ThatBreaksOff(t *testing.T) {
	s := newShop(t)
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "POST /api/drops/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n%s", createBody)
	_ = c.(*net.TCPConn).CloseWrite()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", resp.StatusCode)
	}
	s.answers(s.get("/api/drops"), `[]`)
}

func TestServer_BoundsEverything(t *testing.T) {
	s := api.Server(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if s.ReadHeaderTimeout != 5*time.Second || s.ReadTimeout != 15*time.Second || s.WriteTimeout != 30*time.Second ||
		s.IdleTimeout != api.DefaultKeepAlive || s.MaxHeaderBytes != 32<<10 || s.ErrorLog == nil {
		t.Errorf("%+v", s)
	}
}
