package sqlite

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
)

func TestOpen_MakesAFileForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.db")
	s := openAt(t, path, Options{})
	if _, _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm", path + ".lock"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", name, mode)
		}
	}
}

func TestOpen_Settings(t *testing.T) {
	s := openNew(t, Options{})
	err := s.write(t.Context(), "look", func(conn *sqlite.Conn) (bool, error) {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "0"} {
			st, _, err := conn.PrepareTransient("PRAGMA " + pragma)
			if err != nil {
				return false, err
			}
			var got string
			if err := rows(st, func() { got = st.ColumnText(0) }); err != nil {
				return false, err
			}
			if got != want {
				t.Errorf("%s is %s, want %s", pragma, got, want)
			}
			if err := st.Finalize(); err != nil {
				return false, err
			}
		}
		return false, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpen_Refuses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database at all\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := foreignFile(t, filepath.Join(dir, "foreign.db"), "CREATE TABLE films (id INTEGER PRIMARY KEY)")
	marked := foreignFile(t, filepath.Join(dir, "marked.db"), "PRAGMA application_id = 77")
	for path, want := range map[string]string{
		"":                               "needs a file",
		":memory:":                       "needs a file",
		filepath.Join(dir, "no", "a.db"): "no such file or directory",
		dir:                              "directory",
		text:                             "not an SQLite database",
		foreign:                          "another program",
		marked:                           "another program",
	} {
		before, _ := os.ReadFile(path)
		for _, o := range []Options{{}, {ReadOnly: true}} {
			s, err := Open(path, o)
			if err == nil {
				t.Errorf("%q, %+v: opened: %v", path, o, s.Close())
				continue
			}
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q, %+v: want one line with %q, got %q", path, o, want, err)
			}
		}
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("%q was changed", path)
		}
	}
}

func foreignFile(t *testing.T, path, script string) string {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(sqlitex.ExecuteScript(conn, script, nil), conn.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpen_RefusesAFileThatIsServed(t *testing.T) {
	s := openNew(t, Options{})
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(s.path, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{s.path, link} {
		second, err := Open(path, Options{})
		if err == nil {
			t.Fatalf("a second server opened %s: %v", path, second.Close())
		}
		if !strings.Contains(err.Error(), "another sneakerdrop serves this file; stop it first") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openAt(t, link, Options{}) // the file is free again
}

// A file may have several names. Only one server may serve it, whatever name the servers use.
func TestOpen_RefusesAFileThatIsServedUnderAnotherName(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "shop.db")
	other, lines := serveElsewhere(t, path)
	for _, made := range []struct {
		name string
		make func(name string) error
	}{
		{"hard.db", func(name string) error { return os.Link(path, name) }},
		{"soft.db", func(name string) error { return os.Symlink(path, name) }},
		{"other/shop.db", func(name string) error { return os.Symlink(dir, filepath.Dir(name)) }},
		{"elsewhere/hard.db", func(name string) error {
			return errors.Join(os.Mkdir(filepath.Dir(name), 0o700), os.Link(path, name))
		}},
		{"soft-of-hard.db", func(name string) error { return os.Symlink(filepath.Join(dir, "hard.db"), name) }},
		{"./elsewhere/../shop.db", func(string) error { return nil }},
	} {
		name := dir + "/" + made.name
		if err := made.make(name); err != nil {
			t.Fatal(err)
		}
		s, err := Open(name, Options{})
		if err == nil {
			t.Errorf("a second server opened %s: %v", name, s.Close())
		} else if !errors.Is(err, ErrServed) {
			t.Errorf("%s: %v", name, err)
		}
		// While a server runs, other processes must use the same name as the server: under another name SQLite uses
		// another log.
		sameLog := !strings.Contains(made.name, "hard")
		for _, o := range []Options{{ReadOnly: true}, {Beside: true}} {
			s, err := Open(name, o)
			if err == nil {
				err = s.Close()
			}
			if sameLog && err != nil || !sameLog && !errors.Is(err, ErrOtherName) {
				t.Errorf("%s, %+v: %v", name, o, err)
			}
		}
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // until the process is gone
	}
	_ = other.Wait()
	openAt(t, path, Options{}) // the file is free again
}

// The same within one process, which must find out without opening the file.
func TestOpen_RefusesAnotherNameInTheSameProcess(t *testing.T) {
	s := openNew(t, Options{})
	hard := s.path + ".hard"
	if err := os.Link(s.path, hard); err != nil {
		t.Fatal(err)
	}
	if second, err := Open(hard, Options{}); !errors.Is(err, ErrServed) {
		t.Fatalf("a second server opened a hard link: %v, %v", second, err)
	}
	for _, o := range []Options{{ReadOnly: true}, {Beside: true}} {
		if beside, err := Open(hard, o); !errors.Is(err, ErrOtherName) {
			t.Errorf("%+v opened a hard link: %v, %v", o, beside, err)
		}
	}
	if _, _, err := s.Migrate(t.Context()); err != nil { // and the first store is not affected
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openAt(t, hard, Options{})
}

// serveElsewhere starts another process that serves the file until it is killed.
func serveElsewhere(t *testing.T, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	other := exec.Command(os.Args[0], "-test.run", "^TestHoldForAnotherProcess$", "-test.timeout", "60s")
	other.Env = append(os.Environ(), envHold+"="+path)
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Process.Kill() }) // has already ended, if the test passed
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "reserved ") {
			return other, lines
		}
	}
	t.Fatal("the other process serves nothing")
	return nil, nil
}

