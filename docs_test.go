package sneakerdrop_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documents returns every document below docs.
func documents(t *testing.T) (all []string) {
	t.Helper()
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) < 40 {
		t.Fatalf("%d documents: this looks in the wrong place", len(all))
	}
	return all
}

// The index has a link to each document, so that a reader finds it.
func TestDocs_IndexHasEveryDocument(t *testing.T) {
	index, err := os.ReadFile("docs/README.md")
	if err != nil {
		t.Fatal(err)
	}
	decisions, err := os.ReadFile("docs/adr/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range documents(t) {
		name := strings.TrimPrefix(document, "docs/")
		if name == "README.md" {
			continue
		}
		if decision, ok := strings.CutPrefix(name, "adr/"); ok && decision != "README.md" {
			if !strings.Contains(string(decisions), "]("+decision+")") {
				t.Errorf("docs/adr/README.md has no link to %s", decision)
			}
			continue
		}
		if !strings.Contains(string(index), "]("+name+")") {
			t.Errorf("docs/README.md has no link to %s", name)
		}
	}
}

// Each test that a document names as its proof is there.
func TestDocs_NameTestsThatExist(t *testing.T) {
	declared := make(map[string]bool)
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	if err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range function.FindAllStringSubmatch(string(text), -1) {
			declared[m[1]] = true
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, document := range append(documents(t), "SECURITY.md") {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w+)`").FindAllStringSubmatch(string(text), -1) {
			named++
			if !declared[m[1]] {
				t.Errorf("%s names %s, which is no test", document, m[1])
			}
		}
	}
	if named < 10 {
		t.Errorf("only %d tests are named: this looks for the wrong thing", named)
	}
}

// Each file that a document names by its path is there.
func TestDocs_NameFilesThatExist(t *testing.T) {
	for _, document := range append(documents(t), "README.md", "CONTRIBUTING.md", "SECURITY.md") {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("`((?:internal|test|bench|docs|socketio|deploy)/[\\w./-]+\\.\\w+)`").FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("%s names %s: %v", document, m[1], err)
			}
		}
	}
}

// Each row of what may go wrong says by which test it is known what happens then, and which promises that is about.
func TestReliability_EveryRowNamesItsTest(t *testing.T) {
	text, err := os.ReadFile("docs/RELIABILITY.md")
	if err != nil {
		t.Fatal(err)
	}
	promises := regexp.MustCompile(`(?m)^\| \*\*(\w+)\*\* \|`).FindAllStringSubmatch(string(text), -1)
	if len(promises) != 6 {
		t.Fatalf("%d promises, want 6", len(promises))
	}
	shown := make(map[string]int)
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || strings.TrimSpace(cells[0]) == "Fault" || strings.HasPrefix(strings.TrimSpace(cells[0]), "---") {
			continue
		}
		rows++
		if !regexp.MustCompile("`Test[A-Z]\\w+`").MatchString(cells[3]) {
			t.Errorf("no test is named for: %s", cells[0])
		}
		for promise := range strings.SplitSeq(cells[2], ",") {
			shown[strings.TrimSpace(promise)]++
		}
	}
	if rows < 25 {
		t.Errorf("only %d rows: this looks for the wrong thing", rows)
	}
	for _, p := range promises {
		if shown[p[1]] < 3 {
			t.Errorf("the promise %s is in %d rows", p[1], shown[p[1]])
		}
		delete(shown, p[1])
	}
	for p := range shown {
		t.Errorf("a row names the promise %q, which is none", p)
	}
}

// The table of packages has each of them, and none that is not there.
func TestArchitecture_TableHasEveryPackage(t *testing.T) {
	text, err := os.ReadFile("docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| `(internal/[^`]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		folder, names, several := strings.Cut(row[1], "{")
		if !several {
			listed[folder] = true
			continue
		}
		for name := range strings.SplitSeq(strings.TrimSuffix(names, "}"), ",") {
			listed[folder+name] = true
		}
	}
	for _, p := range load(t) {
		path := strings.TrimPrefix(p.ImportPath, module+"/")
		if strings.HasPrefix(path, "internal/") && !listed[path] {
			t.Errorf("docs/ARCHITECTURE.md does not say what %s is", path)
		}
		delete(listed, path)
	}
	for path := range listed {
		t.Errorf("docs/ARCHITECTURE.md has %s, which is no package", path)
	}
}

// Who plans to split the drops over several databases reads which statements are in the way.
func TestScaling_NamesTheStatementsThatCrossDrops(t *testing.T) {
	test, err := os.ReadFile("internal/store/postgres/statements_test.go")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?s)crossing := \[\]string\{(.*?)\n\t\}`).FindSubmatch(test)
	if list == nil {
		t.Fatal("the list of statements that cross drops is not where it was")
	}
	document, err := os.ReadFile("docs/SCALING.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`"(\w+)"`).FindAllStringSubmatch(string(list[1]), -1)
	if len(names) < 10 {
		t.Errorf("only %d statements found", len(names))
	}
	for _, name := range names {
		if !strings.Contains(string(document), "`"+name[1]+"`") {
			t.Errorf("docs/SCALING.md does not name %s", name[1])
		}
	}
}
