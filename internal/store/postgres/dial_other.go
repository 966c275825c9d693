//go:build !linux

package postgres

import "syscall"

// boundUnacknowledged does nothing. Other systems have no such limit, or none for a single connection.
func boundUnacknowledged(string, string, syscall.RawConn) error { return nil }
