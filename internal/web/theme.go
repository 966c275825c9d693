package web

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/language"

	"sneakerdrop/internal/markdown"
	"sneakerdrop/internal/negotiate"
	"sneakerdrop/internal/text"
)

// What a theme may have, in bytes and in numbers.
const (
	maxThemeFile = 64 << 10
	maxLogo      = 256 << 10
	maxFont      = 4 << 20 // those of Chinese and Japanese are large
	maxFooter    = 10_000
	maxLinks     = 20
	maxLanguages = 50
	maxName      = 60 // characters
)

// Theme is how a shop wants its pages to look. ReadTheme reads one from a folder; it never changes afterwards.
type Theme struct {
	name        string
	light, dark palette
	css         string // that sets the colors
	fonts       string // that sets the fonts; the folder of the files is {folder}
	footer      map[string]template.HTML
	links       []themeLink
	messages    map[string]messages
	logo, icon  string            // names of files, empty if there are none
	files       map[string][]byte // that browsers load, by name
	folder      string            // where browsers find them; its name is a hash of what they are
}

// themeFile is theme.json.
type themeFile struct {
	Name   string `json:"name"`
	Colors struct {
		Light *colorsFile `json:"light"`
		Dark  *colorsFile `json:"dark"`
	} `json:"colors"`
	Fonts struct {
		Body    string `json:"body"`
		Heading string `json:"heading"`
	} `json:"fonts"`
	Footer spokenText  `json:"footer"`
	Links  []themeLink `json:"links"`
}

type themeLink struct {
	Text spokenText `json:"text"`
	URL  string     `json:"url"`
}

// spokenText is a text, or one for each language.
type spokenText map[string]string

// UnmarshalJSONFrom reads a string, or an object of strings by language.
func (s *spokenText) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	if in.PeekKind() == '{' {
		return json.UnmarshalDecode(in, (*map[string]string)(s))
	}
	var one string
	err := json.UnmarshalDecode(in, &one)
	*s = spokenText{"en": one}
	return err
}

// check refuses a text without one for those whose language it does not have.
func (s spokenText) check(maxBytes int) error {
	for _, tag := range sortedKeys(s) {
		if _, err := language.Parse(tag); err != nil {
			return fmt.Errorf("%q is no language; name languages as in de or pt-BR", tag)
		}
		if len(s[tag]) > maxBytes {
			return fmt.Errorf("the text for %s has %d bytes, and may have %d", tag, len(s[tag]), maxBytes)
		}
		if strings.TrimSpace(s[tag]) == "" {
			return fmt.Errorf("the text for %s is empty", tag)
		}
	}
	if _, is := s["en"]; !is {
		return errors.New("a text for en is missing; readers of languages without a text of their own get it")
	}
	return nil
}

// in is the text for a language.
func in[T any](texts map[string]T, lang string) T {
	if s, is := texts[lang]; is {
		return s
	}
	base, _, _ := strings.Cut(lang, "-")
	if s, is := texts[base]; is {
		return s
	}
	return texts["en"]
}

// ReadTheme reads a theme from a folder. The error names the file, the field and the rule.
func ReadTheme(dir string) (*Theme, error) {
	root, err := os.OpenRoot(dir)
	if fault, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("the folder %q: %w", dir, fault.Err)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // only read
	t := &Theme{files: make(map[string][]byte), messages: make(map[string]messages)}
	var f themeFile
	content, err := readBounded(root, "theme.json", maxThemeFile)
	if err != nil {
		return nil, err
	}
	if err := unmarshalStrict(content, &f); err != nil {
		return nil, fmt.Errorf("theme.json: %w", err)
	}
	if err := t.take(root, &f); err != nil {
		return nil, fmt.Errorf("theme.json: %w", err)
	}
	if t.logo, err = t.image(root, "logo"); err != nil {
		return nil, err
	}
	if t.icon, err = t.image(root, "icon"); err != nil {
		return nil, err
	}
	if err := t.readMessages(root); err != nil {
		return nil, err
	}
	t.folder = "/theme/" + negotiate.FolderOf(t.files)
	return t, nil
}

