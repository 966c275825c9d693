// Package text gives what people type its normal form: one spelling of what reads the same, with nothing hidden in
// it. Names, size labels and emails are kept and compared in that form, so one person is one buyer, and one size is
// one size.
//
// The forms are those of PRECIS (RFC 8264 to 8266) with three differences, because PRECIS describes accounts and not
// goods: no compatibility mapping ("9½" stays "9½", "Air™" stays "Air™"), no rule of its own for punctuation (the dot
// of "Air · Max"), and emoji with what joins them. TestNormalForms_AreStricterThanPrecis holds the two against each
// other, character by character.
//
// It is pure and safe for concurrent use. Printable ASCII without superfluous blanks, which is nearly everything,
// costs one look at each byte and no allocation.
package text

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// Fault is the rule that a text breaks, as the end of a sentence that begins with its field: "must not be empty".
// Empty: none.
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

// Name returns the normal form of what tells people or things apart: a buyer's name, a size, who holds a token. White
// space around it goes, white space within becomes one blank, letters and digits of East Asian width become ordinary
// ones, and composed characters stand for decomposed ones (NFC). Letter case counts. What chooses between two looks
// of one character (variation selectors) goes.
func Name(s string) (string, Fault) { return normal(s, name) }

// Title returns the normal form of what is only shown, such as a drop's name: that of Name, except that width and the
// look of emoji stay as they are.
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

// Email returns the form in which an email is kept and compared. It differs from the text in white space around it,
// in the letters A to Z and in decomposed characters, and in nothing else: two addresses that differ in more are two
// people. It does not say whether the text is an email.
func Email(s string) (string, Fault) {
	s, fault := normal(s, email)
	return LowerASCII(s), fault
}

// LowerASCII turns A to Z into a to z and leaves everything else as it is: strings.ToLower makes one of Mik, M\u0130k
// and Mi\u212a.
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

// Tidy makes a name of a text that nobody can be asked to correct: what Name refuses is left out, and what is longer
// than most characters is cut, never within one that people see as one. It returns "" where nothing is left.
func Tidy(s string, most int) string { return tidy(s, most, name) }

// TidyTitle is Tidy for what Title takes.
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
	for range 4 { // what is left out may leave something alone that must not stand alone
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

// kind is what a text is for.
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
	if picked = strings.TrimSpace(k.form(picked)); picked == "" { // what stood apart may be one now
		return "", empty
	}
	return picked, ""
}

// form composes, and folds width in names. Of an email only what is decomposed changes: composition would also make
// one of the Kelvin sign and K.
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

// plain reports whether a text is its own normal form at a glance: printable ASCII, with single blanks between words.
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
