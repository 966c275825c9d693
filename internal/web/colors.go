package web

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
)

// minContrast is the contrast that text needs (WCAG 2.2, 1.4.3 AA), and minEdge that of the edges of fields and
// buttons (1.4.11).
const (
	minContrast = 4.5
	minEdge     = 3
)

// color is red, green and blue, from 0 to 255.
type color [3]float64

func mustColor(s string) color {
	c, _ := parseColor(s) // of constants
	return c
}

// parseColor reads #rgb or #rrggbb.
func parseColor(s string) (color, bool) {
	digits, is := strings.CutPrefix(s, "#")
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	n, err := strconv.ParseUint(digits, 16, 24)
	if !is || err != nil || len(digits) != 6 {
		return color{}, false
	}
	return color{float64(n >> 16), float64(n >> 8 & 255), float64(n & 255)}, true
}

func (c color) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0])), int(math.Round(c[1])), int(math.Round(c[2])))
}

// mix is this color with a share of another one in it.
func (c color) mix(other color, share float64) color {
	for i := range c {
		c[i] += (other[i] - c[i]) * share
	}
	return c
}

// luminance is how bright the color is, from 0 to 1 (WCAG 2.2, relative luminance).
func (c color) luminance() float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v := c[i] / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

// contrast is that of two colors, from 1 to 21 (WCAG 2.2, contrast ratio).
func contrast(a, b color) float64 {
	la, lb := a.luminance(), b.luminance()
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// palette has the colors of a scheme by the names of their custom properties in shared/base.css.
type palette map[string]color

// lightColors and darkColors are those of shared/base.css; a test compares them.
var (
	lightColors = palette{
		"ground": mustColor("#f6f3ee"), "paper": mustColor("#fffdfa"), "sunk": mustColor("#ece7df"), "ink": mustColor("#1c1a17"), "soft": mustColor("#5d574f"),
		"line": mustColor("#ddd6cb"), "edge": mustColor("#8b8377"), "accent": mustColor("#bd3a15"), "on-accent": mustColor("#ffffff"),
		"good": mustColor("#1d6b45"), "good-soft": mustColor("#dcefe4"), "warn": mustColor("#8a4b00"), "warn-soft": mustColor("#fbe9cf"),
		"bad": mustColor("#a3231c"), "bad-soft": mustColor("#fae3e0"),
	}
	darkColors = palette{
		"ground": mustColor("#131211"), "paper": mustColor("#1d1b19"), "sunk": mustColor("#2a2724"), "ink": mustColor("#f3efe8"), "soft": mustColor("#b0a99e"),
		"line": mustColor("#393530"), "edge": mustColor("#7d766c"), "accent": mustColor("#ff8f63"), "on-accent": mustColor("#24100a"),
		"good": mustColor("#74d3a4"), "good-soft": mustColor("#17352a"), "warn": mustColor("#f5bd6b"), "warn-soft": mustColor("#3a2a12"),
		"bad": mustColor("#ff9d94"), "bad-soft": mustColor("#421d1a"),
	}
)

// states are the colors of states, which a theme does not name.
var states = []string{"good", "good-soft", "warn", "warn-soft", "bad", "bad-soft"}

// colorsFile are the colors of a scheme in theme.json. Missing colors keep their defaults.
type colorsFile struct {
	Background string `json:"background"`
	Surface    string `json:"surface"`
	Text       string `json:"text"`
	Muted      string `json:"muted"`
	Accent     string `json:"accent"`
	AccentText string `json:"accent_text"`
}

// named lists the colors as they are called in theme.json and in the style sheets.
func (f *colorsFile) named() []struct{ name, property, value string } {
	return []struct{ name, property, value string }{
		{"background", "ground", f.Background},
		{"surface", "paper", f.Surface},
		{"text", "ink", f.Text},
		{"muted", "soft", f.Muted},
		{"accent", "accent", f.Accent},
		{"accent_text", "on-accent", f.AccentText},
	}
}

// palette completes the colors of a scheme with those that follow from them. The error names the field.
func (f *colorsFile) palette(scheme string, defaults palette) (palette, error) {
	p := make(palette)
	maps.Copy(p, defaults)
	if f == nil {
		return p, nil
	}
	at := "colors." + scheme + "."
	for _, c := range f.named() {
		if c.value == "" {
			continue
		}
		var is bool
		if p[c.property], is = parseColor(c.value); !is {
			return nil, fmt.Errorf("%s%s: %q is no color; write it like #1a2b3c", at, c.name, c.value)
		}
	}
	if f.Background+f.Surface+f.Text != "" {
		p.derive()
	}
	return p, p.check(at)
}

// derive finds the colors that lie between the background and the text, and the colors of states that suit both.
func (p palette) derive() {
	near := p["ground"] // the one of both that is nearer to the text, so that buttons stand out from either
	if contrast(p["paper"], p["ink"]) < contrast(near, p["ink"]) {
		near = p["paper"]
	}
	p["sunk"], p["line"] = near.mix(p["ink"], 0.06), p["paper"].mix(p["ink"], 0.14)
	for share := 0.4; share < 1; share += 0.05 {
		p["edge"] = p["paper"].mix(p["ink"], share)
		if contrast(p["edge"], p["paper"]) >= minEdge && contrast(p["edge"], p["ground"]) >= minEdge {
			break
		}
	}
	suiting := lightColors
	if p["paper"].luminance() < p["ink"].luminance() {
		suiting = darkColors
	}
	for _, name := range states {
		p[name] = suiting[name]
	}
}

// check refuses colors in which texts cannot be read.
func (p palette) check(at string) error {
	for _, c := range []struct{ field, text, behind, what string }{
		{"text", "ink", "ground", "background"},
		{"text", "ink", "paper", "surface"},
		{"text", "ink", "sunk", "background of buttons"},
		{"muted", "soft", "ground", "background"},
		{"muted", "soft", "paper", "surface"},
		{"muted", "soft", "sunk", "background of buttons"},
		{"accent", "accent", "ground", "background"},
		{"accent", "accent", "paper", "surface"},
		{"accent_text", "on-accent", "accent", "accent"},
		{"surface", "good", "paper", "surface"},
		{"surface", "bad", "paper", "surface"},
	} {
		if ratio := contrast(p[c.text], p[c.behind]); ratio < minContrast {
			return fmt.Errorf("%s%s: the text color %s on the %s %s has a contrast of %.2f to 1, and text needs %v (WCAG AA); choose colors further apart",
				at, c.field, p[c.text], c.what, p[c.behind], math.Floor(ratio*100)/100, minContrast)
		}
	}
	return nil
}

// css sets the custom properties.
func (p palette) css() string {
	var b strings.Builder
	b.WriteString(":root{")
	for _, name := range sortedKeys(p) {
		fmt.Fprintf(&b, "--%s:%s;", name, p[name])
	}
	b.WriteString("}")
	return b.String()
}
