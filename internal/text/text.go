// Package text gives what people type a normal form: one spelling for everything that reads the same, with nothing
// hidden in it. Names, size labels and emails are stored and compared in that form. So one person is one buyer, and
// one size is one size.
//
// The forms follow PRECIS (RFC 8264 to 8266), which describes accounts rather than goods, with three differences.
// There is no compatibility mapping ("9½" stays "9½", "Air™" stays "Air™"). There are no special rules for
// punctuation (the dot in "Air · Max"). And emoji are allowed, with their joiners.
// TestNormalForms_AreStricterThanPrecis compares the two, character by character.
//
// The package is pure and safe for concurrent use. Printable ASCII without extra blanks, which is nearly everything,
// costs one look at each byte and no allocation.
package text

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// Fault is the rule that a text breaks, as the end of a sentence that begins with the field's name: "must not be
// empty". It is empty if there is none.
type Fault string

const (
	notUTF8    Fault = "must be valid UTF-8"
	empty      Fault = "must not be empty"
	control    Fault = "must not contain control characters"
	invisible  Fault = "must not contain invisible or direction-changing characters; delete %s"
	unassigned Fault = "must not contain private or unassigned characters; delete %s"
	loneMark   Fault = "must not contain a combining mark without a letter before it; delete %s"
	manyMarks  Fault = "must not have more than 8 combining marks on one letter"
)

// Name returns the normal form of a text that distinguishes people or things: a buyer's name, a size, or the holder
// of a token. It trims white space, and reduces it to one blank inside the text. East Asian letters and digits get
// their ordinary width, and characters are composed (NFC). Variation selectors are dropped. Letter case counts.
func Name(s string) (string, Fault) { return normal(s, name) }

// Title returns the normal form of a text that is only shown, such as a drop's name. It is like Name, but keeps width
// and the variation of emoji.
func Title(s string) (string, Fault) { return normal(s, title) }

// Body returns the normal form of a text of several lines, such as the description of a drop. Composed characters stand
// for decomposed ones, and a line ends with one line feed. Empty lines in front and all white space behind go; an empty
// text stays empty. Blanks and tabs stay, because they mean something in Markdown, and so does the look of emoji.
func Body(s string) (string, Fault) {
	if !utf8.ValidString(s) {
		return "", notUTF8
	}
	s = strings.TrimRight(lineEnds.Replace(s), " \t\n")
	for line, rest, more := strings.Cut(s, "\n"); more && strings.TrimSpace(line) == ""; line, rest, more = strings.Cut(s, "\n") {
		s = rest
	}
	if s == "" {
		return "", ""
	}
	picked, _, fault := body.pick(body.form(s))
	if fault != "" {
		return "", fault
	}
	return picked, ""
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// Email returns the form in which an email is stored and compared. Only white space around it, the case of A to Z,
// and decomposed characters change. Two addresses that differ in more belong to two people. Email does not check
// whether the text is an email.
func Email(s string) (string, Fault) {
	s, fault := normal(s, email)
	return LowerASCII(s), fault
}

// LowerASCII turns A to Z into a to z and changes nothing else. strings.ToLower would make Mik, M\u0130k and Mi\u212a
// equal.
func LowerASCII(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			lower := []byte(s)
			for ; i < len(lower); i++ {
				if lower[i] >= 'A' && lower[i] <= 'Z' {
					lower[i] += 'a' - 'A'
				}
			}
			return string(lower)
		}
	}
	return s
}

// Tidy makes a name from a text that nobody can be asked to correct. It drops what Name refuses, and cuts the text to
// at most most characters, never inside a visible character. It returns "" if nothing is left.
func Tidy(s string, most int) string { return tidy(s, most, name) }

// TidyTitle is Tidy for what Title accepts.
func TidyTitle(s string, most int) string { return tidy(s, most, title) }

func tidy(s string, most int, k kind) string {
	if s == "" || len(s) <= most && plain(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	for range 4 { // dropping one character may make another invalid
		tidied, _, fault := k.pick(k.form(strings.TrimSpace(s)))
		tidied = strings.TrimSpace(cut(k.form(tidied), most))
		if fault == "" && tidied == s {
			return s
		}
		s = tidied
	}
	if s, fault := normal(s, k); fault == "" && utf8.RuneCountInString(s) <= most {
		return s
	}
	return ""
}

// kind is what a text is used for.
type kind int

const (
	name kind = iota
	title
	email
	body
)

func normal(s string, k kind) (string, Fault) {
	if plain(s) {
		return s, ""
	}
	if !utf8.ValidString(s) {
		return "", notUTF8
	}
	if s = strings.TrimSpace(s); s == "" {
		return "", empty
	}
	s = k.form(s)
	picked, dropped, fault := k.pick(s)
	switch {
	case fault != "":
		return "", fault
	case !dropped:
		return picked, ""
	}
	if picked = strings.TrimSpace(k.form(picked)); picked == "" { // pieces that were apart may combine now
		return "", empty
	}
	return picked, ""
}

// form composes characters, and folds width in names. In an email only decomposed characters change: composition
// would also make the Kelvin sign equal to K.
func (k kind) form(s string) string {
	switch k {
	case name:
		return norm.NFC.String(width.Fold.String(s))
	case title, body:
		return norm.NFC.String(s)
	case email:
	}
	if norm.NFC.IsNormalString(s) {
		return s
	}
	var b strings.Builder
	from := 0
	for i, r := range s {
		if one := norm.NFC.String(string(r)); one != string(r) && utf8.RuneCountInString(one) == 1 {
			b.WriteString(norm.NFC.String(s[from:i]))
			b.WriteRune(r)
			from = i + utf8.RuneLen(r)
		}
	}
	b.WriteString(norm.NFC.String(s[from:]))
	return b.String()
}

// plain reports at a glance that a text is its own normal form: printable ASCII, with single blanks between words.
func plain(s string) bool {
	if s == "" || s[0] == ' ' || s[len(s)-1] == ' ' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c > '~':
			return false
		case c == ' ' && s[i-1] == ' ':
			return false
		}
	}
	return true
}
