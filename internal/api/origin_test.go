package api_test

import (
	"net/http"
	"strings"
	"testing"

	"sneakerdrop/internal/api"
)

func TestCrossOrigin_CookiesOfOtherPagesAreRefused(t *testing.T) {
	s := newShop(t, func(c *api.Config) { c.AllowedOrigins = []string{"https://shop.example", "https://*.shop.example"} })
	call := func(path, cookie string, header ...string) reply {
		t.Helper()
		req := s.request(http.MethodPost, path, createBody)
		if cookie != "" {
			req.Header.Set("Cookie", cookie)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		return s.do(req)
	}
	const create, cookie = "/api/drops/create", "session=1"
	for name, header := range map[string][]string{
		"another page":               {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
		"an older browser":           {"Origin", "https://evil.example"},
		"a sister of the same site":  {"Sec-Fetch-Site", "same-site", "Origin", "https://blog.shop.test"},
		"a pattern allows to read":   {"Sec-Fetch-Site", "cross-site", "Origin", "https://x.shop.example"},
		"a page without an identity": {"Sec-Fetch-Site", "cross-site", "Origin", "null"},
	} {
		if r := call(create, cookie, header...); r.status != http.StatusForbidden || !strings.Contains(r.body, `"code":"cross_origin"`) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		s.ok(call(create, "", header...)) // as every client of the original does
	}
	s.ok(call(create, cookie, "Sec-Fetch-Site", "same-origin"))
	s.ok(call(create, cookie, "Sec-Fetch-Site", "cross-site", "Origin", "https://shop.example"))
	s.ok(call(create, cookie)) // no browser
	before := s.get("/api/drops").body
	if call(create, cookie, "Origin", "https://evil.example"); s.get("/api/drops").body != before {
		t.Error("a refused call made a drop")
	}
	read := s.request(http.MethodGet, "/api/drops", "")
	read.Header.Set("Cookie", cookie)
	read.Header.Set("Sec-Fetch-Site", "cross-site")
	s.ok(s.do(read))
}

func TestMetricsElsewhere(t *testing.T) {
	s := newShop(t, func(c *api.Config) { c.MetricsElsewhere = true })
	if r := s.get("/metrics"); r.status != http.StatusNotFound {
		t.Errorf("/metrics: %d", r.status)
	}
	if r := s.get("/openapi.json"); strings.Contains(r.body, `"/metrics"`) {
		t.Error("the document has what is not there")
	}
}

// Which build runs is told to nobody who may look for its faults.
func TestAnswers_DoNotNameTheProgramsVersion(t *testing.T) {
	s := newShop(t)
	for _, path := range []string{"/", "/health", "/readyz", "/openapi.json", "/docs", "/api/drops"} {
		r := s.get(path)
		for _, name := range []string{"Server", "X-Powered-By", "Via"} {
			if r.header.Get(name) != "" {
				t.Errorf("%s: %s: %s", path, name, r.header.Get(name))
			}
		}
		if strings.Contains(r.body, "0.1.0") {
			t.Errorf("%s names a version", path)
		}
	}
}
