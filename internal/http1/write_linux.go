package http1

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// attempt is one try to write without waiting.
type attempt struct {
	write func(fd uintptr) bool // created once
	parts [][]byte
	n     int64
	err   error
}

func (a *attempt) prepare(c *conn) {
	t, ok := c.Conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return // closed: the next read reports it
	}
	c.raw = raw
	a.write = func(fd uintptr) bool {
		a.do(int(fd))
		return true // do not wait
	}
}

// maxParts is how many parts the kernel takes at once (IOV_MAX).
const maxParts = 1024

func (a *attempt) do(fd int) {
	for len(a.parts) > 0 {
		some := a.parts[:min(len(a.parts), maxParts)]
		size := 0
		for _, p := range some {
			size += len(p)
		}
		var n int
		var err error
		if len(some) == 1 {
			n, err = unix.Write(fd, some[0])
		} else {
			n, err = unix.Writev(fd, some)
		}
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if errors.Is(err, unix.EAGAIN) {
			return
		}
		if err != nil {
			a.err = err
			return
		}
		a.n += int64(n)
		if n < size {
			return
		}
		a.parts = a.parts[len(some):]
	}
}

// try writes as much as the kernel takes without waiting.
func (c *conn) try(parts [][]byte) (n int64, err error) {
	a := &c.attempt
	if c.raw == nil {
		return 0, nil
	}
	a.parts, a.n, a.err = parts, 0, nil
	err = c.raw.Write(a.write)
	if a.parts = nil; err == nil {
		err = a.err
	}
	return a.n, err
}

// unsent limits the data in a connection's kernel buffer that is not yet on its way. Without it, a reader that was
// fast and becomes slow would have megabytes there, and show no progress for minutes.
const unsent = 128 << 10

// tune sets up each connection once.
func tune(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent) })
}
