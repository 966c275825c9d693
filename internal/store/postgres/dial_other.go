//go:build !linux

package postgres

import "syscall"

// boundUnacknowledged does nothing: other systems have no such bound, or not for one connection alone.
func boundUnacknowledged(string, string, syscall.RawConn) error { return nil }
