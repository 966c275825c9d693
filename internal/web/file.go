package web

import (
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"path"

	"sneakerdrop/internal/negotiate"
)

// policy admits what the pages are made of: scripts, style sheets and calls of this server's own, and images of drops
// from anywhere. Nothing makes markup from text (trusted types), nothing is framed. %s are what a page has inside.
const policy = "default-src 'none'; script-src 'self'%s; style-src 'self'%s; connect-src 'self'; font-src 'self'; img-src 'self' http: https:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// strict is the policy of whatever has no script and no style inside.
var strict = fmt.Sprintf(policy, "", "")

// policyOf is the policy of a page that has this script and this style inside.
func policyOf(script, style []byte) string {
	return fmt.Sprintf(policy, sourceOf(script), sourceOf(style))
}

func sourceOf(inside []byte) string {
	sum := sha256.Sum256(inside)
	return " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// file is one answer, encoded before it is asked for.
type file struct {
	*negotiate.Body

	policy    string // empty: the strict one
	language  string // of a page
	immutable bool
	shared    bool   // with pages of every origin
	types     string // where a module's types are; Deno asks for them
}

func newFile(name string, content []byte) *file {
	return &file{Body: negotiate.NewBody(typeOf(name), content, gzip.BestCompression)}
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
	case ".ts":
		return "text/typescript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".webp":
		return "image/webp"
	case ".woff2":
		return "font/woff2"
	case ".ics":
		return "text/calendar; charset=utf-8"
	case ".map":
		return "application/json" // source maps
	case ".txt":
		return "text/plain; charset=utf-8" // licenses
	default:
		return ""
	}
}

func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", cmp.Or(f.policy, strict))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	h.Set("Cache-Control", "no-cache")
	if f.language != "" {
		h.Set("Content-Language", f.language)
	}
	if f.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if f.shared {
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	}
	if f.types != "" {
		h.Set("X-TypeScript-Types", f.types)
	}
	f.Body.ServeHTTP(w, r)
}

// serveMissing answers that what was asked for is not there. No part of that answer is kept as if it were.
func (f *file) serveMissing(w http.ResponseWriter, r *http.Request) {
	plain := r.Clone(r.Context())
	plain.Header.Del("If-None-Match")
	f.ServeHTTP(missingWriter{w}, plain)
}

type missingWriter struct{ http.ResponseWriter }

func (w missingWriter) WriteHeader(int) {
	w.Header().Del("ETag")
	w.ResponseWriter.WriteHeader(http.StatusNotFound)
}
