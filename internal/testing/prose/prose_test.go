package prose

import (
	"slices"
	"strings"
	"testing"
)

const thirtyOne = "One two three four five six seven eight nine ten one two three four five six seven eight nine ten one two three four five six seven eight nine ten more."

func TestCheck_FindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	phrases := Phrases("# Words\n\n## Not\n\n| Not | Say |\n| --- | --- |\n| in your hands, give back | reserved |\n\n## Next\n", "Not")
	if len(phrases) != 2 {
		t.Fatalf("%d phrases, want 2", len(phrases))
	}
	wrapped := strings.Replace(thirtyOne, "two three", "two\n\t// three", 1)
	long := "x " + strings.Repeat("long ", 24) + "line"
	for _, c := range []struct{ about, file, content, want string }{
		{"a long sentence", "a.md", "# Head\n\n" + thirtyOne + "\n", "a.md:3: a sentence of 31 words"},
		{"one over two lines", "a.md", strings.Replace(thirtyOne, " ten", "\nten", 1), "a.md:1: a sentence of 31 words"},
		{"one in a list", "a.md", "- " + thirtyOne, "31 words"},
		{"one in a table", "a.md", "| a | b |\n| --- | --- |\n| x | " + thirtyOne + " |", "a.md:3: a sentence of 31 words"},
		{"one in a Go comment", "a.go", "package a\n\nfunc f() {\n\t// " + wrapped + "\n}\n", "a.go:4: a sentence of 31 words"},
		{"one in a doc comment", "a.go", "package a\n\n// " + strings.Replace(thirtyOne, " ten", "\n// ten", 1) + "\nfunc f() {}\n", "31 words"},
		{"one in a Go string", "a.go", "package a\n\nconst a = \"" + thirtyOne + "\"\n", "31 words"},
		{"one in a tag", "a.go", "package a\n\ntype a struct {\n\tA int `help:\"" + thirtyOne + "\"`\n}\n", "31 words"},
		{"one in a script", "a.js", "let a;\n// " + thirtyOne + "\n", "31 words"},
		{"one in SQL", "a.sql", "-- " + thirtyOne + "\n", "31 words"},
		{"one in a Makefile", "Makefile", "# " + thirtyOne + "\n", "31 words"},
		{"one in a message", "en.json", "{\n  \"a\": \"" + thirtyOne + "\"\n}\n", "en.json:2: a sentence of 31 words"},
		{"a long line", "a.md", "Short.\n\n" + long + "\n", "a.md:3: a line of more than 120"},
		{"a long comment", "a.go", "package a\n\n// " + long + "\nfunc f() {}\n", "a.go:3: a line of more than 120"},
		{"a long comment by its tabs", "a.go", "package a\n\nfunc f() {\n\t\t\t\t\t// " + long[:110] + "\n}\n", "a.go:4: a line of more than 120"},
		{"a long comment of a script", "a.js", "// " + long + "\n", "a.js:1: a line of more than 120"},
		{"a phrase", "a.md", "What is In Your Hands is\ngood.", `it says "in your hands"`},
		{"a phrase over two lines", "a.md", "You give\nback a pair.", `it says "give back"`},
		{"a phrase in a message", "en.json", `{"a": "Give back"}` + "\n", `it says "give back"`},
		{"a file that is no Go", "a.go", "package", "expected"},
	} {
		faults := Check(c.file, c.content, phrases)
		if !slices.ContainsFunc(faults, func(f Fault) bool { return strings.Contains(f.String(), c.want) }) && c.about != "a file that is no Go" {
			t.Errorf("%s: %v, want %q", c.about, faults, c.want)
		}
	}
}

func TestCheck_LeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	phrases := Phrases("\n## Not\n\n| Not | Say |\n| --- | --- |\n| give back | release |\n", "Not")
	long := strings.Repeat("long ", 30)
	thirty := strings.Replace(strings.Replace(thirtyOne, " more", "", 1), "ten one", "ten\none", 2)
	for about, c := range map[string][2]string{
		"thirty words":              {"a.md", thirty},
		"two sentences":             {"a.md", thirty + " " + thirty},
		"code between fences":       {"a.md", "```\n" + thirtyOne + long + "\n```\n"},
		"a table's row":             {"a.md", "| " + long + ". | b |"},
		"an address":                {"a.md", "See [it](https://" + strings.Repeat("long", 40) + ")."},
		"a phrase in code":          {"a.md", "The call `give back` is old."},
		"a part of a word":          {"a.md", "They forgive backers."},
		"a directive":               {"a.go", "package a\n\n//go:generate " + long + "\n"},
		"a statement":               {"a.go", "package a\n\nconst q = `\nSELECT " + long + "`\n"},
		"a string of a test":        {"a_test.go", "package a\n\nconst a = \"" + thirtyOne + "\"\n"},
		"a string of a script":      {"a.js", "const a = \"" + long + "\";\n"},
		"a shebang":                 {"run", "#!/bin/sh " + long + "\n"},
		"a file of another kind":    {"a.bin", thirtyOne},
		"an abbreviation, shortish": {"a.md", "Use a fast disk, e.g. NVMe."},
	} {
		if faults := Check(c[0], c[1], phrases); len(faults) > 0 {
			t.Errorf("%s: %v", about, faults)
		}
	}
}

func TestLinks_LeadSomewhere(t *testing.T) {
	t.Parallel()
	documents := map[string]string{
		"docs/a.md": "# Start\n\n[b](b.md) [c](b.md#two-words) [d](#start) [e](../x.go) [f](https://example.org/#x)\n```\n[g](none.md)\n```\n",
		"docs/b.md": "## Two `words`\n\n## Two words\n\n[a](a.md#none)\n[b](none.md)\n[c](#two-words-1) [d](a.md#start)\n```\n# not this\n```\n[e](#not-this)\n",
	}
	exists := func(name string) bool { return documents[name] != "" || name == "x.go" }
	if faults := Links("docs/a.md", documents, exists); len(faults) > 0 {
		t.Errorf("%v", faults)
	}
	var found []string
	for _, f := range Links("docs/b.md", documents, exists) {
		found = append(found, f.String())
	}
	want := []string{"docs/b.md:5: the link a.md#none: no such heading", "docs/b.md:6: the link none.md: no such file", "docs/b.md:11: the link #not-this: no such heading"}
	if !slices.Equal(found, want) {
		t.Errorf("%q, want %q", found, want)
	}
}
