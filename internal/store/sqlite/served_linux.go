package sqlite

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// lockByte is far beyond the bytes that SQLite locks (from 2^30), and beyond the end of any file.
const lockByte = 1 << 61

// lockInode locks the file itself, whatever its name. The lock belongs to the open file, not to the process (OFD, see
// fcntl(2)). SQLite's own locks and descriptors therefore neither conflict with it nor end it. If the file system has
// no such locks, only the lock by name remains.
func lockInode(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	l := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: lockByte, Len: 1}
	switch err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &l); {
	case err == nil:
		return f, nil
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES):
		return nil, errors.Join(ErrServed, f.Close())
	default:
		return nil, f.Close()
	}
}

// inodeLocked reports whether another process holds lockInode's lock.
func inodeLocked(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	l := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: lockByte, Len: 1}
	known := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &l) == nil
	return known && l.Type != unix.F_UNLCK, f.Close()
}
