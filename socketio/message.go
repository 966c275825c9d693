package socketio

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"sneakerdrop/socketio/engineio"
)

// A Message is an event that is encoded once, however many sockets it goes to.
type Message struct {
	// Replace, if not empty, makes the message take the place of an unsent one with the same value in a socket's
	// queue. Of a state, only the newest is worth sending. Set it before the message is first sent.
	Replace string

	data  []byte // the JSON array
	files [][]byte

	mu      sync.Mutex
	packets []encoded // by namespace; most programs use one
}

type encoded struct {
	namespace string
	packet    *engineio.Packet
}

// NewMessage encodes an event. Arguments are encoded as encoding/json does, except that a []byte, at any depth, travels
// as binary data.
func NewMessage(event string, args ...any) (*Message, error) {
	if isReserved(event) {
		return nil, fmt.Errorf("encode event %q: %w", event, errReserved)
	}
	data, files, err := encodeArgs(append([]any{event}, args...))
	if err != nil {
		return nil, fmt.Errorf("encode event %q: %w", event, err)
	}
	return &Message{data: data, files: files}, nil
}

func (m *Message) packet(namespace string) *engineio.Packet {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.packets {
		if e.namespace == namespace {
			return e.packet
		}
	}
	p := encodePacket(typeEvent, namespace, noID, m.data, m.files)
	p.Key = m.Replace
	m.packets = append(m.packets, encoded{namespace, p})
	return p
}

func batch(namespace string, messages []*Message) *engineio.Batch {
	packets := make([]*engineio.Packet, len(messages))
	for i, m := range messages {
		packets[i] = m.packet(namespace)
	}
	return engineio.NewBatch(packets...)
}

var errReserved = errors.New("the name is reserved")

// isReserved names what has a meaning of its own in clients and servers.
func isReserved(event string) bool {
	return slices.Contains([]string{
		"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
	}, event)
}
