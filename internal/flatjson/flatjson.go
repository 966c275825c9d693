// Package flatjson reads JSON objects as programs write them to each other most of the time: one level, and strings
// without escapes. It says no to everything else, so that a reader of all of JSON looks at that; what it says yes to
// every reader of JSON reads in the same way.
package flatjson

import "strings"

// most is how many members an object may have: names are compared with each other.
const most = 16

// Member is one of an object's.
type Member struct {
	Name string
	// Value as it is written: 7, true, "text" with its quotes.
	Value string
}

// Text returns the string that the member is, and false where it is a number, true or false.
func (m Member) Text() (string, bool) {
	if m.Value[0] != '"' {
		return "", false
	}
	return m.Value[1 : len(m.Value)-1], true
}

// Digits returns the value of a member that is a whole number of 0 to 15 digits' length, which JavaScript holds
// exactly.
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

// Parse appends an object's members to room, and says no where the text is not flat: an object of at most 16 members
// with different names, each a whole number of at most 15 digits, true, false, or a string; names and strings
// printable ASCII without escapes; no space but one behind a colon or comma.
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

// stringAt is the string that begins there, with its quotes; empty: none that is flat.
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

// digitsOf is the whole number that a text begins with, in its only spelling.
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
