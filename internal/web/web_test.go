package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sneakerdrop/internal/negotiate"
)

// handler is the pages in front of a server that says which path reached it.
func handler(t *testing.T, c Config) (http.Handler, *Pages) {
	t.Helper()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p.Around(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })), p
}

func answer(h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPages_AnswerTheirOwnPathsOnly(t *testing.T) {
	h, p := handler(t, Config{})
	var script string
	for at := range p.files {
		if strings.HasSuffix(at, "/shop/main.js") {
			script = at
		}
	}
	folder := strings.TrimSuffix(script, "/shop/main.js")
	for target, ours := range map[string]bool{
		"GET /": true, "HEAD /": true, "GET " + script: true, "GET /?drop=1": true,
		"POST /": true, "OPTIONS /": true, "GET //": false, "GET /index.html": false, "GET /assets": false, "GET /assets/": false,
		"GET " + folder: false, "GET " + folder + "/": false, "GET /assets/0000000000000000/shop/main.js": false,
		"GET " + folder + "/shop/../shop/main.js": false, "GET " + folder + "/vendor/README.md": false, "GET " + script + "/": false,
		"GET /api/drops": false, "GET /shop.html": false, "POST " + script: true, "GET " + strings.ToUpper(script): false,
	} {
		method, at, _ := strings.Cut(target, " ")
		if got := answer(h, method, at).Code != http.StatusTeapot; got != ours {
			t.Errorf("%s: ours %v, want %v", target, got, ours)
		}
	}
}

func TestPages_AnswerOtherMethodsWithThoseThereAre(t *testing.T) {
	h, p := handler(t, Config{})
	for at := range p.files {
		for _, spelling := range []string{at, strings.ToUpper(at), at + "/"} {
			if spelling != at && (pageOf[at] == "" || at == "/") {
				continue
			}
			for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} {
				got := answer(h, method, spelling)
				if got.Code != http.StatusMethodNotAllowed || got.Header().Get("Allow") != "GET, HEAD, OPTIONS" ||
					!strings.Contains(got.Body.String(), `"code":"method_not_allowed"`) {
					t.Errorf("%s %s: %d, Allow: %s, %s", method, spelling, got.Code, got.Header().Get("Allow"), got.Body)
				}
			}
			if got := answer(h, "OPTIONS", spelling); got.Code != http.StatusNoContent || got.Header().Get("Allow") != "GET, HEAD, OPTIONS" {
				t.Errorf("OPTIONS %s: %d", spelling, got.Code)
			}
		}
	}
	preflight := answer(h, "OPTIONS", "/", "Access-Control-Request-Method", "GET", "Origin", "https://shop.example")
	if preflight.Code != http.StatusTeapot {
		t.Errorf("a preflight is not the pages' to answer: %d", preflight.Code)
	}
}

func TestPages_AreKeptAsLongAsTheyAreGood(t *testing.T) {
	h, p := handler(t, Config{})
	for at, f := range p.files {
		plain := answer(h, http.MethodGet, at)
		if plain.Code != http.StatusOK || !bytes.Equal(plain.Body.Bytes(), f.Plain()) || plain.Header().Get("Content-Encoding") != "" {
			t.Fatalf("%s: %d, %d bytes", at, plain.Code, plain.Body.Len())
		}
		want := "no-cache"
		if strings.HasPrefix(at, "/assets/") {
			want = "public, max-age=31536000, immutable"
		}
		if got := plain.Header().Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control %s, want %s", at, got, want)
		}
		if csp := plain.Header().Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s: %s", at, csp)
		}
		head := answer(h, http.MethodHead, at)
		if head.Body.Len() != 0 || head.Header().Get("Content-Length") != plain.Header().Get("Content-Length") {
			t.Errorf("HEAD %s: %d bytes, %v", at, head.Body.Len(), head.Header())
		}
		packed := answer(h, http.MethodGet, at, "Accept-Encoding", "br, gzip;q=0.8")
		tags := []string{plain.Header().Get("Etag"), packed.Header().Get("Etag")}
		for _, tag := range tags {
			if again := answer(h, http.MethodGet, at, "Accept-Encoding", packedIf(tag), "If-None-Match", `"x", W/`+tag); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
				t.Errorf("%s with %s: %d", at, tag, again.Code)
			}
		}
		if len(f.Plain()) < negotiate.MinGzip {
			continue
		}
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		if unpacked, err := io.ReadAll(z); err != nil || !bytes.Equal(unpacked, f.Plain()) || tags[0] == tags[1] {
			t.Errorf("%s: %d bytes, %v, tags %q", at, len(unpacked), err, tags)
		}
		if refused := answer(h, http.MethodGet, at, "Accept-Encoding", "gzip;q=0"); refused.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s is packed for who refuses that", at)
		}
	}
}

