package http1

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

const plainPost = "POST /api/drops/reserve HTTP/1.1\r\nHost: localhost:3000\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n"

func parsed(head string) (r *http.Request, length int, plain bool) {
	r = &http.Request{Header: make(http.Header), URL: new(url.URL)}
	length, plain = parse(r, head, new([]string))
	return r, length, plain
}

func TestParse_TakesWhatClientsSend(t *testing.T) {
	r, length, plain := parsed("POST /api/Drops/7/restock?a=1&b=%20 HTTP/1.1\r\nhost: shop.example\r\nCONTENT-LENGTH:5\r\n" +
		"Cookie: a=b; c=d\r\nX-Forwarded-For: 1.2.3.4\r\nx-forwarded-for:  5.6.7.8 \r\nConnection: Keep-Alive\r\nX-Empty:\r\n\r\n")
	if !plain || length != 5 {
		t.Fatalf("plain %t, length %d", plain, length)
	}
	want := http.Header{
		"Content-Length": {"5"}, "Cookie": {"a=b; c=d"}, "X-Forwarded-For": {"1.2.3.4", "5.6.7.8"}, "Connection": {"Keep-Alive"}, "X-Empty": {""},
	}
	if r.Method != http.MethodPost || r.URL.Path != "/api/Drops/7/restock" || r.URL.RawQuery != "a=1&b=%20" || r.Host != "shop.example" ||
		!maps.EqualFunc(r.Header, want, slices.Equal) {
		t.Errorf("got %s %s?%s for %s with %v", r.Method, r.URL.Path, r.URL.RawQuery, r.Host, r.Header)
	}
}

func TestParse_LeavesTheRestToNetHTTP(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: a\r\n"
	for name, head := range map[string]string{
		"other version":            "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
		"other method":             "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
		"small letters":            "get / HTTP/1.1\r\nHost: a\r\n\r\n",
		"two spaces":               "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
		"absolute":                 "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
		"authority":                "GET //b/ HTTP/1.1\r\nHost: a\r\n\r\n",
		"asterisk":                 "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		"escape in the path":       "GET /%2e HTTP/1.1\r\nHost: a\r\n\r\n",
		"fragment":                 "GET /?a#b HTTP/1.1\r\nHost: a\r\n\r\n",
		"empty query":              "GET /? HTTP/1.1\r\nHost: a\r\n\r\n",
		"line feeds alone":         "GET / HTTP/1.1\nHost: a\n\r\n\r\n",
		"no host":                  "GET / HTTP/1.1\r\n\r\n",
		"two hosts":                get + "Host: a\r\n\r\n",
		"odd host":                 "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
		"space before the colon":   get + "A : b\r\n\r\n",
		"folded":                   get + "A: b\r\n c\r\n\r\n",
		"no colon":                 get + "A\r\n\r\n",
		"no name":                  get + ": b\r\n\r\n",
		"control character":        get + "A: b\x00\r\n\r\n",
		"carriage return":          get + "A: b\rC: d\r\n\r\n",
		"not ASCII":                get + "A: é\r\n\r\n",
		"chunked":                  get + "Transfer-Encoding: chunked\r\n\r\n",
		"expects":                  get + "Expect: 100-continue\r\n\r\n",
		"upgrade":                  get + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"close":                    get + "Connection: close\r\n\r\n",
		"trailer":                  get + "Trailer: a\r\n\r\n",
		"two lengths":              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"signed length":            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
		"list of lengths":          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n",
		"long length":              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\n",
		"negative length":          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
		"length with a zero ahead": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 01\r\n\r\n",
		"no length":                "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
		"body of a GET":            get + "Content-Length: 1\r\n\r\n",
		"something behind":         get + "\r\nGET",
		"no end":                   get,
	} {
		if _, _, plain := parsed(head); plain {
			t.Errorf("%s is plain", name)
		}
	}
}

// net/http reads every plain request in the same way, so a request never depends on who reads it.
func FuzzParse(f *testing.F) {
	f.Add(plainPost, "{\"dropId\":1}")
	f.Add("GET /api/drops?x=1 HTTP/1.1\r\nHost: a\r\nPragma: no-cache\r\nAccept: */*\r\n\r\n", "")
	f.Add("DELETE /a HTTP/1.1\r\nHost: [::1]:80\r\nX: y\r\nx: z\r\n\r\n", "GET / HTTP/1.1\r\n")
	f.Fuzz(func(t *testing.T, head, after string) {
		if i := strings.Index(head, "\r\n\r\n"); i >= 0 {
			head = head[:i+4]
		}
		r, length, plain := parsed(head)
		if !plain || length > len(after) {
			return
		}
		reader := bufio.NewReader(strings.NewReader(head + after))
		want, err := http.ReadRequest(reader)
		if err != nil {
			t.Fatalf("net/http: %v", err)
		}
		if r.Method != want.Method || r.RequestURI != want.RequestURI || *r.URL != *want.URL || r.Host != want.Host || want.Close ||
			want.TransferEncoding != nil || !maps.EqualFunc(r.Header, want.Header, slices.Equal) {
			t.Fatalf("here %s %+v of %s with %q,\nnet/http %s %+v of %s with %q, close %t, %v", r.Method, r.URL, r.Host, r.Header,
				want.Method, want.URL, want.Host, want.Header, want.Close, want.TransferEncoding)
		}
		body, err := io.ReadAll(want.Body)
		if err != nil || !bytes.Equal(body, []byte(after[:length])) {
			t.Fatalf("here the body is %q, to net/http %q (%v)", after[:length], body, err)
		}
	})
}

// open is a connection on which no more data arrives for now.
type open struct{ waited bool }

func (o *open) Read([]byte) (int, error) {
	o.waited = true
	return 0, io.ErrNoProgress
}

// FuzzPromising: we never wait for more if net/http would answer already.
func FuzzPromising(f *testing.F) {
	for _, seed := range unfinished {
		f.Add(seed)
	}
	f.Add(plainPost[:len(plainPost)-1])
	f.Fuzz(func(t *testing.T, begun string) {
		if strings.Contains(begun, "\r\n\r\n") || len(begun) >= maxHead {
			return // we do not wait
		}
		_, waited := promising(begun, true)
		var net open
		_, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader(begun), &net)))
		if waited && !net.waited {
			t.Fatalf("%q is waited for, and net/http has its answer: %v", begun, err)
		}
		for cut := range len(begun) { // in two parts as in one
			lines, ok := promising(begun[:cut], true)
			if ok {
				_, ok = promising(begun[lines:], lines == 0)
			}
			if ok != waited {
				t.Fatalf("%q is promising: %t, cut at %d: %t", begun, waited, cut, ok)
			}
		}
	})
}

func TestPromising_WaitsForWhatMayBecomePlain(t *testing.T) {
	for end := range len(plainPost) {
		if _, ok := promising(plainPost[:end], true); !ok {
			t.Errorf("not waited for: %q", plainPost[:end])
		}
	}
}
