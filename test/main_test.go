// Package test drives the built binary from outside: its command line, its signals and its HTTP interface. What a
// package can prove by itself is tested there.
package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sneakerdrop/internal/testing/pgtest"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run builds the binary once, into a folder that is first in everybody's PATH.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sneakerdrop-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// As make build does: what is tested, its memory too, is what a shop runs.
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(dir, "sneakerdrop"),
		"../cmd/sneakerdrop")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer chromium.stop()
	return pgtest.Main(m)
}