func packedIf(tag string) string {
	if strings.Contains(tag, "-gzip") {
		return "gzip"
	}
	return "identity"
}

func TestPages_SayWhatTheShopIsCalled(t *testing.T) {
	h, _ := handler(t, Config{Shop: `Léon & "Söhne" </title><script>`, Currency: "EUR", SignIn: "/in", Identity: true, Payments: true})
	body := answer(h, http.MethodGet, "/").Body.String()
	for _, want := range []string{
		`data-shop="Léon &amp; &#34;Söhne&#34; &lt;/title&gt;&lt;script&gt;"`, `data-currency="EUR"`, `data-sign-in="/in"`, `data-identity="true"`, `data-payments="true"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in the page", want)
		}
	}
	if strings.Contains(body, `"Söhne"`) {
		t.Error("the name is not escaped")
	}
}

var (
	moduleLine = regexp.MustCompile(`(?m)(?:^(?:import|export) [^;]*?from |^import |\bimport\()"([^"]+)"`)
	address    = regexp.MustCompile(`https?://\w[^\s"'<>)]*`)
	loads      = regexp.MustCompile(`(?:href|src)="(/[^"]+)"`)
)

// What a file names is there, and nothing is loaded from elsewhere.
func TestPages_NeedNothingElse(t *testing.T) {
	h, p := handler(t, Config{})
	for at, f := range p.files {
		if strings.Contains(at, "/vendor/") {
			continue
		}
		for _, m := range moduleLine.FindAllSubmatch(f.Plain(), -1) {
			name := string(m[1])
			if strings.HasPrefix(name, "/socket.io/") {
				continue
			}
			if named := path.Join(path.Dir(at), name); p.files[named] == nil || !strings.HasPrefix(name, ".") {
				t.Errorf("%s imports %s, which is not there", at, name)
			}
		}
		for _, found := range address.FindAll(f.Plain(), -1) {
			if example := strings.HasSuffix(at, ".d.ts") && bytes.HasPrefix(found, []byte("https://shop.example/")); string(found) != "http://www.w3.org/2000/svg" && !example {
				t.Errorf("%s names %s", at, found)
			}
		}
		if !strings.HasPrefix(at, "/assets/") {
			for _, m := range loads.FindAllSubmatch(f.Plain(), -1) {
				if to := string(m[1]); !strings.HasPrefix(to, "/api/") && !strings.HasPrefix(to, "/socket.io/") && answer(h, http.MethodGet, to).Code != http.StatusOK {
					t.Errorf("%s loads %s, which is not there", at, to)
				}
			}
			if bytes.Contains(f.Plain(), []byte(" style=")) || bytes.Contains(f.Plain(), []byte(" on")) && regexp.MustCompile(` on[a-z]+="`).Match(f.Plain()) {
				t.Errorf("%s has what its policy forbids", at)
			}
		}
	}
}

