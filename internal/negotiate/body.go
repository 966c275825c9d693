package negotiate

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// Body is an answer that many callers get. Its ETag depends only on its bytes, so replicas and restarts use the same
// tag for the same content. It is compressed when the first caller asks for that.
type Body struct {
	plain  func() []byte
	size   int // of the plain body
	media  string
	tag    func() string // the ETag without quotes
	packed func() []byte
}

// NewBody makes the answer. level is gzip's.
func NewBody(media string, plain []byte, level int) *Body {
	return newBody(media, len(plain), func() []byte { return plain }, level)
}

// NewFileBody makes an answer of a file that does not change. Nothing of the file is read before somebody asks for it,
// and what is kept from then on is the compressed answer.
func NewFileBody(media string, files fs.FS, name string, level int) (*Body, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	read := func() []byte {
		content, _ := fs.ReadFile(files, name) // it is there
		return content
	}
	return newBody(media, int(info.Size()), read, level), nil
}

func newBody(media string, size int, plain func() []byte, level int) *Body {
	return &Body{
		plain: plain, size: size, media: media,
		tag: sync.OnceValue(func() string { return TagOf(plain()) }),
		packed: sync.OnceValue(func() []byte {
			var b bytes.Buffer
			z, _ := gzip.NewWriterLevel(&b, level) // callers pass valid levels
			_, _ = z.Write(plain())                // a Buffer never fails
			_ = z.Close()
			return b.Bytes()
		}),
	}
}

// TagOf returns what identifies a content, without quotes.
func TagOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:16])
}

// FolderOf names a folder of files by their names and contents: it changes whenever one of them does.
func FolderOf(files map[string][]byte) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		_, _ = fmt.Fprintf(sum, "%s\x00%d\x00%s", name, len(files[name]), files[name]) // a hash takes everything
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// Tagged gives the body another ETag, given without quotes, and returns it.
func (b *Body) Tagged(tag string) *Body {
	b.tag = func() string { return tag }
	return b
}

// Plain returns the uncompressed body. Do not change it.
func (b *Body) Plain() []byte { return b.plain() }

// ServeHTTP sends the body, compressed for callers that accept that. Callers that already have it get a 304. Set
// caching headers before the call.
func (b *Body) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	tag := `"` + b.tag() + `"`
	packed := b.size >= MinGzip && AcceptsGzip(r.Header)
	if packed {
		tag = `"` + b.tag() + gzipSuffix + `"`
	}
	h.Set("ETag", tag)
	if HasTag(r.Header, tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	encode := b.plain
	if packed {
		h.Set("Content-Encoding", "gzip")
		encode = b.packed
	}
	body := encode()
	h.Set("Content-Type", b.media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // if the caller has left, there is nobody to tell
	}
}
