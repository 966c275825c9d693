package draw_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"testing"

	"sneakerdrop/internal/draw"
)

// comet is one fixed draw of nine entries for three pairs, with a round of quicknet, and its receipts.
func comet(t testing.TB) (*draw.Record, []draw.Receipt) {
	t.Helper()
	r := &draw.Record{
		Drop:  draw.Drop{ID: 7, Name: "Comet"},
		Opens: 1692000000000, Closes: 1692600000000,
		Stock: []draw.Stock{{Size: "42", Units: 2}, {Size: "43 1/3", Units: 1}},
		Seed:  sha256.Sum256([]byte("a seed for a test")), Beacon: beacons(t)[1],
	}
	r.Commitment = draw.Commit(r.Seed)
	var receipts []draw.Receipt
	for i, sizes := range [][]int{{0}, {1, 0}, {0, 1}, {1}, {0}, {1, 0}, {0, 1}, {1}, {0}} {
		receipt := draw.Receipt{Version: draw.Version, Drop: 7, Entry: draw.EntryID(i + 1), Buyer: 1<<40 + int64(i)}
		salt := sha256.Sum256(fmt.Append(nil, "salt ", i))
		copy(receipt.Salt[:], salt[:])
		for _, size := range sizes {
			receipt.Sizes = append(receipt.Sizes, r.Stock[size].Size)
		}
		r.Entries = append(r.Entries, draw.Entry{ID: receipt.Entry, Hash: draw.HashBuyer(receipt.Salt, receipt.Buyer), Sizes: sizes})
		receipts = append(receipts, receipt)
	}
	r.Entries[2].Withdrawn, r.Entries[4].Removed = true, "a second account"
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Run(); err != nil {
		t.Fatal(err)
	}
	return r, receipts
}

// The golden files hold version 1 of the encodings: never write them anew, because shops have published such records.
func TestRecord_Version1(t *testing.T) {
	r, receipts := comet(t)
	for name, encode := range map[string]func() ([]byte, error){"record-1.json": r.Encode, "receipt-1.json": receipts[1].Encode} {
		want, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := encode(); err != nil || string(got) != string(want) {
			t.Errorf("%s: %v, got %s", name, err, got)
		}
	}
	golden, err := os.ReadFile("testdata/record-1.json")
	if err != nil {
		t.Fatal(err)
	}
	read, err := draw.Parse(golden)
	if err != nil {
		t.Fatal(err)
	}
	if err := read.Verify(); err != nil {
		t.Error(err)
	}
}
