package engineio

import (
	"bufio"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// Request is what a session keeps of the request that opened it, without the headers of the handshake itself.
type Request struct {
	Query      url.Values
	Header     http.Header
	RemoteAddr string
}

// kept is a Request as text: a browser's headers as a map take several times as much, for as long as the session lasts.
type kept struct{ query, header, remote string }

func keep(r *http.Request) kept {
	var header strings.Builder
	_ = r.Header.WriteSubset(&header, map[string]bool{ // a builder takes everything
		"Connection": true, "Upgrade": true, "Sec-Websocket-Key": true, "Sec-Websocket-Version": true, "Sec-Websocket-Extensions": true,
	})
	return kept{strings.Clone(r.URL.RawQuery), header.String(), r.RemoteAddr}
}

func (k kept) request() Request {
	query, _ := url.ParseQuery(k.query) // what is invalid is left out, as in r.URL.Query
	header, _ := textproto.NewReader(bufio.NewReader(strings.NewReader(k.header + "\r\n"))).ReadMIMEHeader()
	return Request{query, http.Header(header), k.remote}
}
