// Package flatjson parses the simple JSON objects that programs usually send each other: one level, and strings
// without escapes. It refuses everything else, so that a full JSON parser can handle it. What it accepts, every JSON
// parser reads in the same way.
package flatjson

import "strings"

// most is how many members an object may have, because names are compared pairwise.
const most = 16

// Member is one member of an object.
type Member struct {
	Name string
	// Value is the value as written: 7, true, or "text" with its quotes.
	Value string
}

// Text returns the member's string, or false if it is a number, true or false.
func (m Member) Text() (string, bool) {
	if m.Value[0] != '"' {
		return "", false
	}
	return m.Value[1 : len(m.Value)-1], true
}

// Digits returns the value of a whole number with at most 15 digits, which JavaScript can hold exactly.
func (m Member) Digits() (int64, bool) {
	if m.Value[0] < '0' || m.Value[0] > '9' {
		return 0, false
	}
	n := int64(0)
	for i := range len(m.Value) {
		n = 10*n + int64(m.Value[i]-'0')
	}
	return n, true
}

// Parse appends an object's members to room. It returns false if the text is not flat. A flat object has at most 16
// members with different names. Each value is a whole number of at most 15 digits, true, false, or a string. Names
// and strings are printable ASCII without escapes. The only white space is a single space after a colon or comma.
func Parse(text string, room []Member) ([]Member, bool) {
	if len(text) < len("{}") || text[0] != '{' {
		return nil, false
	}
	if text == "{}" {
		return room, true
	}
	began := len(room)
	for at := 1; ; {
		name := stringAt(text, at)
		at += len(name)
		if name == "" || at >= len(text) || text[at] != ':' {
			return nil, false
		}
		at = skipSpace(text, at+1)
		value := valueAt(text, at)
		at += len(value)
		name = name[1 : len(name)-1]
		if value == "" || at >= len(text) || len(room)-began == most || has(room[began:], name) {
			return nil, false
		}
		room = append(room, Member{name, value})
		switch {
		case text[at] == ',':
			at = skipSpace(text, at+1)
		case text[at] == '}' && at+1 == len(text):
			return room, true
		default:
			return nil, false
		}
	}
}

func has(members []Member, name string) bool {
	for i := range members {
		if members[i].Name == name {
			return true
		}
	}
	return false
}

func skipSpace(text string, at int) int {
	if at < len(text) && text[at] == ' ' {
		return at + 1
	}
	return at
}

// stringAt returns the string that begins there, with its quotes, or "" if it is not flat.
func stringAt(text string, at int) string {
	if at >= len(text) || text[at] != '"' {
		return ""
	}
	for i := at + 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return text[at : i+1]
		case c < ' ' || c > '~' || c == '\\':
			return ""
		}
	}
	return ""
}

func valueAt(text string, at int) string {
	if at >= len(text) {
		return ""
	}
	switch rest := text[at:]; {
	case rest[0] == '"':
		return stringAt(text, at)
	case strings.HasPrefix(rest, "true"):
		return "true"
	case strings.HasPrefix(rest, "false"):
		return "false"
	default:
		return digitsOf(rest)
	}
}

// digitsOf returns the whole number at the start of a text, if it is in its shortest form.
func digitsOf(text string) string {
	const longest = 15
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	if n > longest || n > 1 && text[0] == '0' {
		return ""
	}
	return text[:n]
}