// take checks what theme.json says and keeps it.
func (t *Theme) take(root *os.Root, f *themeFile) (err error) {
	if f.Name != "" {
		if t.name, err = ShopName(f.Name); err != nil {
			return fmt.Errorf("name: %w", err)
		}
	}
	if t.light, err = f.Colors.Light.palette("light", lightColors); err != nil {
		return err
	}
	if t.dark, err = f.Colors.Dark.palette("dark", darkColors); err != nil {
		return err
	}
	t.css = t.light.css() + "@media (prefers-color-scheme:dark){" + t.dark.css() + "}"
	for _, font := range []struct{ use, name, selector, fallback string }{
		{"body", f.Fonts.Body, "body", "ui-sans-serif,system-ui,sans-serif"},
		{"heading", f.Fonts.Heading, "h1,h2,h3,.shop", "inherit"},
	} {
		if font.name == "" {
			continue
		}
		if err := t.font(root, font.name); err != nil {
			return fmt.Errorf("fonts.%s: %w", font.use, err)
		}
		family := "theme-" + font.use
		families := family + "," + font.fallback
		if font.fallback == "inherit" {
			families = family + ",ui-sans-serif,system-ui,sans-serif"
		}
		t.fonts += fmt.Sprintf(`@font-face{font-family:%s;src:url({folder}/fonts/%s) format("woff2");font-weight:100 900;font-display:swap}%s{font-family:%s}`,
			family, font.name, font.selector, families)
	}
	if f.Footer != nil {
		if err := f.Footer.check(maxFooter); err != nil {
			return fmt.Errorf("footer: %w", err)
		}
		t.footer = make(map[string]template.HTML)
		for tag, source := range f.Footer {
			t.footer[tag] = markdown.ToHTML(source, 2)
		}
	}
	if len(f.Links) > maxLinks {
		return fmt.Errorf("links: there are %d, and may be %d", len(f.Links), maxLinks)
	}
	for i, link := range f.Links {
		if err := link.check(); err != nil {
			return fmt.Errorf("links[%d].%w", i, err)
		}
	}
	t.links = f.Links
	return nil
}

func (l *themeLink) check() error {
	if err := l.Text.check(100); err != nil {
		return fmt.Errorf("text: %w", err)
	}
	to, err := url.Parse(l.URL)
	onSite := strings.HasPrefix(l.URL, "/") && !strings.HasPrefix(l.URL, "//")
	web := err == nil && (to.Scheme == "https" || to.Scheme == "http") && to.Host != ""
	mail := err == nil && to.Scheme == "mailto" && to.Opaque != ""
	if err != nil || !onSite && !web && !mail || strings.Contains(l.URL, `\`) {
		return fmt.Errorf("url: %q must be an http, https or mailto address, or a path that starts with /", l.URL)
	}
	return nil
}

// ShopName is the name of a shop in normal form.
func ShopName(s string) (string, error) {
	normal, fault := text.Title(s)
	switch {
	case strings.TrimSpace(s) == "" || utf8.RuneCountInString(normal) > maxName:
		return "", fmt.Errorf("must have from 1 to %d characters", maxName)
	case fault != "":
		return "", errors.New(string(fault))
	}
	return normal, nil
}

var fontName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,80}\.woff2$`)

func (t *Theme) font(root *os.Root, name string) error {
	if !fontName.MatchString(name) {
		return fmt.Errorf("%q must be the name of a file in the folder fonts, of letters, digits, - and _, that ends with .woff2", name)
	}
	content, err := readBounded(root, "fonts/"+name, maxFont)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(content, []byte("wOF2")) {
		return fmt.Errorf("fonts/%s is no WOFF2 file", name)
	}
	t.files["fonts/"+name] = content
	return nil
}

// image reads the one file that is called so, whatever its kind, and returns its name.
func (t *Theme) image(root *os.Root, called string) (string, error) {
	found, err := fs.Glob(root.FS(), called+".*")
	if err != nil || len(found) == 0 {
		return "", err
	}
	if len(found) > 1 {
		return "", fmt.Errorf("there are %s; keep one of them", strings.Join(quoted(found), " and "))
	}
	name := found[0]
	content, err := readBounded(root, name, maxLogo)
	if err != nil {
		return "", err
	}
	var good bool
	switch path.Ext(name) {
	case ".svg":
		good = isSVG(content)
	case ".png":
		good = bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n"))
	case ".webp":
		good = len(content) > 12 && bytes.HasPrefix(content, []byte("RIFF")) && string(content[8:12]) == "WEBP"
	default:
		return "", fmt.Errorf("%s: the file must be %s.svg, %s.png or %s.webp", quoted(found)[0], called, called, called)
	}
	if !good {
		return "", fmt.Errorf("%s: the content is no %s image", name, strings.ToUpper(path.Ext(name)[1:]))
	}
	t.files[name] = content
	return name, nil
}

// isSVG reports whether the content is well-formed XML whose root is svg. It has no scripts to fear: browsers show it
// as an image, and its policy runs nothing.
func isSVG(content []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(content))
	root := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return root == "svg"
		}
		if err != nil {
			return false
		}
		if e, is := token.(xml.StartElement); is && root == "" {
			root = e.Name.Local
		}
	}
}

