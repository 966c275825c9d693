// Package negotiate reads what a request's headers say of the answer that it wants, and gives answers in that form:
// compressed, or not at all where the caller has the content already (RFC 9110, 12 and 13).
//
// All of it is safe for concurrent use, except a Writer, which belongs to one request.
package negotiate

import (
	"net/http"
	"strconv"
	"strings"
)

// MinGzip is the body from which compressing pays: below, the answer fits one packet anyway.
const MinGzip = 1400

// Weight reads what a header such as Accept says of one name (RFC 9110, 12.4.2); a weight that is none counts as 0.
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
	if err != nil || !(w > 0) { // NaN is one too
		return 0
	}
	return min(w, 1)
}

// AcceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3): gzip by name, or else by *, unless its weight is 0.
func AcceptsGzip(h http.Header) bool {
	lines := h["Accept-Encoding"]
	for _, name := range []string{"gzip", "x-gzip", "*"} { // RFC 9110, 8.4.1.3: x-gzip is gzip
		if weight, named := Weight(lines, name); named {
			return weight > 0
		}
	}
	return false
}

// HasTag reports whether the caller has what the tag, an ETag with its quotes, names (If-None-Match; RFC 9110,
// 13.1.2: compared weakly).
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

// nextTag takes the first tag off a list, without its W/. A comma between quotes is part of a tag.
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
