package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// maxPage is the most that a page and its script may weigh, compressed, in bytes.
var maxPage = map[string]int{"/": 48_000, "/admin": 69_000, "/verify": 17_000}

func TestBundle_IsSmall(t *testing.T) {
	h, _ := handler(t, Config{})
	for at, name := range pageOf {
		total := 0
		page := answer(h, http.MethodGet, at).Body.String()
		for _, target := range []string{at, scriptOf(t, page, strings.TrimSuffix(name, ".html"))} {
			w := answer(h, http.MethodGet, target, "Accept-Encoding", "gzip")
			if w.Code != http.StatusOK || w.Header().Get("Content-Encoding") != "gzip" {
				t.Fatalf("%s: %d, %v", target, w.Code, w.Header())
			}
			t.Logf("%s: %d bytes compressed", target, w.Body.Len())
			total += w.Body.Len()
		}
		if n := strings.Count(page, ` src="`); n != 1 {
			t.Errorf("%s loads %d scripts at once, want its own alone: what only some need comes later", at, n)
		}
		if total > maxPage[at] {
			t.Errorf("%s and its script have %d bytes compressed, at most %d", at, total, maxPage[at])
		}
	}
}

func scriptOf(t *testing.T, page, name string) string {
	t.Helper()
	for part := range strings.SplitSeq(page, `src="`) {
		if src, _, _ := strings.Cut(part, `"`); strings.HasSuffix(src, "/"+name+".js") {
			return src
		}
	}
	t.Fatalf("the page loads no %s.js", name)
	return ""
}

// A bundle has all modules of its page, and its source map points to files that are served, so that developer tools
// show the modules as they are written.
func TestBundle_HasItsModules(t *testing.T) {
	h, p := handler(t, Config{})
	contents := make(map[string][]byte)
	for name, body := range p.shipped {
		contents[name] = body.Plain()
	}
	for at, name := range pageOf {
		page := strings.TrimSuffix(name, ".html")
		script := scriptOf(t, answer(h, http.MethodGet, at).Body.String(), page)
		if text := p.files[script].Plain(); !bytes.HasPrefix(text, []byte("/* Includes Preact (MIT)")) || !bytes.HasSuffix(bytes.TrimSpace(text), []byte("//# sourceMappingURL="+page+".js.map")) {
			t.Errorf("%s names neither licenses nor its source map", script)
		}
		folder := strings.TrimSuffix(script, page+".js")
		var sources struct{ Sources []string }
		if err := json.Unmarshal(answer(h, http.MethodGet, script+".map").Body.Bytes(), &sources); err != nil {
			t.Fatal(err)
		}
		want := imports(contents, page+"/main.js")
		if slices.Sort(want); !slices.Equal(slices.Sorted(slices.Values(sources.Sources)), want) {
			t.Errorf("%s has %q, want %q", script, sources.Sources, want)
		}
		for _, source := range append(sources.Sources, "vendor/LICENSE-preact.txt", "vendor/LICENSE-htm.txt") {
			if answer(h, http.MethodGet, folder+source).Code != http.StatusOK {
				t.Errorf("%s%s is not there", folder, source)
			}
		}
	}
}
