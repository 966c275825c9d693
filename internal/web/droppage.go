package web

import (
	"context"
	"html"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	lru "github.com/hashicorp/golang-lru/v2"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/markdown"
)

// Catalog is what the pages show before their scripts run. An Engine is one. Only Page may wait.
type Catalog interface {
	// Views returns the public drops.
	Views() []*engine.View
	// Known returns a drop, or nil if there is none with that number.
	Known(id drop.ID) *engine.View
	// Now is the store's clock.
	Now() drop.Time
	// Page returns what an operator wrote for a drop's page. It is asked at most once a second for each drop.
	Page(ctx context.Context, id drop.ID) (drop.Page, error)
}

const (
	// maxDropPages bounds the pages of drops that are kept, each language of a drop counted: 640 take some 40 MB. With
	// more of them asked for at once, some are made again.
	maxDropPages = 640
	// aboutWait bounds how long the store is waited for. A page without texts is better than none.
	aboutWait = 2 * time.Second
)

// dropPages are the pages of the drops that somebody asked for lately.
type dropPages struct {
	of   Catalog // nil: there are none
	kept *lru.Cache[drop.ID, *dropCell]
}

// dropCell keeps what was made of one drop.
type dropCell struct {
	about fresh[aboutSeen]
	pages map[*speech]*fresh[*file]
	dates fresh[*file]
}

// aboutSeen is what the store last said, and the HTML of it.
type aboutSeen struct {
	source drop.Page
	shown  about
}

// about has the texts as HTML.
type about struct {
	Images      []drop.Image
	Description template.HTML
	Folded      []folded
	Summary     string // of the description, in plain text
}

// folded is a text that opens with a click. Title is the key of its heading.
type folded struct {
	Title string
	Text  template.HTML
}

func newDropPages(of Catalog, languages int) *dropPages {
	kept, err := lru.New[drop.ID, *dropCell](max(maxDropPages/languages, 1))
	if err != nil {
		panic(err) // it refuses sizes below 1 alone
	}
	return &dropPages{of: of, kept: kept}
}

func (p *dropPages) cell(id drop.ID, languages []*speech) *dropCell {
	if c, ok := p.kept.Get(id); ok {
		return c
	}
	c := &dropCell{pages: make(map[*speech]*fresh[*file])}
	for _, s := range languages {
		c.pages[s] = new(fresh[*file])
	}
	if before, had, _ := p.kept.PeekOrAdd(id, c); had {
		return before
	}
	return c
}

// read returns what the store says of a drop's page, asked at most once a second. While the store does not answer, the
// texts of before stay.
func (p *dropPages) read(ctx context.Context, c *dropCell, id drop.ID) about {
	return c.about.get(func(before *aboutSeen) aboutSeen {
		// Others wait for this answer, so it does not end with the caller's request.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), aboutWait)
		defer cancel()
		source, err := p.of.Page(ctx, id)
		switch {
		case err != nil && before != nil:
			return *before
		case err != nil:
			return aboutSeen{}
		case before != nil && source.SaysTheSame(&before.source):
			return *before // Markdown costs time
		}
		return aboutSeen{source: source, shown: show(&source)}
	}).shown
}

func show(source *drop.Page) about {
	a := about{Description: markdown.ToHTML(source.Description, 2)}
	for _, part := range []folded{
		{"page.size_guide", markdown.ToHTML(source.SizeGuide, 2)},
		{"page.rules", markdown.ToHTML(source.Rules, 2)},
		{"page.delivery", markdown.ToHTML(source.Delivery, 2)},
	} {
		if part.Text != "" {
			a.Folded = append(a.Folded, part)
		}
	}
	for _, image := range source.Images {
		if image.URL = safeImage(image.URL); image.URL != "" {
			a.Images = append(a.Images, image)
		}
	}
	a.Summary = unturned(summary(a.Description))
	return a
}

// Empty says that there is nothing to show.
func (a *about) Empty() bool { return len(a.Images) == 0 && a.Description == "" && len(a.Folded) == 0 }

const maxSummary = 200 // characters; search engines show fewer

var anyTag = regexp.MustCompile(`<[^>]*>`)

// summary is the beginning of safe HTML in plain text.
func summary(of template.HTML) string {
	plain := strings.Join(strings.Fields(html.UnescapeString(anyTag.ReplaceAllString(string(of), " "))), " ")
	if utf8.RuneCountInString(plain) <= maxSummary {
		return plain
	}
	cut := string([]rune(plain)[:maxSummary])
	if space := strings.LastIndexByte(cut, ' '); space > maxSummary/2 {
		cut = cut[:space]
	}
	return cut + "…"
}

// unturned takes characters out of a text that change the direction of what follows, for places that know no <bdi>:
// the title of a window, a preview, a calendar.
func unturned(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\u200e', r == '\u200f', r == '\u061c':
			return -1
		default:
			return r
		}
	}, s)
}

// dropPage is what the template shows on a drop's own page.
type dropPage struct {
	Card    card
	About   about
	Title   string
	Summary string
	Path    string
	URL     string // absolute; empty: the shop's address is not known
	Image   string // absolute, or empty
	Product product
}

