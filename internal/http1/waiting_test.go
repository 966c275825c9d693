package http1

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// unfinished are requests that net/http answers although no empty line with CRLF ends them, or not yet.
var unfinished = map[string]string{
	"line feeds alone":               "GET /x HTTP/1.1\nHost: a\n\n",
	"line feeds alone, with a body":  "POST /x HTTP/1.1\nHost: a\nContent-Length: 2\n\n{}",
	"line feed at the end":           "GET /x HTTP/1.1\r\nHost: a\r\n\n",
	"line feed, then CRLF":           "GET /x HTTP/1.1\nHost: a\r\n\n",
	"line feed after the first line": "GET /x HTTP/1.1\nHost: a\r\nA: b\n\n",
	"line feeds before":              "\n\nGET /x HTTP/1.1\nHost: a\n\n",
	"folded, line feeds":             "GET /x HTTP/1.1\nHost: a\nA: b\n c\n\n",
	"NUL in a header":                "GET /x HTTP/1.1\r\nHost: a\r\nA: b\x00c\r\nB: ",
	"NUL, line feeds":                "GET /x HTTP/1.1\nHost: a\x00\n\n",
	"NUL in the line":                "GET /\x00 HTTP/1.1\r\nHost",
	"two carriage returns":           "GET /x HTTP/1.1\r\r\nHost: a\r\r\n\r\r\n",
	"garbage":                        "hello\r\n",
	"garbage, line feed":             "hello\n",
	"TLS":                            "\x16\x03\x01\x02\x00\n\x01\x00",
	"0.9":                            "GET /\r\n",
	"no version":                     "GET / HTTPS\r\nH",
	"bad method":                     "G(T / HTTP/1.1\r\nHost: a\r\n",
	"bad escape":                     "GET /%zz HTTP/1.1\r\nH",
	"space before the first header":  "GET / HTTP/1.1\r\n A: b\r\nHost: a\r\nB: c",
	"no colon":                       "GET / HTTP/1.1\r\nHost: a\r\nhello\r\nB",
	"no colon, line feed":            "GET / HTTP/1.1\r\nHost: a\r\nhello\nB",
	"no name":                        "GET / HTTP/1.1\r\n: a\r\nB: c",
	"a line without an end":          "GET /" + strings.Repeat("a", 64<<10),
	"a header without an end":        "GET / HTTP/1.1\r\nHost: a\r\nA: " + strings.Repeat("b", 64<<10),
	"headers without an end":         "GET / HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", 12<<10),
}

// begins writes the beginning of a request, keeps the connection open, and returns the first answer.
func begins(t *testing.T, address, begun string) string {
	t.Helper()
	c := dial(t, address)
	go func() { _, _ = io.WriteString(c, begun) }() // it may be answered before all of it is read
	a, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err.Error()
	}
	body, err := io.ReadAll(a.Body)
	return fmt.Sprintln(a.Status, a.Header["Content-Type"], string(body), err)
}

func TestServe_AnswersAtOnceWhatNetHTTPAnswersAtOnce(t *testing.T) {
	_, address, alone := start(t, echo)
	for name, begun := range unfinished {
		t.Run(name, func(t *testing.T) {
			want := begins(t, alone, begun)
			if strings.Contains(want, "timeout") {
				t.Fatalf("net/http waits: %s", want)
			}
			if got := begins(t, address, begun); got != want {
				t.Errorf("here %s, net/http %s", got, want)
			}
		})
	}
}

// net/http answers a request that never becomes complete: the handler runs, and may refuse it for its head alone.
func TestServe_ABodyThatNeverComesIsAnswered(t *testing.T) {
	r := rest(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnsupportedMediaType) })
	r.ReadTimeout = time.Second
	address := serve(t, New(r, func(string) bool { return true }, Bounds{}))
	got := begins(t, address, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
	if !strings.HasPrefix(got, "415") {
		t.Error(got)
	}
}

// A client that sends nothing, or sends too slowly, is disconnected when the time for a head is over, counted from
// the start of the connection.
func TestServe_ASilentConnectionIsGoneWithinTheTimeForAHead(t *testing.T) {
	r := rest(echo)
	r.ReadHeaderTimeout = time.Second // enough for a busy machine to read a whole head
	address := serve(t, New(r, func(string) bool { return true }, Bounds{}))
	began := time.Now()
	for name, says := range map[string]string{
		"silent": "", "one byte": "G", "a line": "GET / HTTP/1.1\r\n", "all but the end": "GET / HTTP/1.1\r\nHost: a\r\n",
		"not plain": "BREW / HTTP/1.1\r\n", "HTTP/2's beginning": "PRI * HTTP/2.0\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, address)
			_, _ = io.WriteString(c, says)
			if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || isTimeout(err) {
				t.Errorf("after %s: %d bytes, %v", time.Since(began), n, err)
			}
		})
	}
	c := dial(t, address)
	for range 3 { // a client that has made a request may take longer for the next one
		_, _ = io.WriteString(c, request("GET", "/", "", ""))
		if a, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || a.StatusCode != http.StatusOK {
			t.Fatalf("%v, %v", a, err)
		}
		time.Sleep(r.ReadHeaderTimeout * 3 / 2)
	}
}
