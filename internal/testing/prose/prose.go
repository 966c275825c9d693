// Package prose checks what a program can check in the project's texts: sentences that are too long, lines that are too
// long, phrases that docs/WORDS.md rules out, and dead links. It judges nothing else.
package prose

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// MaxWords is the most words that a sentence may have.
	MaxWords = 30
	// MaxLine is the most characters in a line of prose: a comment or a line of a document. Code, tables and lines with
	// a long address may be longer.
	MaxLine = 120
)

// Passage is a piece of text whose sentences stand together: a paragraph, a cell of a table, a comment, a message.
type Passage struct {
	Line int // its first line, from 1
	Text string
}

// Phrase is a phrase that the project does not use, and what to say instead.
type Phrase struct {
	Not, Say string
	pattern  *regexp.Regexp
}

// Fault is something to correct.
type Fault struct {
	File string
	Line int
	What string
}

func (f Fault) String() string { return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.What) }

// Check returns the faults of a file. It recognizes the language by the file's name; in an unknown one it finds no
// faults.
func Check(name, content string, phrases []Phrase) []Fault {
	var faults []Fault
	passages, long := read(name, content)
	for _, p := range passages {
		for _, sentence := range sentences(p.Text) {
			if n := words(sentence); n > MaxWords {
				faults = append(faults, Fault{name, p.Line, fmt.Sprintf("a sentence of %d words, at most %d: %s", n, MaxWords, sentence)})
			}
		}
		for _, phrase := range phrases {
			if phrase.pattern.MatchString(p.Text) {
				faults = append(faults, Fault{name, p.Line, fmt.Sprintf("it says %q; say %s", phrase.Not, phrase.Say)})
			}
		}
	}
	for _, line := range long {
		faults = append(faults, Fault{name, line, fmt.Sprintf("a line of more than %d characters", MaxLine)})
	}
	return faults
}

// Phrases reads the table of phrases below a heading of a document.
func Phrases(document, heading string) []Phrase {
	_, section, _ := strings.Cut(document, "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var found []Phrase
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 2 || strings.HasPrefix(cells[0], " ---") || strings.TrimSpace(cells[0]) == "Not" {
			continue
		}
		for not := range strings.SplitSeq(cells[0], ",") {
			not = strings.TrimSpace(not)
			found = append(found, Phrase{not, strings.TrimSpace(cells[1]), regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(not) + `\b`)})
		}
	}
	return found
}

func read(name, content string) (passages []Passage, long []int) {
	switch ext := path.Ext(name); {
	case ext == ".md":
		return markdown(content)
	case ext == ".go":
		return goFile(name, content)
	case ext == ".js", ext == ".mjs", ext == ".ts", ext == ".tsx", ext == ".jsx":
		return comments(content, "//")
	case ext == ".sql":
		return comments(content, "--")
	case ext == ".sh", ext == ".yml", ext == ".yaml", ext == ".service", ext == ".cfg", path.Base(name) == "Makefile", strings.HasPrefix(content, "#!"):
		return comments(content, "#")
	case ext == ".json":
		return jsonStrings(content), nil
	}
	return nil, nil
}

var (
	fence     = regexp.MustCompile("^\\s*(```|~~~)")
	listItem  = regexp.MustCompile(`^\s*([-*+]|\d+\.)\s+`)
	link      = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	code      = regexp.MustCompile("`[^`]*`")
	address   = regexp.MustCompile(`\S{60,}`)
	directive = regexp.MustCompile(`^//(go:|nolint)`)
	jsonValue = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"\s*[,}\]\n]`)
)