// Each page loads one script of its modules, and has its style sheet and its first script inside, which its policy
// admits by their hashes.
func TestPages_LoadOneScript(t *testing.T) {
	h, p := handler(t, Config{})
	for at, name := range pageOf {
		w := answer(h, http.MethodGet, at)
		page, csp := w.Body.String(), w.Header().Get("Content-Security-Policy")
		scripts := regexp.MustCompile(`<script type="module" src="(/assets/[0-9a-f]{16}/`+strings.TrimSuffix(name, ".html")+`\.js)">`).FindAllStringSubmatch(page, -1)
		if len(scripts) != 1 || p.files[scripts[0][1]] == nil || strings.Count(page, `type="module"`) != 1 || strings.Contains(page, `rel="stylesheet"`) {
			t.Errorf("%s loads %q", at, scripts)
		}
		for kind, inside := range map[string]*regexp.Regexp{
			"script-src": regexp.MustCompile(`(?s)<script>(.*?)</script>`), "style-src": regexp.MustCompile(`(?s)<style>(.*?)</style>`),
		} {
			found := inside.FindAllStringSubmatch(page, -1)
			if len(found) != 1 || len(found[0][1]) < 1000 {
				t.Fatalf("%s has %d for %s", at, len(found), kind)
			}
			sum := sha256.Sum256([]byte(found[0][1]))
			want := kind + " 'self' 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy %s has no %s", at, csp, want)
			}
		}
	}
}

// Whatever is not ours has its licence beside it and says what it is.
func TestVendored_HasItsLicence(t *testing.T) {
	readme, err := fs.ReadFile(assets, "assets/vendor/README.md")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := fs.ReadDir(assets, "assets/vendor")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "README.md" && !bytes.Contains(readme, []byte("`"+e.Name()+"`")) {
			t.Errorf("the README beside %s does not name it", e.Name())
		}
		if strings.HasPrefix(e.Name(), "LICENSE") {
			continue
		}
		content, err := fs.ReadFile(assets, "assets/vendor/"+e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if first, _, _ := bytes.Cut(content, []byte("\n")); e.Name() != "README.md" && !bytes.Contains(first, []byte("vendored")) {
			t.Errorf("the first line of %s does not say where it comes from", e.Name())
		}
	}
}

// Nobody may rely on bare text nodes, which translators take away: markup is made by shared/html.js alone.
func TestPages_MakeMarkupInOnePlace(t *testing.T) {
	imported := regexp.MustCompile(`import \{([^}]*)\} from "[^"]*vendor/preact\.js"`)
	forEachScript(t, func(name, text string) {
		for _, m := range imported.FindAllStringSubmatch(text, -1) {
			for part := range strings.SplitSeq(m[1], ",") {
				if what, _, _ := strings.Cut(strings.TrimSpace(part), " "); (what == "html" || what == "h") && name != "shared/html.js" {
					t.Errorf("%s imports %s from Preact; take html from shared/html.js", name, what)
				}
			}
		}
		if strings.Contains(text, "createTextNode") && name != "shared/start.js" {
			t.Errorf("%s makes text nodes", name)
		}
	})
}

// younger is what browsers of late 2022 (Chrome and Edge 107, Firefox 106, Safari 16.1) do not all have, and what
// would leave the page blank there. docs/howto/run-a-drop.md says which browsers the pages are for.
var younger = map[string]string{
	"toReversed, toSorted, toSpliced": `\.(toReversed|toSorted|toSpliced)\(`,
	"grouping":                        `\b(Object|Map)\.groupBy\(`,
	"new promises":                    `\bPromise\.(withResolvers|try)\(`,
	"AbortSignal.timeout and any":     `\bAbortSignal\.(timeout|any)\(`,
	"Intl.Segmenter, DurationFormat":  `\bIntl\.(Segmenter|DurationFormat)\b`,
	"Array.fromAsync":                 `\bArray\.fromAsync\(`,
	"URL.canParse and parse":          `\bURL\.(canParse|parse)\(`,
	"well-formed strings":             `\.(isWellFormed|toWellFormed)\(`,
	"set algebra":                     `\.(union|intersection|difference|symmetricDifference|isSubsetOf|isSupersetOf|isDisjointFrom)\(`,
	"idle callbacks, scheduler":       `\b(requestIdleCallback|scheduler\.)`,
	"lookbehind":                      `\(\?<[=!]`,
	"the flag v":                      `/[a-z]*v[a-z]*\.(test|exec)\(`,
	"import attributes":               `(?m)^import .* with \{`,
	"using":                           `(?m)^\s*(await )?using \w+ =`,
	"popovers":                        `\bpopover(target)?\b|showPopover`,
	"view transitions":                `startViewTransition`,
}

