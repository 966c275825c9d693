package engineio

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Packet types on the wire.
const (
	typeOpen    = '0'
	typeClose   = '1'
	typePing    = '2'
	typePong    = '3'
	typeMessage = '4'
	typeUpgrade = '5'
	typeNoop    = '6'
	typeBinary  = 'b' // a binary message in a polling payload, in base64
)

// WebSocket opcodes, with the bit that marks a final frame.
const (
	frameText   = 0x81
	frameBinary = 0x82
	frameClose  = 0x88
	framePong   = 0x8A
)

const separator = '\x1e' // between the packets of a polling payload

// A Packet is one or more messages that travel together, encoded once for both transports. It is immutable, except
// for Key, which is to be set before the first sending.
type Packet struct {
	// Key, if not empty, makes the packet replace the unsent one with the same key in a session's queue.
	Key string

	frames  []byte // complete WebSocket frames
	payload []byte // the same for a polling response, with separators between
	count   int
}

// NewPacket makes a packet of a text message and of binary messages that follow it at once.
func NewPacket(text []byte, attachments ...[]byte) *Packet {
	p := encodeText(typeMessage, text)
	if len(attachments) == 0 {
		return p
	}
	p.payload = bytes.Clone(p.payload)
	for _, data := range attachments {
		p.payload = append(p.payload, separator)
		p.addBinary(data)
	}
	return p
}

// NewBinaryPacket makes a packet of one binary message.
func NewBinaryPacket(data []byte) *Packet {
	p := new(Packet)
	p.addBinary(data)
	return p
}

func (p *Packet) addBinary(data []byte) {
	p.frames = append(appendFrameHeader(p.frames, frameBinary, len(data)), data...)
	p.payload = base64.StdEncoding.AppendEncode(append(p.payload, typeBinary), data)
	p.count++
}

// encodeText shares one array between both encodings: a polling payload is what a frame carries.
func encodeText(kind byte, data []byte) *Packet {
	frame := appendFrameHeader(make([]byte, 0, len(data)+11), frameText, len(data)+1)
	header := len(frame)
	frame = append(append(frame, kind), data...)
	return &Packet{frames: frame, payload: frame[header:len(frame):len(frame)], count: 1}
}

// appendFrameHeader appends the header of a final, unmasked frame of n bytes.
func appendFrameHeader(b []byte, opcode byte, n int) []byte {
	switch {
	case n < 126:
		return append(b, opcode, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, opcode, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, opcode, 127), uint64(n))
	}
}

func closeFrame(code uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte{frameClose, 2}, code)
}

func pongPacket(data []byte) *Packet {
	return &Packet{frames: append(appendFrameHeader(nil, framePong, len(data)), data...)}
}

// A Batch is packets that go to each session in one write. It is made once and shared by all of them.
type Batch struct {
	packets []*Packet
	frames  []byte
	count   int
}

// NewBatch joins packets; they are sent in this order.
func NewBatch(packets ...*Packet) *Batch {
	b := &Batch{packets: packets}
	size := 0
	for _, p := range packets {
		size += len(p.frames)
		b.count += p.count
	}
	if len(packets) == 1 {
		b.frames = packets[0].frames
		return b
	}
	b.frames = make([]byte, 0, size)
	for _, p := range packets {
		b.frames = append(b.frames, p.frames...)
	}
	return b
}

// received is a packet from a client.
type received struct {
	kind byte // typeBinary for a binary message
	data []byte
}

var errPacket = errors.New("invalid packet")

// decodePacket reads a text packet. The client's side of the protocol has five of the seven types.
func decodePacket(b []byte) (received, error) {
	if len(b) == 0 {
		return received{}, errPacket
	}
	p := received{b[0], b[1:]}
	switch p.kind {
	case typeMessage:
		return p, nil
	case typeClose, typePong, typeNoop:
		return p, nil
	}
	return received{}, fmt.Errorf("%w: type %q", errPacket, p.kind)
}

// decodePayload reads the body of a POST.
func decodePayload(body []byte) ([]received, error) {
	if !utf8.Valid(body) {
		return nil, fmt.Errorf("%w: not UTF-8", errPacket)
	}
	packets := make([]received, 0, 1+bytes.Count(body, []byte{separator}))
	for part := range bytes.SplitSeq(body, []byte{separator}) {
		if len(part) > 0 && part[0] == typeBinary {
			data, err := base64.StdEncoding.DecodeString(string(part[1:]))
			if err != nil {
				return nil, fmt.Errorf("%w: %w", errPacket, err)
			}
			packets = append(packets, received{typeBinary, data})
			continue
		}
		p, err := decodePacket(part)
		if err != nil {
			return nil, err
		}
		packets = append(packets, p)
	}
	return packets, nil
}

// AppendTo appends the packets of b.
func (b *Batch) AppendTo(packets []*Packet) []*Packet { return append(packets, b.packets...) }