// markdown returns the paragraphs, list items, headings and table cells of a document.
func markdown(content string) (passages []Passage, long []int) {
	var open *Passage
	end := func() {
		if open != nil {
			passages = append(passages, *open)
			open = nil
		}
	}
	inCode := false
	number := 0
	for line := range strings.Lines(content) {
		number++
		line = strings.TrimRight(line, "\r\n")
		trimmed := strings.TrimSpace(line)
		switch {
		case fence.MatchString(line):
			inCode = !inCode
			end()
			continue
		case inCode, open == nil && strings.HasPrefix(line, "    ") && !listItem.MatchString(line):
			continue
		case trimmed == "" || strings.HasPrefix(trimmed, "<"):
			end()
			continue
		case strings.HasPrefix(trimmed, "|"):
			end()
			for cell := range strings.SplitSeq(strings.ReplaceAll(strings.Trim(trimmed, "|"), `\|`, " "), "|") {
				passages = append(passages, Passage{number, plain(cell)})
			}
			continue
		case strings.HasPrefix(trimmed, "#"):
			end()
			passages = append(passages, Passage{number, plain(strings.TrimLeft(trimmed, "# "))})
			continue
		case listItem.MatchString(line):
			end()
			trimmed = listItem.ReplaceAllString(line, "")
		}
		if tooLong(line) {
			long = append(long, number)
		}
		trimmed = strings.TrimPrefix(trimmed, "> ")
		if open == nil {
			open = &Passage{Line: number, Text: plain(trimmed)}
		} else {
			open.Text += " " + plain(trimmed)
		}
	}
	end()
	return passages, long
}

// plain returns the text that a reader sees: a link's own words, and one word for a piece of code.
func plain(text string) string {
	return strings.TrimSpace(link.ReplaceAllString(code.ReplaceAllString(text, "code"), "$1"))
}

func tooLong(line string) bool {
	return utf8.RuneCountInString(line) > MaxLine && !address.MatchString(line)
}

// goFile returns the comments of a Go file and the strings in it that read like sentences.
func goFile(name, content string) (passages []Passage, long []int) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, content, parser.ParseComments)
	if err != nil {
		return []Passage{{1, err.Error()}}, nil
	}
	for _, group := range file.Comments {
		var lines []numbered
		for _, c := range group.List {
			at := set.Position(c.Pos())
			if directive.MatchString(c.Text) {
				continue
			}
			for i, text := range strings.Split(strings.TrimSuffix(strings.TrimPrefix(c.Text, "/*"), "*/"), "\n") {
				indent := 0
				if i == 0 && aloneInLine(content, at.Offset) {
					indent = 3 * (at.Column - 1) // gofmt's tabs count as four characters
				}
				if utf8.RuneCountInString(text)+indent+at.Column-1 > MaxLine && !address.MatchString(text) && aloneInLine(content, at.Offset) {
					long = append(long, at.Line+i)
				}
				lines = append(lines, numbered{at.Line + i, strings.TrimPrefix(text, "//")})
			}
		}
		passages = append(passages, paragraphs(lines)...)
	}
	if strings.HasSuffix(name, "_test.go") {
		return passages, long
	}
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if err == nil && strings.Count(text, " ") > 2 && !strings.Contains(text, "\n") && !strings.Contains(text, "SELECT ") {
			passages = append(passages, Passage{set.Position(literal.Pos()).Line, code.ReplaceAllString(text, "code")})
		}
		return true
	})
	return passages, long
}

// isCommand reports whether a line of a comment is indented more than its text, as commands and examples are.
func isCommand(text string) bool {
	return (strings.HasPrefix(text, "  ") || strings.HasPrefix(text, "\t")) && !listItem.MatchString(text)
}

func aloneInLine(content string, offset int) bool {
	start := strings.LastIndexByte(content[:offset], '\n') + 1
	return strings.TrimSpace(content[start:offset]) == ""
}

type numbered struct {
	line int
	text string
}

// paragraphs joins the lines of a comment; an empty line ends a paragraph, and an indented one is code or a list.
func paragraphs(lines []numbered) []Passage {
	var passages []Passage
	joined := false
	for _, l := range lines {
		text := strings.TrimPrefix(l.text, " ")
		switch {
		case strings.TrimSpace(text) == "":
			joined = false
			continue
		case text[0] == ' ' || text[0] == '\t' || listItem.MatchString(text):
			passages = append(passages, Passage{l.line, code.ReplaceAllString(strings.TrimSpace(text), "code")})
			joined = false
			continue
		case joined:
			passages[len(passages)-1].Text += " " + code.ReplaceAllString(text, "code")
		default:
			passages = append(passages, Passage{l.line, code.ReplaceAllString(text, "code")})
			joined = true
		}
	}
	return passages
}

