package app

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"testing"
)

// fileKB is how much of this process's memory is a copy of files.
func fileKB(t *testing.T) (kb int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(status) {
		if n, _ := fmt.Sscanf(string(line), "RssFile: %d kB", &kb); n == 1 {
			return kb
		}
	}
	t.Fatalf("no RssFile in %s", status)
	return 0
}

// The program runs on, with less memory, however often its pages are released.
func TestDropStartCode_TheProgramRunsOn(t *testing.T) {
	before := fileKB(t)
	for range 3 {
		if err := dropStartCode(); err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^(a+b?)+$`).MatchString("aabab") {
			t.Error("the program computes something else")
		}
	}
	if after := fileKB(t); after >= before {
		t.Errorf("%d kB of files, %d kB before", after, before)
	}
}
