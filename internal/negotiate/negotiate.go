// Package negotiate reads from a request's headers which form of an answer it wants, and sends answers in that form
// (RFC 9110, 12 and 13). An answer may be compressed, or left out if the caller already has the content.
//
// Everything is safe for concurrent use, except a Writer, which belongs to one request.
package negotiate

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// MinGzip is the size from which compressing a body pays. A smaller answer fits into one packet anyway.
const MinGzip = 1400

// Weight returns the weight that a header such as Accept gives to a name (RFC 9110, 12.4.2). An invalid weight counts
// as 0.
func Weight(lines []string, name string) (weight float64, named bool) {
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			first, params, _ := strings.Cut(part, ";")
			if !strings.EqualFold(strings.TrimSpace(first), name) {
				continue
			}
			weight, named = 1, true
			for param := range strings.SplitSeq(params, ";") {
				key, q, _ := strings.Cut(param, "=")
				if strings.EqualFold(strings.TrimSpace(key), "q") {
					weight = weightOf(strings.TrimSpace(q))
				}
			}
		}
	}
	return weight, named
}

func weightOf(q string) float64 {
	w, err := strconv.ParseFloat(q, 64)
	if err != nil || !(w > 0) { // also true for NaN
		return 0
	}
	return min(w, 1)
}

// AcceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3). It looks for gzip by name, or else for *, with a weight above
// 0.
func AcceptsGzip(h http.Header) bool {
	lines := h["Accept-Encoding"]
	for _, name := range []string{"gzip", "x-gzip", "*"} { // RFC 9110, 8.4.1.3: x-gzip is gzip
		if weight, named := Weight(lines, name); named {
			return weight > 0
		}
	}
	return false
}

// HasTag reports whether the caller has the content with that ETag, given with its quotes (If-None-Match; RFC 9110,
// 13.1.2, weak comparison).
func HasTag(h http.Header, tag string) bool {
	for _, line := range h["If-None-Match"] {
		for rest := line; rest != ""; {
			var given string
			if given, rest = nextTag(rest); given == "*" || given == tag {
				return true
			}
		}
	}
	return false
}

// IfMatch reads the condition of a write (If-Match; RFC 9110, 13.1.1). given reports whether there is one. If it is not
// well-formed, valid is false. matches reports whether it names the content with that tag, given with its quotes. The
// tag of the compressed content counts too, and one that a proxy marked as weak: our tags identify content.
func IfMatch(h http.Header) (matches func(tag string) bool, given, valid bool) {
	lines, given := h["If-Match"]
	var tags []string
	for _, line := range lines {
		for rest := strings.Trim(line, " \t,"); rest != ""; {
			var tag string
			tag, rest = nextTag(rest)
			if tag != "*" && (len(tag) < len(`""`) || tag[0] != '"' || tag[len(tag)-1] != '"') {
				return nil, given, false
			}
			tags = append(tags, strings.TrimSuffix(strings.TrimSuffix(tag, `"`), gzipSuffix))
			rest = strings.TrimLeft(rest, " \t,")
		}
	}
	matches = func(tag string) bool {
		return slices.Contains(tags, "*") || slices.Contains(tags, strings.TrimSuffix(tag, `"`))
	}
	return matches, given, len(tags) > 0
}

// gzipSuffix ends the tag of a compressed answer.
const gzipSuffix = "-gzip"

// nextTag takes the first tag off a list, without its W/. A comma inside quotes is part of the tag.
func nextTag(list string) (tag, rest string) {
	list = strings.TrimPrefix(strings.TrimLeft(list, " \t,"), "W/")
	end := strings.IndexByte(list, ',')
	if strings.HasPrefix(list, `"`) {
		if closing := strings.IndexByte(list[1:], '"'); closing >= 0 {
			end = closing + len(`""`)
		}
	}
	if end < 0 || end >= len(list) {
		return strings.TrimRight(list, " \t"), ""
	}
	return strings.TrimRight(list[:end], " \t"), list[end:]
}
