package api_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"sneakerdrop/internal/api"
)

// fromPage makes a call the way a browser does for a page. header lists names and values in turn.
func (s *shop) fromPage(method, path, body string, header ...string) reply {
	req := s.request(method, path, body)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return s.do(req)
}

// strangers are pages of origins that no pattern names.
var strangers = map[string][]string{
	"another page":              {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
	"an older browser":          {"Origin", "https://evil.example"},
	"a sister of the same site": {"Sec-Fetch-Site", "same-site", "Origin", "https://blog.shop.test"},
	"a page without an origin":  {"Sec-Fetch-Site", "cross-site", "Origin", "null"},
	"no origin told":            {"Sec-Fetch-Site", "cross-site"},
	"a name that begins alike":  {"Origin", "https://shop.example.evil"},
	"a name that ends alike":    {"Origin", "https://evilshop.example"},
	"another scheme":            {"Origin", "http://shop.example"},
	"another port":              {"Origin", "https://shop.example:8443"},
}

// If origins are named, no page of another origin can write, with or without cookies.
func TestCrossOrigin_WritesAreForNamedOrigins(t *testing.T) {
	s := newShop(t, func(c *api.Config) { c.AllowedOrigins = []string{"https://shop.example", "https://*.shop.example"} })
	s.ok(s.post("/api/drops/create", createBody))
	writes := map[string]string{
		"/api/drops/create": createBody, "/api/drops/reserve": `{"dropId":1,"userId":1}`, "/api/drops/purchase": `{"reservationId":1}`,
		"/api/drops/cancel": `{"reservationId":1}`, "/api/users": `{"username":"ann"}`, "/api/drops/1/pause": "", "/API/drops/1/pause/": "",
	}
	before := s.get("/api/drops").body
	for name, header := range strangers {
		for path, body := range writes {
			for _, cookie := range []string{"", "session=1"} {
				call := header
				if cookie != "" {
					call = append(slices.Clone(header), "Cookie", cookie)
				}
				if r := s.fromPage(http.MethodPost, path, body, call...); r.status != http.StatusForbidden || !strings.Contains(r.body, `"code":"cross_origin"`) {
					t.Errorf("%s, %s: %d %s", name, path, r.status, r.body)
				}
			}
		}
		if r := s.fromPage(http.MethodPatch, "/api/drops/1", `{"hidden":true}`, header...); r.status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		s.ok(s.fromPage(http.MethodGet, "/api/drops", "", header...))
	}
	if after := s.get("/api/drops").body; after != before {
		t.Errorf("a refused call changed something: %s, before %s", after, before)
	}
	const pause, cookie = "/api/drops/1/pause", "session=1"
	for name, header := range map[string][]string{
		"no browser":               {},
		"no browser, with cookies": {"Cookie", cookie},
		"our own page":             {"Sec-Fetch-Site", "same-origin", "Cookie", cookie},
		"typed into a browser":     {"Sec-Fetch-Site", "none", "Cookie", cookie},
		"named":                    {"Sec-Fetch-Site", "cross-site", "Origin", "https://shop.example", "Cookie", cookie},
		"matched, no cookies":      {"Sec-Fetch-Site", "cross-site", "Origin", "https://x.shop.example"},
		"letter case":              {"Origin", "HTTPS://X.SHOP.example"},
	} {
		if r := s.fromPage(http.MethodPost, pause, "", header...); r.status != http.StatusOK {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	if r := s.fromPage(http.MethodPost, pause, "", "Origin", "https://x.shop.example", "Cookie", cookie); r.status != http.StatusForbidden {
		t.Errorf("a pattern is no reason to believe cookies: %d %s", r.status, r.body)
	}
}

// The default, every origin, covers what buyers and watchers need, and creating drops, as the original's clients do.
// A page of an origin that is not named cannot operate a shop or read its records, whatever it sends.
func TestCrossOrigin_OperatorsCallsAreNeverForEveryOrigin(t *testing.T) {
	s := newShop(t, paying, func(c *api.Config) { c.AllowedOrigins = []string{"*", "https://admin.example"} })
	s.ok(s.post("/api/drops/create", createBody))
	operating := 0
	for template, methods := range s.document().Paths {
		for method, op := range methods {
			id, method, path := op.id(), strings.ToUpper(method), placed(template)
			open := rights[id] == anybody || rights[id] == watcher || rights[id] == buyer || rights[id] == seller || rights[id] == looker || id == "create-drop"
			for _, path := range []string{path, strings.ToUpper(path) + "/"} {
				for origin, want := range map[string]bool{"https://evil.example": open, "null": open, "https://admin.example": true} {
					r := s.fromPage(http.MethodOptions, path, "", "Origin", origin, "Access-Control-Request-Method", method,
						"Access-Control-Request-Headers", "content-type")
					if got := r.header.Get("Access-Control-Allow-Origin") != ""; got != want {
						t.Errorf("%s %s (%s) for %s: a preflight allows %v", method, path, id, origin, got)
					}
				}
				if open {
					continue
				}
				operating++
				for name, header := range strangers {
					r := s.fromPage(method, path, op.body(), header...)
					if r.header.Get("Access-Control-Allow-Origin") != "" || method != http.MethodGet && r.status != http.StatusForbidden {
						t.Errorf("%s: %s %s: %d %v", name, method, path, r.status, r.header)
					}
				}
			}
		}
	}
	if operating < 20 {
		t.Errorf("only %d operators' calls were tried", operating)
	}
	s.ok(s.fromPage(http.MethodPost, "/api/drops/reserve", `{"dropId":1,"userId":7}`, strangers["another page"]...))
	if r := s.fromPage(http.MethodPost, "/api/drops/reserve", `{"dropId":1,"userId":8}`, append([]string{"Cookie", "a=b"}, strangers["another page"]...)...); r.status != http.StatusForbidden {
		t.Errorf("with cookies: %d %s", r.status, r.body)
	}
}

// A form on any page can send these types without a preflight. All of them are refused, even by calls that need no
// body.
func TestForms_AreNoCalls(t *testing.T) {
	s := newShop(t)
	s.ok(s.post("/api/drops/create", createBody))
	for _, media := range []string{
		"application/x-www-form-urlencoded", "text/plain", "text/plain;charset=UTF-8", "multipart/form-data; boundary=x", "Text/Plain",
		"text/plain; a=1; a=2", "text/plain; a", " TEXT/plain ;;", "multipart/form-data",
	} {
		for _, path := range []string{"/api/drops/1/pause", "/api/drops/1/resume", "/api/drops/create", "/api/drops/reserve"} {
			if r := s.fromPage(http.MethodPost, path, "", "Content-Type", media); r.status != http.StatusUnsupportedMediaType {
				t.Errorf("%s as %s: %d %s", path, media, r.status, r.body)
			}
		}
	}
	s.ok(s.fromPage(http.MethodPost, "/api/drops/1/pause", ""))
	s.ok(s.fromPage(http.MethodPost, "/api/drops/1/resume", "{}", "Content-Type", "application/json"))
}

// Any web site's name can be made to reach a server that answers to any name (DNS rebinding).
func TestHosts(t *testing.T) {
	answered := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	loopback, named := api.Hosts{Names: []string{"shop.test", "192.0.2.7"}}.Around(answered), api.Hosts{Names: []string{"shop.test"}, AnyAddress: true}.Around(answered)
	for host, want := range map[string][2]bool{ // on a loopback address; beyond it, with names
		"localhost": {true, true}, "localhost:3000": {true, true}, "LocalHost.:3000": {true, true}, "127.0.0.1": {true, true}, "127.8.9.10:80": {true, true},
		"[::1]:3000": {true, true}, "[::1]": {true, true}, "[::ffff:127.0.0.1]:3000": {true, true}, "": {true, true},
		"shop.test": {true, true}, "SHOP.test:443": {true, true}, "shop.test.": {true, true},
		"evil.example": {}, "evil.example:3000": {}, "localhost.evil.example": {}, "evil-localhost": {}, "127.0.0.1.evil.example:3000": {},
		"shop.test.evil.example": {}, "0x7f000001": {}, "2130706433": {}, "127.1": {}, "a:b:c": {}, "[localhost]x": {},
		"10.0.0.8:3000": {false, true}, "192.0.2.7": {true, true}, "0.0.0.0:3000": {false, true}, "[fd00::1]:3000": {false, true},
	} {
		for i, h := range []http.Handler{loopback, named} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/drops", http.NoBody)
			r.Host = host
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			switch {
			case want[i] && w.Code != http.StatusNoContent:
				t.Errorf("%q (%d): %d %s", host, i, w.Code, w.Body)
			case !want[i] && (w.Code != http.StatusMisdirectedRequest || !strings.Contains(w.Body.String(), `"code":"misdirected_request"`) ||
				w.Header().Get("X-Content-Type-Options") == ""):
				t.Errorf("%q (%d): %d %s %v", host, i, w.Code, w.Body, w.Header())
			}
		}
	}
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

// The server does not reveal its build to people who may look for its faults.
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
