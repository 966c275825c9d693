package web

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	iso "github.com/bojanz/currency"
	numerals "golang.org/x/text/message"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

// maxCards is how many drops the first page shows before its scripts run. They then show all.
const maxCards = 12

// phase is what a buyer can do with a drop: the classes of cards are called so, and the scripts have the same rule.
type phase string

const (
	open   phase = "open"
	paused phase = "paused"
	// drawing is a drop whose draw has no result yet.
	drawing phase = "draw"
	soon    phase = "soon"
	out     phase = "out"
)

var phases = []phase{open, paused, drawing, soon, out} // in the order in which cards stand

func phaseOf(d *drop.Drop, now drop.Time) phase {
	switch {
	case d.Paused:
		return paused
	case d.DrawPending():
		return drawing
	case d.StartTime > now:
		return soon
	case d.Stock().Available > 0:
		return open
	default:
		return out
	}
}

// card is a drop as the server shows it, in the markup and the classes of the card that the scripts make.
type card struct {
	ID     drop.ID
	Name   string
	Price  string
	Phase  phase
	View   string // empty, large, or page for the drop's own page
	Image  string // empty: a drawn sneaker
	Badge  string
	Action string
	Starts string // when the drop starts; empty: it has started
	At     string // the same for programs
	Left   string
	Limit  string
	Size   string // the word
	Sizes  []cardSize

	SunX, SunY int // of the drawn sneaker
	hue        float64
}

type cardSize struct {
	Label, Left string
	None        bool
}

// Wide says that the card takes the whole width of the page.
func (c *card) Wide() bool { return c.View != "" }

// longLabel is how many characters the label of a size may have before all sizes of the drop get wider cells. The
// scripts have the same rule.
const longLabel = 5

// Long says that a size has a label that needs a wide cell.
func (c *card) Long() bool {
	return slices.ContainsFunc(c.Sizes, func(s cardSize) bool { return utf8.RuneCountInString(s.Label) > longLabel })
}

// listing is the shop window as the server shows it.
type listing struct {
	Title, Counts string
	Large, Rest   []card
	Of            int // how many belong in Rest, modulo 12: the rows of the style sheet go by it
}

// teller writes the figures of cards in one language.
type teller struct {
	*speech
	currency string
	decimals int
	now      drop.Time
}

func (t *teller) count(n int64) string { return numerals.NewPrinter(t.tag).Sprintf("%d", n) }

func (t *teller) counted(key string, n int64, namesAndValues ...string) string {
	return t.texts.counted(t.tag, key, int(n), t.count(n), namesAndValues...)
}

// price writes an amount with the currency's decimals, or with more where it was stored under another currency.
func (t *teller) price(m drop.Money) string {
	amount, err := iso.NewAmount(m.String(), t.currency)
	if err != nil {
		return m.String() + " " + t.currency
	}
	f := iso.NewFormatter(iso.NewLocale(t.Lang()))
	f.MinDigits, f.MaxDigits = uint8(t.decimals), drop.MaxDecimals
	return f.Format(amount)
}

// moment writes a time. The reader's zone is not known here, so it is UTC; the scripts write it in the reader's own.
func moment(at drop.Time) string { return at.Time().Format("2006-01-02 15:04 UTC") }

func (t *teller) card(v *engine.View, view string) card {
	d := &v.Drop
	stock := d.Stock()
	seed := float64(d.ID)
	c := card{
		ID: d.ID, Name: d.Name, Price: t.price(d.Price), Phase: phaseOf(d, t.now), View: view, Image: safeImage(d.ImageURL),
		Left: t.counted("card.left", stock.Available, "total", t.count(stock.Total)),
		SunX: 250 + int(d.ID*53%90), SunY: 92 + int(d.ID*31%40), hue: mod(seed*137.5, 360),
	}
	if d.LimitPerUser > 0 {
		c.Limit = t.counted("card.limit", int64(d.LimitPerUser))
	}
	switch c.Phase {
	case soon:
		c.Starts, c.At = moment(d.StartTime), d.StartTime.Time().Format("2006-01-02T15:04:05.000Z")
		c.Badge = t.texts.text("card.starts", "time", c.Starts)
		c.Action = c.Badge
	case open:
		c.Badge, c.Action = t.texts.text("card.on_sale"), t.texts.text("card.reserve")
	case drawing:
		c.Badge, c.Action = t.drawOf(d)
	case paused:
		c.Badge = t.texts.text("card.paused")
		c.Action = c.Badge
	case out:
		c.Badge = t.texts.text("card.sold_out")
		c.Action = c.Badge
	}
	if !d.Sized() {
		return c
	}
	c.Size = t.texts.text("card.size")
	if c.Phase == open {
		c.Action = t.texts.text("card.select_size")
	}
	for i := range d.Sizes {
		s := &d.Sizes[i]
		size := cardSize{Label: s.Label, Left: t.count(s.Stock.Available), None: s.Stock.Available == 0}
		if size.None {
			size.Left = "–"
		}
		c.Sizes = append(c.Sizes, size)
	}
	return c
}

