package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Dir returns an empty directory that belongs to PostgreSQL's user and is removed when the test ends. The test is
// skipped if there is no PostgreSQL, or only a server's URL.
func Dir(t testing.TB) string {
	t.Helper()
	shared.need(t)
	if shared.cluster == nil {
		t.Skip("SNEAKERDROP_TEST_POSTGRES names a server: its programs and files are out of reach")
	}
	as, err := runAs()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(shared.cluster.dir, "dir-") //nolint:usetesting // the test's own is out of another user's reach
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if as != nil {
		if err := os.Chown(dir, int(as.uid), int(as.gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Shell returns a command that runs a script in dir (see Dir) as PostgreSQL's user, with its programs on PATH, in a
// process group of its own. It is killed with the thread that starts it, so start it and wait for it on a locked
// thread.
func Shell(t testing.TB, dir, script string) *exec.Cmd {
	t.Helper()
	bin, err := findBinaries()
	if err != nil {
		t.Fatal(err)
	}
	as, err := runAs()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-eu", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+dir)
	cmd.SysProcAttr = processAttributes(as)
	return cmd
}

// Serve starts another server, on the files in dir/data, until the test ends, and returns the URL of one of its
// databases.
func Serve(t testing.TB, dir, database string) string {
	t.Helper()
	bin, err := findBinaries()
	if err != nil {
		t.Fatal(err)
	}
	as, err := runAs()
	if err != nil {
		t.Fatal(err)
	}
	// With fsync it would begin by syncing every file.
	c := &cluster{bin: bin, as: as, dir: dir, host: "127.0.0.1", settings: []string{"fsync=off"}}
	if err := c.launchSomewhere(); err != nil {
		t.Fatal(errors.Join(errors.New("start PostgreSQL on "+filepath.Join(dir, "data")), err))
	}
	t.Cleanup(c.kill)
	return c.url(database)
}
