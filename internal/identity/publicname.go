package identity

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/text"
)

// publicName returns the public part of the buyer's name: the given name and the initial of the family name, "Ann
// S.". It returns "" if the claims do not clearly distinguish the two. Some providers put a whole name, an email or
// an account's name into given_name.
func (s claimSet) publicName() string {
	given := s.text("given_name")
	if given == "" {
		return "" // like most tokens
	}
	given, family := text.Tidy(given, drop.MaxUsername), text.Tidy(s.text("family_name"), drop.MaxUsername)
	initial := text.Initial(family)
	switch {
	case text.Initial(given) == "" || strings.ContainsRune(given+family, '@'):
		return ""
	case initial == "":
		if !isOneWord(given) {
			return "" // it may be the whole name
		}
		return given
	case tellsOf(given, family):
		return ""
	}
	given = text.Tidy(given, drop.MaxUsername-utf8.RuneCountInString(" "+initial+"."))
	if given == "" {
		return ""
	}
	return text.Tidy(given+" "+initial+".", drop.MaxUsername) // an initial may end with a joiner
}

// unspaced are scripts that write family name and given name without a space.
var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Hangul, unicode.Yi,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
}

func isUnspaced(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool { return unicode.In(r, unspaced...) })
}

// isOneWord reports whether a name is one word, such as Ann or Anne-Marie. In scripts without spaces this cannot be
// known.
func isOneWord(name string) bool {
	return !isUnspaced(name) && !strings.ContainsFunc(name, func(r rune) bool { return isSeparator(r) && !strings.ContainsRune("-‐'’", r) })
}

// tellsOf reports whether a given name contains a word of the family name, ignoring case and accents.
func tellsOf(given, family string) bool {
	given, unspaced := plainLetters(given), isUnspaced(family)
	family = plainLetters(family)
	words := strings.FieldsFunc(given, isSeparator)
	return slices.ContainsFunc(strings.FieldsFunc(family, isSeparator), func(word string) bool {
		return slices.Contains(words, word) || unspaced && strings.Contains(given, word)
	})
}

func isSeparator(r rune) bool {
	return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Join_Control)
}

// plainLetters returns letters without case and accents.
func plainLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Mn, unicode.Join_Control) {
			return -1
		}
		return r
	}, norm.NFD.String(cases.Fold().String(s)))
}