// envHold makes this test binary act as a server. It serves the named file until its input ends or it is killed.
const envHold = "SNEAKERDROP_TEST_HOLD"

func TestHoldForAnotherProcess(t *testing.T) {
	path := os.Getenv(envHold)
	if path == "" {
		return // started as an ordinary test
	}
	s := openAt(t, path, Options{})
	if _, _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := newDrop(t, s, drop.MaxStock)
	for user := drop.UserID(1); ; user++ {
		made := reserve(t, s, id, user)
		fmt.Printf("reserved %d\n", made[0].ID)
	}
}

// Another process serves the file and is killed while it works. Until then we are refused, afterwards we are not, and
// everything it answered is stored.
func TestOpen_AfterAnotherProcessWasKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.db")
	other := exec.Command(os.Args[0], "-test.run", "^TestHoldForAnotherProcess$", "-test.timeout", "60s")
	other.Env = append(os.Environ(), envHold+"="+path)
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	answered := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "reserved ") {
			continue
		}
		answered++
		if answered == 20 {
			if s, err := Open(path, Options{}); err == nil {
				t.Errorf("opened beside another process: %v", s.Close())
			}
		}
		if answered == 50 {
			if err := other.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := other.Wait(); err == nil {
		t.Fatal("the other process ended by itself")
	}
	if answered < 50 {
		t.Fatalf("the other process answered %d times", answered)
	}
	s := openAt(t, path, Options{})
	checkConsistent(t, s)
	if held := stockOf(t, s, 1).Held; held < int64(answered) {
		t.Errorf("%d holds are left of %d answered", held, answered)
	}
}

func TestOpen_ReadOnlyBesideTheServer(t *testing.T) {
	s := openNew(t, Options{})
	id := newDrop(t, s, 3)
	reader := openAt(t, s.path, Options{ReadOnly: true})
	reserve(t, s, id, 1)
	if got := stockOf(t, reader, id); got != (drop.Stock{Total: 3, Available: 2, Held: 1}) {
		t.Errorf("the reader sees %+v", got)
	}
	if err := reader.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := apply(t, reader, id, drop.Pause{}); store.ClassOf(err) != store.ClassFault || !errors.Is(err, errReadOnly) {
		t.Errorf("a reader wrote: %v", err)
	}
}

