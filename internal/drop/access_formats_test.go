package drop_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"testing"

	"sneakerdrop/internal/drop"
)

// Databases contain these forms: the golden file was made without this program, from docs/FORMATS.md. Never write it
// anew.
func TestAccess_Format1(t *testing.T) {
	with := &drop.Passes{Code: drop.Hash(bytes.Repeat([]byte{0xab}, 32))}
	asked := drop.NewKey("", "reserve", "k", drop.Reserve{User: 7, Size: "9", With: with}.Asked(1))
	accesses := []drop.Access{
		{
			Name: `Club "ü"`, List: true, Emails: true, Sizes: []int{0, 2}, Starts: 1767261600000, Ends: 1767261900000, Uses: 3, PerBuyer: 2,
			Units: 5, Kept: []int64{4, 0, 5}, Passes: 7, Used: 1,
		},
		{Starts: 1767261600000, Uses: 1, Passes: 1},
	}
	want := golden[string](t, "access-1.json")
	got := map[string]string{
		"code of drop 7":     drop.HashCode(7, " abcd-2345 ").String(),
		"buyer 42":           drop.HashBuyer(42).String(),
		"email":              drop.HashEmail(sha256.Sum256([]byte("ann@example.com"))).String(),
		"buyer 42 on list 3": drop.OnList(3, drop.HashBuyer(42)).String(),
		"accesses":           drop.EncodeAccesses(accesses),
		"reserve":            hex.EncodeToString(asked.Body[:]),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if back, err := drop.DecodeAccesses(want["accesses"]); err != nil || !reflect.DeepEqual(back, accesses) {
		t.Errorf("read as %+v, %v", back, err)
	}
	if id := drop.NewPassID(7, 3, 5); id != 7<<32|3<<26|5 || id.Drop() != 7 || id.Access() != 3 || id.Number() != 5 {
		t.Errorf("pass %d: drop %d, access %d, number %d", id, id.Drop(), id.Access(), id.Number())
	}
}
