package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"zombiezen.com/go/sqlite"
)

// lock is the lock of the one server that serves a file. It has two parts. The lock by name is on an empty database
// beside the file (see lockName); every version of this program and every system understands it. The other is on the
// file itself (see lockInode). A hard link or a bind mount is another name for the same file, and SQLite would keep
// another log beside that name.
type lock struct {
	name  *sqlite.Conn
	inode *os.File // nil if the system has no such lock
	of    os.FileInfo
}

// served lists the files that this process serves, and their paths. A process must know this without opening a file,
// because closing any descriptor of a file drops SQLite's own locks on it: POSIX ties them to process and file.
var served struct {
	sync.Mutex

	files []servedFile
}

type servedFile struct {
	info os.FileInfo
	path string
}

// takeLock returns ErrServed if another server has the file, under any name.
func takeLock(path string) (*lock, error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(target)
	if err != nil {
		return nil, err
	}
	served.Lock()
	defer served.Unlock()
	if slices.ContainsFunc(served.files, func(f servedFile) bool { return os.SameFile(f.info, info) }) {
		return nil, ErrServed
	}
	l := &lock{of: info}
	if l.name, err = lockName(target); err != nil {
		return nil, err
	}
	if l.inode, err = lockInode(target); err != nil {
		return nil, errors.Join(err, l.name.Close())
	}
	served.files = append(served.files, servedFile{info, target})
	return l, nil
}

// release must come after the last connection to the file is closed.
func (l *lock) release() error {
	if l == nil {
		return nil
	}
	served.Lock()
	defer served.Unlock()
	served.files = slices.DeleteFunc(served.files, func(f servedFile) bool { return os.SameFile(f.info, l.of) })
	err := l.name.Close()
	if l.inode != nil {
		err = errors.Join(err, l.inode.Close())
	}
	return err
}

// checkName refuses a file that a server has open under another name. The newest data is in a log beside that name,
// and a write under this name would damage the file.
func checkName(path string) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(target)
	if err != nil {
		return err
	}
	served.Lock()
	defer served.Unlock()
	for _, f := range served.files {
		if os.SameFile(f.info, info) {
			if f.path == target || sameFile(f.path+lockSuffix, target+lockSuffix) {
				return nil
			}
			return ErrOtherName
		}
	}
	if held, err := inodeLocked(target); err != nil || !held {
		return err
	}
	if _, err := os.Stat(target + lockSuffix); err != nil {
		return ErrOtherName
	}
	conn, err := lockName(target)
	if errors.Is(err, ErrServed) {
		return nil // the server uses this name
	}
	if err != nil {
		return err
	}
	return errors.Join(ErrOtherName, conn.Close())
}

func sameFile(a, b string) bool {
	left, err := os.Stat(a)
	right, otherErr := os.Stat(b)
	return err == nil && otherErr == nil && os.SameFile(left, right)
}
