package negotiate

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// writers are reused, because each has about 800 KB of tables.
var writers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is valid
	return z
}}

// Writer compresses a long answer while it is written, for callers that accept gzip. It keeps nothing except gzip's
// own window. It does not compress answers that are short, already compressed, not text, or marked no-transform.
type Writer struct {
	http.ResponseWriter

	accepted bool
	bodiless bool // the answer is to a HEAD
	begun    bool
	zip      *gzip.Writer // nil if the answer is not compressed
}

// NewWriter returns the writer for one answer. Close it at the end. Use it in place of w; Flush and deadlines work.
func NewWriter(w http.ResponseWriter, r *http.Request) *Writer {
	return &Writer{ResponseWriter: w, accepted: AcceptsGzip(r.Header), bodiless: r.Method == http.MethodHead}
}

// WriteHeader implements http.ResponseWriter.
func (w *Writer) WriteHeader(status int) {
	if !w.begun && status >= http.StatusOK {
		w.begun = true
		h := w.Header()
		if compressible(h) {
			h.Add("Vary", "Accept-Encoding")
			if w.accepted && status != http.StatusNoContent && status != http.StatusNotModified {
				w.begin(h)
			}
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *Writer) begin(h http.Header) {
	h.Set("Content-Encoding", "gzip")
	h.Del("Content-Length")
	if w.bodiless { // nothing is compressed: the compressed length would be taken for the answer's
		return
	}
	w.zip = writers.Get().(*gzip.Writer)
	w.zip.Reset(w.ResponseWriter)
}

// compressible reports from an answer's headers whether it is a text that is long or has no known end.
func compressible(h http.Header) bool {
	if h.Get("Content-Encoding") != "" || h.Get("Content-Range") != "" {
		return false
	}
	if _, forbidden := Weight(h["Cache-Control"], "no-transform"); forbidden {
		return false
	}
	if length, err := strconv.Atoi(h.Get("Content-Length")); err == nil && length < MinGzip {
		return false
	}
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return strings.HasPrefix(media, "text/") && media != "text/event-stream" || media == "application/json"
}

func (w *Writer) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.zip != nil:
		return w.zip.Write(p)
	case w.bodiless && w.Header().Get("Content-Encoding") != "":
		return len(p), nil
	default:
		return w.ResponseWriter.Write(p)
	}
}

// FlushError sends everything written so far.
func (w *Writer) FlushError() error {
	if w.zip != nil {
		if err := w.zip.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (w *Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Close ends the answer. Do not close an answer that was interrupted, because its end would make it look complete.
func (w *Writer) Close() error {
	if w.zip == nil {
		return nil
	}
	err := w.zip.Close()
	w.zip.Reset(io.Discard)
	writers.Put(w.zip)
	w.zip = nil
	return err
}