// youngerStyle is what would leave something unreadable or invisible there. What only adds to the looks may be young.
var youngerStyle = map[string]string{
	"light-dark()": `light-dark\(`,
	":has()":       `:has\(`,
	"nesting":      `(?m)^\s+&`,
	"@scope":       `@scope`,
	"popovers":     `:popover-open`,
}

func TestPages_UseWhatFourYearOldBrowsersHave(t *testing.T) {
	check := func(name, text string, rules map[string]string) {
		t.Helper()
		for what, pattern := range rules {
			if found := regexp.MustCompile(pattern).FindString(text); found != "" {
				t.Errorf("%s uses %q (%s), which browsers of four years ago do not have", name, found, what)
			}
		}
	}
	asked := regexp.MustCompile(`(?m)^.*\btypeof (\w+\.)*\w+ === "function" \?.*$`) // what is used where it is there, and only there
	forEachScript(t, func(name, text string) { check(name, asked.ReplaceAllString(text, ""), younger) })
	err := fs.WalkDir(assets, "assets", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".css" || strings.Contains(name, "/vendor/") {
			return err
		}
		text, err := assets.ReadFile(name)
		check(name, string(text), youngerStyle)
		for _, colour := range []string{"oklch(", "color-mix("} {
			before, _, found := strings.Cut(string(text), colour)
			if found && !strings.Contains(before[strings.LastIndex(before, "\n")+1:], "@supports") {
				t.Errorf("%s: the first %s is not that of @supports", name, colour)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The script that tells an old browser that it is old runs in it, before all others.
func TestPages_BeginWithAScriptThatOldBrowsersRead(t *testing.T) {
	text, err := assets.ReadFile("assets/shared/start.js")
	if err != nil {
		t.Fatal(err)
	}
	young := regexp.MustCompile("=>|`|\\b(let|const|class|async|await)\\s|\\?\\.|\\?\\?|\\.\\.\\.")
	if found := young.Find(regexp.MustCompile(`(?m)//.*$`).ReplaceAll(text, nil)); found != nil {
		t.Errorf("start.js has %q, which browsers of 2009 cannot read", found)
	}
	h, _ := handler(t, Config{})
	for at := range pageOf {
		page := answer(h, http.MethodGet, at).Body.String()
		first, begins := strings.Index(page, "<script"), strings.Index(page, "<script>(function(){\"use strict\";")
		head, _, _ := strings.Cut(page, "<style")
		if first < 0 || first != begins || !strings.Contains(head, "noModule") {
			t.Errorf("%s does not begin with start.js", at)
		}
		if found := young.FindString(page[first:strings.Index(page, "</script>")]); found != "" {
			t.Errorf("what %s begins with has %q, which browsers of 2009 cannot read", at, found)
		}
	}
}

// forEachScript gives each script that is ours.
func forEachScript(t *testing.T, f func(name, text string)) {
	t.Helper()
	err := fs.WalkDir(assets, "assets", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".js" || strings.Contains(name, "/vendor/") {
			return err
		}
		text, err := assets.ReadFile(name)
		f(strings.TrimPrefix(name, "assets/"), string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

var importLine = regexp.MustCompile(`(?m)^(?:import|export) .*?from "(\.[^"]+)";$`)

// imports returns the modules that a module imports, itself first.
func imports(contents map[string][]byte, module string) []string {
	found := []string{module}
	for i := 0; i < len(found); i++ {
		for _, m := range importLine.FindAllSubmatch(contents[found[i]], -1) {
			if name := path.Join(path.Dir(found[i]), string(m[1])); !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
	}
	return found
}

// Two modules that import each other load in an order that nobody sees.
func TestModules_DoNotImportEachOther(t *testing.T) {
	contents := make(map[string][]byte)
	err := fs.WalkDir(assets, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		contents[strings.TrimPrefix(name, "assets/")], err = assets.ReadFile(name)
		return err
	})
	if err != nil || len(imports(contents, "admin/main.js")) < 10 {
		t.Fatal("there are no modules", err)
	}
	for name := range contents {
		for _, imported := range imports(contents, name)[1:] {
			if slices.Contains(imports(contents, imported), name) {
				t.Errorf("%s imports %s, which imports it", name, imported)
			}
		}
	}
}
