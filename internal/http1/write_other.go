//go:build !linux

package http1

import "net"

// attempt is empty where writing without waiting is unknown: answers are written in the usual way.
type attempt struct{}

func (*attempt) prepare(*conn) {}

func (c *conn) try([][]byte) (n int64, err error) { return 0, nil }

func tune(*net.TCPConn) {}
