package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

// maxDotenv is the largest accepted .env file.
const maxDotenv = 256 << 10

// dotenv is the content of a .env file.
type dotenv struct {
	pairs  []pair
	faults []string // lines that mean less than they seem to: each a clause that begins with the line's number, without values
}

// pair is one variable, in the order of the file. If a name appears twice, the last one counts.
type pair struct{ name, value string }

func (d *dotenv) values() map[string]string {
	values := make(map[string]string, len(d.pairs))
	for _, p := range d.pairs {
		values[p.name] = p.value
	}
	return values
}

// readDotenv reads a file of variables.
func readDotenv(name string) (*dotenv, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxDotenv+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxDotenv:
		return nil, fmt.Errorf("the file .env is larger than %d KiB; is it another file?", maxDotenv>>10)
	case len(text) > 1 && (text[0] == 0xFF && text[1] == 0xFE || text[0] == 0xFE && text[1] == 0xFF):
		return nil, errors.New("the file .env is UTF-16; save it as UTF-8")
	}
	return parseDotenv(string(text)), nil
}

// parseDotenv reads variables as the Node.js package dotenv (16 and 17) does, because that is where such files come
// from. testdata/dotenv.json has its results for many files. Some of its rules are surprising:
//
//   - nothing is expanded: $ and ${X} are characters of a value
//   - # ends an unquoted value, with or without a blank before it
//   - a value may be in ', " or `, over several lines; only in " are \n and \r line ends. A quote behind a backslash
//     does not end the value, and the backslash stays
//   - a quote without an end is a character of the value, which then ends with its line
//   - NAME: value works too, with a blank behind the colon; so does export NAME=value
//   - blanks, and even line ends, around = and before a quoted value do not count
//   - any other line is ignored
func parseDotenv(text string) *dotenv {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	r := &dotenvReader{text: []rune(text), line: 1}
	for at := 0; at < len(r.text); {
		next, ok := r.assignment(at)
		if !ok {
			next = r.leaveOut(at)
		}
		r.line += lineEnds(r.text[at:next])
		at = next
	}
	return &r.found
}

// dotenvReader reads one file. Its methods take a position in text and return the position after what they read.
type dotenvReader struct {
	text  []rune
	line  int // the line of the position at which assignment and leaveOut are called
	found dotenv
}

// blank reports whether JavaScript treats c as white space.
func blank(c rune) bool { return c == '\uFEFF' || c != '\u0085' && unicode.IsSpace(c) }

// endsLine reports whether c ends a line in JavaScript, except for the carriage return.
func endsLine(c rune) bool { return c == '\n' || c == '\u2028' || c == '\u2029' }

func ofName(c rune) bool {
	return c < unicode.MaxASCII && strings.ContainsRune(alphanumeric+"_.-", c)
}

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func lineEnds(text []rune) (n int) {
	for _, c := range text {
		if endsLine(c) {
			n++
		}
	}
	return n
}

// skip skips all characters of a kind.
func (r *dotenvReader) skip(at int, kind func(rune) bool) int {
	for at < len(r.text) && kind(r.text[at]) {
		at++
	}
	return at
}

func (r *dotenvReader) is(at int, c rune) bool { return at < len(r.text) && r.text[at] == c }

// rest returns the end of the line.
func (r *dotenvReader) rest(at int) int {
	return r.skip(at, func(c rune) bool { return !endsLine(c) })
}

// leaveOut skips a line that is not an assignment.
func (r *dotenvReader) leaveOut(at int) int {
	end := r.rest(at)
	if text := strings.TrimFunc(string(r.text[at:end]), blank); text != "" && text[0] != '#' {
		r.fault(r.line, "is not NAME=value and is ignored")
	}
	return min(end+1, len(r.text))
}

func (r *dotenvReader) fault(line int, what string) {
	const most = 5 // enough for a file of another kind
	if len(r.found.faults) < most {
		r.found.faults = append(r.found.faults, fmt.Sprintf("line %d %s", line, what))
	}
}

