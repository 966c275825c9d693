package test

import (
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/pgtest"
)

// TestMigrate_RefusalIsNotWaitedFor: the command waits for a server that is not there yet, but not for one that
// refuses.
func TestMigrate_RefusalIsNotWaitedFor(t *testing.T) {
	u, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/nosuchdatabase"
	cmd := exec.CommandContext(t.Context(), "sneakerdrop", "migrate", "--database="+u.String())
	cmd.Dir = t.TempDir()
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "does not exist") {
		t.Errorf("%v: %s", err, out)
	}
	if took := time.Since(began); took > await.Within(3*time.Second) {
		t.Errorf("took %s", took)
	}
}
