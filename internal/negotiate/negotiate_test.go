package negotiate_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/negotiate"
)

func headers(name string, lines ...string) http.Header { return http.Header{name: lines} }

func TestAcceptsGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"gzip": true, "GZip": true, "x-gzip": true, "*": true, "br, gzip": true, "br;q=1, gzip;q=0.001": true, "gzip ; q=1": true, "gzip;Q=1": true,
		"identity;q=1, *;q=0.1": true, "deflate, gzip;q=1.0, *;q=0.5": true, "gzip; q = 0.5": true,
		"": false, "gzip;q=0": false, "gzip;q=0.000": false, "gzip;q=x": false, "gzip;q=": false, "gzip;q=-1": false, "gzip;q=NaN": false,
		"*;q=0": false, "gzip;q=0, *": false, "br, deflate, zstd": false, "identity": false, "gzippy": false, "*/*": false, "gzip;Q=0": false,
	} {
		if got := negotiate.AcceptsGzip(headers("Accept-Encoding", accept)); got != want {
			t.Errorf("Accept-Encoding: %s: %t", accept, got)
		}
	}
	if !negotiate.AcceptsGzip(headers("Accept-Encoding", "br", "gzip")) || negotiate.AcceptsGzip(http.Header{}) {
		t.Error("two lines are one list, and no line is none")
	}
}

func TestHasTag(t *testing.T) {
	const tag = `"a,b"`
	for match, want := range map[string]bool{
		tag: true, "W/" + tag: true, "*": true, ` "x" , W/"a,b"`: true, `"x",` + tag: true, `,, "a,b",`: true, "\t" + tag + "\t": true, "* ": true,
		"": false, `"a`: false, `b"`: false, `a,b`: false, `"a", "b"`: false, `"x, "`: false, `w/"a,b"`: false, `"A,B"`: false, `"*"`: false, `"a,b`: false, `W/`: false,
	} {
		if got := negotiate.HasTag(headers("If-None-Match", match), tag); got != want {
			t.Errorf("If-None-Match: %s: %t", match, got)
		}
	}
	if !negotiate.HasTag(headers("If-None-Match", `"x"`, tag), tag) {
		t.Error("two lines are one list")
	}
}

func TestIfMatch(t *testing.T) {
	const tag = `"a,b"`
	for match, want := range map[string]struct{ valid, matches bool }{
		tag: {true, true}, "W/" + tag: {true, true}, "*": {true, true}, `"a,b-gzip"`: {true, true}, ` "x" , W/"a,b"`: {true, true}, `,"x",` + tag + ",": {true, true},
		`"x"`: {true, false}, `"A,B"`: {true, false}, `"a,b-gzip-gzip"`: {true, false}, `""`: {true, false}, `"*"`: {true, false}, `"a"`: {true, false},
		"": {false, false}, ",": {false, false}, "a,b": {false, false}, `"a,b`: {false, false}, `a,b"`: {false, false}, tag + ", x": {false, false}, `"`: {false, false},
		"W/": {false, false}, `"a" "b"`: {true, false},
	} {
		matches, given, valid := negotiate.IfMatch(headers("If-Match", match))
		if !given || valid != want.valid || valid && matches(tag) != want.matches {
			t.Errorf("If-Match: %s: valid %t", match, valid)
		}
	}
	if matches, _, valid := negotiate.IfMatch(headers("If-Match", `"x"`, tag)); !valid || !matches(tag) {
		t.Error("two lines are one list")
	}
	if _, given, _ := negotiate.IfMatch(http.Header{}); given {
		t.Error("no line is no condition")
	}
}

func unpacked(tb testing.TB, body []byte) string {
	tb.Helper()
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return string(plain)
}

// TestWriter_CompressesWhatIsLongAndMayBe serves an answer in pieces, with and without its length.
func TestWriter_CompressesWhatIsLongAndMayBe(t *testing.T) {
	const long = negotiate.MinGzip
	for name, c := range map[string]struct {
		media, accept, cache, length string
		status, size                 int
		want                         string
	}{
		"JSON":           {media: "application/json; charset=utf-8", accept: "gzip", size: long, want: "gzip"},
		"CSV":            {media: "text/csv; header=present", accept: "gzip", size: 3, want: "gzip"},
		"length known":   {media: "text/plain", accept: "gzip", length: "1400", size: long, want: "gzip"},
		"short":          {media: "text/plain", accept: "gzip", length: "1399", size: long - 1},
		"not accepted":   {media: "text/csv", accept: "gzip;q=0", size: long},
		"not asked":      {media: "text/csv", size: long},
		"no transform":   {media: "text/csv", accept: "gzip", cache: "no-store, No-Transform", size: long},
		"another form":   {media: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", accept: "gzip", size: long},
		"a stream":       {media: "text/event-stream", accept: "gzip", size: long},
		"no body at all": {media: "text/csv", accept: "gzip", status: http.StatusNoContent},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Accept-Encoding", c.accept)
			rec := httptest.NewRecorder()
			w := negotiate.NewWriter(rec, r)
			for key, value := range map[string]string{"Content-Type": c.media, "Cache-Control": c.cache, "Content-Length": c.length} {
				if value != "" {
					w.Header().Set(key, value)
				}
			}
			if c.status != 0 {
				w.WriteHeader(c.status)
			}
			text := strings.Repeat("x", c.size)
			for rest := text; rest != ""; rest = rest[1:] {
				if _, err := io.WriteString(w, rest[:1]); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			got := rec.Header().Get("Content-Encoding")
			if got != c.want {
				t.Fatalf("Content-Encoding %q, want %q", got, c.want)
			}
			body := rec.Body.String()
			if got == "gzip" {
				if body = unpacked(t, rec.Body.Bytes()); rec.Header().Get("Content-Length") != "" {
					t.Error("the length is that of another body")
				}
			}
			if body != text {
				t.Errorf("%d bytes came of %d", len(body), len(text))
			}
			if varies := rec.Header().Get("Vary") == "Accept-Encoding"; c.want == "gzip" && !varies || name == "not asked" && !varies {
				t.Errorf("Vary: %s", rec.Header().Get("Vary"))
			}
		})
	}
}

