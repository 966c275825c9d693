//go:build !unix

package cli

import (
	"io/fs"
	"os/exec"
)

// apart does nothing where there are no process groups.
func apart(*exec.Cmd) {}

// ownedByUs knows nothing where the bits of a mode say nothing.
func ownedByUs(fs.FileInfo) (owned, known bool) { return false, false }
