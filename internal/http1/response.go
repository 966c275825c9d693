package http1

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// keepOut is the largest buffer that a connection keeps for answers.
	keepOut = 16 << 10
	// mostOut is how much of an answer is collected before it is sent. Longer ones are written directly, without a
	// copy.
	mostOut = 4 << 10
)

// response is the http.ResponseWriter of one request, reused for the next. If a handler does not set Date,
// Content-Type and Content-Length, they are added as net/http does.
type response struct {
	conn   *conn
	header http.Header
	status int    // 0 if not set yet
	head   []byte // status line and headers, from WriteHeader on
	body   []byte
	left   int64 // bytes of Content-Length that are still to come; -1 if it was not given
	typed  bool  // Content-Type was given
	sent   bool  // the head is sent: the answer is too long to be collected
	done   bool  // the handler has returned
	last   bool  // the connection ends after this answer
	err    error // the connection's error
}

func (w *response) begin(c *conn) {
	clear(w.header)
	*w = response{conn: c, header: w.header, head: w.head[:0], body: w.body[:0], left: -1}
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	if w.status != 0 || status < 200 { // lower ones precede an answer, and no handler here sends them
		return
	}
	w.status = status
	b := w.head
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(append(append(b, ' '), http.StatusText(status)...), "\r\n"...)
	dated := false
	for name, values := range w.header {
		for _, v := range values {
			switch name {
			case "Content-Length":
				n, err := strconv.ParseInt(v, 10, 64)
				if err != nil || n < 0 {
					continue
				}
				w.left = n
			case "Connection":
				w.last = w.last || strings.EqualFold(v, "close")
			case "Content-Type":
				w.typed = true
			case "Date":
				dated = true
			}
			b = appendHeader(b, name, v)
		}
	}
	if !dated {
		b = appendHeader(b, "Date", w.conn.server.now())
	}
	if !w.last && w.conn.server.closing.Load() {
		w.last = true
		b = append(b, "Connection: close\r\n"...)
	}
	w.head = b
}

// appendHeader omits a name that is not valid, and replaces line ends by spaces.
func appendHeader(b []byte, name, value string) []byte {
	if name == "" || !within(&tokens, name) {
		return b
	}
	b = append(append(b, name...), ": "...)
	start := len(b)
	b = append(b, value...)
	for i, c := range b[start:] {
		if c == '\r' || c == '\n' {
			b[start+i] = ' '
		}
	}
	return append(b, "\r\n"...)
}

func (w *response) bodiless() bool {
	return w.status == http.StatusNoContent || w.status == http.StatusNotModified
}

func (w *response) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK) // has no effect if the status is set
	if err := w.promised(len(p)); err != nil {
		return 0, err
	}
	if len(w.body)+len(p) <= mostOut {
		w.body = append(w.body, p...)
		return len(p), w.err
	}
	w.send(p)
	return len(p), w.err
}

// promised counts the bytes promised by Content-Length, and refuses any beyond it.
func (w *response) promised(n int) error {
	switch {
	case w.bodiless():
		return http.ErrBodyNotAllowed
	case w.left >= 0 && int64(n) > w.left:
		return http.ErrContentLength
	case w.left >= 0:
		w.left -= int64(n)
	}
	return nil
}

// send sends the collected part of an answer and then p. It uses chunks if the length was not given.
func (w *response) send(p []byte) {
	size := len(w.body) + len(p)
	b := w.head // empty if it was sent before
	if !w.sent {
		w.sent = true
		if !w.typed && size > 0 {
			start := w.body
			if len(start) == 0 {
				start = p
			}
			b = appendHeader(b, "Content-Type", http.DetectContentType(start))
		}
		if w.chunked() {
			b = append(b, "Transfer-Encoding: chunked\r\n"...)
		}
		b = append(b, "\r\n"...)
	}
	var end []byte
	if w.chunked() {
		if size > 0 {
			b = append(strconv.AppendInt(b, int64(size), 16), "\r\n"...)
			end = lineEnd
		}
		if w.done {
			end = append(slices.Clip(end), lastChunk...)
		}
	}
	w.write(b, w.body, p, end)
	w.head, w.body = b[:0], w.body[:0]
}

var lineEnd, lastChunk = []byte("\r\n"), []byte("0\r\n\r\n")

func (w *response) chunked() bool { return w.left < 0 }

func (w *response) write(parts ...[]byte) {
	if w.err == nil {
		out := append(w.conn.out[:0], parts...)
		w.err = w.conn.write(out)
		clear(out)
	}
}

// finish sends the rest of the handler's answer.
func (w *response) finish() error {
	w.WriteHeader(http.StatusOK)
	w.done = true
	if w.sent {
		w.send(nil)
	} else {
		b := w.head
		if !w.typed && len(w.body) > 0 {
			b = appendHeader(b, "Content-Type", http.DetectContentType(w.body))
		}
		if w.left < 0 && !w.bodiless() {
			b = append(strconv.AppendInt(append(b, "Content-Length: "...), int64(len(w.body)), 10), "\r\n"...)
		}
		b = append(append(b, "\r\n"...), w.body...)
		w.write(b)
		w.head = b[:0]
	}
	if w.left > 0 && !w.bodiless() {
		w.last = true // fewer bytes than promised: only the end of the connection can signal that
	}
	if cap(w.head) > keepOut {
		w.head = nil
	}
	return w.err
}

// date is the text for one second.
type date struct {
	second int64
	text   string
}

// now returns the time for a Date header.
func (s *Server) now() string {
	t := time.Now()
	d := s.date.Load()
	if d == nil || d.second != t.Unix() {
		d = &date{second: t.Unix(), text: t.UTC().Format(http.TimeFormat)}
		s.date.Store(d)
	}
	return d.text
}
