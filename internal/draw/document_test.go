package draw_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The commands in docs/DRAW.md, which share no code with this package, print what stands below them.
func TestDocument_ComputesTheSameByHand(t *testing.T) {
	for _, tool := range []string{"bash", "basenc", "openssl", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed")
		}
	}
	text, err := os.ReadFile("../../docs/DRAW.md")
	if err != nil {
		t.Fatal(err)
	}
	record, _ := comet(t)
	examples := regexp.MustCompile("(?s)```sh\n(.*?)```\n\n```\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(examples) != 2 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, example := range examples {
		out, err := exec.CommandContext(t.Context(), "bash", "-c", example[1]).Output()
		if err != nil || string(out) != example[2] {
			t.Errorf("%v, %s, want %s", err, out, example[2])
		}
	}
	for _, want := range []string{record.Commitment.String(), record.Entries[1].Hash.String(), record.Beacon.ChainHash.String()} {
		if !strings.Contains(string(text), want) {
			t.Errorf("docs/DRAW.md has no %s", want)
		}
	}
}
