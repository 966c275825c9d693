package markdown_test

import (
	"strings"
	"testing"

	"sneakerdrop/internal/markdown"
)

// FuzzToHTML holds that no text leaves anything but text, links and pictures that are safe.
func FuzzToHTML(f *testing.F) {
	for _, source := range hostile {
		f.Add(source, 2)
	}
	f.Add("# a\n\nb | c\n---|---\n**d** | [e](/f)\n", 3)
	f.Fuzz(func(t *testing.T, source string, top int) {
		got := string(markdown.ToHTML(source, top))
		if fault := unsafe(got); fault != "" {
			t.Errorf("%q: %s\n%s", source, fault, got)
		}
		if top >= 2 && strings.Contains(got, "<h1") {
			t.Errorf("%q: a second h1", source)
		}
	})
}
