package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

// catalog is a Catalog of given drops, which counts how often it is asked for all.
type catalog struct {
	mu    sync.Mutex
	drops []drop.Drop
	now   drop.Time

	page func() (drop.Page, error) // nil: an empty one

	listed atomic.Int64
}

func (c *catalog) Page(context.Context, drop.ID) (drop.Page, error) {
	if c.page == nil {
		return drop.Page{}, nil
	}
	return c.page()
}

// with has the drops' pages say this.
func (c *catalog) with(page func() (drop.Page, error)) *catalog {
	c.page = page
	return c
}

func (c *catalog) Views() []*engine.View {
	c.listed.Add(1)
	return c.those(func(d *drop.Drop) bool { return !d.Hidden && !d.Archived })
}

func (c *catalog) Known(id drop.ID) *engine.View {
	for _, v := range c.those(func(d *drop.Drop) bool { return d.ID == id }) {
		return v
	}
	return nil
}

func (c *catalog) Now() drop.Time { return c.now }

func (c *catalog) those(wanted func(*drop.Drop) bool) (views []*engine.View) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.drops {
		if wanted(&d) {
			views = append(views, engine.NewView(d, nil, 0, 0))
		}
	}
	return views
}

func (c *catalog) change(i int, f func(*drop.Drop)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.drops[i])
}

var noon = drop.TimeOf(time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC))

func oneDrop(id drop.ID, name string, available int64) drop.Drop {
	return drop.Drop{
		ID: id, Settings: drop.Settings{Name: name, Price: 11_950, StartTime: noon - 1000}, CreatedAt: noon - 5000,
		Sizes: []drop.Size{{Stock: drop.Stock{Total: 10, Available: available, Sold: 10 - available}}},
	}
}

func shopOf(drops ...drop.Drop) *catalog { return &catalog{drops: drops, now: noon} }

func browser(h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	return answer(h, http.MethodGet, target, append([]string{"Accept", "text/html,*/*;q=0.8"}, headers...)...)
}

// mainOf is what a page shows of drops.
func mainOf(w *httptest.ResponseRecorder) string {
	_, main, _ := strings.Cut(w.Body.String(), `<main id="main">`)
	main, _, _ = strings.Cut(main, "</main>")
	return main
}

func TestShopWindow_ShowsDropsWithoutScripts(t *testing.T) {
	later, paused, hidden, archived := oneDrop(2, "Later", 10), oneDrop(3, "Paused", 5), oneDrop(4, "Secret", 5), oneDrop(5, "Over", 5)
	later.StartTime, paused.Paused, hidden.Hidden, archived.Archived = noon+90_000, true, true, true
	sized := oneDrop(6, "Sized", 0)
	sized.Sizes = []drop.Size{{Label: "9", Stock: drop.Stock{Total: 2, Available: 2}}, {Label: "9.5", Stock: drop.Stock{Total: 1, Held: 1}}}
	sized.ImageURL, sized.LimitPerUser = "https://cdn.example/a.webp?x=1&y=2", 2
	h, _ := handler(t, Config{Catalog: shopOf(oneDrop(1, "Plain", 7), later, paused, hidden, archived, sized, oneDrop(7, "Gone", 0))})
	main := mainOf(browser(h, "/"))
	for _, want := range []string{
		"<h1>Drops</h1><p>2 on sale · 1 coming up</p>", `<bdi>Plain</bdi>`, "$119.50", "7 of 10 left", `<p class="badge out">Sold out</p>`,
		`<p class="badge paused">Paused</p>`, "Starts 2026-11-30 12:01 UTC", `datetime="2026-11-30T12:01:30.000Z"`, `<a href="/drops/6"><bdi>Sized</bdi></a>`,
		`src="https://cdn.example/a.webp?x=1&amp;y=2"`, "2 pairs per person", `<label class="none"><span class="label" translate="no"><bdi>9.5</bdi>`,
	} {
		if !strings.Contains(main, want) {
			t.Errorf("the page lacks %s:\n%s", want, main)
		}
	}
	for _, secret := range []string{"Secret", "Over"} {
		if strings.Contains(main, secret) {
			t.Errorf("the page shows %s", secret)
		}
	}
	var order []string
	for _, m := range regexp.MustCompile(`<article class="card ([a-z ]+)" id="drop-(\d)"`).FindAllStringSubmatch(main, -1) {
		order = append(order, m[2]+" "+m[1])
	}
	if want := []string{"2 soon wide large", "6 open", "1 open", "3 paused", "7 out"}; !slices.Equal(order, want) {
		t.Errorf("the cards are %q, want %q", order, want)
	}
	german := mainOf(browser(h, "/", "Accept-Language", "de"))
	if !strings.Contains(german, "119,50") || !strings.Contains(german, "7 von 10") {
		t.Errorf("in German: %s", german)
	}
}

