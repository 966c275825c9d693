package web

import (
	"cmp"
	"embed"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

//go:embed messages/*.json
var messageFiles embed.FS

// languageCookie keeps the language that a reader chose on the page; the page's scripts look for it, too.
const languageCookie = "sneakerdrop-language"

// maxAcceptLanguage is how much of the header Accept-Language is read, in bytes. Browsers send fewer than 100.
const maxAcceptLanguage = 1000

// speech is a language that the shop window speaks.
type speech struct {
	tag   language.Tag
	texts messages // those of English where the language has none
}

// Lang is the language as HTML and HTTP name it.
func (s *speech) Lang() string { return s.tag.String() }

// Name is the language's name in the language itself.
func (s *speech) Name() string { return s.texts.text("page.language") }

// Dir is the direction in which the language is written.
func (s *speech) Dir() string {
	script, _ := s.tag.Script()
	if slices.Contains([]string{"Adlm", "Arab", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"}, script.String()) {
		return "rtl"
	}
	return "ltr"
}

// languages are all that the shop window speaks. English comes first: it is the answer where nothing else fits.
type languages struct {
	all     []*speech
	matcher language.Matcher
}

// newLanguages adds those of a shop to ours, by tag. Where both have a language, the shop's texts win.
func newLanguages(own map[string]messages) (*languages, error) {
	texts, err := builtIn()
	if err != nil {
		return nil, err
	}
	english := texts["en"]
	for tag, m := range own {
		texts[tag] = m.over(texts[tag])
	}
	l := &languages{}
	for tag, m := range texts {
		parsed, err := language.Parse(tag)
		if err != nil {
			return nil, fmt.Errorf("language %s: %w", tag, err)
		}
		l.all = append(l.all, &speech{tag: parsed, texts: m.over(english)})
	}
	slices.SortFunc(l.all, func(a, b *speech) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.Lang(), b.Lang()))
	})
	tags := make([]language.Tag, len(l.all))
	for i, s := range l.all {
		tags[i] = s.tag
	}
	l.matcher = language.NewMatcher(tags)
	return l, nil
}

func rank(s *speech) int {
	if s.Lang() == "en" {
		return 0
	}
	return 1
}

// builtIn reads the languages that are part of the program.
func builtIn() (map[string]messages, error) {
	entries, err := messageFiles.ReadDir("messages")
	if err != nil {
		return nil, err
	}
	texts := make(map[string]messages)
	for _, entry := range entries {
		content, err := messageFiles.ReadFile("messages/" + entry.Name())
		if err != nil {
			return nil, err
		}
		tag := strings.TrimSuffix(entry.Name(), path.Ext(entry.Name()))
		if texts[tag], err = parseMessages(content); err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
	}
	return texts, nil
}

// of is the language for a request: the one that the address asks for, the one that the reader chose before, the best
// that the browser's settings name, or English. asked reports whether the address asked for it.
func (l *languages) of(r *http.Request) (s *speech, asked bool) {
	if s := l.named(r.URL.Query().Get("lang")); s != nil {
		return s, true
	}
	if c, err := r.Cookie(languageCookie); err == nil {
		if s := l.named(c.Value); s != nil {
			return s, false
		}
	}
	return l.best(accepted(r.Header)...), false
}

// named is the language that a tag names, or nil where there is none such.
func (l *languages) named(name string) *speech {
	if name == "" || len(name) > 35 { // RFC 5646, 4.4.1: no tag that is in use is longer
		return nil
	}
	tag, err := language.Parse(name)
	if err != nil {
		return nil
	}
	if _, i, confidence := l.matcher.Match(tag); confidence >= language.High {
		return l.all[i]
	}
	return nil
}

func (l *languages) best(tags ...language.Tag) *speech {
	_, i, confidence := l.matcher.Match(tags...)
	if confidence == language.No {
		return l.all[0]
	}
	return l.all[i]
}

// accepted reads Accept-Language: the languages in the reader's order. What is malformed is left out.
func accepted(h http.Header) []language.Tag {
	line := strings.Join(h["Accept-Language"], ",")
	if len(line) > maxAcceptLanguage {
		line = line[:strings.LastIndexByte(line[:maxAcceptLanguage], ',')+1]
	}
	var good []string
	for part := range strings.SplitSeq(line, ",") {
		if _, _, err := language.ParseAcceptLanguage(part); err == nil && strings.TrimSpace(part) != "" {
			good = append(good, part)
		}
	}
	tags, _, err := language.ParseAcceptLanguage(strings.Join(good, ","))
	if err != nil {
		return nil
	}
	return tags
}

// remember has the browser keep the reader's choice for a year.
func (s *speech) remember(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // no secret: the page's scripts read it, and a shop may be on plain HTTP
		Name: languageCookie, Value: s.Lang(), Path: "/", MaxAge: 365 * 24 * 60 * 60, SameSite: http.SameSiteLaxMode,
	})
}
