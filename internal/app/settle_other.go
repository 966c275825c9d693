//go:build !linux

package app

// dropStartCode does nothing: other systems have no such call.
func dropStartCode() error { return nil }