func TestShopWindow_WithoutDropsSaysSo(t *testing.T) {
	h, _ := handler(t, Config{Catalog: shopOf()})
	if main := mainOf(browser(h, "/")); !strings.Contains(main, "Nothing on sale yet") {
		t.Error(main)
	}
}

func TestShopWindow_IsBoundedForManyDrops(t *testing.T) {
	c := shopOf()
	for id := range drop.ID(500) {
		c.drops = append(c.drops, oneDrop(id+1, strings.Repeat("Long name ", 19), 3))
	}
	h, _ := handler(t, Config{Catalog: c})
	w := browser(h, "/", "Accept-Encoding", "gzip")
	if got := strings.Count(mainOf(browser(h, "/")), "<article"); got != maxCards {
		t.Errorf("%d cards, want %d", got, maxCards)
	}
	// What a server sends before it hears from a browser: 10 packets.
	if w.Body.Len() > 14_000 {
		t.Errorf("the page has %d bytes compressed: it does not fit the first packets", w.Body.Len())
	}
	t.Logf("%d bytes compressed", w.Body.Len())
}

// A card says how far the draw of its drop is, and the page has the texts of draws only if it has a draw.
func TestShopWindow_ShowsDraws(t *testing.T) {
	withDraw := func(id drop.ID, name string, opens, closes drop.Time, phase drop.DrawPhase) drop.Drop {
		d := oneDrop(id, name, 10)
		d.StartTime, d.Draw, d.DrawState.Phase = closes, drop.Draw{Opens: opens, Closes: closes, PayWithin: 600}, phase
		return d
	}
	c := shopOf(
		withDraw(1, "Soon", noon+1000, noon+90_000, drop.Entering), withDraw(2, "Open", noon-1000, noon+90_000, drop.Entering),
		withDraw(3, "Closed", noon-9000, noon-1000, drop.Drawing), withDraw(4, "Drawn", noon-9000, noon-1000, drop.Drawn),
	)
	h, _ := handler(t, Config{Catalog: c})
	page := browser(h, "/")
	for id, want := range map[int]string{
		1: `"badge draw">Draw opens 2026-11-30 12:00 UTC</p>`, 2: `"badge draw">Draw closes 2026-11-30 12:01 UTC</p>`,
		3: `"badge draw">Draw closed</p>`, 4: `"badge open">On sale</p>`,
	} {
		_, card, _ := strings.Cut(mainOf(page), fmt.Sprintf(`id="drop-%d"`, id))
		if card, _, _ = strings.Cut(card, "</article>"); !strings.Contains(card, want) {
			t.Errorf("the card of drop %d lacks %s: %s", id, want, card)
		}
	}
	if main := mainOf(page); !strings.Contains(main, ">Enter the draw</a>") {
		t.Error("no way in:", main)
	}
	plain, _ := handler(t, Config{Catalog: shopOf(oneDrop(1, "Plain", 7))})
	for target, w := range map[string]*httptest.ResponseRecorder{"/": browser(plain, "/"), "/drops/1": browser(plain, "/drops/1")} {
		if strings.Contains(w.Body.String(), `"draw.enter"`) {
			t.Errorf("%s has texts of draws", target)
		}
	}
	for target, w := range map[string]*httptest.ResponseRecorder{"/": page, "/drops/2": browser(h, "/drops/2")} {
		if !strings.Contains(w.Body.String(), `"draw.enter":"Enter the draw"`) {
			t.Errorf("%s has no texts of draws", target)
		}
	}
}

