package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"sneakerdrop/internal/engine"
)

// list keeps the encoded answer of GET /api/drops for as long as no drop changes.
type list struct {
	making  sync.Mutex // one maker at a time; the others take what it made
	current atomic.Pointer[listing]
}

// listing is the list of drops at one generation of the engine's views, or a later one.
type listing struct {
	generation uint64
	body       []byte
	tag        string // of the ETag, without quotes

	gzipOnce sync.Once
	gzipped  []byte
}

// minGzip is the body from which compressing pays: below, the answer fits one packet anyway.
const minGzip = 1400

// at returns a listing that shows everything committed before the call. The generation is read before the views: read
// after, it could name a change that the views do not show yet.
func (l *list) at(e *engine.Engine, encode func(*engine.View) []byte) *listing {
	generation := e.Generation()
	if have := l.current.Load(); have != nil && have.generation >= generation {
		return have
	}
	l.making.Lock()
	defer l.making.Unlock()
	if have := l.current.Load(); have != nil && have.generation >= generation {
		return have
	}
	generation = e.Generation()
	views := e.Views()
	parts := make([][]byte, len(views))
	for i, v := range views {
		parts[i] = v.Encoded(encode)
	}
	made := &listing{generation: generation, body: joinArray(parts)}
	// Of the bytes, not of the generation: replicas and restarts give one tag to one content.
	sum := sha256.Sum256(made.body)
	made.tag = hex.EncodeToString(sum[:16])
	l.current.Store(made)
	return made
}

func (l *listing) gzip() []byte {
	l.gzipOnce.Do(func() {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level is valid
		_, _ = z.Write(l.body)                          // a Buffer takes everything
		_ = z.Close()
		l.gzipped = b.Bytes()
	})
	return l.gzipped
}

func (a *api) listDrops(w http.ResponseWriter, r *http.Request) error {
	l := a.list.at(a.engine, a.encodeDrop)
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Add("Vary", "Accept-Encoding")
	body, tag := l.body, `"`+l.tag+`"`
	packed := len(l.body) >= minGzip && acceptsGzip(r.Header)
	if packed {
		tag = `"` + l.tag + `-gzip"`
	}
	h.Set("ETag", tag)
	if hasTag(r.Header, tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if packed {
		h.Set("Content-Encoding", "gzip")
		body = l.gzip()
	}
	writeBody(w, http.StatusOK, body)
	return nil
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3): gzip by name, or else by *, unless its weight is 0.
func acceptsGzip(h http.Header) bool {
	accepted, named := false, false
	for _, line := range h["Accept-Encoding"] {
		for part := range strings.SplitSeq(line, ",") {
			coding, weight, _ := strings.Cut(part, ";")
			coding = strings.ToLower(strings.TrimSpace(coding))
			switch {
			case coding == "gzip":
				named = true
			case coding != "*" || named:
				continue
			}
			q, given := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			n, err := strconv.ParseFloat(q, 64)
			accepted = !given || err == nil && n > 0
		}
	}
	return accepted
}

// hasTag reads If-None-Match (RFC 9110, 13.1.2), which compares weakly.
func hasTag(h http.Header, tag string) bool {
	for _, line := range h["If-None-Match"] {
		for part := range strings.SplitSeq(line, ",") {
			part = strings.TrimSpace(part)
			if part == "*" || strings.TrimPrefix(part, "W/") == tag {
				return true
			}
		}
	}
	return false
}
