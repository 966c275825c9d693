package test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestServer_LeavesOnlyFilesThatAreIgnored runs a server in a folder, as a developer does in the repository. Neither
// git nor a build of the image may pick up the files that it leaves there, during the run or after a crash.
func TestServer_LeavesOnlyFilesThatAreIgnored(t *testing.T) {
	dir := t.TempDir()
	s := startFor(t, dir, "--demo")
	running := filesIn(t, dir)
	s.kill()
	left := slices.Concat(running, filesIn(t, dir))
	if len(left) < 8 { // the database, -wal, -shm and two of the lock, each time
		t.Errorf("found only %v: the test looks in the wrong place", left)
	}
	rules, err := os.ReadFile("../.gitignore")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".gitignore"), rules, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}} {
		git(t, dir, args...)
	}
	if added := strings.Fields(git(t, dir, "ls-files")); len(added) != 1 || added[0] != ".gitignore" {
		t.Errorf("git would take along %v", added)
	}
	for _, name := range left {
		if !ignoredByDocker(t, name) {
			t.Errorf("the image would take along %s", name)
		}
	}
}

func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return string(out)
}

// ignoredByDocker reads the rules of .dockerignore for files in any folder.
func ignoredByDocker(t *testing.T, name string) bool {
	t.Helper()
	rules, err := os.ReadFile("../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	for rule := range strings.FieldsSeq(string(rules)) {
		pattern, anywhere := strings.CutPrefix(rule, "**/")
		if ok, err := path.Match(pattern, name); anywhere && ok && err == nil {
			return true
		}
	}
	return false
}