// The page has the texts of early access only if one of its drops has some, and the control room needs none of those.
func TestShopWindow_HasTextsOfEarlyAccessWhereThereIsSome(t *testing.T) {
	early := oneDrop(2, "Early", 7)
	early.Accesses = []drop.Access{{Starts: noon - 1000, Ends: noon + 1000, Uses: 1}}
	h, _ := handler(t, Config{Catalog: shopOf(oneDrop(1, "Plain", 7), early)})
	for target, want := range map[string]bool{"/": true, "/drops/1": false, "/drops/2": true, "/admin": false} {
		if has := strings.Contains(browser(h, target).Body.String(), `"early.have_code":"I have a code"`); has != want {
			t.Errorf("%s has the texts: %v", target, has)
		}
	}
	plain, _ := handler(t, Config{Catalog: shopOf(oneDrop(1, "Plain", 7))})
	if strings.Contains(browser(plain, "/").Body.String(), "early.") {
		t.Error("a shop without early access has texts of it")
	}
}

// However many ask, and whatever sells, the page is made once a second.
func TestShopWindow_IsMadeOncePerSecond(t *testing.T) {
	c := shopOf(oneDrop(1, "Plain", 7))
	h, _ := handler(t, Config{Catalog: c})
	synctest.Test(t, func(t *testing.T) {
		ask := func(want string) (tag string) {
			t.Helper()
			for range 500 {
				w := browser(h, "/")
				if tag = w.Header().Get("ETag"); !strings.Contains(mainOf(w), want) {
					t.Fatalf("it does not say %s: %s", want, mainOf(w))
				}
				c.change(0, func(d *drop.Drop) { d.Version++ })
			}
			return tag
		}
		first := ask("7 of 10 left")
		c.change(0, func(d *drop.Drop) { d.Sizes[0].Stock.Available = 3 })
		if again := ask("7 of 10 left"); again != first || c.listed.Load() != 1 {
			t.Errorf("listed %d times, tags %s and %s", c.listed.Load(), first, again)
		}
		time.Sleep(rest)
		second := ask("3 of 10 left")
		time.Sleep(rest)
		third := ask("3 of 10 left")
		if second == first || third != second || c.listed.Load() != 3 {
			t.Errorf("listed %d times, tags %s, %s, %s", c.listed.Load(), first, second, third)
		}
		if w := browser(h, "/", "If-None-Match", third); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("asked for again: %d", w.Code)
		}
	})
}

const hostile = "</script><script>alert(1)</script> \"q\" 'a' \u202egnikcah\u202c 👟 &amp; {{.}} <!--"

func TestDropPage_EscapesHostileNames(t *testing.T) {
	d := oneDrop(7, hostile, 1)
	d.Sizes = []drop.Size{{Label: `"><img src=x onerror=alert(1)>`, Stock: drop.Stock{Total: 1, Available: 1}}}
	d.ImageURL = `javascript:alert(1)`
	about := drop.Page{
		Description: "# Hi\n<script>alert(1)</script> [x](javascript:alert(1)) " + hostile, Rules: "<img src=x onerror=alert(1)>",
		Images: []drop.Image{
			{URL: `https://cdn.example/"><script>alert(1)</script>`, Alt: hostile}, {URL: `//evil.example/x.png`}, {URL: `/\evil.example`}, {URL: "data:image/png;base64,x"},
		},
	}
	h, _ := handler(t, Config{
		Shop: unturned(hostile), PublicURL: "https://shop.example", Catalog: shopOf(d).with(func() (drop.Page, error) { return about, nil }),
	})
	for _, at := range []string{"/", "/drops/7"} {
		w := browser(h, at)
		page := w.Body.String()
		root, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		var scripts []string
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.Contains(a.Val, "javascript:") || strings.Contains(a.Val, "evil.example") || strings.HasPrefix(a.Val, "data:") {
					t.Errorf("%s: <%s %s=%q>", at, n.Data, a.Key, a.Val)
				}
				if n.Data == "meta" && strings.Contains(a.Val, "\u202e") {
					t.Errorf("%s: %q turns what follows", at, a.Val)
				}
			}
			switch n.Data {
			case "script":
				scripts = append(scripts, attr(n, "type")+" "+attr(n, "src"))
				if strings.Contains(textOf(n), "alert(1)</script") {
					t.Errorf("%s: the name is in a script: %s", at, textOf(n))
				}
			case "title":
				if !strings.Contains(textOf(n), "<script>") || strings.Contains(textOf(n), "\u202e") {
					t.Errorf("%s has the title %q", at, textOf(n))
				}
			}
		}
		if len(scripts) > 4 {
			t.Errorf("%s has the scripts %q", at, scripts)
		}
		if !strings.Contains(page, "👟") || strings.Contains(mainOf(w), "<script") {
			t.Errorf("%s: %s", at, mainOf(w))
		}
	}
	var ld struct{ Name, Description string }
	_, block, _ := strings.Cut(browser(h, "/drops/7").Body.String(), `<script type="application/ld+json">`)
	block, _, _ = strings.Cut(block, "</script>")
	if err := json.Unmarshal([]byte(block), &ld); err != nil || ld.Name != unturned(hostile) {
		t.Errorf("JSON-LD %s: %v", block, err)
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.ChildNodes() {
		b.WriteString(c.Data)
	}
	return b.String()
}

