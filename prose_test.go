package sneakerdrop_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sneakerdrop/internal/testing/prose"
)

// notOurs is what is not written here by hand: built, generated or vendored.
var notOurs = regexp.MustCompile(`(^|/)(\.git|node_modules|bin|testdata|vendor)/|^socketio/client/|^client/(openapi\.json|sneakerdrop\.d\.ts)$|` +
	`^docs/bench\.|^deploy/grafana/|package(-lock)?\.json$`)

// TestProse_ReadsWell holds what a program can hold of the project's prose; internal/testing/prose says what that is.
// PROSE=prefix looks only at the files below a path.
func TestProse_ReadsWell(t *testing.T) {
	glossary, err := os.ReadFile("docs/WORDS.md")
	if err != nil {
		t.Fatal(err)
	}
	phrases := prose.Phrases(string(glossary), "Phrases to avoid")
	if len(phrases) < 10 {
		t.Fatalf("docs/WORDS.md rules out %d phrases: this looks for the wrong thing", len(phrases))
	}
	files := make(map[string]string)
	documents := make(map[string]string)
	if err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case notOurs.MatchString(name) || notOurs.MatchString(name+"/"):
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		content, err := os.ReadFile(name)
		files[name] = string(content)
		if filepath.Ext(name) == ".md" {
			documents[name] = string(content)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(files) < 500 || len(documents) < 20 {
		t.Fatalf("%d files and %d documents: this looks in the wrong place", len(files), len(documents))
	}
	exists := func(name string) bool {
		_, err := os.Stat(name)
		return err == nil
	}
	only := os.Getenv("PROSE")
	for name, content := range files {
		if !strings.HasPrefix(name, only) {
			continue
		}
		faults := prose.Links(name, documents, exists)
		if name != "docs/WORDS.md" { // which names what it rules out
			faults = append(faults, prose.Check(name, content, phrases)...)
		}
		for _, fault := range faults {
			t.Error(fault)
		}
	}
}
