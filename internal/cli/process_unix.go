//go:build unix

package cli

import (
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

// inOwnGroup keeps a ^C at the terminal from the process: it is for the one that started it to pass on.
func inOwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// ownedByUs reports whether a file is this process's user's own; known is false where files have no such owners.
func ownedByUs(info fs.FileInfo) (owned, known bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid(), ok
}
