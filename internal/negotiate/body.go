package negotiate

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"sync"
)

// Body is an answer that many callers get. Its ETag depends only on its bytes, so replicas and restarts use the same
// tag for the same content.
type Body struct {
	plain  []byte
	media  string
	tag    string // the ETag without quotes
	packed func() []byte
}

// NewBody makes the answer. level is gzip's. It is compressed when the first caller asks for that.
func NewBody(media string, plain []byte, level int) *Body {
	return &Body{media: media, plain: plain, tag: TagOf(plain), packed: sync.OnceValue(func() []byte {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, level) // callers pass valid levels
		_, _ = z.Write(plain)                  // a Buffer never fails
		_ = z.Close()
		return b.Bytes()
	})}
}

// TagOf returns what identifies a content, without quotes.
func TagOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:16])
}

// Tagged gives the body another ETag, given without quotes, and returns it.
func (b *Body) Tagged(tag string) *Body {
	b.tag = tag
	return b
}

// Plain returns the uncompressed body. Do not change it.
func (b *Body) Plain() []byte { return b.plain }

// ServeHTTP sends the body, compressed for callers that accept that. Callers that already have it get a 304. Set
// caching headers before the call.
func (b *Body) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	body, tag := b.plain, `"`+b.tag+`"`
	packed := len(b.plain) >= MinGzip && AcceptsGzip(r.Header)
	if packed {
		tag = `"` + b.tag + gzipSuffix + `"`
	}
	h.Set("ETag", tag)
	if HasTag(r.Header, tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if packed {
		h.Set("Content-Encoding", "gzip")
		body = b.packed()
	}
	h.Set("Content-Type", b.media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // if the caller has left, there is nobody to tell
	}
}