func TestDropPage_SaysWhatPreviewsNeed(t *testing.T) {
	d := oneDrop(7, "Tidewater Low", 3)
	d.ImageURL = "/pictures/7.webp"
	about := drop.Page{
		Description: "A **light** shoe.\n\n- canvas", SizeGuide: "| EU | US |\n| - | - |\n| 42 | 9 |", Delivery: "3 days",
		Images: []drop.Image{{URL: "https://cdn.example/1.webp", Alt: "From the side"}},
	}
	c := Config{Catalog: shopOf(d).with(func() (drop.Page, error) { return about, nil }), PublicURL: "https://shop.example"}
	h, _ := handler(t, c)
	page := browser(h, "/drops/7", "Host", "evil.example", "X-Forwarded-Host", "evil.example").Body.String()
	for _, want := range []string{
		`data-drop="7"`, "<title>Tidewater Low · sneakerdrop</title>", `<meta name="description" content="A light shoe. canvas">`,
		`<link rel="canonical" href="https://shop.example/drops/7">`, `<meta property="og:url" content="https://shop.example/drops/7">`,
		`<meta property="og:image" content="https://shop.example/pictures/7.webp">`, `<meta name="twitter:card" content="summary_large_image">`,
		`"price":"119.5","priceCurrency":"USD","availability":"https://schema.org/InStock"`, `<section id="about">`, "<strong>light</strong>",
		`<li><img src="https://cdn.example/1.webp" alt="From the side"`, "<summary>Size guide</summary>", "<summary>Delivery</summary>", `<h1 id="drop-7-name">`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(page, "<summary>Rules") || strings.Contains(page, "evil.example") {
		t.Error("the page shows what there is not, or the caller's word for the host")
	}
	c.PublicURL = ""
	h, _ = handler(t, c)
	page = browser(h, "/drops/7").Body.String()
	if !strings.Contains(page, `<link rel="canonical" href="/drops/7">`) || strings.Contains(page, "og:url") || !strings.Contains(page, `<meta property="og:image" content="https://cdn.example/1.webp">`) {
		t.Error("without an address of the shop, the page names one that is not absolute, or none of the absolute ones")
	}
}

func TestDropPage_IsThereForWhatPeopleMaySee(t *testing.T) {
	later, paused, hidden, archived := oneDrop(2, "Later", 10), oneDrop(3, "Paused", 5), oneDrop(4, "Secret", 5), oneDrop(5, "Over", 5)
	later.StartTime, paused.Paused, hidden.Hidden, archived.Archived = noon+90_000, true, true, true
	var asked atomic.Int64
	h, p := handler(t, Config{Catalog: shopOf(oneDrop(1, "Gone", 0), later, paused, hidden, archived).with(func() (drop.Page, error) {
		asked.Add(1)
		return drop.Page{}, nil
	})})
	for target, want := range map[string]int{
		"/drops/1": 200, "/drops/2": 200, "/drops/3": 200, "/DROPS/3/": 200, "/drops/2.ics": 200, "/drops/2.ICS": 200, "/drops/1?utm=x&lang=de": 200,
		"/drops/4": 404, "/drops/5": 404, "/drops/6": 404, "/drops/0": 404, "/drops/-1": 404, "/drops/01": 404, "/drops/1e0": 404, "/drops/9007199254740993": 404,
		"/drops/99999999999999999999": 404, "/drops": 404, "/drops/": 404, "/drops/1/2": 404, "/drops/%31": 404, "/drops/4.ics": 404, "/drops/1.ics.ics": 404, "/drops/.ics": 404,
	} {
		w := browser(h, target)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", target, w.Code, want)
		}
		if want != http.StatusNotFound {
			continue
		}
		if page := w.Body.String(); !strings.Contains(page, "no longer available") || !strings.Contains(page, `href="/"`) || strings.Contains(page, "Secret") || w.Header().Get("ETag") != "" {
			t.Errorf("%s: %v %s", target, w.Header(), page)
		}
		if again := browser(h, target, "If-None-Match", "*"); again.Code != http.StatusNotFound || again.Body.Len() == 0 {
			t.Errorf("%s: a browser that has it already gets %d", target, again.Code)
		}
		if program := answer(h, http.MethodGet, target, "Accept", "*/*"); program.Code != http.StatusTeapot {
			t.Errorf("%s: a program gets %d, not the API's answer", target, program.Code)
		}
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("the store was asked %d times for 3 drops", n)
	}
	if w := answer(h, http.MethodPost, "/drops/1"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("POST: %d", w.Code)
	}
	if w := answer(h, http.MethodOptions, "/drops/1", "Access-Control-Request-Method", "GET", "Origin", "https://x.example"); w.Code != http.StatusTeapot {
		t.Errorf("a preflight: %d", w.Code)
	}
	for id := range drop.ID(20_000) {
		browserless(h, id+10)
	}
	if n := p.drops.kept.Len(); n != 3 {
		t.Errorf("%d drops are kept", n)
	}
}

