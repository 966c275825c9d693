//go:build !linux

package http1

import "net"

// attempt is nothing where writing without waiting is not known: answers are written as everybody writes.
type attempt struct{}

func (*attempt) prepare(*conn) {}

func (c *conn) try([][]byte) (n int64, err error) { return 0, nil }

func tune(*net.TCPConn) {}
