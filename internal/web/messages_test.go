package web

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/language"
)

// Each message that a script or a page takes is there, and each that is there is taken.
func TestMessages_AreTakenAndThere(t *testing.T) {
	english := builtInFor(t)["en"]
	areas := make(map[string]bool)
	for key := range english {
		area, _, _ := strings.Cut(key, ".")
		areas[area] = true
	}
	keyUse := regexp.MustCompile(`"((?:` + strings.Join(slices.Sorted(maps.Keys(areas)), "|") + `)\.[a-z_]+)"`)
	taken := make(map[string]bool)
	take := func(name, text string) {
		for _, m := range keyUse.FindAllStringSubmatch(text, -1) {
			if slices.Contains([]string{".css", ".html", ".js", ".json"}, filepath.Ext(m[1])) {
				continue // a file
			}
			if _, is := english[m[1]]; !is {
				t.Errorf("%s takes %s, which is not there", name, m[1])
			}
			taken[m[1]] = true
		}
		if name == "shared/start.js" { // takes start.x by x, and start.x_hint beside it
			for key := range english {
				if short, is := strings.CutPrefix(key, "start."); is && strings.Contains(text, `"`+strings.TrimSuffix(short, "_hint")+`"`) {
					taken[key] = true
				}
			}
		}
	}
	forEachScript(t, take)
	for _, pattern := range []string{"pages/*.html", "[a-z]*.go"} { // what the server itself writes
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) < 2 {
			t.Fatal(names, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(name, "_test.go") {
				take(name, string(text))
			}
		}
	}
	taken["page.language"] = true // taken by speech.Name
	codes := refusalCodes(t)
	for key := range english {
		if code, is := strings.CutPrefix(key, "refusal."); is && codes[code] {
			taken[key] = true
		}
		if !taken[key] {
			t.Errorf("nothing takes %s", key)
		}
	}
}

// refusalCodes are the words that may be codes of refusals: those that the API or the client library name.
func refusalCodes(t *testing.T) map[string]bool {
	t.Helper()
	codes := make(map[string]bool)
	quoted := regexp.MustCompile(`"([a-z_]+)"`)
	for _, folder := range []string{"../../client", "../api", "../drop"} {
		err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !slices.Contains([]string{".go", ".js"}, filepath.Ext(name)) || strings.HasSuffix(name, "_test.go") {
				return err
			}
			text, err := os.ReadFile(name)
			for _, m := range quoted.FindAllSubmatch(text, -1) {
				codes[string(m[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return codes
}

// words is text for people where only markup or messages should be: two words in an element or in a label.
var words = regexp.MustCompile(`>\s*[A-Z]?[a-z']+ [a-z']+[^<=>{}]*<|aria-label="[A-Z]|(?:placeholder|title|alt)="[A-Z]|\bsay\([` + "`\"" + `]`)

// The shop's scripts have no text of their own: it would stay English on a page in another language.
func TestMessages_HaveAllTexts(t *testing.T) {
	forEachScript(t, func(name, text string) {
		if strings.HasPrefix(name, "admin/") {
			return
		}
		for i, line := range strings.Split(text, "\n") {
			if found := words.FindString(line); found != "" && !strings.HasPrefix(strings.TrimSpace(line), "//") {
				t.Errorf("%s:%d has a text of its own: %s", name, i+1, found)
			}
		}
	})
}

// builtInFor has all languages of the program.
func builtInFor(t *testing.T) map[string]messages {
	t.Helper()
	all, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// All languages say all that English says, with the same names in braces, and in all their plural forms.
func TestMessages_AreWholeInAllLanguages(t *testing.T) {
	all := builtInFor(t)
	for _, tag := range []string{"de", "en", "es", "fr", "ja"} {
		if all[tag] == nil {
			t.Fatalf("there is no %s", tag)
		}
	}
	for tag, m := range all {
		if fault := m.check(language.MustParse(tag), all["en"]); fault != "" {
			t.Errorf("%s: %s", tag, fault)
		}
		for key := range all["en"] {
			if _, is := m[key]; !is {
				t.Errorf("%s: lacks %s", tag, key)
			}
		}
	}
}

// What is wrong with a file of messages is said with its key and the rule.
func TestMessages_AreChecked(t *testing.T) {
	english := builtInFor(t)["en"]
	for name, c := range map[string]struct{ tag, file, want string }{
		"no key of ours":       {"pl", `{"card.buy": "Kup"}`, "card.buy: there is no message with this key"},
		"a name that is none":  {"pl", `{"card.reserve_size": "Zarezerwuj {rozmiar}"}`, "card.reserve_size: it has {rozmiar}; the English text has {size}"},
		"a name is missing":    {"pl", `{"card.reserve_size": "Zarezerwuj"}`, "card.reserve_size: it lacks {size}"},
		"a plural form lacks":  {"pl", `{"card.limit": {"one": "{n} para", "other": "{n} pary"}}`, "card.limit: the plural form few is missing; pl needs few, many, one, other"},
		"no plural forms":      {"pl", `{"card.limit": "{n} pary"}`, "card.limit: it depends on a number, so it is an object with the plural forms few, many, one, other"},
		"a form that is none":  {"de", `{"card.limit": {"one": "{n} Paar", "other": "{n} Paar", "lots": "{n}"}}`, `card.limit: "lots" is no plural form; those are zero, one, two, few, many and other`},
		"forms without number": {"de", `{"card.reserve": {"other": "Reservieren"}}`, "card.reserve: it does not depend on a number, so it is one text"},
		"an empty text":        {"de", `{"card.reserve": " "}`, "card.reserve: the text is empty"},
		"a control character":  {"de", `{"card.reserve": "a\u0007"}`, "card.reserve: the text has control characters"},
		"too long":             {"de", `{"card.reserve": "` + strings.Repeat("a", maxMessage+1) + `"}`, "card.reserve: the text has 2001 bytes, and may have 2000"},
		"one without a number": {"de", `{"card.limit": {"one": "ein Paar", "other": "{n} Paar"}}`, ""},
		"a part of it":         {"ja", `{"card.limit": {"other": "お一人様{n}足"}}`, ""},
	} {
		m, err := parseMessages([]byte(c.file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := m.check(language.MustParse(c.tag), english); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for _, file := range []string{``, `[]`, `{"card.reserve": 7}`, `{"card.reserve": {"one": {}}}`, `{"card.reserve": "a", "card.reserve": "b"}`, `{"card.reserve": "a"} {}`, `{"card.reserve": "` + strings.Repeat("a", maxMessageFile) + `"}`} {
		if _, err := parseMessages([]byte(file)); err == nil {
			t.Errorf("%.40s is taken", file)
		}
	}
}

// The server writes a counted text in the form that the language has for the number.
func TestMessages_AreCounted(t *testing.T) {
	m, err := parseMessages([]byte(`{"card.limit": {"one": "{n} para", "few": "{n} pary", "many": "{n} par", "other": "{n} pary"}}`))
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{1: "1 para", 3: "3 pary", 5: "5 par", 22: "22 pary"} {
		if got := m.counted(language.Polish, "card.limit", n, strconv.Itoa(n)); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