// A drop may be archived while somebody pays for it. Back from the provider, the buyer comes to the first page,
// which says what became of the payment.
func TestDropPage_SendsWhoPaidForAGoneDropToTheFirstPage(t *testing.T) {
	gone := oneDrop(1, "Gone", 5)
	gone.Archived = true
	c := shopOf(gone, oneDrop(2, "Here", 5))
	for _, paid := range []bool{true, false} {
		h, _ := handler(t, Config{Catalog: c, Payments: paid})
		for target, want := range map[string]string{
			"/drops/1?payment=7":            "/?payment=7",
			"/drops/9?payment=7&lang=de":    "/?payment=7",
			"/drops/1?payment=//evil%0d%26": "/?payment=%2F%2Fevil%0D%26",
			"/drops/1":                      "",
			"/drops/2?payment=7":            "",
		} {
			if !paid {
				want = ""
			}
			if w := browser(h, target); w.Header().Get("Location") != want || want != "" && w.Code != http.StatusSeeOther {
				t.Errorf("payments %v, %s: %d to %q, want %q", paid, target, w.Code, w.Header().Get("Location"), want)
			}
		}
	}
}

func browserless(h http.Handler, id drop.ID) {
	r := httptest.NewRequest(http.MethodHead, fmt.Sprintf("/drops/%d", id), nil)
	h.ServeHTTP(httptest.NewRecorder(), r)
}

func TestDropPage_IsServedLikeOtherPages(t *testing.T) {
	h, _ := handler(t, Config{Catalog: shopOf(oneDrop(1, "Plain", 7))})
	for _, at := range []string{"/", "/drops/1", "/drops/1.ics"} {
		plain := browser(h, at)
		head := answer(h, http.MethodHead, at)
		if head.Code != http.StatusOK || head.Body.Len() != 0 || head.Header().Get("Content-Length") != strconv.Itoa(plain.Body.Len()) {
			t.Errorf("HEAD %s: %d, %v", at, head.Code, head.Header())
		}
		if again := browser(h, at, "If-None-Match", plain.Header().Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%s asked for again: %d", at, again.Code)
		}
		packed := browser(h, at, "Accept-Encoding", "gzip")
		if z, err := gzip.NewReader(packed.Body); err == nil {
			if unpacked, err := io.ReadAll(z); err != nil || !bytes.Equal(unpacked, plain.Body.Bytes()) {
				t.Errorf("%s compressed is something else: %v", at, err)
			}
		} else if !strings.HasSuffix(at, ".ics") {
			t.Errorf("%s: %v", at, err)
		}
		if strings.HasSuffix(at, ".ics") {
			continue
		}
		if vary := strings.Join(plain.Header()["Vary"], ", "); !strings.Contains(vary, "Accept-Language, Cookie") || !strings.Contains(vary, "Accept-Encoding") {
			t.Errorf("%s: Vary: %s", at, vary)
		}
		german := browser(h, at, "Accept-Language", "de-AT,en;q=0.5")
		if german.Header().Get("Content-Language") != "de" || german.Header().Get("ETag") == plain.Header().Get("ETag") || !strings.Contains(german.Body.String(), `<html lang="de"`) {
			t.Errorf("%s in German: %v", at, german.Header())
		}
		_, style, _ := strings.Cut(plain.Body.String(), "<style>")
		style, _, _ = strings.Cut(style, "</style>")
		sum := sha256.Sum256([]byte(style))
		if csp := plain.Header().Get("Content-Security-Policy"); !strings.Contains(csp, base64.StdEncoding.EncodeToString(sum[:])) || !strings.Contains(style, "#drop-1 .sneaker{--hue:137.5}") {
			t.Errorf("%s: the policy does not admit the page's own style: %s", at, csp)
		}
	}
}

