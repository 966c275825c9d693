package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"sneakerdrop/socketio/engineio"
)

// Packet types on the wire.
const (
	typeConnect      = '0'
	typeDisconnect   = '1'
	typeEvent        = '2'
	typeAck          = '3'
	typeConnectError = '4'
	typeBinaryEvent  = '5'
	typeBinaryAck    = '6'
)

const noID = -1

// packet is one packet of a client, with the attachments that are still to come not yet in it.
type packet struct {
	kind        byte // never a binary type: attachments tells
	namespace   string
	id          int64
	attachments int
	data        []byte // JSON, or nil
}

var errPacket = errors.New("invalid packet")

// decodePacket reads <type>[<attachments>-][<namespace>,][<id>][<JSON>]. What the JSON must be depends on the type;
// only connect's is checked here, an event's and an ack's where their arguments are taken apart.
func decodePacket(b []byte, maxAttachments int) (packet, error) {
	if len(b) == 0 || b[0] < typeConnect || b[0] > typeBinaryAck {
		return packet{}, fmt.Errorf("%w: unknown type", errPacket)
	}
	p := packet{kind: b[0], namespace: "/", id: noID}
	b = b[1:]
	if p.kind == typeBinaryEvent || p.kind == typeBinaryAck {
		digits, rest := leadingDigits(b)
		n, err := strconv.Atoi(string(digits))
		if err != nil || n < 1 || n > maxAttachments || len(rest) == 0 || rest[0] != '-' {
			return packet{}, fmt.Errorf("%w: attachments", errPacket)
		}
		p.kind, p.attachments, b = p.kind-typeBinaryEvent+typeEvent, n, rest[1:]
	}
	if len(b) > 0 && b[0] == '/' {
		p.namespace, b = cutNamespace(b)
	}
	if digits, rest := leadingDigits(b); len(digits) > 0 {
		id, err := strconv.ParseInt(string(digits), 10, 54) // what JavaScript counts exactly
		if err != nil {
			return packet{}, fmt.Errorf("%w: id", errPacket)
		}
		p.id, b = id, rest
	}
	if len(b) > 0 {
		p.data = b
	}
	return p, p.check()
}

func (p *packet) check() error {
	switch p.kind {
	case typeConnect:
		if p.data != nil && (p.data[0] != '{' || !json.Valid(p.data)) {
			return fmt.Errorf("%w: connect's payload is no object", errPacket)
		}
	case typeDisconnect:
		if p.data != nil {
			return fmt.Errorf("%w: disconnect has no payload", errPacket)
		}
	case typeEvent, typeAck:
		if p.data == nil || p.data[0] != '[' || p.kind == typeAck && p.id == noID {
			return fmt.Errorf("%w: no array, or an ack without id", errPacket)
		}
	default:
		return fmt.Errorf("%w: a client refuses no connection", errPacket)
	}
	return nil
}

func leadingDigits(b []byte) (digits, rest []byte) {
	rest = bytes.TrimLeft(b, "0123456789")
	return b[:len(b)-len(rest)], rest
}

func cutNamespace(b []byte) (string, []byte) {
	name, rest, _ := bytes.Cut(b, []byte(","))
	return string(name), rest
}

// encodePacket writes a packet for any number of sessions.
func encodePacket(kind byte, namespace string, id int64, data []byte, attachments [][]byte) *engineio.Packet {
	b := make([]byte, 0, len(data)+len(namespace)+24)
	if len(attachments) > 0 && (kind == typeEvent || kind == typeAck) {
		b = append(b, kind-typeEvent+typeBinaryEvent)
		b = append(strconv.AppendInt(b, int64(len(attachments)), 10), '-')
	} else {
		b = append(b, kind)
	}
	if namespace != "/" {
		b = append(append(b, namespace...), ',')
	}
	if id != noID {
		b = strconv.AppendInt(b, id, 10)
	}
	return engineio.NewPacket(append(b, data...), attachments...)
}