// assignment reads one variable from the beginning of a line, including empty lines before it.
func (r *dotenvReader) assignment(at int) (next int, ok bool) {
	start := r.skip(at, blank)
	const word = "export"
	if behind := start + len(word); behind < len(r.text) && string(r.text[start:behind]) == word && blank(r.text[behind]) {
		if next, ok := r.named(at, r.skip(behind, blank)); ok {
			return next, true
		}
	}
	return r.named(at, start)
}

// named reads a name at start and its value. at is where the assignment's lines begin.
func (r *dotenvReader) named(at, start int) (next int, ok bool) {
	end := r.skip(start, ofName)
	if end == start {
		return 0, false
	}
	value := r.skip(end, blank)
	switch {
	case r.is(value, '='):
		value++
	case r.is(end, ':') && end+1 < len(r.text) && blank(r.text[end+1]):
		value = end + 2
	default:
		return 0, false
	}
	text, next := r.value(value)
	name := string(r.text[start:end])
	line := r.line + lineEnds(r.text[at:value])
	if strings.ContainsRune(text, unicode.ReplacementChar) {
		r.fault(line, "is not UTF-8: the value is not what was meant")
	}
	plain := unquoted(text)
	if plain == text && text != "" && strings.Contains(quotes, text[:1]) {
		r.fault(line, "begins with a quote that has no end: the quote is part of the value, which ends with the line or before #")
	}
	if strings.HasPrefix(text, `"`) {
		plain = strings.NewReplacer(`\n`, "\n", `\r`, "\r").Replace(plain)
	}
	r.found.pairs = append(r.found.pairs, pair{name, plain})
	return next, true
}

const quotes = "'\"`"

// value reads what follows = or :, including quotes.
func (r *dotenvReader) value(at int) (text string, next int) {
	if start := r.skip(at, blank); start < len(r.text) && strings.ContainsRune(quotes, r.text[start]) {
		if end, next, ok := r.quoted(start); ok {
			return string(r.text[start:end]), next
		}
	}
	end := r.skip(at, func(c rune) bool { return c != '#' && c != '\n' })
	next = end
	if r.is(end, '#') {
		next = r.rest(end)
	}
	return strings.TrimFunc(string(r.text[at:end]), blank), next
}

// quoted finds the end of a value that begins with a quote. That is the first matching quote without a backslash
// before it, if only a comment follows in its line. Otherwise it is the last earlier quote with only a comment after
// it.
func (r *dotenvReader) quoted(start int) (end, next int, ok bool) {
	quote := r.text[start]
	for at := start + 1; at < len(r.text); at++ {
		if r.text[at] == quote && r.text[at-1] != '\\' {
			if next, ok := r.ends(at + 1); ok {
				return at + 1, next, true
			}
			return r.escaped(start, at)
		}
	}
	return r.escaped(start, len(r.text))
}

// escaped looks for the last quote after a backslash that may still end the value.
func (r *dotenvReader) escaped(start, before int) (end, next int, ok bool) {
	for at := before - 1; at > start; at-- {
		if r.text[at] == r.text[start] {
			if next, ok := r.ends(at + 1); ok {
				return at + 1, next, true
			}
		}
	}
	return 0, 0, false
}

// ends reports whether a line may end after a quoted value: only blanks and a comment may follow.
func (r *dotenvReader) ends(at int) (next int, ok bool) {
	behind := r.skip(at, blank)
	if behind == len(r.text) {
		return behind, true
	}
	if r.is(behind, '#') {
		return r.rest(behind), true
	}
	for next = behind - 1; next >= at; next-- {
		if endsLine(r.text[next]) {
			return next, true
		}
	}
	return 0, false
}

// unquoted removes the quotes around a value: the one at its beginning, and the last matching one at the end of a
// line.
func unquoted(value string) string {
	text := []rune(value)
	var plain []rune
	for at := 0; at < len(text); at++ {
		begins := strings.ContainsRune(quotes, text[at]) && (at == 0 || endsLine(text[at-1]))
		end := len(text) - 1
		for ; begins && end > at; end-- {
			if text[end] == text[at] && (end == len(text)-1 || endsLine(text[end+1])) {
				break
			}
		}
		if begins && end > at {
			plain = append(plain, text[at+1:end]...)
			at = end
			continue
		}
		plain = append(plain, text[at])
	}
	return string(plain)
}
