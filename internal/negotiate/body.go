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

// Body is an answer that many callers get. Its ETag names its bytes, so that replicas and restarts give one tag to
// one content.
type Body struct {
	plain  []byte
	media  string
	tag    string // of the ETag, without quotes
	packed func() []byte
}

// NewBody makes the answer; level is gzip's. It is compressed when the first caller asks for that.
func NewBody(media string, plain []byte, level int) *Body {
	sum := sha256.Sum256(plain)
	return &Body{media: media, plain: plain, tag: hex.EncodeToString(sum[:16]), packed: sync.OnceValue(func() []byte {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, level) // the callers' levels are valid
		_, _ = z.Write(plain)                  // a Buffer takes everything
		_ = z.Close()
		return b.Bytes()
	})}
}

// Plain is the body as it is, to be read only.
func (b *Body) Plain() []byte { return b.plain }

// ServeHTTP answers with the body, compressed for callers that accept that, or with 304 for those that have it.
// Headers that say how long it may be kept are the caller's to set before.
func (b *Body) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	body, tag := b.plain, `"`+b.tag+`"`
	packed := len(b.plain) >= MinGzip && AcceptsGzip(r.Header)
	if packed {
		tag = `"` + b.tag + `-gzip"`
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
		_, _ = w.Write(body) // the caller may have gone away: nobody is left to be told
	}
}