// product describes the drop to search engines (schema.org).
type product struct {
	Context     string   `json:"@context"`
	Type        string   `json:"@type"`
	Name        string   `json:"name"`
	SKU         string   `json:"sku"`
	Description string   `json:"description,omitempty"`
	URL         string   `json:"url,omitempty"`
	Image       []string `json:"image,omitempty"`
	Offer       offer    `json:"offers"`
}

type offer struct {
	Type         string `json:"@type"`
	URL          string `json:"url,omitempty"`
	Price        string `json:"price"`
	Currency     string `json:"priceCurrency"`
	Availability string `json:"availability"`
	Starts       string `json:"availabilityStarts"`
}

var availabilities = map[phase]string{
	open: "https://schema.org/InStock", drawing: "https://schema.org/PreSale", soon: "https://schema.org/PreSale", paused: "https://schema.org/LimitedAvailability", out: "https://schema.org/SoldOut",
}

func (p *Pages) dropPage(t *teller, v *engine.View, shown about) *dropPage {
	c := t.card(v, "page")
	d := &dropPage{
		Card: c, About: shown, Title: unturned(c.Name), Path: "/drops/" + strconv.FormatInt(int64(c.ID), 10), Summary: shown.Summary,
	}
	if d.Summary == "" {
		d.Summary = strings.Join([]string{c.Price, c.Badge, t.texts.text("page.description", "shop", p.config.Shop)}, " · ")
	}
	if p.config.PublicURL != "" {
		d.URL = p.config.PublicURL + d.Path
	}
	images := []string{c.Image}
	for _, image := range shown.Images {
		images = append(images, image.URL)
	}
	var absolute []string
	for _, image := range images {
		switch {
		case strings.HasPrefix(image, "http"):
			absolute = append(absolute, image)
		case image != "" && p.config.PublicURL != "":
			absolute = append(absolute, p.config.PublicURL+image)
		}
	}
	if len(absolute) > 0 {
		d.Image = absolute[0]
	}
	d.Product = product{
		Context: "https://schema.org", Type: "Product", Name: d.Title, SKU: strconv.FormatInt(int64(c.ID), 10), Description: shown.Summary, URL: d.URL, Image: absolute,
		Offer: offer{
			Type: "Offer", URL: d.URL, Price: v.Drop.Price.String(), Currency: p.config.Currency, Availability: availabilities[c.Phase],
			Starts: v.Drop.StartTime.Time().Format("2006-01-02T15:04:05Z"),
		},
	}
	return d
}

// dropAddress reads the address of a drop's page, in any case and with or without one trailing slash. ours says that
// the address is one of such pages, of a drop or of none; dates that it is that of the calendar file.
func dropAddress(at string) (id drop.ID, dates, ours bool) {
	at = strings.TrimSuffix(strings.ToLower(at), "/")
	name, below := strings.CutPrefix(at, "/drops/")
	if !below {
		return 0, false, at == "/drops"
	}
	name, dates = strings.CutSuffix(name, ".ics")
	n, err := strconv.ParseInt(name, 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != name {
		return 0, dates, true
	}
	return drop.ID(n), dates, true
}

// serveDrop answers for a drop's page and its calendar file. It reports false for what is not there and not asked for
// by a browser: the API then answers as for any other path. Which drops there are is known from memory.
func (p *Pages) serveDrop(w http.ResponseWriter, r *http.Request) bool {
	id, dates, ours := dropAddress(r.URL.EscapedPath())
	if !ours || p.config.Catalog == nil || r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		return false
	}
	v := p.config.Catalog.Known(id)
	gone := v == nil || v.Drop.Hidden || v.Drop.Archived
	switch {
	case gone && (!strings.Contains(strings.Join(r.Header["Accept"], ","), "text/html") || r.Method != http.MethodGet && r.Method != http.MethodHead):
		return false
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		refuseMethod(w, r)
		return true
	}
	if paid := r.URL.Query().Get("payment"); gone && p.config.Payments && paid != "" {
		// The buyer comes back from the provider. The first page says what became of the payment.
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/?"+url.Values{"payment": {paid}}.Encode(), http.StatusSeeOther)
		return true
	}
	if gone {
		w.Header().Add("Vary", "Accept")
		p.missing[p.spoken(w, r)].serveMissing(w, r)
		return true
	}
	c := p.drops.cell(id, p.languages.all)
	if dates {
		c.dates.get(func(before **file) *file { return unlessSame(before, "drop.ics", p.calendar(v)) }).ServeHTTP(w, r)
		return true
	}
	s := p.spoken(w, r)
	c.pages[s].get(func(before **file) *file {
		shown := p.drops.read(r.Context(), c, id)
		t := p.teller(s)
		return p.render(before, s, func(data *pageData) []card {
			data.Drop, data.Draws, data.Early = p.dropPage(t, v, shown), v.Drop.HasDraw(), hasEarly(v)
			return []card{data.Drop.Card}
		})
	}).ServeHTTP(w, r)
	return true
}
