package web

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// keyUse is where a script or a page takes a message by its whole key.
var keyUse = regexp.MustCompile(`"((?:account|card|dialog|hold|name|offer|page|receipt|refusal|said|shop|sign_in|start|time)\.\w+)"`)

// Each message that a script or a page takes is there, and each that is there is taken.
func TestMessages_AreTakenAndThere(t *testing.T) {
	english, err := readMessages("en")
	if err != nil {
		t.Fatal(err)
	}
	taken := make(map[string]bool)
	take := func(name, text string) {
		for _, m := range keyUse.FindAllStringSubmatch(text, -1) {
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
	for _, page := range pageOf {
		text, err := templates.ReadFile("pages/" + page)
		if err != nil {
			t.Fatal(err)
		}
		take(page, string(text))
	}
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
