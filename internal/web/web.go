// Package web has the pages that people use: the shop window at / and the control room at /admin. They are embedded
// as they are written, without a build step: a page, its style sheets, and ES modules that import each other by
// relative paths. New joins the modules of each page to one file, and its style sheets to another. The client library,
// which the pages use to call the server, is also served to other sites' pages, below /client.
//
// All files except the pages are in one folder whose name is a hash of their content, so browsers keep them for ever.
// Browsers ask for a page itself again each time. It is small, and has its style sheet and its first script inside,
// so that it shows at once: the policy of the page names their hashes. Pages is safe for concurrent use.
package web

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"sneakerdrop/client"
)

var (
	//go:embed assets
	assets embed.FS
	//go:embed pages/*.html
	templates embed.FS
)

// Config is what the pages say of the shop. The zero value is good.
type Config struct {
	// Shop is its name (default sneakerdrop).
	Shop string
	// Currency of all prices, as ISO 4217 has it (default USD).
	Currency string
	// Decimals of the currency's amounts (default 2, where Currency is not given).
	Decimals int
	// SignIn is where buyers without a token are sent (default: nowhere).
	SignIn string
	// Identity says that buyers and operators need tokens.
	Identity bool
}

// Pages serves the pages and what they load.
type Pages struct {
	files     map[string]*file             // by path
	spoken    map[string]map[*speech]*file // the pages that speak several languages, by path
	languages *languages
}

// pageOf has the template of each page.
var pageOf = map[string]string{"/": "shop.html", "/admin": "admin.html"}

type pageData struct {
	Config
	Assets string // the folder with the files that the page loads
	Start  template.JS
	Style  template.CSS

	*speech
	Messages  messages  // that its scripts show
	Languages []*speech // to choose from
}

// Text is a message of the page's template. The shop's name may stand in it.
func (d pageData) Text(key string) string { return d.texts.text(key, "shop", d.Shop) }

// New makes the pages.
func New(c Config) (*Pages, error) {
	c.Shop = cmp.Or(c.Shop, "sneakerdrop")
	if c.Currency == "" {
		c.Currency, c.Decimals = "USD", 2
	}
	p := &Pages{files: make(map[string]*file), spoken: make(map[string]map[*speech]*file)}
	if err := p.addClient(); err != nil {
		return nil, fmt.Errorf("read the client library: %w", err)
	}
	bundled, err := bundledAssets()
	if err != nil {
		return nil, fmt.Errorf("read the files of the pages: %w", err)
	}
	folder := p.addAssets(bundled)
	if p.languages, err = newLanguages(nil); err != nil {
		return nil, fmt.Errorf("read the messages: %w", err)
	}
	t, err := template.ParseFS(templates, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("read the pages: %w", err)
	}
	for at, name := range pageOf {
		page := strings.TrimSuffix(name, ".html")
		script, style := bundled["start.js"], bundled[page+".css"]
		for _, s := range p.languages.all {
			var b bytes.Buffer
			data := pageData{
				Config: c, Assets: folder,
				Start: template.JS(script), Style: template.CSS(style), //nolint:gosec // both are ours
				speech: s, Messages: s.texts.shownBy(at), Languages: p.languages.all,
			}
			if err := t.ExecuteTemplate(&b, name, data); err != nil {
				return nil, fmt.Errorf("make the page %s in %s: %w", at, s.Lang(), err)
			}
			f := newFile(name, b.Bytes())
			f.policy, f.language = policyOf(script, style), s.Lang()
			if p.files[at] == nil { // English, which comes first
				p.files[at] = f
			}
			if at == "/admin" {
				break // speaks English only
			}
			if p.spoken[at] == nil {
				p.spoken[at] = make(map[*speech]*file)
			}
			p.spoken[at][s] = f
		}
	}
	return p, nil
}

const clientModule = "client/sneakerdrop.js"

// addClient adds the client library under addresses that stay, for pages of every origin.
func (p *Pages) addClient() error {
	entries, err := client.Files.ReadDir(".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		content, err := client.Files.ReadFile(entry.Name())
		if err != nil {
			return err
		}
		f := newFile(entry.Name(), content)
		f.shared = true
		p.files["/client/"+entry.Name()] = f
	}
	p.files["/"+clientModule].types = "./sneakerdrop.d.ts"
	return nil
}

// bundledAssets are all files except the pages, by their paths, and what bundle made of them. To be read only.
var bundledAssets = sync.OnceValues(func() (map[string][]byte, error) {
	contents := make(map[string][]byte)
	err := fs.WalkDir(assets, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || typeOf(name) == "" {
			return err
		}
		contents[strings.TrimPrefix(name, "assets/")], err = assets.ReadFile(name)
		return err
	})
	if err != nil {
		return nil, err
	}
	contents[clientModule], err = client.Files.ReadFile(path.Base(clientModule))
	if err != nil {
		return nil, err
	}
	return contents, bundle(contents)
})

// addAssets adds the files that the pages load, and returns their folder.
func (p *Pages) addAssets(contents map[string][]byte) (folder string) {
	folder = "/assets/" + hashOf(contents)
	for name, content := range contents {
		f := newFile(name, content)
		f.immutable = true
		p.files[folder+"/"+name] = f
	}
	return folder
}

// Around serves the pages, and has next serve everything else.
func (p *Pages) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := p.find(r)
		switch {
		case f == nil || r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "": // a preflight is next's
			next.ServeHTTP(w, r)
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			p.inLanguage(w, r, f).ServeHTTP(w, r)
		default:
			refuseMethod(w, r)
		}
	})
}

// inLanguage is a page in the reader's language, where it speaks several, or the file as it is.
func (p *Pages) inLanguage(w http.ResponseWriter, r *http.Request, f *file) *file {
	for _, inLanguages := range p.spoken {
		if inLanguages[p.languages.all[0]] != f {
			continue
		}
		w.Header().Add("Vary", "Accept-Language, Cookie")
		s, asked := p.languages.of(r)
		if asked {
			s.remember(w)
		}
		return inLanguages[s]
	}
	return f
}

// refuseMethod says what may be asked of a page, in the words of the API.
func refuseMethod(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Allow", "GET, HEAD, OPTIONS")
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusMethodNotAllowed)
	_, _ = io.WriteString(w, `{"error":"This path does not take that method; the Allow header lists those it takes","code":"method_not_allowed"}`)
}

// find matches the paths of pages as those of the API match: without regard to case, with or without one trailing
// slash.
func (p *Pages) find(r *http.Request) *file {
	at := r.URL.EscapedPath()
	if f := p.files[at]; f != nil {
		return f
	}
	if folded := strings.TrimSuffix(strings.ToLower(at), "/"); folded != "/" && pageOf[folded] != "" {
		return p.files[folded]
	}
	return nil
}
