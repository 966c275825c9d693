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

// publicName is what everybody may see of the buyer where no whole names are shown: the given name and the initial of
// the family name, "Ann S.". It is empty where the claims do not tell the two apart beyond doubt. Some providers put
// a whole name, an email or an account's name into given_name.
func (s claimSet) publicName() string {
	given := s.text("given_name")
	if given == "" {
		return "" // as of most tokens
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

// unspaced are scripts that write a family name and a given name without a blank between them.
var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Hangul, unicode.Yi,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
}

func isUnspaced(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool { return unicode.In(r, unspaced...) })
}

// isOneWord reports whether a name is one word, such as Ann or Anne-Marie. Without blanks nobody knows.
func isOneWord(name string) bool {
	return !isUnspaced(name) && !strings.ContainsFunc(name, func(r rune) bool { return isSeparator(r) && !strings.ContainsRune("-‐'’", r) })
}

// tellsOf reports whether a given name has a word of the family name in it, in any letter case, with accents or
// without.
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

// plainLetters leaves letters without case and accents.
func plainLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Mn, unicode.Join_Control) {
			return -1
		}
		return r
	}, norm.NFD.String(cases.Fold().String(s)))
}
