package web

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

const (
	maxMessageFile = 256 << 10 // bytes
	maxMessage     = 2000      // bytes of one text
)

// messages are the texts of the pages in one language, by key.
type messages map[string]message

// message is a text. Names in braces are replaced by values.
type message struct {
	one   string            // the text, where there is one for all numbers
	forms map[string]string // the texts by plural form of the number {n}, or nil
}

// UnmarshalJSONFrom reads a string, or an object of plural forms.
func (m *message) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	if in.PeekKind() == '{' {
		return json.UnmarshalDecode(in, &m.forms)
	}
	return json.UnmarshalDecode(in, &m.one)
}

// MarshalJSONTo writes what UnmarshalJSONFrom reads.
func (m message) MarshalJSONTo(out *jsontext.Encoder) error {
	if m.forms != nil {
		return json.MarshalEncode(out, m.forms, json.Deterministic(true))
	}
	return json.MarshalEncode(out, m.one)
}

// MarshalJSON is for templates, which know no other way.
func (m message) MarshalJSON() ([]byte, error) { return json.Marshal(m) }

// parseMessages reads a file of messages.
func parseMessages(content []byte) (messages, error) {
	if len(content) > maxMessageFile {
		return nil, fmt.Errorf("the file has %d bytes, and may have %d", len(content), maxMessageFile)
	}
	var m messages
	if err := json.Unmarshal(content, &m); err != nil {
		return nil, fmt.Errorf("it is not an object of texts: %w", err)
	}
	return m, nil
}

// over is m, with the texts of others where m has none.
func (m messages) over(others messages) messages {
	merged := maps.Clone(others)
	if merged == nil {
		merged = make(messages)
	}
	maps.Copy(merged, m)
	return merged
}

// areasOf has the areas of messages that pages show; the area of a key is the part before its first dot. The control
// room has its own texts in its scripts. The shop window shows all areas that are not named here.
var areasOf = map[string][]string{"/admin": {"refusal", "start", "time"}, "/verify": {"start", "verify"}}

// ofDraws are the messages that only a shop window with a draw shows. What a server sends at once is little.
var ofDraws = regexp.MustCompile(`^(draw\.|refusal\.(draw_|no_draw$|entered$|removed$))`)

// ofEarly are those that only a shop window with early access shows.
var ofEarly = regexp.MustCompile(`^(early\.|refusal\.(code_|access_))`)

// toBuyers are refusals of what only buyers do, which nobody reads in the control room.
var toBuyers = regexp.MustCompile(`^refusal\.(answer_late|code_(invalid|required)|draw_(open|full)|entered|not_started(_until)?|offered|removed|waitlist(_full)?)$`)

// shownBy are the messages that the scripts of a page show. Those of the area page are the server's. draws says that
// one of its drops has a draw, and early that one has early access.
func (m messages) shownBy(page string, draws, early bool) messages {
	areas, named := areasOf[page]
	shown := make(messages)
	for key, text := range m {
		area, _, _ := strings.Cut(key, ".")
		switch {
		case named && (!slices.Contains(areas, area) || toBuyers.MatchString(key)):
		case !named && (area == "page" || area == "verify" || !draws && ofDraws.MatchString(key) || !early && ofEarly.MatchString(key)):
		default:
			shown[key] = text
		}
	}
	return shown
}

// text is a message that the server itself writes, with the named values in place.
func (m messages) text(key string, namesAndValues ...string) string {
	text := m[key].one
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		text = strings.ReplaceAll(text, "{"+namesAndValues[i]+"}", namesAndValues[i+1])
	}
	return text
}

// counted is a message that depends on a whole number; written is how the reader writes that.
func (m messages) counted(tag language.Tag, key string, n int, written string, namesAndValues ...string) string {
	text := m[key]
	chosen, is := text.forms[formOf(tag, n)]
	if !is {
		chosen = cmp.Or(text.forms["other"], text.one)
	}
	return messages{key: {one: chosen}}.text(key, append([]string{"n", written}, namesAndValues...)...)
}

var formNames = map[plural.Form]string{
	plural.Other: "other", plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many",
}

func formOf(tag language.Tag, n int) string {
	return formNames[plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)]
}

// formsOf are the plural forms that a language needs for whole numbers.
func formsOf(tag language.Tag) []string {
	needed := map[string]bool{"other": true}
	for n := range 1200 {
		needed[formOf(tag, n)] = true
	}
	return slices.Sorted(maps.Keys(needed))
}

var (
	hole    = regexp.MustCompile(`\{(\w*)\}`)
	control = regexp.MustCompile(`[\x00-\x1f\x7f]`)
)

// check says what is wrong with the messages of a language, compared with those of English; "" if nothing is. A
// language may lack messages.
func (m messages) check(tag language.Tag, english messages) string {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		model, is := english[key]
		if !is {
			return key + ": there is no message with this key"
		}
		if fault := m[key].check(tag, model); fault != "" {
			return key + ": " + fault
		}
	}
	return ""
}

func (m message) check(tag language.Tag, model message) string {
	texts := map[string]string{"": m.one}
	switch {
	case m.forms == nil && model.forms != nil:
		return "it depends on a number, so it is an object with the plural forms " + strings.Join(formsOf(tag), ", ")
	case m.forms != nil && model.forms == nil:
		return "it does not depend on a number, so it is one text"
	case m.forms != nil:
		texts = m.forms
		for _, form := range formsOf(tag) {
			if _, is := texts[form]; !is {
				return fmt.Sprintf("the plural form %s is missing; %s needs %s", form, tag, strings.Join(formsOf(tag), ", "))
			}
		}
	}
	want := model.holes()
	for _, form := range slices.Sorted(maps.Keys(texts)) {
		if fault := checkText(texts[form], form, want); fault != "" {
			return fault
		}
	}
	return ""
}

func checkText(text, form string, want []string) string {
	if form != "" && !slices.Contains(slices.Collect(maps.Values(formNames)), form) {
		return fmt.Sprintf("%q is no plural form; those are zero, one, two, few, many and other", form)
	}
	switch {
	case strings.TrimSpace(text) == "":
		return "the text is empty"
	case len(text) > maxMessage:
		return fmt.Sprintf("the text has %d bytes, and may have %d", len(text), maxMessage)
	case !utf8.ValidString(text) || control.MatchString(text):
		return "the text has control characters"
	}
	var has []string
	for _, m := range hole.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(want, m[1]) {
			return fmt.Sprintf("it has {%s}; the English text has %s", m[1], inBraces(want))
		}
		has = append(has, m[1])
	}
	for _, name := range want {
		if !slices.Contains(has, name) && (name != "n" || form == "other") { // "one pair" needs no number
			return fmt.Sprintf("it lacks {%s}", name)
		}
	}
	return ""
}

func inBraces(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return "{" + strings.Join(names, "}, {") + "}"
}

// holes are the names in braces of a text.
func (m message) holes() []string {
	text := m.one
	if m.forms != nil {
		text = m.forms["other"]
	}
	var names []string
	for _, m := range hole.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}
