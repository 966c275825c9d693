package postgres

import (
	"bytes"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
)

// Columns are encoded exactly as pgx encodes them.
func TestArrays_AreEncodedLikeAnyOthers(t *testing.T) {
	ours, theirs := pgtype.NewMap(), pgtype.NewMap()
	registerArrays(ours)
	for _, c := range []struct {
		oid   uint32
		value any
	}{
		{pgtype.Int2ArrayOID, []int16{1, -1, 32767, -32768}},
		{pgtype.Int2ArrayOID, []int16{}},
		{pgtype.Int2ArrayOID, []int16(nil)},
		{pgtype.Int8ArrayOID, []int64{0, -1, 1<<63 - 1, -1 << 63}},
		{pgtype.Int8ArrayOID, []int64{}},
		{pgtype.Int8ArrayOID, []int64(nil)},
		{pgtype.TextArrayOID, []string{"", "a", "größer", string(make([]byte, 300))}},
		{pgtype.TextArrayOID, []string{}},
		{pgtype.TextArrayOID, []string(nil)},
		{pgtype.ByteaArrayOID, [][]byte{{}, {0}, []byte("ab")}},
		{pgtype.ByteaArrayOID, [][]byte{}},
		{pgtype.ByteaArrayOID, [][]byte(nil)},
		{pgtype.Int8ArrayOID, []int32{1, 2}}, // uses pgx's own codec
	} {
		for _, before := range [][]byte{{}, []byte("before")} {
			want, err := theirs.Encode(c.oid, pgtype.BinaryFormatCode, c.value, bytes.Clone(before))
			if err != nil {
				t.Fatal(err)
			}
			got, err := ours.Encode(c.oid, pgtype.BinaryFormatCode, c.value, bytes.Clone(before))
			if err != nil || !bytes.Equal(got, want) || (got == nil) != (want == nil) {
				t.Errorf("%T %v behind %q: %q (%v), want %q", c.value, c.value, before, got, err, want)
			}
		}
		want, wantErr := theirs.Encode(c.oid, pgtype.TextFormatCode, c.value, nil)
		got, err := ours.Encode(c.oid, pgtype.TextFormatCode, c.value, nil)
		if !bytes.Equal(got, want) || (err == nil) != (wantErr == nil) {
			t.Errorf("%T %v as text: %q (%v), want %q", c.value, c.value, got, err, want)
		}
	}
	for _, of := range []uint32{pgtype.Int2ArrayOID, pgtype.Int8ArrayOID, pgtype.TextArrayOID, pgtype.ByteaArrayOID} {
		if typ, _ := ours.TypeForOID(of); !isArrays(typ) {
			t.Errorf("arrays of type %d are not ours", of)
		}
	}
}

func isArrays(t *pgtype.Type) bool {
	_, ok := t.Codec.(arrays)
	return ok
}
