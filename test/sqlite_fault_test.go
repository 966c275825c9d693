//go:build linux

package test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	zsqlite "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store/sqlite"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
)

// A file that is locked, cannot grow, or is on a full disk costs answers but never a sale, and the server recovers by
// itself.
func TestFault_SQLite(t *testing.T) {
	t.Parallel()
	seed := seedOf(t)
	tr := newTraffic(t, seed, "sqlite:shop.db", "sqlite:shop.db")
	file := strings.TrimPrefix(tr.books, "sqlite:")
	tr.suffer(
		// Longer than a transaction waits for a lock (5 s).
		fault{name: "locked by another process", strike: func() func() { return lockSQLite(t, file) }, last: 5500 * time.Millisecond, quiet: true},
		fault{name: "no file may grow", strike: func() func() { return limitFiles(t, tr.server.cmd.Process.Pid) }, last: time.Second},
	)
	tr.server.kill()

	disk := smallDisk(t, 64<<20)
	if disk == "" {
		return
	}
	tr = newTraffic(t, seed, "sqlite:"+disk+"/shop.db", "sqlite:"+disk+"/shop.db")
	tr.suffer(fault{name: "disk full", strike: func() func() { return fill(t, disk) }, last: time.Second})
	tr.server.kill()
}

func lockSQLite(t *testing.T, file string) (free func()) {
	conn, err := zsqlite.OpenConn(file, zsqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetBusyTimeout(patience)
	if err := sqlitex.ExecuteTransient(conn, "BEGIN IMMEDIATE", nil); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(sqlitex.ExecuteTransient(conn, "ROLLBACK", nil), conn.Close()); err != nil {
			t.Error(err)
		}
	}
}

// limitFiles forbids a process to write beyond the first 4 KiB of a file.
func limitFiles(t *testing.T, pid int) (lift func()) {
	var was unix.Rlimit
	must(t, unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &was))
	must(t, unix.Prlimit(pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 4096, Max: was.Max}, nil))
	return func() {
		if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &was, nil); err != nil {
			t.Error(err)
		}
	}
}

// smallDisk mounts a file system of that size for the test. If this process may not do that, it returns "" and logs
// it.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	sweepDisks()
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", diskPrefix, os.Getpid())) //nolint:usetesting // other users must get there
	must(t, err)
	t.Cleanup(func() { _ = os.Remove(dir) })
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=755", bytes)); err != nil {
		t.Logf("NOT SHOWN HERE: a full disk. Mounting a small file system is not allowed (%v); run this as root with CAP_SYS_ADMIN. "+
			"What stands in for it is named beside it in docs/RELIABILITY.md.", err)
		return ""
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// diskPrefix is followed by the number of the process that mounted the disk and a dash.
const diskPrefix = "sneakerdrop-disk-"

// sweepDisks removes what killed test processes left behind.
func sweepDisks() {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), diskPrefix+"*"))
	if err != nil {
		return // our pattern cannot be malformed
	}
	for _, dir := range dirs {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), diskPrefix), "-")
		if pid, err := strconv.Atoi(owner); err == nil && errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			_ = unix.Unmount(dir, unix.MNT_DETACH) // it may belong to another user
			_ = os.Remove(dir)
		}
	}
}

// fill uses up the free space of a file system.
func fill(t *testing.T, disk string) (empty func()) {
	ballast, err := os.Create(filepath.Join(disk, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 64<<10)
	for {
		_, err := ballast.Write(block)
		if err != nil && !errors.Is(err, unix.ENOSPC) {
			t.Fatal(err)
		}
		if err == nil {
			continue
		}
		if block = block[:len(block)/2]; len(block) == 0 {
			break
		}
	}
	return func() {
		if err := errors.Join(ballast.Close(), os.Remove(ballast.Name())); err != nil {
			t.Error(err)
		}
	}
}

// If the end of the log is cut off or damaged, the server starts. Exactly what was committed before the damage is
// there. (A crash of a process never does this damage; a disk that loses writes may.)
func TestTornLog_CommittedPrefixIsThere(t *testing.T) {
	t.Parallel()
	const answers = 60
	seed := seedOf(t)
	rnd := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	s := startFor(t, dir, "--addr="+pgtest.Loopback()+":0", "--database=sqlite:shop.db", "--hold=1h")
	create(t, s.url, 1000, past)
	var ends []int64 // of the log, after each answer
	for user := range int64(answers) {
		if _, answer, err := reserve(t.Context(), http.DefaultClient, s.url, 1+user); err != nil || !strings.HasPrefix(answer, "200 ") {
			t.Fatal(answer, err)
		}
		info, err := os.Stat(filepath.Join(dir, "shop.db-wal"))
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, info.Size())
	}
	s.kill()
	if !slices.IsSorted(ends) || ends[0] == ends[answers-1] {
		t.Fatalf("the log did not grow: %v", ends)
	}
	damages := []struct {
		name string
		do   func(log []byte, at int64) []byte
	}{
		{"torn off", func(log []byte, at int64) []byte { return log[:at] }},
		{"a bit flipped", func(log []byte, at int64) []byte { log[at] ^= 1 << rnd.IntN(8); return log }},
		{"zeros to the end", func(log []byte, at int64) []byte { log[at] = ^log[at]; clear(log[at+1:]); return log }},
		{"overwritten by other data", func(log []byte, at int64) []byte {
			for i := range log[at:] {
				log[at+int64(i)] ^= byte(1 + rnd.IntN(255))
			}
			return log
		}},
	}
	for _, d := range damages {
		for range 3 {
			at := ends[0] + rnd.Int64N(ends[answers-1]-ends[0])
			t.Run(fmt.Sprintf("%s at %d", d.name, at), func(t *testing.T) {
				want := 0
				for _, end := range ends {
					if end <= at {
						want++
					}
				}
				tornLog(t, dir, func(log []byte) []byte { return d.do(log, at) }, want)
			})
		}
	}
}

// tornLog starts a server on a copy of the database with a damaged log. It must know exactly that many first
// reservations.
func tornLog(t *testing.T, from string, damage func([]byte) []byte, want int) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "shop.db-wal")
	log, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, damage(log), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startFor(t, dir, "--addr="+pgtest.Loopback()+":0", "--database=sqlite:shop.db", "--hold=1h")
	for _, n := range []int{want, want + 1} {
		if got, users := reservationNumbers(t, filepath.Join(dir, "shop.db")); len(got) != n || n > 0 && got[n-1] != uint32(n) {
			t.Errorf("reservations %v of the users %v, want the first %d", got, users, n)
		}
		audit := exec.CommandContext(t.Context(), "sneakerdrop", "audit", "--database=sqlite:shop.db")
		audit.Dir = dir
		if out, err := audit.CombinedOutput(); err != nil {
			t.Errorf("audit: %v\n%s", err, out)
		}
		if n == want {
			if _, answer, err := reserve(t.Context(), http.DefaultClient, s.url, 5000); err != nil || !strings.HasPrefix(answer, "200 ") {
				t.Error(answer, err)
			}
		}
	}
	s.kill()
}

// reservationNumbers returns those in drop 1 in ascending order, with their buyers.
func reservationNumbers(t *testing.T, file string) (numbers []uint32, users []drop.UserID) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := sqlite.Open(file, sqlite.Options{ReadOnly: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	books, err := stores.ReadBooks(ctx, s, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range books.Reservations {
		numbers, users = append(numbers, uint32(r.ID)), append(users, r.UserID)
	}
	return numbers, users
}
