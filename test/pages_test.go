package test

import (
	"net/http"
	"strings"
	"testing"
)

// The pages are at their paths and nowhere else. Unknown paths get the same answer as from the Node.js backend.
func TestPages_TakeNoPathFromTheAPI(t *testing.T) {
	s := startFor(t, t.TempDir())
	for target, page := range map[string]bool{
		"GET /": true, "GET /admin": true, "GET /verify": true, "GET /admin/": true, "GET /ADMIN": true, "GET /?utm=x": true,
		"GET /admin/drops": false, "GET /assets/": false, "GET /assets/main.js": false,
		"GET /index.html": false, "GET /favicon.ico": false, "GET /nothing": false, "GET /api": false,
	} {
		method, path, _ := strings.Cut(target, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var body strings.Builder
		if err := res.Write(&body); err != nil {
			t.Fatal(err)
		}
		switch {
		case page && (res.StatusCode != http.StatusOK || !strings.Contains(body.String(), "<!doctype html>")):
			t.Errorf("%s: %d, no page", target, res.StatusCode)
		case !page && (res.StatusCode != http.StatusNotFound || !strings.HasSuffix(body.String(), `{"error":"Route not found","code":"route_not_found"}`)):
			t.Errorf("%s: %s", target, body.String())
		}
	}
}

// The browser keeps the language that the address asks for. A later visit without it gets the same language, for a
// year.
func TestPages_RememberTheLanguageForAYear(t *testing.T) {
	s := startFor(t, t.TempDir())
	get := func(path string, cookies ...*http.Cookie) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cookies {
			req.AddCookie(c)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return res
	}
	kept := get("/?lang=de").Cookies()
	if len(kept) != 1 || kept[0].MaxAge != 365*24*60*60 || kept[0].Path != "/" || kept[0].SameSite != http.SameSiteLaxMode {
		t.Fatalf("the browser is to keep %+v", kept)
	}
	later := get("/", kept...)
	if language := later.Header.Get("Content-Language"); language != "de" || len(later.Cookies()) != 0 {
		t.Errorf("the next visit is in %s, and sets %v", language, later.Cookies())
	}
}
