package sneakerdrop_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"
)

// The example theme's language has every text of the shop window, so that no page is half English. The names in braces
// are those of the English text.
func TestExamples_TheThemesLanguageIsComplete(t *testing.T) {
	english, italian := messagesIn(t, "internal/web/messages/en.json"), messagesIn(t, "examples/theme/messages/it.json")
	if len(english) < 150 {
		t.Fatalf("only %d English texts: this looks for the wrong thing", len(english))
	}
	name := regexp.MustCompile(`\{[a-z_]+\}`)
	namesIn := func(forms []string) (names []string) {
		for _, form := range forms {
			names = append(names, name.FindAllString(form, -1)...)
		}
		return slices.Compact(slices.Sorted(slices.Values(names)))
	}
	for key, forms := range english {
		switch translated, found := italian[key]; {
		case !found:
			t.Errorf("examples/theme/messages/it.json does not have %s: %q", key, forms)
		case !slices.Equal(namesIn(translated), namesIn(forms)):
			t.Errorf("%s has the names %v, and in English %v", key, namesIn(translated), namesIn(forms))
		}
		delete(italian, key)
	}
	for _, key := range slices.Sorted(maps.Keys(italian)) {
		t.Errorf("examples/theme/messages/it.json has %s, which is not in en.json", key)
	}
}

// messagesIn returns the texts of a language by their keys, with all plural forms of each.
func messagesIn(t *testing.T, file string) map[string][]string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]any
	if err := json.Unmarshal(content, &texts); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	all := make(map[string][]string, len(texts))
	for key, text := range texts {
		switch text := text.(type) {
		case string:
			all[key] = []string{text}
		case map[string]any:
			for _, form := range text {
				all[key] = append(all[key], form.(string))
			}
		}
	}
	return all
}