// readMessages reads the languages of the folder messages.
func (t *Theme) readMessages(root *os.Root) error {
	found, err := fs.Glob(root.FS(), "messages/*")
	if err != nil {
		return err
	}
	if len(found) > maxLanguages {
		return fmt.Errorf("messages: there are %d files, and may be %d", len(found), maxLanguages)
	}
	ours, err := builtIn()
	if err != nil {
		return err
	}
	for _, name := range found {
		base, isJSON := strings.CutSuffix(path.Base(name), ".json")
		tag, err := language.Parse(base)
		if err != nil || !isJSON || tag.String() != base || tag == language.Und {
			return fmt.Errorf("%s: name the file after a language, such as pt-BR.json", quoted([]string{name})[0])
		}
		content, err := readBounded(root, name, maxMessageFile)
		if err != nil {
			return err
		}
		m, err := parseMessages(content)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if fault := m.check(tag, ours["en"]); fault != "" {
			return fmt.Errorf("%s: %s", name, fault)
		}
		if _, named := m["page.language"]; !named && ours[base] == nil {
			return fmt.Errorf("%s: page.language is missing: the name of the language in the language itself", name)
		}
		t.messages[base] = m
	}
	return nil
}

// readBounded reads a file of a theme. A link that leads out of the folder is refused.
func readBounded(root *os.Root, name string, most int64) ([]byte, error) {
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing", name)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, cmp.Or(err, fmt.Errorf("%s is no file", name))
	}
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(content)) > most {
		err = fmt.Errorf("%s has more than %d KB, which is the most it may have", name, most>>10)
	}
	return content, err
}

// unmarshalStrict reads JSON and says where it is wrong, in the terms of theme.json.
func unmarshalStrict(content []byte, to any) error {
	err := json.Unmarshal(content, to, json.RejectUnknownMembers(true))
	var meaning *json.SemanticError
	var syntax *jsontext.SyntacticError
	switch {
	case errors.As(err, &meaning) && errors.Is(meaning.Err, json.ErrUnknownName):
		return fmt.Errorf("%s: there is no such field; see docs/howto/themes.md for those there are", dotted(meaning.JSONPointer))
	case errors.As(err, &meaning):
		return fmt.Errorf("%s: a value of JSON kind %s does not belong there; see docs/howto/themes.md for what does", dotted(meaning.JSONPointer), meaning.JSONKind)
	case errors.As(err, &syntax):
		return fmt.Errorf("it is no valid JSON at byte %d: %w", syntax.ByteOffset, syntax.Err)
	}
	return err
}

func dotted(p jsontext.Pointer) string {
	return cmp.Or(strings.ReplaceAll(strings.TrimPrefix(string(p), "/"), "/", "."), "the whole file")
}

// quoted are the names of files as they stand in a sentence: odd ones in quotes, so that the sentence stays one line.
func quoted(names []string) []string {
	shown := slices.Clone(names)
	for i, name := range names {
		if odd := strconv.Quote(name); odd != `"`+name+`"` {
			shown[i] = odd
		}
	}
	return shown
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// look is what a page's template shows of a theme, in a language.
type look struct {
	Logo, Icon, IconType string // addresses, and the media type
	LightGround          color  // behind everything, which browsers' own bars take over
	DarkGround           color
	Footer               template.HTML
	Links                []lookLink
}

type lookLink struct{ Text, URL string }

// look is how a page looks; folder has the program's own files.
func (t *Theme) look(lang, folder string) look {
	l := look{LightGround: t.light["ground"], DarkGround: t.dark["ground"], Footer: in(t.footer, lang), Icon: folder + "/icon.svg", IconType: typeOf("icon.svg")}
	if t.logo != "" {
		l.Logo = t.folder + "/" + t.logo
	}
	if t.icon != "" {
		l.Icon, l.IconType = t.folder+"/"+t.icon, typeOf(t.icon)
	}
	for _, link := range t.links {
		l.Links = append(l.Links, lookLink{in(link.Text, lang), link.URL})
	}
	return l
}

// plainTheme is that of a shop without one.
func plainTheme() *Theme { return &Theme{light: lightColors, dark: darkColors} }

// imagePolicy is for images that are opened by themselves: those of SVG may have scripts inside, which must not run.
const imagePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

// addTheme adds the files of a theme.
func (p *Pages) addTheme(t *Theme) {
	for name, content := range t.files {
		f := newFile(name, content)
		f.immutable, f.policy = true, imagePolicy
		p.files[t.folder+"/"+name] = f
	}
}

// sheet is what a page's style sheet has at its end; the control room has the shop's colors, and not its fonts.
func (t *Theme) sheet(page string) string {
	if page == "/admin" {
		return t.css
	}
	return t.css + strings.ReplaceAll(t.fonts, "{folder}", t.folder)
}
