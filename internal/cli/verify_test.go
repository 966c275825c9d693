package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sneakerdrop/internal/draw"
)

// A receipt may be of an entry that won, waits, was withdrawn or was removed.
func TestVerify_SaysWhereAnEntryCame(t *testing.T) {
	r := &draw.Record{
		Drop: draw.Drop{ID: 3, Name: "Comet"}, Opens: 1, Closes: 2, Stock: []draw.Stock{{Size: "42", Units: 1}, {Units: 1}}, Commitment: draw.Commit(draw.Seed{}),
	}
	dir := t.TempDir()
	for i, sizes := range [][]int{{0}, {1}, {0, 1}, {0}, {0}} {
		receipt := draw.Receipt{Version: draw.Version, Drop: 3, Entry: draw.EntryID(i + 1), Buyer: 5}
		for _, size := range sizes {
			receipt.Sizes = append(receipt.Sizes, r.Stock[size].Size)
		}
		r.Entries = append(r.Entries, draw.Entry{ID: receipt.Entry, Hash: draw.HashBuyer(receipt.Salt, 5), Sizes: sizes})
		saveDraw(t, dir, string(rune('1'+i)), &receipt)
	}
	r.Entries[3].Withdrawn, r.Entries[4].Removed = true, "a second\n\x1b[31maccount"
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Run(); err != nil {
		t.Fatal(err)
	}
	saveDraw(t, dir, "draw", r)
	said := make(map[string]int)
	for _, entry := range []string{"1", "2", "3", "4", "5"} {
		var stdout, stderr strings.Builder
		code := Run(t.Context(), []string{"verify", filepath.Join(dir, "draw"), "--receipt", filepath.Join(dir, entry)}, nil, &stdout, &stderr)
		if code != 0 || stderr.Len() > 0 {
			t.Errorf("entry %s: %d, %s", entry, code, &stderr)
		}
		_, outcome, _ := strings.Cut(stdout.String(), filepath.Join(dir, entry)+": entry "+entry)
		said[strings.TrimSpace(outcome)]++
	}
	for _, want := range []string{"won", `won size "42"`, "is number 1 among 1 runners-up", "was withdrawn before the draw", `was removed before the draw: "a second\n\x1b[31maccount"`} {
		if said[want] != 1 {
			t.Errorf("%q is said %d times, of %v", want, said[want], said)
		}
	}
}

func saveDraw(t *testing.T, dir, name string, v interface{ Encode() ([]byte, error) }) {
	t.Helper()
	content, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}
