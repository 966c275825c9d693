package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// Initial returns the first visible character of a name (a grapheme cluster) with all its marks; a family emoji stays
// whole. It skips what is neither letter nor digit nor symbol. It returns "" if there is none.
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

// cut returns as many whole grapheme clusters of a text as fit into most runes.
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
