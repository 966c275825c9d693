//go:build unix && !linux

package pgtest

import "syscall"

// processAttributes makes a child run as the account. Only Linux also ends it with its parent.
func processAttributes(as *account) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if as != nil {
		attr.Credential = &syscall.Credential{Uid: as.uid, Gid: as.gid}
	}
	return attr
}
