package http1

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// piece is what a reader must take within the server's WriteTimeout. 64 KiB in 30 s is about 17 kbit/s.
const piece = 64 << 10

// write writes all parts without a copy. If the kernel takes everything at once, that costs only the system call.
// Otherwise write waits for the reader.
func (c *conn) write(parts [][]byte) error {
	size := int64(0)
	for _, p := range parts {
		size += int64(len(p))
	}
	if size == 0 {
		return nil
	}
	n, err := c.try(parts)
	if err != nil || n == size {
		return err
	}
	return c.wait(parts, n)
}

// wait writes what remains after the first n bytes, as fast as the reader takes it. Meanwhile the connection frees
// what it does not need, and the rest counts toward the limit of all connections.
func (c *conn) wait(parts [][]byte, n int64) error {
	if c.response.done {
		c.shed()
	}
	s := c.server.unread.hold(func() { _ = c.Close() }, 0, parts...)
	defer c.server.unread.release(s)
	var room [16][]byte
	for rest := (remains{parts, n}); ; {
		some := rest.next(room[:0], piece) // WriteTo consumes it
		if len(some) == 0 {
			if !c.mark(atWork) {
				return net.ErrClosed
			}
			return c.SetWriteDeadline(time.Time{})
		}
		now := time.Now()
		c.mark(now.UnixNano())
		_ = c.SetWriteDeadline(now.Add(c.server.rest.WriteTimeout))
		if _, err := some.WriteTo(c.Conn); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				c.server.unread.stalled.Add(1)
			}
			return err
		}
		c.server.unread.progress(s)
	}
}

// shed frees what is not needed once the answer is complete. Otherwise buffers and the request would stay allocated
// while it is read.
func (c *conn) shed() {
	if c.from == c.to {
		c.in, c.from, c.to = nil, 0, 0
	}
	c.response.body = nil // what is still to be written is in parts
	r := c.request
	clear(r.Header)
	r.Method, r.RequestURI, r.Host, r.Body, c.url, c.values = http.MethodGet, "", "", http.NoBody, url.URL{}, nil
}

// remains is what is left of parts after the first n bytes.
type remains struct {
	parts [][]byte
	n     int64
}

// next takes at most that many bytes, in as many parts as there is room for.
func (r *remains) next(into net.Buffers, most int) net.Buffers {
	for len(r.parts) > 0 && most > 0 && len(into) < cap(into) {
		p := r.parts[0]
		if r.n >= int64(len(p)) {
			r.n -= int64(len(p))
			r.parts = r.parts[1:]
			continue
		}
		p = p[r.n:]
		p = p[:min(len(p), most)]
		into = append(into, p)
		r.n += int64(len(p))
		most -= len(p)
	}
	return into
}