// TestWriter_ToHEADNothingIsFalse sends HEAD requests. A length in the answer must be that of the answer to GET. Some
// handlers write a body for HEAD, some do not.
func TestWriter_ToHEADNothingIsFalse(t *testing.T) {
	for name, write := range map[string]func(http.ResponseWriter, *http.Request){
		"nothing": func(w http.ResponseWriter, r *http.Request) {
			if w.WriteHeader(http.StatusOK); r.Method != http.MethodHead {
				_, _ = io.WriteString(w, strings.Repeat("x", 5000))
			}
		},
		"a short body": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "short") },
		"a long body":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 50_000)) },
	} {
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w := negotiate.NewWriter(rw, r)
			w.Header().Set("Content-Type", "text/csv")
			write(w, r)
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		}))
		for _, accept := range []string{"gzip", "identity"} {
			ask := func(method string) (h http.Header, length int64) {
				req, err := http.NewRequestWithContext(t.Context(), method, server.URL, http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Accept-Encoding", accept)
				res, err := server.Client().Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				length, err = io.Copy(io.Discard, res.Body)
				if err != nil {
					t.Fatal(err)
				}
				return res.Header, length
			}
			got, length := ask(http.MethodGet)
			head, _ := ask(http.MethodHead)
			if said := head.Get("Content-Length"); said != "" && said != strconv.FormatInt(length, 10) {
				t.Errorf("%s, %s: HEAD says %s bytes, GET has %d", name, accept, said, length)
			}
			if head.Get("Content-Encoding") != got.Get("Content-Encoding") {
				t.Errorf("%s, %s: HEAD says %q, GET %q", name, accept, head.Get("Content-Encoding"), got.Get("Content-Encoding"))
			}
		}
		server.Close()
	}
}

// TestWriter_SendsWhatIsFlushed reads the first part while the handler waits to be asked for the second.
func TestWriter_SendsWhatIsFlushed(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	part := make([]byte, 5000)
	for i := range part {
		part[i] = byte('a' + rnd.IntN(26))
	}
	more := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w := negotiate.NewWriter(rw, r)
		w.Header().Set("Content-Type", "text/csv")
		control := http.NewResponseController(w)
		if err := control.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
		_, _ = w.Write(part)
		if err := control.Flush(); err != nil {
			t.Error(err)
		}
		<-more
		_, _ = w.Write(part)
		_ = w.Close()
	}))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		close(more)
		t.Fatal(err)
	}
	defer res.Body.Close()
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		close(more)
		t.Fatal(err)
	}
	first := make([]byte, len(part))
	_, err = io.ReadFull(z, first)
	close(more)
	if err != nil || !bytes.Equal(first, part) {
		t.Fatalf("the first part did not come before the second one was made: %v", err)
	}
	if rest, err := io.ReadAll(z); err != nil || !bytes.Equal(rest, part) {
		t.Errorf("the rest: %d bytes, %v", len(rest), err)
	}
}

func TestBody_OneTagForEachContentAndForm(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789"), 200)
	one, same := negotiate.NewBody("text/plain", text, gzip.BestSpeed), negotiate.NewBody("text/plain", bytes.Clone(text), gzip.BestCompression)
	get := func(b *negotiate.Body, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Add(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		return w
	}
	plain, packed := get(one), get(one, "Accept-Encoding", "gzip")
	if !bytes.Equal(plain.Body.Bytes(), text) || unpacked(t, packed.Body.Bytes()) != string(text) || plain.Header().Get("ETag") == packed.Header().Get("ETag") {
		t.Errorf("%v %v", plain.Header(), packed.Header())
	}
	if other := get(same); other.Header().Get("ETag") != plain.Header().Get("ETag") {
		t.Error("one content has two tags")
	}
	for tag, want := range map[string]int{plain.Header().Get("ETag"): 304, packed.Header().Get("ETag"): 200, "*": 304} {
		if got := get(one, "If-None-Match", tag); got.Code != want || (want == 304) != (got.Body.Len() == 0) {
			t.Errorf("If-None-Match: %s: %d with %d bytes", tag, got.Code, got.Body.Len())
		}
	}
	if short := get(negotiate.NewBody("text/plain", text[:10], gzip.BestSpeed), "Accept-Encoding", "gzip"); short.Header().Get("Content-Encoding") != "" {
		t.Error("ten bytes are compressed")
	}
}
