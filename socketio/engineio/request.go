package engineio

import (
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// Request is what a session keeps of the request that opened it: of the headers only those that Options.KeepHeaders
// names.
type Request struct {
	Query      url.Values
	Header     http.Header
	RemoteAddr string
}

// kept is a Request as text: maps take several times as much, for as long as the session lasts. Its header has a line
// for each value, with the name before a colon.
type kept struct{ query, header, remote string }

func keep(r *http.Request, names []string) kept {
	var header strings.Builder
	for _, name := range names {
		name = textproto.CanonicalMIMEHeaderKey(name)
		for i, value := range r.Header[name] {
			if i == maxKeptValues {
				break
			}
			header.WriteString(name + ":" + value[:min(len(value), maxKeptHeader)] + "\n")
		}
	}
	return kept{strings.Clone(r.URL.RawQuery), header.String(), strings.Clone(r.RemoteAddr)}
}

func (k kept) request() Request {
	query, _ := url.ParseQuery(k.query) // what is invalid is left out, as in r.URL.Query
	header := http.Header{}
	for line := range strings.Lines(k.header) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		header[name] = append(header[name], value)
	}
	return Request{query, header, k.remote}
}