// drawOf is the badge of a drop whose draw has no result yet, and the word of its button.
func (t *teller) drawOf(d *drop.Drop) (badge, action string) {
	switch {
	case t.now < d.Draw.Opens:
		badge = t.texts.text("draw.opens", "time", moment(d.Draw.Opens))
		return badge, badge
	case t.now < d.Draw.Closes:
		return t.texts.text("draw.closes", "time", moment(d.Draw.Closes)), t.texts.text("draw.enter")
	default:
		badge = t.texts.text("draw.closed")
		return badge, badge
	}
}

func mod(a, b float64) float64 { return a - b*float64(int(a/b)) }

// listing orders the drops as the scripts do: what can be bought first, the next one to start large above them.
func (t *teller) listing(views []*engine.View) *listing {
	views = slices.Clone(views)
	slices.SortFunc(views, func(a, b *engine.View) int {
		pa, pb := phaseOf(&a.Drop, t.now), phaseOf(&b.Drop, t.now)
		if pa != pb {
			return cmp.Compare(slices.Index(phases, pa), slices.Index(phases, pb))
		}
		if pa == soon && a.Drop.StartTime != b.Drop.StartTime {
			return cmp.Compare(a.Drop.StartTime, b.Drop.StartTime)
		}
		return cmp.Compare(b.Drop.ID, a.Drop.ID)
	})
	var counts [2]int64 // open, soon
	hero := slices.IndexFunc(views, func(v *engine.View) bool { return phaseOf(&v.Drop, t.now) == soon })
	others := len(views)
	if hero >= 0 {
		others--
	}
	l := &listing{Title: t.texts.text("shop.drops")}
	for i, v := range views {
		switch phaseOf(&v.Drop, t.now) {
		case open:
			counts[0]++
		case soon:
			counts[1]++
		case paused, drawing, out:
		}
		switch {
		case i == hero || others == 1:
			l.Large = append(l.Large, t.card(v, "large"))
		case len(l.Rest) < maxCards:
			l.Rest = append(l.Rest, t.card(v, ""))
		}
	}
	l.Of = (len(views) - len(l.Large)) % 12
	l.Counts = t.counted("shop.on_sale", counts[0])
	if counts[1] > 0 {
		l.Counts += " · " + t.counted("shop.coming_up", counts[1])
	}
	if len(views) == 1 {
		l.Title, l.Counts = t.texts.text("shop.drop"), t.texts.text("shop.first_come")
	}
	return l
}

// cards are all that the listing shows.
func (l *listing) cards() []card { return append(slices.Clone(l.Large), l.Rest...) }

// hues are the colors of the drawn sneakers, as rules of the page's style sheet: its policy forbids style attributes.
func hues(cards []card) template.CSS {
	var b strings.Builder
	for i := range cards {
		if cards[i].Image == "" {
			fmt.Fprintf(&b, "#drop-%d .sneaker{--hue:%s}", cards[i].ID, strconv.FormatFloat(cards[i].hue, 'f', -1, 64))
		}
	}
	return template.CSS(b.String()) //nolint:gosec // numbers only
}

// safeImage is the address of an image, or "" where a browser would load it from elsewhere than it says. The API takes
// no such address, but rows may be older than that rule.
func safeImage(raw string) string {
	parsed, err := url.Parse(raw)
	switch {
	case raw == "" || err != nil || strings.ContainsAny(raw, "\\\t\r\n") || parsed.User != nil:
		return ""
	case (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Host != "":
		return raw
	case parsed.Scheme == "" && parsed.Host == "" && strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//"):
		return raw
	default:
		return ""
	}
}
