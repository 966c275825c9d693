//go:build unix

package cli

import (
	"os/exec"
	"syscall"
)

// apart keeps a ^C at the terminal from the process: it is for the one that started it to pass on.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
