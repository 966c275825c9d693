package engineio

import "encoding/binary"

// frameGate follows the frames of a client as their bytes pass, before anything is allocated for them. It refuses a
// message that is larger than the limit, and one that there is no room for among all that is on its way in.
type frameGate struct {
	inbound *inbound
	limit   uint64

	header  [14]byte
	n       uint8  // bytes of header so far
	final   bool   // the frame ends a message
	left    uint64 // bytes of the frame still to come
	message uint64 // bytes of the message so far, its fragments together
	held    int64  // counted in inbound
}

// scan reads b on and returns a fault, if there is one.
func (g *frameGate) scan(b []byte) Reason {
	for len(b) > 0 {
		if g.left > 0 {
			n := min(g.left, uint64(len(b)))
			g.left -= n
			b = b[n:]
		} else {
			g.header[g.n] = b[0]
			g.n++
			b = b[1:]
			if g.n < 2 || g.n < g.headerLength() {
				continue
			}
			g.n = 0
			if fault := g.begin(); fault != "" {
				return fault
			}
		}
		if g.left == 0 && g.final {
			g.free()
		}
	}
	return ""
}

func (g *frameGate) headerLength() uint8 {
	n := uint8(2)
	switch g.header[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if g.header[1]&0x80 != 0 {
		n += 4
	}
	return n
}

// begin takes a complete header.
func (g *frameGate) begin() Reason {
	length := uint64(g.header[1] & 0x7f)
	switch length {
	case 126:
		length = uint64(binary.BigEndian.Uint16(g.header[2:]))
	case 127:
		length = binary.BigEndian.Uint64(g.header[2:])
	}
	g.left = length
	if g.header[0]&0x08 != 0 { // a control frame, which may stand between the fragments of a message
		g.final = false
		if length > 125 {
			return ParseError
		}
		return ""
	}
	g.final = g.header[0]&0x80 != 0
	if length > g.limit || g.message+length > g.limit {
		return PayloadTooLarge
	}
	g.message += length
	if grown := int64(g.message) - g.held; g.message > smallMessage && grown > 0 {
		if !g.inbound.acquire(grown) {
			return ServerBusy
		}
		g.held += grown
	}
	return ""
}

// free releases what a message held.
func (g *frameGate) free() {
	if g.held > 0 {
		g.inbound.release(g.held)
	}
	g.held, g.message = 0, 0
}
