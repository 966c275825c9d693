//go:build !linux

package sqlite

import "os"

// lockInode and inodeLocked: only Linux has locks of open files that SQLite's own do not meet. Elsewhere the lock by
// name is all.
func lockInode(string) (*os.File, error) { return nil, nil } //nolint:nilnil // as documented

func inodeLocked(string) (bool, error) { return false, nil }
