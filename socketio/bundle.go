package socketio

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed client/*.js client/*.map
var clientFiles embed.FS

// bundle is the browser client, by file name.
type bundle struct{ files map[string]*bundleFile }

// bundleFile is a file of it. Nothing is read before somebody asks for it: most servers are asked for one file, if any.
type bundleFile struct {
	path       string
	etag       func() string
	compressed func() []byte
}

func newBundle() *bundle {
	b := &bundle{map[string]*bundleFile{}}
	paths, _ := fs.Glob(clientFiles, "client/*") // the pattern is good
	for _, path := range paths {
		b.files[strings.TrimPrefix(path, "client/")] = &bundleFile{
			path: path,
			etag: sync.OnceValue(func() string {
				data, _ := clientFiles.ReadFile(path) // embedded
				sum := sha256.Sum256(data)
				return hex.EncodeToString(sum[:12])
			}),
			compressed: sync.OnceValue(func() []byte { return compress(path) }),
		}
	}
	return b
}

func compress(path string) []byte {
	data, _ := clientFiles.ReadFile(path) // embedded
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is good
	_, _ = z.Write(data)
	_ = z.Close()
	return b.Bytes()
}

func (b *bundle) has(name string) bool { return b.files[name] != nil }

func (b *bundle) serve(w http.ResponseWriter, r *http.Request, name string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	f, h := b.files[name], w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	if strings.HasSuffix(name, ".map") {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	h.Set("Cache-Control", "public, max-age=0, must-revalidate")
	h.Set("Access-Control-Allow-Origin", "*") // a script that anybody may load, as a module too
	h.Add("Vary", "Accept-Encoding")
	if r.Header.Get("Range") == "" && acceptsGzip(r.Header["Accept-Encoding"]) {
		h.Set("Etag", `"`+f.etag()+`-gzip"`)
		h.Set("Content-Encoding", "gzip")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.compressed()))
		return
	}
	h.Set("Etag", `"`+f.etag()+`"`)
	plain, _ := clientFiles.Open(f.path)                            // embedded
	http.ServeContent(w, r, "", time.Time{}, plain.(io.ReadSeeker)) //nolint:forcetypeassert // embed promises it
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3): gzip by name, or else by *, unless its weight is 0.
func acceptsGzip(lines []string) bool {
	others := false
	for part := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		name, weight, _ := strings.Cut(part, ";")
		_, q, weighed := strings.Cut(weight, "=")
		n, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
		wanted := !weighed || err == nil && n > 0
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip": // RFC 9110, 8.4.1.3: one is the other
			return wanted
		case "*":
			others = wanted
		}
	}
	return others
}
