package http1

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// keepOut is the largest buffer that a connection keeps for answers.
	keepOut = 16 << 10
	// mostOut is what is kept of an answer before it is sent.
	mostOut = 64 << 10
)

// response is the http.ResponseWriter of one request, used again for the next. Of headers that a handler sets, Date,
// Content-Type and Content-Length are added where they are missing, as net/http adds them.
type response struct {
	conn   *conn
	header http.Header
	status int    // 0: not said yet
	head   []byte // status line and headers, from WriteHeader on
	body   []byte
	left   int64 // bytes still to come of what Content-Length promised; -1: it was not given
	typed  bool  // Content-Type was given
	sent   bool  // the head is on its way: the answer is too long to be kept
	last   bool  // the connection ends with this answer
	err    error // of the connection
}

func (w *response) begin(c *conn) {
	clear(w.header)
	*w = response{conn: c, header: w.header, head: w.head[:0], body: w.body[:0], left: -1}
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	if w.status != 0 || status < 200 { // those below come before an answer: nobody here sends them
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

// appendHeader leaves a name out that is none, and makes spaces of what would end the line.
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
	w.WriteHeader(http.StatusOK) // does nothing where the status was said
	switch {
	case w.bodiless():
		return 0, http.ErrBodyNotAllowed
	case w.left >= 0 && int64(len(p)) > w.left:
		return 0, http.ErrContentLength
	case w.left >= 0:
		w.left -= int64(len(p))
	}
	w.body = append(w.body, p...)
	if len(w.body) >= mostOut {
		w.send()
	}
	return len(p), w.err
}

// send sends what there is of an answer that goes on: in chunks where its length was not given.
func (w *response) send() {
	var b []byte
	if !w.sent {
		w.sent = true
		b = w.head
		if !w.typed && len(w.body) > 0 {
			b = appendHeader(b, "Content-Type", http.DetectContentType(w.body))
		}
		if w.chunked() {
			b = append(b, "Transfer-Encoding: chunked\r\n"...)
		}
		b = append(b, "\r\n"...)
	}
	if w.chunked() && len(w.body) > 0 {
		b = append(strconv.AppendInt(b, int64(len(w.body)), 16), "\r\n"...)
		b = append(append(b, w.body...), "\r\n"...)
	} else {
		b = append(b, w.body...)
	}
	w.write(b)
	w.body = w.body[:0]
}

func (w *response) chunked() bool { return w.left < 0 }

func (w *response) write(b []byte) {
	if w.err != nil {
		return
	}
	w.conn.writes.within(w.conn.server.rest.WriteTimeout)
	_, w.err = w.conn.Write(b)
}

// finish sends what the handler has left of its answer.
func (w *response) finish() error {
	w.WriteHeader(http.StatusOK)
	switch {
	case !w.sent:
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
	default:
		w.send()
		if w.chunked() {
			w.write([]byte("0\r\n\r\n"))
		}
	}
	if w.left > 0 && !w.bodiless() {
		w.last = true // less came than was promised: only the end of the connection can say so
	}
	if cap(w.head) > keepOut {
		w.head = nil
	}
	if cap(w.body) > keepOut {
		w.body = nil
	}
	return w.err
}

// date is the text of one second.
type date struct {
	second int64
	text   string
}

// now is the time for a Date header.
func (s *Server) now() string {
	t := time.Now()
	d := s.date.Load()
	if d == nil || d.second != t.Unix() {
		d = &date{second: t.Unix(), text: t.UTC().Format(http.TimeFormat)}
		s.date.Store(d)
	}
	return d.text
}