// comments returns the comments of a file in another language, if they begin with the mark and have lines of their
// own.
func comments(content, mark string) (passages []Passage, long []int) {
	var group []numbered
	end := func() {
		passages = append(passages, paragraphs(group)...)
		group = nil
	}
	number := 0
	for line := range strings.Lines(content) {
		number++
		text, is := strings.CutPrefix(strings.TrimSpace(line), mark)
		if !is || strings.HasPrefix(text, "!") {
			end()
			continue
		}
		if tooLong(strings.TrimRight(line, "\n")) && !isCommand(text) {
			long = append(long, number)
		}
		group = append(group, numbered{number, text})
	}
	end()
	return passages, long
}

// jsonStrings returns the strings of a JSON document that are values.
func jsonStrings(content string) []Passage {
	var passages []Passage
	number := 0
	for line := range strings.Lines(content) {
		number++
		for _, m := range jsonValue.FindAllStringSubmatch(line, -1) {
			if strings.Contains(m[1], " ") {
				passages = append(passages, Passage{number, code.ReplaceAllString(m[1], "code")})
			}
		}
	}
	return passages
}

var (
	sentenceEnd = regexp.MustCompile(`[.!?…]["')\]*_]*\s+|:\s+$`)
	shortened   = regexp.MustCompile(`(?i)\b(e\.g|i\.e|etc|vs|cf|no|approx)\.\s*$`)
)

// sentences splits a text. An abbreviation does not end a sentence.
func sentences(text string) []string {
	var found []string
	start := 0
	for _, at := range sentenceEnd.FindAllStringIndex(text, -1) {
		if shortened.MatchString(text[start:at[1]]) {
			continue
		}
		found = append(found, strings.TrimSpace(text[start:at[1]]))
		start = at[1]
	}
	if rest := strings.TrimSpace(text[start:]); rest != "" {
		found = append(found, rest)
	}
	return found
}

var word = regexp.MustCompile(`[\pL\pN]`)

// words counts the parts between blanks that have a letter or a digit.
func words(sentence string) int {
	n := 0
	for w := range strings.FieldsSeq(sentence) {
		if word.MatchString(w) {
			n++
		}
	}
	return n
}

var (
	target      = regexp.MustCompile(`\]\(([^)\s]+)(?:\s+"[^"]*")?\)`)
	heading     = regexp.MustCompile(`(?m)^#{1,6} +(.*?)\s*#*$`)
	named       = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	notInAnchor = regexp.MustCompile(`[^\pL\pN _-]`)
)

// Links returns the faults of a document's links to other files and to headings. documents has the content of every
// document by its path, and exists reports whether a path is there.
func Links(name string, documents map[string]string, exists func(string) bool) []Fault {
	var faults []Fault
	number := 0
	inCode := false
	for line := range strings.Lines(documents[name]) {
		number++
		if fence.MatchString(line) {
			inCode = !inCode
		}
		if inCode {
			continue
		}
		for _, m := range target.FindAllStringSubmatch(code.ReplaceAllString(line, ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			to := name
			if file != "" {
				to = path.Join(path.Dir(name), file)
			}
			switch {
			case !exists(to):
				faults = append(faults, Fault{name, number, fmt.Sprintf("the link %s: no such file", m[1])})
			case anchor != "" && !slices.Contains(Anchors(documents[to]), anchor):
				faults = append(faults, Fault{name, number, fmt.Sprintf("the link %s: no such heading", m[1])})
			}
		}
	}
	return faults
}

// Anchors returns the names by which links refer to the headings of a document, as GitHub makes them.
func Anchors(document string) []string {
	var found []string
	var text strings.Builder
	inCode := false
	for line := range strings.Lines(document) {
		if fence.MatchString(line) {
			inCode = !inCode
		} else if !inCode {
			text.WriteString(line)
		}
	}
	for _, m := range heading.FindAllStringSubmatch(text.String(), -1) {
		shown := strings.ReplaceAll(link.ReplaceAllString(m[1], "$1"), "`", "")
		anchor := strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(shown), ""), " ", "-")
		unique := anchor
		for n := 1; slices.Contains(found, unique); n++ {
			unique = anchor + "-" + strconv.Itoa(n)
		}
		found = append(found, unique)
	}
	for _, m := range named.FindAllStringSubmatch(text.String(), -1) {
		found = append(found, m[1])
	}
	return found
}
