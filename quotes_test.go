package sneakerdrop_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// gap stands for a part of a sentence that the program fills in.
const gap = "…"

// TestDocs_QuoteWhatTheProgramSays looks for each sentence that a document quotes among the texts in the code, so that
// a reader who searches the documents for an error finds it.
func TestDocs_QuoteWhatTheProgramSays(t *testing.T) {
	texts := textsOfTheCode(t)
	for text, said := range map[string]bool{
		"port … of … is in use by another program": true,
		"cannot reach PostgreSQL at …":             true, // made of two texts
		"port … is taken by another program":       false,
		"cannot reach MySQL at …":                  false,
	} {
		if texts.say(text) != said {
			t.Errorf("the program says %q: %t, want %t", text, !said, said)
		}
	}
	quotes := 0
	for _, document := range append(documents(t), "README.md", "SECURITY.md") {
		if strings.HasPrefix(document, "docs/adr/") { // which may quote what the program said then
			continue
		}
		content, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, quote := range quotesOf(document, string(content)) {
			quotes++
			if !texts.say(quote) {
				t.Errorf("%s quotes %q, which the program never says", document, quote)
			}
		}
	}
	if quotes < 35 {
		t.Errorf("only %d quotes found: this looks for the wrong thing", quotes)
	}
}

var (
	inBackticks = regexp.MustCompile("`([^`\n]+)`")
	plainWords  = regexp.MustCompile(`^[a-z]+( [a-z]+){2,}$`)
	refusal     = regexp.MustCompile(`(?m)^\s*sneakerdrop: (.+)$`)
	programs    = regexp.MustCompile(`^(sneakerdrop|sudo|systemctl|docker|go|make) `)
	// filledIn matches flags, variables, quoted values and numbers.
	filledIn = regexp.MustCompile(`--[a-z0-9-]*…?|\b[A-Z]+(_[A-Z]+)*\b( in \.env)?|"[^"]*"|\b\d+\b`)
)

// quotesOf returns what a document quotes of the program's words: the first column of the start errors, plain words in
// backticks, and refusals that a command prints.
func quotesOf(document, content string) (quotes []string) {
	spans := inBackticks
	for line := range strings.Lines(content) {
		cells := strings.Split(line, "|")
		errors := filepath.Base(document) == "start-errors.md" && len(cells) > 2
		if errors {
			line = cells[1]
		}
		for _, span := range spans.FindAllStringSubmatch(line, -1) {
			if errors || plainWords.MatchString(span[1]) && !programs.MatchString(span[1]) {
				quotes = append(quotes, span[1])
			}
		}
	}
	for _, printed := range refusal.FindAllStringSubmatch(content, -1) {
		quotes = append(quotes, strings.Split(printed[1], ": ")...)
	}
	return quotes
}

// texts are the string literals of the code, with a gap for each value that is filled in.
type texts []string

// say reports whether each fixed part of a sentence is in one text, or is where two texts meet.
func (all texts) say(sentence string) bool {
	for part := range strings.SplitSeq(filledIn.ReplaceAllString(sentence, gap), gap) {
		part = strings.Trim(part, " :;,.()")
		if strings.Contains(part, " ") && !all.contain(part) && !all.meetIn(part) {
			return false
		}
	}
	return true
}

func (all texts) contain(part string) bool {
	for _, text := range all {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// meetIn reports whether a part is two: the words before a value in one text, and the first words of that value.
func (all texts) meetIn(part string) bool {
	for at, r := range part {
		if r != ' ' {
			continue
		}
		ends, begins := false, false
		for _, text := range all {
			for fixed := range strings.SplitSeq(text, gap) {
				ends = ends || strings.HasSuffix(strings.TrimSpace(fixed), part[:at])
				begins = begins || strings.HasPrefix(strings.TrimSpace(fixed), part[at+1:])
			}
		}
		if ends && begins {
			return true
		}
	}
	return false
}

// textsOfTheCode reads the literals of everything except tests. A literal that is continued by + is one text.
func textsOfTheCode(t *testing.T) texts {
	t.Helper()
	all := make(texts, 0, 5000)
	for _, root := range []string{"cmd", "internal", "socketio"} {
		if err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ImportSpec, *ast.Field:
					return false
				case *ast.BinaryExpr, *ast.BasicLit:
					if text := strings.TrimSpace(textOf(n.(ast.Expr))); strings.Trim(text, gap) != "" {
						all = append(all, text)
					}
					_, literal := n.(*ast.BasicLit)
					return !literal
				}
				return true
			})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 3000 {
		t.Fatalf("only %d texts in the code: this looks in the wrong place", len(all))
	}
	return all
}

var verb = regexp.MustCompile(`%[-+# 0]*[0-9.*]*[a-zA-Z]`)

// textOf returns a literal, or several that are joined, with a gap for each value.
func textOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return gap
		}
		text, err := strconv.Unquote(e.Value)
		if err != nil {
			return gap
		}
		return verb.ReplaceAllString(text, gap)
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return textOf(e.X) + textOf(e.Y)
		}
	}
	return gap
}
