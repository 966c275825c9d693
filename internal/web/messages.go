package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

//go:embed messages/*.json
var messageFiles embed.FS

// messages are the texts of the pages in one language, by key. A text is a string, or an object with one string for
// each plural form of its number {n}; names in braces are replaced by values.
type messages map[string]any

// readMessages reads the texts of a language.
func readMessages(language string) (messages, error) {
	content, err := messageFiles.ReadFile("messages/" + language + ".json")
	if err != nil {
		return nil, err
	}
	var m messages
	if err := json.Unmarshal(content, &m); err != nil {
		return nil, fmt.Errorf("read the messages of %s: %w", language, err)
	}
	return m, nil
}

// only are the messages of some areas: the parts of keys before the first dot.
func (m messages) only(areas ...string) messages {
	kept := make(messages)
	for key, text := range m {
		if area, _, _ := strings.Cut(key, "."); slices.Contains(areas, area) {
			kept[key] = text
		}
	}
	return kept
}

// text is a message that the server itself writes, with the named values in place.
func (m messages) text(key string, namesAndValues ...string) string {
	text, _ := m[key].(string)
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		text = strings.ReplaceAll(text, "{"+namesAndValues[i]+"}", namesAndValues[i+1])
	}
	return text
}

// areasOf are the areas of messages whose texts the scripts of each page show.
var areasOf = map[string][]string{
	"/":      {"account", "card", "dialog", "hold", "name", "offer", "receipt", "refusal", "said", "shop", "sign_in", "start", "time"},
	"/admin": {"refusal", "start", "time"},
}
