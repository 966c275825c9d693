//go:build !linux

package sqlite

import "os"

// lockInode and inodeLocked do nothing here. Only Linux has locks on open files that SQLite's own locks do not
// affect. Elsewhere there is only the lock by name.
func lockInode(string) (*os.File, error) { return nil, nil } //nolint:nilnil // as documented

func inodeLocked(string) (bool, error) { return false, nil }
