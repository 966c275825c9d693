package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// Initial returns the first character of a name as people see characters (a grapheme cluster): with all its marks, a
// family of emoji whole. What is neither letter nor digit nor symbol is passed over. It returns "" where there is
// none.
func Initial(s string) string {
	for clusters := graphemes.FromString(s); clusters.Next(); {
		cluster := clusters.Value()
		if r, _ := utf8.DecodeRuneInString(cluster); r != utf8.RuneError && unicode.In(r, unicode.L, unicode.N, unicode.So) && !unicode.Is(blank, r) {
			return cluster
		}
	}
	return ""
}

// Length returns how many characters people see.
func Length(s string) int {
	n := 0
	for clusters := graphemes.FromString(s); clusters.Next(); {
		n++
	}
	return n
}

// cut returns what fits of a text into most runes, in whole grapheme clusters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	var b strings.Builder
	for clusters := graphemes.FromString(s); clusters.Next(); {
		cluster := clusters.Value()
		if most -= utf8.RuneCountInString(cluster); most < 0 {
			break
		}
		b.WriteString(cluster)
	}
	return b.String()
}
