//go:build unix

package cli

import (
	"io/fs"
	"os"
	"syscall"
)

// ownedByUs reports whether a file is this process's user's own; known is false where files have no such owners.
func ownedByUs(info fs.FileInfo) (owned, known bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid(), ok
}
