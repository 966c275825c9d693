// Package web has the pages that people use: the shop window at /, the control room at /admin, and at /verify the
// page that checks a draw. A page is HTML, its style sheets, and ES modules that import each other by relative paths.
// The folder bundled has the modules of each page joined to one file, and its style sheets joined to another: bundle
// makes it. The client library, which the pages use to call the server, is also served to other sites' pages, below
// /client.
//
// All files except the pages are in one folder whose name is a hash of their content, so browsers keep them for ever.
// Browsers ask for a page itself again each time. It is small, and has its style sheet and its first script inside,
// so that it shows at once: the policy of the page names their hashes. Pages is safe for concurrent use.
package web

//go:generate go run ./bundle

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"

	"sneakerdrop/client"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/negotiate"
)

var (
	//go:embed assets
	assets embed.FS
	//go:embed bundled
	bundled embed.FS
	// shippedAs is a hash of all that bundle read and made.
	//go:embed bundled/hash
	shippedAs string
	//go:embed pages/*.html
	templates embed.FS
)

// Config is what the pages say of the shop. The zero value is good.
type Config struct {
	// Shop is its name (default the theme's, or else sneakerdrop).
	Shop string
	// Theme is how the pages look (default plain).
	Theme *Theme
	// Currency of all prices, as ISO 4217 has it (default USD).
	Currency string
	// Decimals of the currency's amounts (default 2, where Currency is not given).
	Decimals int
	// SignIn is where buyers without a token are sent (default: nowhere).
	SignIn string
	// Identity says that buyers and operators need tokens.
	Identity bool
	// Payments says that buyers pay before a unit is sold to them.
	Payments bool
	// PublicURL is the shop's own address, such as https://shop.example, without a path. Previews need it: a request's
	// Host header is the caller's word, and one answer is for all callers (default: none).
	PublicURL string
	// Catalog has the drops that the shop window shows before its scripts run (default: none).
	Catalog Catalog
}

// Pages serves the pages and what they load.
type Pages struct {
	config    Config
	languages *languages
	files     map[string]*file           // by path; pages without drops, in English
	assets    string                     // the folder with the files that pages load
	shipped   map[string]*negotiate.Body // by path
	start     []byte                     // the script inside each page
	styles    map[string]template.CSS    // inside each page, by its path
	templates *template.Template

	static  map[string]map[*speech]*file // the pages without drops, by path
	home    map[*speech]*fresh[*file]    // the shop window with its drops
	missing map[*speech]*file            // says that a drop is not there
	drops   *dropPages
}

// pageOf has the template of each page.
var pageOf = map[string]string{"/": "shop.html", "/admin": "admin.html", "/verify": "verify.html"}

const missingPage = "missing.html"

type pageData struct {
	Config
	Assets string // the folder with the files that the page loads
	Start  template.JS
	Style  template.CSS
	Look   look

	*speech
	Messages  messages  // that its scripts show
	Languages []*speech // to choose from
	Drops     *listing  // nil: they come later
	Drop      *dropPage // of the page of one drop
	Draws     bool      // a drop of the page has a draw
	Early     bool      // a drop of the page has early access
}

// Text is a message of the page's template. The shop's name may stand in it.
func (d *pageData) Text(key string) string { return d.texts.text(key, "shop", d.Shop) }

// New makes the pages.
func New(c Config) (*Pages, error) {
	c.Theme = cmp.Or(c.Theme, plainTheme())
	c.Shop = cmp.Or(c.Shop, c.Theme.name, "sneakerdrop")
	if c.Currency == "" {
		c.Currency, c.Decimals = "USD", 2
	}
	p := &Pages{
		config: c, files: make(map[string]*file), static: make(map[string]map[*speech]*file), home: make(map[*speech]*fresh[*file]),
		missing: make(map[*speech]*file),
	}
	var err error
	if p.shipped, err = shipped(); err != nil {
		return nil, fmt.Errorf("read the files of the pages: %w", err)
	}
	p.start = p.shipped["start.js"].Plain()
	p.styles = make(map[string]template.CSS)
	for at, name := range pageOf {
		p.styles[at] = template.CSS(p.shipped[strings.TrimSuffix(name, ".html")+".css"].Plain()) //nolint:gosec // ours
	}
	p.addShipped()
	p.addTheme(c.Theme)
	if p.languages, err = newLanguages(c.Theme.messages); err != nil {
		return nil, fmt.Errorf("read the messages: %w", err)
	}
	p.drops = newDropPages(c.Catalog, len(p.languages.all))
	if p.templates, err = template.ParseFS(templates, "pages/*.html"); err != nil {
		return nil, fmt.Errorf("read the pages: %w", err)
	}
	return p, p.addPages()
}

// addPages adds the pages as they are without drops.
func (p *Pages) addPages() error {
	none := func(*pageData) []card { return nil }
	for at, name := range pageOf {
		p.static[at] = make(map[*speech]*file)
		for _, s := range p.languages.all {
			f, err := p.execute(name, s, none)
			if err != nil {
				return fmt.Errorf("make the page %s in %s: %w", at, s.Lang(), err)
			}
			if p.static[at][s] = f; p.files[at] == nil { // English, which comes first
				p.files[at] = f
			}
			if at == "/admin" {
				break // speaks English only
			}
		}
	}
	for _, s := range p.languages.all {
		f, err := p.execute(missingPage, s, none)
		if err != nil {
			return fmt.Errorf("make the page of a missing drop in %s: %w", s.Lang(), err)
		}
		p.missing[s], p.home[s] = f, new(fresh[*file])
	}
	return nil
}

