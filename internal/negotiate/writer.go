package negotiate

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// writers are reused: one has some 800 KB of tables.
var writers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is valid
	return z
}}

// Writer compresses a long answer for callers that accept gzip, as it is written: nothing but gzip's own window is
// kept. It leaves answers alone that are short, compressed already, no text, or that must not be transformed.
type Writer struct {
	http.ResponseWriter

	accepted bool
	bodiless bool // the answer is to a HEAD
	begun    bool
	zip      *gzip.Writer // nil: the answer goes out as it is, or none of it does
}

// NewWriter returns the writer of one answer, which must be closed. It may be used in place of w, whose Flush and
// deadlines it has.
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
	if w.bodiless { // nothing is compressed: its length would be taken for that of the answer
		return
	}
	w.zip = writers.Get().(*gzip.Writer)
	w.zip.Reset(w.ResponseWriter)
}

// compressible reports of an answer's headers whether it is long and a text, or goes on for as long as is unknown.
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

// FlushError sends what was written so far.
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

// Close ends the answer. One that broke off must not be closed: its end would make it look whole.
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
