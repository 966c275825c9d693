package postgres

import (
	"encoding/binary"
	"slices"

	"github.com/jackc/pgx/v5/pgtype"
)

// arrays encodes whole columns, which are most of what batches send. pgx's own array codec is slower, because it
// looks up an encoder for each element.
type arrays struct {
	pgtype.Codec // the array's own codec, for everything that arrays does not encode

	element uint32 // the OID of the elements
}

// registerArrays makes a connection encode its columns this way.
func registerArrays(m *pgtype.Map) {
	for _, oid := range []uint32{pgtype.Int2ArrayOID, pgtype.Int8ArrayOID, pgtype.TextArrayOID, pgtype.ByteaArrayOID} {
		t, _ := m.TypeForOID(oid) // a built-in type
		codec, ok := t.Codec.(*pgtype.ArrayCodec)
		if ok {
			m.RegisterType(&pgtype.Type{Name: t.Name, OID: oid, Codec: arrays{Codec: codec, element: codec.ElementType.OID}})
		}
	}
}

// PlanEncode implements pgtype.Codec.
func (a arrays) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if format == pgtype.BinaryFormatCode {
		switch value.(type) {
		case []int16:
			return numbers[int16](a)
		case []int64:
			return numbers[int64](a)
		case []string:
			return stretches[string](a)
		case [][]byte:
			return stretches[[]byte](a)
		}
	}
	return a.Codec.PlanEncode(m, oid, format, value)
}

// numbers is the plan for numbers.
type numbers[T int16 | int64] arrays

// Encode implements pgtype.EncodePlan.
func (p numbers[T]) Encode(value any, buf []byte) ([]byte, error) {
	values := value.([]T)
	if values == nil {
		return nil, nil
	}
	size := binary.Size(T(0))
	buf = arrays(p).begin(buf, len(values), size*len(values))
	for _, n := range values {
		buf = binary.BigEndian.AppendUint32(buf, uint32(size))
		if size == 2 {
			buf = binary.BigEndian.AppendUint16(buf, uint16(n))
		} else {
			buf = binary.BigEndian.AppendUint64(buf, uint64(n))
		}
	}
	return buf, nil
}

// stretches is the plan for texts and bytes. A nil one is encoded as empty.
type stretches[T string | []byte] arrays

// Encode implements pgtype.EncodePlan.
func (p stretches[T]) Encode(value any, buf []byte) ([]byte, error) {
	values := value.([]T)
	if values == nil {
		return nil, nil
	}
	size := 0
	for i := range values {
		size += len(values[i])
	}
	buf = arrays(p).begin(buf, len(values), size)
	for i := range values {
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(values[i])))
		buf = append(buf, values[i]...)
	}
	return buf, nil
}

// begin appends the header of an array of n elements and reserves room for them; size is the size of all elements.
// array_send in PostgreSQL's arrayfuncs.c defines the format: number of dimensions, whether there are nulls, and OID;
// then length and lower bound of the dimension; then each element after its size.
func (a arrays) begin(buf []byte, n, size int) []byte {
	buf = slices.Grow(buf, 20+4*n+size)
	for _, word := range [...]uint32{1, 0, a.element, uint32(n), 1} {
		buf = binary.BigEndian.AppendUint32(buf, word)
	}
	return buf
}
