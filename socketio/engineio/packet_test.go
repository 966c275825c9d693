package engineio

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"testing"
)

func TestDecodePayload(t *testing.T) {
	for body, want := range map[string][]received{
		"4":                  {{'4', []byte{}}},
		"4a\x1e3\x1e1\x1e6":  {{'4', []byte("a")}, {'3', nil}, {'1', nil}, {'6', nil}},
		"bAQID\x1e4b\x1eb":   {{'b', []byte{1, 2, 3}}, {'4', []byte("b")}, {'b', nil}},
		"4[\"a\\u001e\"]":    {{'4', []byte(`["a\u001e"]`)}},
		"":                   nil,
		"\x1e":               nil,
		"4a\x1e":             nil,
		"7":                  nil,
		"B":                  nil,
		"bAQI":               nil,
		"4a\x1e0{\"sid\":1}": nil,
	} {
		got, err := decodePayload([]byte(body))
		if (err == nil) != (want != nil) || len(got) != len(want) {
			t.Errorf("%q: %v %v", body, got, err)
			continue
		}
		for i := range want {
			if got[i].kind != want[i].kind || !bytes.Equal(got[i].data, want[i].data) {
				t.Errorf("%q: packet %d is %q", body, i, got[i])
			}
		}
	}
}

// FuzzDecodePayload: what is accepted is the same when it is written again and read again.
func FuzzDecodePayload(f *testing.F) {
	for _, seed := range []string{"4hello", "4a\x1ebAQID\x1e3", "1", "6\x1e6", "b", "4\x1e", "2probe", "0{}", "4ä😀"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		packets, err := decodePayload(body)
		if err != nil {
			return
		}
		var again []byte
		for i, p := range packets {
			if i > 0 {
				again = append(again, separator)
			}
			again = append(again, p.kind)
			if p.kind == typeBinary {
				again = base64.StdEncoding.AppendEncode(again, p.data)
			} else {
				again = append(again, p.data...)
			}
		}
		twice, err := decodePayload(again)
		if err != nil || len(twice) != len(packets) {
			t.Fatalf("%q became %q: %v", body, again, err)
		}
		for i, p := range twice {
			if p.kind != packets[i].kind || !bytes.Equal(p.data, packets[i].data) {
				t.Fatalf("%q became %q", body, again)
			}
		}
	})
}

func TestPacket_BothEncodings(t *testing.T) {
	for _, c := range []struct {
		packet          *Packet
		frames, payload string
		count           int
	}{
		{NewPacket([]byte("hi")), "\x81\x034hi", "4hi", 1},
		{NewPacket([]byte("x"), []byte{1, 2}, nil), "\x81\x024x\x82\x02\x01\x02\x82\x00", "4x\x1ebAQI=\x1eb", 3},
		{NewBinaryPacket([]byte{7}), "\x82\x01\x07", "bBw==", 1},
		{encodeText(typePing, nil), "\x81\x012", "2", 1},
	} {
		if string(c.packet.frames) != c.frames || string(c.packet.payload) != c.payload || c.packet.count != c.count {
			t.Errorf("%q %q %d, want %q %q", c.packet.frames, c.packet.payload, c.packet.count, c.frames, c.payload)
		}
	}
}

func TestFrameHeader(t *testing.T) {
	for n, want := range map[int]string{
		0: "\x82\x00", 125: "\x82\x7d", 126: "\x82\x7e\x00\x7e", 65535: "\x82\x7e\xff\xff",
		65536: "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00",
	} {
		if got := appendFrameHeader(nil, frameBinary, n); string(got) != want {
			t.Errorf("%d: %x", n, got)
		}
	}
}

// clientFrame is a masked frame that announces n bytes and has as many, up to some.
func clientFrame(opcode byte, n uint64) []byte {
	b := []byte{opcode, 0x80 | 127}
	b = binary.BigEndian.AppendUint64(b, n)
	return append(b, make([]byte, 4+min(n, 10_000))...)
}

func TestFrameGate(t *testing.T) {
	for _, c := range []struct {
		name   string
		stream []byte
		want   Reason
		held   int64
	}{
		{"small", clientFrame(0x81, 100), "", 0},
		{"large, whole", clientFrame(0x81, 10_000), "", 0},
		{"large, on its way", clientFrame(0x81, 20_000), "", 20_000},
		{"over the limit", clientFrame(0x81, 50_001), PayloadTooLarge, 0},
		{"fragments over the limit", bytes.Repeat(clientFrame(0x00, 10_000), 6), PayloadTooLarge, 50_000},
		{"fragments with a ping between", append(append(clientFrame(0x01, 9_000), clientFrame(0x89, 5)...), clientFrame(0x80, 10)...), "", 0},
		{"long ping", clientFrame(0x89, 126), ParseError, 0},
		{"sign bit", clientFrame(0x82, 1<<63|5), PayloadTooLarge, 0},
	} {
		for _, step := range []int{1, 3, 1 << 20} { // however the bytes come
			shared := inbound{limit: 60_000}
			g := frameGate{inbound: &shared, limit: 50_000}
			var got Reason
			for rest := c.stream; len(rest) > 0 && got == ""; rest = rest[min(step, len(rest)):] {
				got = g.scan(rest[:min(step, len(rest))])
			}
			if got != c.want || shared.held.Load() != c.held {
				t.Errorf("%s, %d at a time: %q, %d held", c.name, step, got, shared.held.Load())
			}
			g.free()
			if held := shared.held.Load(); held != 0 {
				t.Errorf("%s: %d held in the end", c.name, held)
			}
		}
	}
}

// FuzzFrameGate checks that the gate sees the same in a stream however it is cut, and that it frees what it holds.
func FuzzFrameGate(f *testing.F) {
	f.Add(clientFrame(0x81, 100), uint8(1))
	f.Add(append(clientFrame(0x01, 5000), clientFrame(0x80, 3)...), uint8(7))
	f.Add(clientFrame(0x82, 1<<63), uint8(2))
	f.Add([]byte{0x81, 0x85, 0, 0, 0, 0, '4', 'h', 'e', 'l', 'o', 0x88, 0x80, 0, 0, 0, 0}, uint8(3))
	f.Fuzz(func(t *testing.T, stream []byte, step uint8) {
		shared := inbound{limit: 60_000}
		whole, parts := frameGate{inbound: &shared, limit: 50_000}, frameGate{inbound: &inbound{limit: 60_000}, limit: 50_000}
		want := whole.scan(stream)
		var got Reason
		n := max(1, int(step))
		for rest := stream; len(rest) > 0 && got == ""; rest = rest[min(n, len(rest)):] {
			got = parts.scan(rest[:min(n, len(rest))])
		}
		if got != want || whole.held != parts.held || whole.left != parts.left {
			t.Fatalf("whole: %q %d, in parts: %q %d", want, whole.held, got, parts.held)
		}
		if whole.free(); shared.held.Load() != 0 {
			t.Fatalf("%d held in the end", shared.held.Load())
		}
	})
}

func TestBucket(t *testing.T) {
	b := bucket{tokens: 2}
	for i, step := range []struct {
		at   int64
		want bool
	}{{0, true}, {0, true}, {0, false}, {5e8, true}, {5e8, false}, {100e9, true}, {100e9, true}, {100e9, true}, {100e9, true}, {100e9, false}} {
		if got := b.take(step.at, 2, 4); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
}
