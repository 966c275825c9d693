package api_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/testing/await"
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
		"/api/drops/1/2", "/api%2Fdrops", "/api/dropsy", "/openapi.yaml", "/openapi-3.0.json", "/schemas/Drop.json", "/docs/x",
		"/api/users/3", "/healthz", "/%2e%2e/api/drops", "/*", "/api/drops/%00/x", "/api%2f/É", "/api/%2fdrops/", "/API/drops/%2F/",
		"/api/drops%2F1/É/",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW", "OPTIONS"} {
			r := s.do(s.request(method, path, ""))
			if method == "HEAD" {
				r.body = `{"error":"Route not found","code":"route_not_found"}`
			}
			if s.refused(r, 404, "route_not_found"); r.header.Get("Allow") != "" {
				t.Errorf("%s %s: Allow: %s", method, path, r.header.Get("Allow"))
			}
		}
	}
	for _, path := range []string{"/API/Drops/1/Pause/", "/api/drops/%31/pause"} {
		if r := s.post(path, ""); r.status != http.StatusOK {
			t.Errorf("POST %s: %d %s", path, r.status, r.body)
		}
	}
}

// TestPaths_AnswerOtherMethodsWithThoseThereAre sends each described path, in several spellings, the methods that it
// does not support.
func TestPaths_AnswerOtherMethodsWithThoseThereAre(t *testing.T) {
	s := newShop(t)
	paths := map[string][]string{}
	for path, methods := range s.document().Paths {
		for method := range methods {
			paths[path] = append(paths[path], strings.ToUpper(method))
		}
	}
	for path, methods := range paths {
		if slices.Contains(methods, "GET") {
			methods = append(methods, "HEAD")
		}
		slices.Sort(methods)
		allow := strings.Join(append(methods, "OPTIONS"), ", ")
		for _, spelling := range []string{path, path + "/", strings.ToUpper(path)} {
			asked := strings.NewReplacer("{id}", "1", "{ID}", "1").Replace(spelling)
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW", "LOCK"} {
				if slices.Contains(methods, method) {
					continue
				}
				r := s.do(s.request(method, asked, ""))
				if r.header.Get("Allow") != allow {
					t.Errorf("%s %s: Allow: %s, want %s", method, asked, r.header.Get("Allow"), allow)
				}
				if method != "HEAD" {
					s.refused(r, http.StatusMethodNotAllowed, "method_not_allowed")
				} else if r.status != http.StatusMethodNotAllowed || r.body != "" {
					t.Errorf("HEAD %s: %d %s", asked, r.status, r.body)
				}
			}
			if r := s.do(s.request("OPTIONS", asked, "")); r.status != http.StatusNoContent || r.header.Get("Allow") != allow || r.body != "" {
				t.Errorf("OPTIONS %s: %d, Allow: %s", asked, r.status, r.header.Get("Allow"))
			}
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
		"application/json; x=y": true, "application/json;charset=utf8": true, "application/json; charset=us-ascii": true, "application/json; CHARSET=ASCII": true,
		"application/json;;charset=utf-8": true, "application/json; ;\t; charset=utf-8; ;": true, `application/json;p="a;;\";b";;charset="utf8"`: true,
		`application/json; charset="us-ascii"`: true, "application/json;charset='utf-8'": true, "application/json; profile=x; charset=UTF8": true,
		"application/json; charset=iso-8859-1": false, "application/json; charset=utf-16": false, "application/json; charset=utf-7": false,
		"application/json; charset=utf-8; charset=latin1": false, "": false, "text/plain": false, "application/json; charset=latin1": false, "application/ld+json": false,
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
	req.Header.Add("Content-Type", "text/plain")
	s.refused(s.do(req), 415, "unsupported_media_type")
	for contentType, rule := range map[string]string{
		"text/json": "must be application/json", "application/json, application/json": "must be application/json", "application/json; charset=latin1": "names a charset",
		"application/json; charset=": "has parameters that cannot be read", `Application/JSON; charset="utf-8`: "has parameters that cannot be read",
		"application/json; charset": "has parameters that cannot be read", "application/json; charset=utf-8; charset=latin1": "has parameters that cannot be read",
	} {
		req := s.request(http.MethodPost, "/api/drops/create", createBody)
		req.Header.Set("Content-Type", contentType)
		if e := s.refused(s.do(req), 415, "unsupported_media_type"); !strings.HasPrefix(e.Error, "Content-Type "+rule) {
			t.Errorf("%q: %s", contentType, e.Error)
		}
	}
}

func TestBody_IdentityIsNoContentEncoding(t *testing.T) {
	s := newShop(t)
	for _, lines := range [][]string{{"identity"}, {"Identity"}, {"identity, identity"}, {"identity", "IDENTITY"}, {""}, {" identity ,"}} {
		req := s.request(http.MethodPost, "/api/drops/create", createBody)
		req.Header["Content-Encoding"] = lines
		s.ok(s.do(req))
		req = s.request(http.MethodPost, "/api/drops/1/pause", "{}")
		req.Header["Content-Encoding"] = lines
		s.ok(s.do(req))
	}
	before := s.list().body
	for _, coding := range []string{"gzip", "x-gzip", "deflate", "br", "zstd", "identity, gzip", "aws-chunked", "utf-8"} {
		req := s.request(http.MethodPost, "/api/drops/create", createBody)
		req.Header.Set("Content-Encoding", coding)
		if e := s.refused(s.do(req), 415, "unsupported_media_type"); e.Field != "Content-Encoding" || !strings.HasPrefix(e.Error, "Content-Encoding must be identity") {
			t.Errorf("%s: %+v", coding, e)
		}
	}
	if after := s.list().body; after != before {
		t.Error("what was refused changed something")
	}
}

func TestBody_ARefusalNamesTheHeaderAtFault(t *testing.T) {
	s := newShop(t)
	for says, types := range map[string][]string{
		"Content-Type is missing": nil, "Content-Type must be sent once": {"application/json", "application/json"},
		"Content-Type must be application/json": {"text/plain"}, "Content-Type names a charset other than UTF-8": {"application/json; charset=latin1"},
	} {
		req := s.request(http.MethodPost, "/api/drops/create", createBody)
		req.Header.Del("Content-Type")
		if types != nil {
			req.Header["Content-Type"] = types
		}
		if e := s.refused(s.do(req), 415, "unsupported_media_type"); e.Field != "Content-Type" || !strings.HasPrefix(e.Error, says+";") && !strings.HasPrefix(e.Error, says) {
			t.Errorf("%q: %+v", types, e)
		}
	}
}

func TestBody_MayBeginWithAMark(t *testing.T) {
	s := newShop(t)
	const mark = "\uFEFF"
	mustPost[dropJSON](s, "/api/drops/create", mark+createBody)
	mustPost[dropJSON](s, "/api/drops/create", mark+" \r\n"+sizedBody)
	mustPost[reservationJSON](s, "/api/drops/reserve", mark+`{"dropId":1,"userId":3}`)
	mustPost[reservationJSON](s, "/api/drops/purchase", mark+`{"reservationId":4294967297}`)
	mustPost[dropJSON](s, "/api/drops/1/pause", mark+`{}`)
	mustPost[dropJSON](s, "/api/drops/1/resume", mark)
	s.ok(s.patch("/api/drops/1", mark+`{"hidden":true}`))
	for _, body := range []string{mark + mark + createBody, createBody + mark, "{" + mark + createBody[1:], "\xef\xbb" + createBody} {
		s.refused(s.post("/api/drops/create", body), 400, "bad_json")
	}
	wide := func(order binary.AppendByteOrder, text string) string {
		var b []byte
		for _, u := range utf16.Encode([]rune(text)) {
			b = order.AppendUint16(b, u)
		}
		return string(b)
	}
	for _, body := range []string{
		wide(binary.LittleEndian, mark+createBody), wide(binary.BigEndian, mark+createBody), wide(binary.LittleEndian, createBody), wide(binary.BigEndian, createBody),
	} {
		if e := s.refused(s.post("/api/drops/create", body), 400, "bad_json"); !strings.HasPrefix(e.Error, "Body is in UTF-16") || e.Field != "" {
			t.Errorf("%q…: %+v", body[:4], e)
		}
	}
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
		req.Body = io.NopCloser(strings.NewReader(fill(size))) // without a length, so chunked
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
	_ = c.SetDeadline(time.Now().Add(await.Patience))
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
	_ = c.SetDeadline(time.Now().Add(await.Patience))
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

func TestDrop_HasATagOfItsContent(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	get := func(path string, header ...string) reply {
		t.Helper()
		req := s.request(http.MethodGet, path, "")
		for i := 0; i < len(header); i += 2 {
			req.Header.Add(header[i], header[i+1])
		}
		return s.do(req)
	}
	first := get("/api/drops/1")
	tag := first.header.Get("ETag")
	if first.status != http.StatusOK || len(tag) < 18 || tag[0] != '"' || first.header.Get("Cache-Control") != "no-cache" {
		t.Fatalf("%d %v", first.status, first.header)
	}
	for _, match := range []string{tag, "W/" + tag, `"other", ` + tag, `"a,b",W/` + tag, "*"} {
		r := get("/API/Drops/1/", "If-None-Match", match)
		if r.status != http.StatusNotModified || r.body != "" || r.header.Get("ETag") != tag || !strings.Contains(strings.Join(r.header["Vary"], ","), "Accept-Encoding") {
			t.Errorf("If-None-Match %s: %d %s %v", match, r.status, r.body, r.header)
		}
	}
	if r := s.do(s.request(http.MethodHead, "/api/drops/1", "")); r.header.Get("ETag") != tag {
		t.Errorf("HEAD: %v", r.header)
	}
	changes := []func(){
		func() { mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`) },
		func() { s.ok(s.post("/api/drops/purchase", `{"reservationId":4294967297}`)) },
		func() { s.ok(s.post("/api/drops/1/pause", "")) },
		func() { s.ok(s.do(s.request(http.MethodPatch, "/api/drops/1", `{"hidden":true}`))) },
	}
	for i, change := range changes {
		change()
		r := get("/api/drops/1", "If-None-Match", tag)
		if r.status != http.StatusOK || r.header.Get("ETag") == tag {
			t.Errorf("after change %d: %d %s", i, r.status, r.header.Get("ETag"))
		}
		tag = r.header.Get("ETag")
	}
	if r := get("/api/drops/2", "If-None-Match", "*"); r.status != http.StatusNotFound {
		t.Errorf("no drop: %d", r.status)
	}
}

// TestLongAnswers_AreCompressedForWhoAcceptsIt calls each operation with long answers, and compares the two forms.
func TestLongAnswers_AreCompressedForWhoAcceptsIt(t *testing.T) {
	s := newShop(t)
	var sizes []string
	for i := range 80 {
		sizes = append(sizes, fmt.Sprintf(`{"size":"size %d","stock":10}`, i))
	}
	mustPost[dropJSON](s, "/api/drops/create", `{"name":"long","price":1,"start_time":"2026-01-31T10:00:00Z","sizes":[`+strings.Join(sizes, ",")+`]}`)
	for i := range 30 {
		r := mustPost[reservationJSON](s, "/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":7,"size":"size %d"}`, i))
		s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, r.ID)))
	}
	for _, path := range []string{
		"/api/drops", "/api/drops/1", "/api/drops/1/purchases", "/api/drops/1/purchases?format=csv", "/api/drops/1/ledger", "/api/users/7/reservations",
		"/openapi.json", "/docs", "/metrics", "/api/operator/figures",
	} {
		plain := s.get(path)
		for accept, want := range map[string]string{"gzip": "gzip", "br, *;q=0.5": "gzip", "gzip;q=0, *": "", "identity": ""} {
			if path == "/metrics" && strings.Contains(accept, "*") {
				continue // Prometheus's own library answers there, and does not understand *
			}
			req := s.request(http.MethodGet, path, "")
			req.Header.Set("Accept-Encoding", accept)
			r := s.do(req)
			if r.status != http.StatusOK || r.header.Get("Content-Encoding") != want {
				t.Errorf("%s, Accept-Encoding %s: %d, %q, want %q", path, accept, r.status, r.header.Get("Content-Encoding"), want)
				continue
			}
			if !strings.Contains(strings.Join(r.header["Vary"], ","), "Accept-Encoding") && path != "/metrics" {
				t.Errorf("%s: Vary: %v", path, r.header["Vary"])
			}
			body := r.body
			if want == "gzip" {
				if body = unzipped(t, r.body); len(r.body) >= len(body) || r.header.Get("Content-Length") != "" && r.header.Get("Content-Length") != strconv.Itoa(len(r.body)) {
					t.Errorf("%s: %d bytes of %d, Content-Length %s", path, len(r.body), len(body), r.header.Get("Content-Length"))
				}
			}
			if moves := path == "/metrics" || path == "/api/operator/figures"; !moves && body != plain.body {
				t.Errorf("%s, Accept-Encoding %s: another body", path, accept)
			}
		}
	}
}