func TestOpen_BesideTheServerForASmallWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.db")
	if _, err := Open(path, Options{Beside: true}); err == nil {
		t.Fatal("a file that is not there was opened")
	}
	server := openAt(t, path, Options{})
	if _, _, err := server.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); !errors.Is(err, ErrServed) {
		t.Fatalf("a served file: %v", err)
	}
	id := newDrop(t, server, 10_000)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := apply(t, server, id, drop.Reserve{User: 1, Hold: time.Minute}); err != nil {
				t.Errorf("the server's write: %v", err)
			}
		}
	}()
	for range 20 {
		beside := openAt(t, path, Options{Beside: true})
		_, hash := operator.Mint()
		made, err := beside.CreateToken(t.Context(), operator.Token{Name: "ann", Role: operator.Viewer}, hash)
		if err != nil {
			t.Errorf("the write beside: %v", err)
		}
		if got, err := server.Token(t.Context(), hash); err != nil || got != made {
			t.Errorf("the server sees %+v, %v; want %+v", got, err, made)
		}
		if err := beside.Close(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	<-done
}

func TestPersistence(t *testing.T) {
	c := newClock()
	s := openNew(t, Options{Now: c.now})
	id := newDrop(t, s, 10)
	made := reserve(t, s, id, 1, 2, 3)
	if _, err := apply(t, s, id, drop.MakePurchase{Reservation: made[0].ID}, drop.Cancel{Reservation: made[1].ID}); err != nil {
		t.Fatal(err)
	}
	before, err := s.Drop(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is still there after Close: %v", err)
	}
	s = openAt(t, s.path, Options{Now: c.now})
	after, err := s.Drop(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("after opening again\n%+v\nwant\n%+v", after, before)
	}
	checkConsistent(t, s)
}

// A copy of the file and its log, taken while batches commit, is equivalent to what a crash leaves.
func TestCrash_CopyTakenInFlightIsConsistent(t *testing.T) {
	s := openNew(t, Options{})
	id := newDrop(t, s, drop.MaxStock)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for user := drop.UserID(1); ; user += 20 {
			select {
			case <-stop:
				return
			default:
			}
			users := make([]drop.UserID, 20)
			for i := range users {
				users[i] = user + drop.UserID(i)
			}
			reserve(t, s, id, users...)
		}
	}()
	defer func() {
		close(stop)
		<-stopped
	}()
	for i := range 5 {
		answered := waitForMore(t, s, id)
		dir := t.TempDir()
		// Copy the file first. Pages that a checkpoint moves meanwhile are still in the log, which does not restart
		// before it has checkpointPages.
		for _, suffix := range []string{"", "-wal"} {
			data, err := os.ReadFile(s.path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "copy.db"+suffix), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		crashed := openAt(t, filepath.Join(dir, "copy.db"), Options{})
		checkConsistent(t, crashed)
		if held := stockOf(t, crashed, id).Held; held < answered {
			t.Errorf("copy %d: %d holds, %d were answered before", i, held, answered)
		}
	}
}

// waitForMore waits until more units are held than now, and returns how many.
func waitForMore(t *testing.T, s *Store, id drop.ID) int64 {
	t.Helper()
	start := stockOf(t, s, id).Held
	for deadline := time.Now().Add(await.Patience); time.Now().Before(deadline); {
		if held := stockOf(t, s, id).Held; held > start {
			return held
		}
	}
	t.Fatalf("nothing was reserved for %s", await.Patience)
	return 0
}

// checkConsistent fails the test unless SQLite's check, the counters, the rows and the ledger agree.
func checkConsistent(t *testing.T, s *Store) {
	t.Helper()
	for query, want := range map[string]string{
		"PRAGMA integrity_check": "ok",
		`SELECT count(*) FROM sizes s WHERE held <> (
			SELECT count(*) FROM reservations r WHERE r.drop_id = s.drop_id AND r.status = 1)`: "0",
		`SELECT count(*) FROM sizes s WHERE sold <> (
			SELECT count(*) FROM reservations r WHERE r.drop_id = s.drop_id AND r.status = 2)`: "0",
		`SELECT count(*) FROM drops d WHERE seq <> (SELECT count(*) FROM ledger l WHERE l.drop_id = d.id)`:            "0",
		`SELECT count(*) FROM drops d WHERE reserved <> (SELECT count(*) FROM reservations r WHERE r.drop_id = d.id)`: "0",
		`SELECT count(*) FROM drops d WHERE purchased <> (SELECT count(*) FROM purchases p WHERE p.drop_id = d.id)`:   "0",
	} {
		err := s.read(t.Context(), "check", func(conn *sqlite.Conn) error {
			st, _, err := conn.PrepareTransient(query)
			if err != nil {
				return err
			}
			defer func() { _ = st.Finalize() }()
			return rows(st, func() {
				if got := st.ColumnText(0); got != want {
					t.Errorf("%s: %s, want %s", query, got, want)
				}
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
