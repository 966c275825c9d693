package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// policy admits what the pages are made of: scripts, style sheets and calls of this server's own, and images of drops from
// anywhere. Nothing makes markup from text (trusted types), nothing is framed.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' http: https:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// file is one answer, encoded before it is asked for.
type file struct {
	media     string
	immutable bool
	plain     []byte
	tag       string // of the ETag, without quotes
	packed    func() []byte
}

// minGzip is the size from which compressing pays: below, an answer fits one packet anyway.
const minGzip = 1400

func newFile(name string, content []byte) *file {
	sum := sha256.Sum256(content)
	return &file{media: typeOf(name), plain: content, tag: hex.EncodeToString(sum[:12]), packed: sync.OnceValue(func() []byte {
		return pack(content)
	})}
}

// typeOf is the media type of a file; empty: it is not served.
func typeOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8" // licences
	default:
		return ""
	}
}

func pack(content []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
	_, _ = z.Write(content)                               // a Buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if f.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, tag := f.plain, `"`+f.tag+`"`
	packed := len(f.plain) >= minGzip && acceptsGzip(r.Header)
	if packed {
		body, tag = f.packed(), `"`+f.tag+`-gzip"`
	}
	h.Set("ETag", tag)
	if hasTag(r.Header, tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if packed {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", f.media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the caller may have gone away
	}
}

func acceptsGzip(h http.Header) bool {
	for part := range strings.SplitSeq(strings.Join(h["Accept-Encoding"], ","), ",") {
		coding, weight, _ := strings.Cut(strings.ReplaceAll(part, " ", ""), ";")
		if strings.EqualFold(coding, "gzip") {
			q, given := strings.CutPrefix(weight, "q=")
			n, err := strconv.ParseFloat(q, 64)
			return !given || err == nil && n > 0
		}
	}
	return false
}

func hasTag(h http.Header, tag string) bool {
	for part := range strings.SplitSeq(strings.Join(h["If-None-Match"], ","), ",") {
		if part = strings.TrimSpace(part); part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}

// hashOf names the files by what they are.
func hashOf(contents map[string][]byte) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		_, _ = sum.Write([]byte(name + "\x00" + strconv.Itoa(len(contents[name])) + "\x00")) // a hash takes everything
		_, _ = sum.Write(contents[name])
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

var importLine = regexp.MustCompile(`(?m)^(?:import|export) .*?from "(\.[^"]+)";$`)

// imports returns the modules that a module imports, itself first: browsers are told of all at once, and need not find one
// in the other.
func imports(contents map[string][]byte, module string) []string {
	found := []string{module}
	for i := 0; i < len(found); i++ {
		for _, m := range importLine.FindAllSubmatch(contents[found[i]], -1) {
			if name := path.Join(path.Dir(found[i]), string(m[1])); !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
	}
	return found
}