// The store is asked at most once a second for a drop, whatever comes; when it fails, the texts of before stay.
func TestDropPage_AsksTheStoreOncePerSecond(t *testing.T) {
	var asked atomic.Int64
	var failing atomic.Bool
	h, _ := handler(t, Config{Catalog: shopOf(oneDrop(1, "Plain", 7), oneDrop(2, "Other", 7)).with(func() (drop.Page, error) {
		n := asked.Add(1)
		if failing.Load() {
			return drop.Page{}, errors.New("the store is away")
		}
		return drop.Page{Description: fmt.Sprintf("Text %d", n)}, nil
	})})
	synctest.Test(t, func(t *testing.T) {
		crowd := func(want string, calls int64) {
			t.Helper()
			for range 200 {
				for _, language := range []string{"en", "de", "fr"} {
					if main := mainOf(browser(h, "/drops/1", "Accept-Language", language)); !strings.Contains(main, want) {
						t.Fatalf("it does not say %q: %s", want, main)
					}
				}
			}
			if n := asked.Load(); n != calls {
				t.Errorf("the store was asked %d times, want %d", n, calls)
			}
		}
		crowd("Text 1", 1)
		time.Sleep(rest)
		crowd("Text 2", 2)
		failing.Store(true)
		time.Sleep(rest)
		crowd("Text 2", 3)
		failing.Store(false)
		time.Sleep(rest)
		crowd("Text 4", 4)
		failing.Store(true)
		if w := browser(h, "/drops/2"); w.Code != http.StatusOK || strings.Contains(mainOf(w), `id="about"`) {
			t.Errorf("a page whose texts cannot be read: %d", w.Code)
		}
	})
}

func TestDropPages_KeepSoManyAtMost(t *testing.T) {
	c := shopOf()
	for id := range drop.ID(3 * maxDropPages) {
		c.drops = append(c.drops, oneDrop(id+1, "Many", 3))
	}
	h, p := handler(t, Config{Catalog: c})
	for id := range drop.ID(3 * maxDropPages) {
		if w := browser(h, fmt.Sprintf("/drops/%d", id+1)); w.Code != http.StatusOK {
			t.Fatal(id, w.Code)
		}
	}
	if n := p.drops.kept.Len(); n != maxDropPages/len(p.languages.all) {
		t.Errorf("%d drops are kept, want %d", n, maxDropPages/len(p.languages.all))
	}
}

func TestCalendar_IsOneEvent(t *testing.T) {
	d := oneDrop(7, strings.Repeat("👟", 40)+`, "quoted"; back\slash`+"\u202e", 3)
	d.StartTime = noon
	h, _ := handler(t, Config{Shop: "Léon's, shop", PublicURL: "https://shop.example", Catalog: shopOf(d)})
	w := answer(h, http.MethodGet, "/drops/7.ics")
	text := w.Body.String()
	if w.Header().Get("Content-Type") != "text/calendar; charset=utf-8" || !strings.HasSuffix(text, "END:VCALENDAR\r\n") {
		t.Errorf("%v %s", w.Header(), text)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
			t.Errorf("the line %q has %d octets", line, len(line))
		}
	}
	unfolded := strings.ReplaceAll(text, "\r\n ", "")
	for _, want := range []string{
		"BEGIN:VEVENT\r\n", "UID:drop-7@shop.example\r\n", "DTSTAMP:20261130T115955Z\r\n", "DTSTART:20261130T120000Z\r\n", "DTEND:20261130T123000Z\r\n",
		"SUMMARY:" + strings.Repeat("👟", 40) + `\, "quoted"\; back\\slash · Léon's\, shop` + "\r\n", "URL:https://shop.example/drops/7\r\n",
	} {
		if !strings.Contains(unfolded, want) {
			t.Errorf("the file lacks %q:\n%s", want, unfolded)
		}
	}
	if !strings.Contains(text, "\r\n ") {
		t.Error("nothing is folded")
	}
}
