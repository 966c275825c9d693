//go:build unix

package cli

import (
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

// inOwnGroup keeps a ^C at the terminal from the process: its parent decides whether to pass it on.
func inOwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// ownedByUs reports whether a file belongs to this process's user. known is false if files have no such owners.
func ownedByUs(info fs.FileInfo) (owned, known bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid(), ok
}