// execute makes a page in one language. fill adds what the page shows of drops, and returns the cards on it.
func (p *Pages) execute(name string, s *speech, fill func(*pageData) []card) (*file, error) {
	page, script := "/", p.start
	for at, its := range pageOf {
		if its == name {
			page = at
		}
	}
	data := pageData{
		Config: p.config, Assets: p.assets, Start: template.JS(script), //nolint:gosec // ours
		Look:   p.config.Theme.look(s.Lang(), p.assets),
		speech: s, Languages: p.languages.all,
	}
	cards := fill(&data)
	data.Messages = s.texts.shownBy(page, data.Draws, data.Early)
	data.Style = p.styles[page] + template.CSS(p.config.Theme.sheet(page)) + hues(cards) //nolint:gosec // ours, and a theme's that was checked
	var b bytes.Buffer
	if err := p.templates.ExecuteTemplate(&b, name, &data); err != nil {
		return nil, err
	}
	f := newFile(name, bytes.Clone(b.Bytes())) // without the room that the buffer has left
	f.policy, f.language = policyOf(script, []byte(data.Style)), s.Lang()
	return f, nil
}

// render makes a page of drops again. It returns the one of before where nothing has changed, which is compressed
// already, and the page without drops where the template fails.
func (p *Pages) render(before **file, s *speech, fill func(*pageData) []card) *file {
	f, err := p.execute(pageOf["/"], s, fill)
	switch {
	case err != nil:
		return p.static["/"][s]
	case before != nil && bytes.Equal((*before).Plain(), f.Plain()):
		return *before
	default:
		return f
	}
}

// unlessSame is a new file, or the one of before if it has the same content.
func unlessSame(before **file, name string, content []byte) *file {
	if before != nil && bytes.Equal((*before).Plain(), content) {
		return *before
	}
	return newFile(name, content)
}

func (p *Pages) teller(s *speech) *teller {
	return &teller{speech: s, currency: p.config.Currency, decimals: p.config.Decimals, now: p.config.Catalog.Now()}
}

// shopWindow is the first page with its drops, made at most once a second in each language.
func (p *Pages) shopWindow(s *speech) *file {
	return p.home[s].get(func(before **file) *file {
		t := p.teller(s)
		return p.render(before, s, func(data *pageData) []card {
			views := p.config.Catalog.Views()
			data.Drops = t.listing(views)
			data.Draws = slices.ContainsFunc(views, func(v *engine.View) bool { return v.Drop.HasDraw() })
			data.Early = slices.ContainsFunc(views, hasEarly)
			return data.Drops.cards()
		})
	})
}

// hasEarly reports whether a drop has early access, also if that is over: its answers tell of it then as well.
func hasEarly(v *engine.View) bool { return len(v.Drop.Accesses) > 0 }

// shipped are all files except the pages, by their paths, and the bundles made of them.
var shipped = sync.OnceValues(func() (map[string]*negotiate.Body, error) {
	all := make(map[string]*negotiate.Body)
	for _, folder := range []struct {
		files      embed.FS
		from, name string
	}{{assets, "assets", ""}, {bundled, "bundled", ""}, {client.Files, ".", "client/"}} {
		err := fs.WalkDir(folder.files, folder.from, func(at string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || typeOf(at) == "" {
				return err
			}
			name := folder.name + strings.TrimPrefix(at, folder.from+"/")
			all[name], err = negotiate.NewFileBody(typeOf(at), folder.files, at, gzip.BestCompression)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
})

const clientModule = "client/sneakerdrop.js"

// addShipped adds the files that the pages load, and the client library under addresses that stay, for pages of every
// origin.
func (p *Pages) addShipped() {
	p.assets = "/assets/" + shippedAs
	for name, body := range p.shipped {
		if strings.HasPrefix(name, "client/") {
			p.files["/"+name] = &file{Body: body, shared: true}
		}
		if !strings.HasPrefix(name, "client/") || name == clientModule {
			p.files[p.assets+"/"+name] = &file{Body: body, immutable: true}
		}
	}
	p.files["/"+clientModule].types = "./sneakerdrop.d.ts"
}

// Around serves the pages, and has next serve everything else.
func (p *Pages) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, page := p.find(r)
		switch {
		case f == nil:
			if !p.serveDrop(w, r) {
				next.ServeHTTP(w, r)
			}
		case r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "": // a preflight is next's
			next.ServeHTTP(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			refuseMethod(w, r)
		case page == "/" && p.config.Catalog != nil:
			p.shopWindow(p.spoken(w, r)).ServeHTTP(w, r)
		case page == "/" || page == "/verify":
			p.static[page][p.spoken(w, r)].ServeHTTP(w, r)
		default:
			f.ServeHTTP(w, r)
		}
	})
}

// spoken is the reader's language, for a page that speaks several.
func (p *Pages) spoken(w http.ResponseWriter, r *http.Request) *speech {
	w.Header().Add("Vary", "Accept-Language, Cookie")
	s, asked := p.languages.of(r)
	if asked {
		s.remember(w)
	}
	return s
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
	_, _ = io.WriteString(w, `{"error":"This path does not support that method; use one of those in the Allow header","code":"method_not_allowed"}`)
}

// find matches the paths of pages as those of the API match: without regard to case, with or without one trailing
// slash. It also returns the path of a page.
func (p *Pages) find(r *http.Request) (f *file, page string) {
	at := r.URL.EscapedPath()
	folded := strings.TrimSuffix(strings.ToLower(at), "/")
	switch {
	case at == "/":
		return p.files[at], at
	case folded != "/" && pageOf[folded] != "":
		return p.files[folded], folded
	default:
		return p.files[at], ""
	}
}
