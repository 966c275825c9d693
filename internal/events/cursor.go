package events

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"slices"

	"sneakerdrop/internal/drop"
)

// Position is a place in the events of one drop. The zero value is the beginning.
type Position struct {
	// Seq and Version are the newest ledger entry and the drop's version whose events are all before the position.
	Seq     drop.Seq
	Version int64
	// Event is the number of the last of these events, and Available how many units were then on sale.
	Event     int64
	Available int64
	// Mark identifies the batch that wrote Seq. If the entry there has another one, a failover has lost what was read.
	Mark uint32
	// Skip is how many events of the next batch are also before the position.
	Skip int64
}

// Cursor is a place in the events of all drops. It is a vector of positions, because there is no order between drops.
// To stay short, it names only drops that something happened to of late. The zero value is the beginning.
type Cursor struct {
	// Settled is a time long ago. Of a drop that Drops does not name, everything up to then is before the cursor.
	// From is the exception: of drops from that number on, nothing is.
	Settled drop.Time
	From    drop.ID
	Drops   map[drop.ID]Position
	// Last is the drop that was read last. The next reader begins behind it, so that no drop waits for a busy one.
	Last drop.ID
}

// Clone returns a copy that can change on its own.
func (c Cursor) Clone() Cursor {
	c.Drops = maps.Clone(c.Drops)
	if c.Drops == nil {
		c.Drops = make(map[drop.ID]Position)
	}
	return c
}

// cursorFormat is the first byte of an encoded cursor. Increase it if the meaning of a field changes.
const cursorFormat = 1

// ErrCursor says that the text is not a cursor of this program.
var ErrCursor = errors.New("not a cursor")

// String encodes the cursor: base64url of the format, then variable-length integers, then a CRC-32 of all that.
func (c Cursor) String() string {
	b := []byte{cursorFormat}
	for _, n := range []int64{int64(c.Settled), int64(c.From), int64(c.Last)} {
		b = binary.AppendVarint(b, n)
	}
	before := drop.ID(0)
	for _, id := range slices.Sorted(maps.Keys(c.Drops)) {
		p := c.Drops[id]
		b = binary.AppendVarint(b, int64(id-before))
		for _, n := range p.numbers() {
			b = binary.AppendVarint(b, *n)
		}
		b = binary.AppendUvarint(b, uint64(p.Mark))
		before = id
	}
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

// numbers are the fields in the order of the encoding, without Mark.
func (p *Position) numbers() []*int64 {
	return []*int64{(*int64)(&p.Seq), &p.Version, &p.Event, &p.Available, &p.Skip}
}

// ParseCursor reads what String returns; an empty text is the beginning. Any other text is ErrCursor.
func ParseCursor(s string) (Cursor, error) {
	c := Cursor{}.Clone()
	if s == "" {
		return c, nil
	}
	all, err := base64.RawURLEncoding.Strict().DecodeString(s) // one text for each cursor
	end := len(all) - crc32.Size
	if err != nil || end < 1 || all[0] != cursorFormat || crc32.ChecksumIEEE(all[:end]) != binary.BigEndian.Uint32(all[end:]) {
		return Cursor{}, ErrCursor
	}
	r := reader{left: all[1:end]}
	c.Settled, c.From, c.Last = drop.Time(r.number()), drop.ID(r.number()), drop.ID(r.number())
	for id := drop.ID(0); len(r.left) > 0; {
		step := r.number()
		id += drop.ID(step)
		var p Position
		for _, n := range p.numbers() {
			if *n = r.number(); *n < 0 {
				r.failed = true
			}
		}
		mark, size := binary.Uvarint(r.left)
		r.skip(size)
		p.Mark = uint32(mark)
		if r.failed || step < 1 || id > drop.MaxID || mark > 1<<32-1 {
			return Cursor{}, ErrCursor
		}
		c.Drops[id] = p
	}
	if r.failed || c.Settled < 0 || c.From < 0 || c.Last < 0 {
		return Cursor{}, ErrCursor
	}
	return c, nil
}

type reader struct {
	left   []byte
	failed bool
}

func (r *reader) number() int64 {
	n, size := binary.Varint(r.left)
	r.skip(size)
	return n
}

func (r *reader) skip(size int) {
	if size <= 0 {
		r.failed, r.left = true, nil
		return
	}
	r.left = r.left[size:]
}
