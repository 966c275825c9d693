package http1

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// statuses writes each part as a separate packet, ends the input, and returns the status of each answer.
func statuses(t *testing.T, address string, parts ...string) (all []int) {
	t.Helper()
	c := dial(t, address)
	for _, p := range parts {
		if _, err := io.WriteString(c, p); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond) // makes it likely that parts are read one by one; the answers do not depend on it
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for r := bufio.NewReader(c); ; {
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			return all
		}
		if _, err := io.Copy(io.Discard, a.Body); err != nil {
			t.Fatal(err)
		}
		all = append(all, a.StatusCode)
	}
}

// TestServe_IgnoresEmptyLinesBeforeARequest: RFC 9112, 2.2.
func TestServe_IgnoresEmptyLinesBeforeARequest(t *testing.T) {
	_, address, _ := start(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusOK)
	})
	const (
		get  = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
		post = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
		old  = "GET /x HTTP/1.0\r\nHost: a\r\n\r\n" // not plain: handled by net/http
		odd  = "GET /x HTTP/1.1\r\nhost:a\r\nX: \xff\r\n\r\n"
	)
	lines := func(n int) string { return strings.Repeat("\r\n", n) }
	for name, c := range map[string]struct {
		parts []string
		want  []int
	}{
		"one":                       {[]string{lines(1) + get}, []int{200}},
		"two, the end of a head":    {[]string{lines(2) + get}, []int{200}},
		"one, a packet of its own":  {[]string{lines(1), get}, []int{200}},
		"in halves":                 {[]string{"\r", "\n", "\r", "\n" + get}, []int{200}},
		"in halves, later":          {[]string{get, "\r", "\n" + get}, []int{200, 200}},
		"as many as there may be":   {[]string{lines(maxEmpty) + get}, []int{200}},
		"one more":                  {[]string{lines(maxEmpty+1) + get}, []int{400}},
		"behind a body":             {[]string{post + lines(1) + post + lines(2) + get}, []int{200, 200, 200}},
		"behind a head":             {[]string{get + lines(1) + get + lines(3) + post}, []int{200, 200, 200}},
		"behind a body, then a gap": {[]string{post + lines(1), get}, []int{200, 200}},
		"behind the last one":       {[]string{post + lines(1)}, []int{200}},
		"alone":                     {[]string{lines(3)}, nil},
		"before one that is passed": {[]string{lines(2) + old}, []int{200}},
		"and another such":          {[]string{get + lines(1) + odd}, []int{200, 200}},
		"no request":                {[]string{lines(1) + "hello\r\n\r\n"}, []int{400}},
		"a carriage return alone":   {[]string{"\r" + get}, []int{400}},
	} {
		t.Run(name, func(t *testing.T) {
			got := statuses(t, address, c.parts...)
			if len(got) != len(c.want) {
				t.Fatalf("answers %v, want %v", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Fatalf("answers %v, want %v", got, c.want)
				}
			}
		})
	}
}

// TestServe_EmptyLinesGiveNoTime: a client that sends only empty lines is disconnected when its time for a head is
// over.
func TestServe_EmptyLinesGiveNoTime(t *testing.T) {
	r := rest(echo)
	r.ReadHeaderTimeout = 300 * time.Millisecond
	address := serve(t, New(r, func(string) bool { return true }, Bounds{}))
	c := dial(t, address)
	began := time.Now()
	gone := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1))
		gone <- err
	}()
	for {
		select {
		case err := <-gone:
			if err == nil || isTimeout(err) {
				t.Fatalf("answered, or still open: %v", err)
			}
			if took := time.Since(began); took < r.ReadHeaderTimeout/2 {
				t.Errorf("gone after %s already", took)
			}
			return
		case <-time.After(100 * time.Millisecond):
			_, _ = io.WriteString(c, "\r\n") // fails once the connection is closed
			if time.Since(began) > patience {
				t.Fatalf("still open after %s of empty lines", patience)
			}
		}
	}
}
