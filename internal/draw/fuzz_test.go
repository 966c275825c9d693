package draw_test

import (
	"bytes"
	"testing"

	"sneakerdrop/internal/draw"
)

// Whatever the bytes are, reading and verifying them ends without a panic. What is read is written the same way, and
// what is right is drawn the same way again.
func FuzzParse(f *testing.F) {
	r, receipts := comet(f)
	encoded, err := r.Encode()
	if err != nil {
		f.Fatal(err)
	}
	receipt, err := receipts[1].Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded, receipt)
	for name := range tamperings {
		c := tamperings[name]
		f.Add(c.apply(f), receipt)
	}
	f.Fuzz(func(t *testing.T, record, receipt []byte) {
		r, err := draw.Parse(record)
		if err != nil {
			return
		}
		if again, err := r.Encode(); err != nil || !bytes.Equal(again, record) {
			t.Fatalf("written again: %v, %s", err, again)
		}
		verified := r.Verify()
		held, err := draw.ParseReceipt(receipt)
		if err != nil || verified != nil {
			return
		}
		if err := r.Run(); err != nil {
			t.Fatalf("is right, and cannot be drawn: %v", err)
		}
		if again, err := r.Encode(); err != nil || !bytes.Equal(again, record) {
			t.Fatalf("drawn again: %v, %s", err, again)
		}
		_, _ = r.Find(held)
	})
}
