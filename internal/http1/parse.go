package http1

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const (
	// maxHead and maxBody limit a plain request; a larger one is not plain.
	maxHead = 4 << 10
	maxBody = 4 << 10
)

// Sets of allowed bytes. With any other byte, net/http gets the request.
var (
	tokens = set(alphanumeric + "!#$%&'*+-.^_`|~")
	paths  = set(alphanumeric + "/-._~")
	hosts  = set(alphanumeric + "-._:[]")
	values = visible("")
	query  = visible(" \t#\"<>\\^`{|}")
)

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func set(chars string) (s [256]bool) {
	for i := range len(chars) {
		s[chars[i]] = true
	}
	return s
}

// visible returns printable ASCII, space and tab, without the given characters.
func visible(without string) (s [256]bool) {
	for c := byte(' '); c <= '~'; c++ {
		s[c] = strings.IndexByte(without, c) < 0
	}
	s['\t'] = strings.IndexByte(without, '\t') < 0
	return s
}

func within(s *[256]bool, text string) bool {
	for i := range len(text) {
		if !s[text[i]] {
			return false
		}
	}
	return true
}

// parse reads a head, from the request line to the empty line after the last header, into r, whose Header must be
// empty. It returns the length of the body, or false if the request is not plain. Plain requests are those that all
// HTTP parsers read the same way. Lines end in CRLF, a header has its colon right after the name, and there is at
// most one length, in digits.
func parse(r *http.Request, head string, room *[]string) (length int, plain bool) {
	line, rest, _ := strings.Cut(head, "\r\n")
	if !parseLine(r, line) {
		return 0, false
	}
	length = -1
	for {
		line, rest, plain = strings.Cut(rest, "\r\n")
		if !plain {
			return 0, false
		}
		if line == "" {
			break
		}
		name, value, ok := splitHeader(line)
		if !ok || !parseHeader(r, name, value, &length, room) {
			return 0, false
		}
	}
	switch {
	case r.Host == "" || rest != "":
		return 0, false
	case length < 0 && r.Method != http.MethodGet && r.Method != http.MethodOptions && r.Method != http.MethodDelete:
		return 0, false
	}
	// as net/http does
	if p := r.Header["Pragma"]; len(p) > 0 && p[0] == "no-cache" && r.Header["Cache-Control"] == nil {
		r.Header["Cache-Control"] = []string{"no-cache"}
	}
	return max(length, 0), true
}

func splitHeader(line string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(line, ":")
	value = strings.Trim(value, " \t")
	return name, value, ok && name != "" && within(&tokens, name) && within(&values, value)
}

// promising reports whether an incomplete head may still become plain. If not, net/http gets it at once, because some
// of what it answers has no end that we would wait for. begun is what has come after the lines already found good.
// promising returns how many of its bytes are complete lines.
func promising(begun string, first bool) (lines int, ok bool) {
	for {
		line, _, whole := strings.Cut(begun[lines:], "\n")
		if !whole {
			return lines, within(&values, strings.TrimSuffix(line, "\r"))
		}
		if line, ok = strings.CutSuffix(line, "\r"); !ok {
			return lines, false
		}
		if first {
			ok = parseLine(&http.Request{URL: new(url.URL)}, line)
		} else {
			_, _, ok = splitHeader(line)
		}
		if !ok {
			return lines, false
		}
		lines, first = lines+len(line)+len("\r\n"), false
	}
}

func parseLine(r *http.Request, line string) bool {
	method, rest, _ := strings.Cut(line, " ")
	target, ok := strings.CutSuffix(rest, " HTTP/1.1")
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete, http.MethodOptions:
		r.Method = method
	default:
		return false
	}
	path, search, asked := strings.Cut(target, "?")
	if !ok || path == "" || path[0] != '/' || strings.HasPrefix(path, "//") || !within(&paths, path) ||
		asked && search == "" || !within(&query, search) {
		return false
	}
	r.RequestURI = target
	r.URL.Path, r.URL.RawQuery = path, search
	return true
}

// parseHeader adds a header to the request's, or returns false if a plain request cannot have it.
func parseHeader(r *http.Request, name, value string, length *int, room *[]string) bool {
	name = http.CanonicalHeaderKey(name)
	switch name {
	case "Host": // net/http does not keep Host among the headers
		if r.Host != "" || value == "" || !within(&hosts, value) {
			return false
		}
		r.Host = value
		return true
	case "Content-Length":
		n, err := strconv.Atoi(value)
		if *length >= 0 || err != nil || n > maxBody || strconv.Itoa(n) != value || r.Method == http.MethodGet && n > 0 {
			return false
		}
		*length = n
	case "Connection":
		if !strings.EqualFold(value, "keep-alive") {
			return false
		}
	case "Transfer-Encoding", "Expect", "Upgrade", "Trailer", "Te", "Http2-Settings":
		return false
	}
	if given := r.Header[name]; given != nil {
		r.Header[name] = append(given, value)
		return true
	}
	*room = append(*room, value)
	n := len(*room)
	r.Header[name] = (*room)[n-1 : n : n]
	return true
}
