//go:build !unix

package engineio

import (
	"net"
	"syscall"
)

// directWriter does nothing here: the ordinary writer does all writes.
type directWriter struct{}

func newDirectWriter() *directWriter { return new(directWriter) }

func (*directWriter) write(syscall.RawConn, []byte) (int, error) { return 0, nil }

func rawConn(net.Conn) syscall.RawConn { return nil }
