//go:build unix

package engineio

import (
	"errors"
	"net"
	"syscall"
)

// directWriter writes without blocking. It is reused across connections, so that a write allocates nothing.
type directWriter struct {
	data []byte
	n    int
	err  error
	call func(fd uintptr) bool
}

func newDirectWriter() *directWriter {
	d := new(directWriter)
	d.call = func(fd uintptr) bool {
		for {
			d.n, d.err = syscall.Write(int(fd), d.data)
			if !errors.Is(d.err, syscall.EINTR) {
				return true // never wait for the descriptor
			}
		}
	}
	return d
}

// write gives the kernel what it takes now, perhaps nothing.
func (d *directWriter) write(c syscall.RawConn, b []byte) (int, error) {
	d.data, d.n, d.err = b, 0, nil
	err := c.Write(d.call)
	d.data = nil
	switch {
	case err != nil:
		return 0, err
	case errors.Is(d.err, syscall.EAGAIN):
		return 0, nil
	case d.err != nil:
		return 0, d.err
	}
	return d.n, nil
}

// rawConn is nil where the bytes on the wire are not those that are written, as under TLS. What a listener wraps around
// its connections may stay around them if it has the descriptor too, as one that embeds a *net.TCPConn to count it.
func rawConn(c net.Conn) syscall.RawConn {
	t, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}
