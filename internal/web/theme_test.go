package web

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// folder makes a folder with files; an empty content takes one of the good ones away.
func folder(t *testing.T, changed map[string]string) string {
	t.Helper()
	files := map[string]string{
		"theme.json":        `{"name": "Nachtläufer"}`,
		"logo.svg":          `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`,
		"icon.png":          "\x89PNG\r\n\x1a\n…",
		"fonts/anton.woff2": "wOF2…",
		"fonts/ttf.woff2":   "\x00\x01\x00\x00",
		"messages/it.json":  `{"page.language": "Italiano", "card.reserve": "Prenota"}`,
	}
	maps.Copy(files, changed)
	dir := t.TempDir()
	for name, content := range files {
		if content == "" {
			continue
		}
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func themed(t *testing.T, c Config, changed map[string]string) http.Handler {
	t.Helper()
	theme, err := ReadTheme(folder(t, changed))
	if err != nil {
		t.Fatal(err)
	}
	c.Theme = theme
	h, _ := handler(t, c)
	return h
}

func TestTheme_ThePagesLookLikeTheShop(t *testing.T) {
	h := themed(t, Config{}, map[string]string{"theme.json": `{
		"name": "Nachtläufer",
		"colors": {"light": {"background": "#fff", "text": "#112233", "accent": "#0055aa"}, "dark": {"background": "#000000", "surface": "#101010"}},
		"fonts": {"heading": "anton.woff2"},
		"footer": {"en": "Made in **Berlin** <script>alert(1)</script>", "de": "Aus **Berlin**"},
		"links": [{"text": {"en": "Imprint", "de": "Impressum"}, "url": "/imprint"}, {"text": "Mail", "url": "mailto:hi@shop.example"}]
	}`})
	page := answer(h, http.MethodGet, "/")
	body := page.Body.String()
	logo := regexp.MustCompile(`/theme/[0-9a-f]{16}/logo\.svg`).FindString(body)
	for _, want := range []string{
		`data-shop="Nachtläufer"`, `<title>Nachtläufer</title>`, `data-logo="` + logo + `"`, `<img class="logo" src="` + logo + `" alt="Nachtläufer">`,
		strings.Replace(logo, "logo.svg", "icon.png", 1) + `" type="image/png">`, `--ground:#ffffff;`, `--ink:#112233;`, `--accent:#0055aa;`, `--paper:#101010;`,
		`content="#ffffff" media="(prefers-color-scheme: light)"`, `content="#000000" media="(prefers-color-scheme: dark)"`,
		`url(` + strings.Replace(logo, "logo.svg", "fonts/anton.woff2", 1) + `)`, `h1,h2,h3,.shop{font-family:theme-heading,`,
		`Made in <strong>Berlin</strong> &lt;script&gt;`, `<a href="/imprint">Imprint</a>`, `<a href="mailto:hi@shop.example">Mail</a>`, ">Italiano</a>",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	german := answer(h, http.MethodGet, "/?lang=de").Body.String()
	for _, want := range []string{`Aus <strong>Berlin</strong>`, `<a href="/imprint">Impressum</a>`, `<a href="mailto:hi@shop.example">Mail</a>`} {
		if !strings.Contains(german, want) {
			t.Errorf("the German page has no %s", want)
		}
	}
	if italian := answer(h, http.MethodGet, "/", "Accept-Language", "it").Body.String(); !strings.Contains(italian, `"card.reserve":"Prenota"`) || !strings.Contains(italian, `"card.sold_out":"Sold out"`) || !strings.Contains(italian, "Made in") {
		t.Error("the page does not speak the Italian of the theme, and English where that has no text")
	}
	admin := answer(h, http.MethodGet, "/admin").Body.String()
	if !strings.Contains(admin, `--accent:#0055aa;`) || !strings.Contains(admin, "Nachtläufer") || strings.Contains(admin, "anton") {
		t.Error("the control room has not the name and the colors alone")
	}
	for at, media := range map[string]string{logo: "image/svg+xml", strings.Replace(logo, "logo.svg", "fonts/anton.woff2", 1): "font/woff2"} {
		w := answer(h, http.MethodGet, at)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != media || w.Header().Get("Content-Security-Policy") != imagePolicy ||
			!strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", at, w.Code, w.Header())
		}
	}
	for _, at := range []string{"/theme/", strings.Replace(logo, "logo.svg", "theme.json", 1), strings.Replace(logo, "logo.svg", "messages/it.json", 1), strings.Replace(logo, "logo.svg", "../logo.svg", 1)} {
		if w := answer(h, http.MethodGet, at); w.Code != http.StatusTeapot {
			t.Errorf("%s: %d", at, w.Code)
		}
	}
	if policy := page.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "font-src 'self'") {
		t.Errorf("the page may not load its fonts: %s", policy)
	}
}

// The name that the command line gives wins.
func TestTheme_TheShopsNameOfTheCommandLineWins(t *testing.T) {
	if body := answer(themed(t, Config{Shop: "Other"}, nil), http.MethodGet, "/").Body.String(); !strings.Contains(body, `data-shop="Other"`) {
		t.Error("the theme's name won")
	}
	h, _ := handler(t, Config{})
	if body := answer(h, http.MethodGet, "/").Body.String(); !strings.Contains(body, `data-shop="sneakerdrop"`) {
		t.Error("without both, the name is another")
	}
}

func TestTheme_FaultsAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		file, content, want string
	}{
		"no theme.json":           {"theme.json", "", "theme.json is missing"},
		"no JSON":                 {"theme.json", `{"name": "A",}`, `theme.json: it is no valid JSON at byte`},
		"an unknown field":        {"theme.json", `{"colors": {"light": {"backround": "#fff"}}}`, "theme.json: colors.light.backround: there is no such field; see docs/howto/themes.md"},
		"a field twice":           {"theme.json", `{"name": "A", "name": "B"}`, "theme.json: it is no valid JSON"},
		"a wrong kind":            {"theme.json", `{"name": 7}`, "theme.json: name: a value of JSON kind number does not belong there"},
		"a long name":             {"theme.json", `{"name": "` + strings.Repeat("a", 61) + `"}`, "theme.json: name: must have from 1 to 60 characters"},
		"a bad color":             {"theme.json", `{"colors": {"light": {"text": "black"}}}`, `theme.json: colors.light.text: "black" is no color; write it like #1a2b3c`},
		"a color of five digits":  {"theme.json", `{"colors": {"dark": {"text": "#12345"}}}`, `theme.json: colors.dark.text: "#12345" is no color`},
		"a sign in a color":       {"theme.json", `{"colors": {"dark": {"text": "#+12345"}}}`, `theme.json: colors.dark.text: "#+12345" is no color`},
		"too little contrast":     {"theme.json", `{"colors": {"light": {"background": "#ffffff", "text": "#777777"}}}`, "theme.json: colors.light.text: the text color #777777 on the background #ffffff has a contrast of 4.47 to 1, and text needs 4.5 (WCAG AA)"},
		"a button hard to read":   {"theme.json", `{"colors": {"light": {"accent": "#0055aa", "accent_text": "#333333"}}}`, "theme.json: colors.light.accent_text: the text color #333333 on the accent #0055aa"},
		"a font from elsewhere":   {"theme.json", `{"fonts": {"body": "../../secret.woff2"}}`, `theme.json: fonts.body: "../../secret.woff2" must be the name of a file in the folder fonts`},
		"a font that is not":      {"theme.json", `{"fonts": {"heading": "gone.woff2"}}`, "theme.json: fonts.heading: fonts/gone.woff2 is missing"},
		"a font of another kind":  {"theme.json", `{"fonts": {"heading": "ttf.woff2"}}`, "theme.json: fonts.heading: fonts/ttf.woff2 is no WOFF2 file"},
		"a footer for some":       {"theme.json", `{"footer": {"de": "Aus Berlin"}}`, "theme.json: footer: a text for en is missing"},
		"a footer of no language": {"theme.json", `{"footer": {"en": "A", "deutsch!": "B"}}`, `theme.json: footer: "deutsch!" is no language`},
		"a long footer":           {"theme.json", `{"footer": "` + strings.Repeat("a", maxFooter+1) + `"}`, "theme.json: footer: the text for en has 10001 bytes, and may have 10000"},
		"a link that runs":        {"theme.json", `{"links": [{"text": "A", "url": "javascript:alert(1)"}]}`, `theme.json: links[0].url: "javascript:alert(1)" must be an http, https or mailto address`},
		"a link to another host":  {"theme.json", `{"links": [{"text": "A", "url": "/a"}, {"text": "B", "url": "//evil.example"}]}`, `theme.json: links[1].url: "//evil.example" must be`},
		"a link without a text":   {"theme.json", `{"links": [{"url": "/a"}]}`, "theme.json: links[0].text: a text for en is missing"},
		"too many links":          {"theme.json", `{"links": [` + strings.Repeat(`{"text":"A","url":"/a"},`, 20) + `{"text":"A","url":"/a"}]}`, "theme.json: links: there are 21, and may be 20"},
		"a large theme.json":      {"theme.json", strings.Repeat(" ", maxThemeFile+1), "theme.json has more than 64 KB"},
		"two logos":               {"logo.png", "\x89PNG\r\n\x1a\n", "there are logo.png and logo.svg; keep one of them"},
		"a logo of another kind":  {"icon.gif", "GIF89a", "there are icon.gif and icon.png; keep one of them"},
		"a logo that is no SVG":   {"logo.svg", `<html></html>`, "logo.svg: the content is no SVG image"},
		"a logo that is cut":      {"logo.svg", `<svg xmlns="http://www.w3.org/2000/svg">`, "logo.svg: the content is no SVG image"},
		"an icon that is no PNG":  {"icon.png", `GIF89a`, "icon.png: the content is no PNG image"},
		"a large logo":            {"logo.svg", "<svg>" + strings.Repeat(" ", maxLogo) + "</svg>", "logo.svg has more than 256 KB"},
		"a language of no name":   {"messages/pt_BR.json", `{}`, "messages/pt_BR.json: name the file after a language, such as pt-BR.json"},
		"an odd name":             {"messages/a\nb.json", `{}`, `"messages/a\nb.json": name the file after a language`},
		"no JSON among languages": {"messages/README", `hi`, "messages/README: name the file after a language, such as pt-BR.json"},
		"a key that is none":      {"messages/de.json", `{"card.buy": "Kaufen"}`, "messages/de.json: card.buy: there is no message with this key"},
		"a language without name": {"messages/pt.json", `{"card.reserve": "Reservar"}`, "messages/pt.json: page.language is missing"},
		"a broken language":       {"messages/pt.json", `{`, "messages/pt.json: it is not an object of texts"},
	} {
		if _, err := ReadTheme(folder(t, map[string]string{c.file: c.content})); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := ReadTheme(filepath.Join(t.TempDir(), "gone")); err == nil {
		t.Error("a folder that is not there is taken")
	}
	// A link must not lead out of the folder.
	dir := folder(t, map[string]string{"logo.svg": ""})
	outside := filepath.Join(t.TempDir(), "logo.svg")
	if err := os.WriteFile(outside, []byte("<svg/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "logo.svg")); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTheme(dir); err == nil || !strings.Contains(err.Error(), "escapes") {
		t.Errorf("a link that leads out of the folder: %v", err)
	}
}

// The program's own colors are those of the style sheet, and can be read.
func TestTheme_ColorsAreThoseOfTheStyleSheet(t *testing.T) {
	sheet, err := assets.ReadFile("assets/shared/base.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(sheet), 2)
	for i, p := range []palette{lightColors, darkColors} {
		found := regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(blocks[i][1], -1)
		if len(found) != len(p) {
			t.Errorf("the style sheet has %d colors, and the palette %d", len(found), len(p))
		}
		for _, m := range found {
			if p[m[1]].String() != m[2] {
				t.Errorf("--%s is %s in the style sheet, and %s in the palette", m[1], m[2], p[m[1]])
			}
		}
		if err := p.check(""); err != nil {
			t.Error(err)
		}
	}
}

// The contrast is that of the WCAG: these ratios are published with it.
func TestContrast(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want string
	}{{"#000000", "#ffffff", "21.00"}, {"#777777", "#ffffff", "4.48"}, {"#767676", "#ffffff", "4.54"}, {"#ff0000", "#ffffff", "4.00"}, {"#fff", "#fff", "1.00"}} {
		if got := fmt.Sprintf("%.2f", contrast(mustColor(c.a), mustColor(c.b))); got != c.want {
			t.Errorf("%s on %s: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}

// The example theme works without changes.
func TestTheme_TheExampleIsGood(t *testing.T) {
	theme, err := ReadTheme("../../examples/theme")
	if err != nil {
		t.Fatal(err)
	}
	if theme.name != "Blok" || theme.logo != "logo.svg" || theme.icon != "icon.svg" || len(theme.messages) != 1 || theme.fonts == "" || len(theme.links) != 2 {
		t.Errorf("the theme is %q with %q, %q, %d languages and %d links", theme.name, theme.logo, theme.icon, len(theme.messages), len(theme.links))
	}
}
