package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/go-json-experiment/json/jsontext"

	"sneakerdrop/socketio/engineio"
)

// Reason says why a socket was disconnected.
type Reason = engineio.Reason

// Reasons beside those of package engineio.
const (
	ClientDisconnect Reason = "client namespace disconnect" // the client left the namespace
	ServerDisconnect Reason = "server namespace disconnect" // Disconnect was called
	ConnectTimeout   Reason = "connect timeout"             // the client was in no namespace for too long
)

// ErrClosed is returned for a socket that is disconnected.
var ErrClosed = errors.New("socket is disconnected")

const (
	joining      int32 = iota // OnConnect runs
	connected                 //
	disconnected              //
)

// A Socket is one client in one namespace. Its methods may be called from any goroutine; On and OnDisconnect are for
// Namespace.OnConnect.
type Socket struct {
	// Data is the program's own.
	Data any

	id        string
	namespace *Namespace
	client    *client
	handlers  []handler
	onClose   func(Reason)
	done      chan struct{}

	state atomic.Int32 // changes under mu

	mu      sync.Mutex
	auth    json.RawMessage // until the socket is connected
	reason  Reason
	pending []*engineio.Packet // sent while joining
	acks    map[int64]chan<- Args
	lastAck int64

	// The namespace's lock guards these.
	rooms []string
	gone  bool
}

type handler struct {
	event string
	call  func(Args, Ack)
}

// Ack answers an event, once. It does nothing if the client did not ask for an answer.
type Ack func(args ...any) error

// ID is public, and the socket's own.
func (s *Socket) ID() string { return s.id }

// Namespace returns the namespace that the client connected to.
func (s *Socket) Namespace() *Namespace { return s.namespace }

// Request returns the request that opened the connection. Each call reads it anew, so the caller may change it.
func (s *Socket) Request() engineio.Request { return s.client.session.Request() }

// Auth is the object that the client gave when it connected, {} if it gave none. It is for Namespace.OnConnect: once
// that has returned it is nil, so that a stranger's words do not stay for as long as the connection lasts.
func (s *Socket) Auth() json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.auth
}

// Done is closed when the socket is disconnected.
func (s *Socket) Done() <-chan struct{} { return s.done }

// Reason says why the socket was disconnected; it is empty before Done is closed.
func (s *Socket) Reason() Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

// Join puts the socket into a room.
func (s *Socket) Join(room string) { s.namespace.join(s, room) }

// Leave takes the socket out of a room. It leaves all by itself when it is disconnected.
func (s *Socket) Leave(room string) { s.namespace.leave(s, room) }

// Rooms are those it is in.
func (s *Socket) Rooms() []string {
	s.namespace.mu.Lock()
	defer s.namespace.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.rooms), func(room string) bool { return room == "" })
}

// On sets the function that is called for an event of the client. A client's calls run one after the other, in the
// order of its packets. A handler that waits for its own client waits forever, so it must start a goroutine for that.
func (s *Socket) On(event string, call func(args Args, ack Ack)) {
	s.handlers = append(s.handlers, handler{event, call})
}

// OnDisconnect sets what is called, once, when the socket was disconnected. It is called on the goroutine that calls
// Disconnect, if that is the cause.
func (s *Socket) OnDisconnect(call func(Reason)) { s.onClose = call }

// Emit sends an event. Arguments are encoded as NewMessage says.
func (s *Socket) Emit(event string, args ...any) error {
	m, err := NewMessage(event, args...)
	if err != nil {
		return err
	}
	if !s.Send(m) {
		return fmt.Errorf("emit %q: %w", event, ErrClosed)
	}
	return nil
}

// Send sends messages in one write. It reports whether the socket took them.
func (s *Socket) Send(messages ...*Message) bool {
	if len(messages) == 0 {
		return s.state.Load() != disconnected
	}
	return s.sendBatch(batch(s.namespace.name, messages))
}

// EmitWithAck sends an event and waits for the client's answer, for ctx or for the end of the socket. It must not be
// called by OnConnect or by a handler of the same client.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	if isReserved(event) {
		return nil, fmt.Errorf("emit %q: %w", event, errReserved)
	}
	data, files, err := encodeArgs(append([]any{event}, args...))
	if err != nil {
		return nil, fmt.Errorf("emit %q: %w", event, err)
	}
	answer := make(chan Args, 1)
	s.mu.Lock()
	s.lastAck++
	id := s.lastAck
	if s.acks == nil {
		s.acks = map[int64]chan<- Args{}
	}
	s.acks[id] = answer
	s.mu.Unlock()
	defer s.takeAck(id)
	if !s.sendBatch(engineio.NewBatch(encodePacket(typeEvent, s.namespace.name, id, data, files))) {
		return nil, fmt.Errorf("emit %q: %w", event, ErrClosed)
	}
	select {
	case args := <-answer:
		return args, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the answer to %q: %w", event, ctx.Err())
	case <-s.client.session.Done():
	case <-s.done:
	}
	return nil, fmt.Errorf("wait for the answer to %q: %w", event, ErrClosed)
}

// takeAck returns who waits for an answer, or nil.
func (s *Socket) takeAck(id int64) chan<- Args {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := s.acks[id]
	delete(s.acks, id)
	return answer
}

// Disconnect tells the client that it is disconnected from the namespace; it does not come back by itself.
func (s *Socket) Disconnect() {
	s.mu.Lock()
	if s.state.Load() == connected {
		s.client.session.Send(encodePacket(typeDisconnect, s.namespace.name, noID, nil, nil))
	}
	s.mu.Unlock()
	s.end(ServerDisconnect)
}

// Close ends the client's connection, and with it its sockets in all namespaces, once what was sent is through. The
// client comes back by itself.
func (s *Socket) Close() { s.client.session.Close() }

func (s *Socket) sendBatch(b *engineio.Batch) bool {
	if s.state.Load() == connected { // the only state that a broadcast meets in numbers
		return s.client.session.SendBatch(b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.state.Load() {
	case connected:
		return s.client.session.SendBatch(b)
	case joining:
		s.pending = b.AppendTo(s.pending)
		if len(s.pending) > s.namespace.server.options.MaxQueuePackets {
			s.client.session.End(engineio.SlowClient)
		}
		return true
	}
	return false
}

// accept tells the client that it is connected, and sends what was kept for it.
func (s *Socket) accept() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != joining {
		return
	}
	first := encodePacket(typeConnect, s.namespace.name, noID, []byte(`{"sid":"`+s.id+`"}`), nil)
	s.auth = nil
	s.client.session.SendBatch(engineio.NewBatch(append([]*engineio.Packet{first}, s.pending...)...))
	s.pending = nil
	s.state.Store(connected)
	s.namespace.server.sockets.Add(1)
}

// end makes the socket useless, whatever the reason. A socket that was never connected ends without a word to the
// program.
func (s *Socket) end(r Reason) {
	s.mu.Lock()
	before := s.state.Load()
	if before == disconnected {
		s.mu.Unlock()
		return
	}
	s.state.Store(disconnected)
	s.reason, s.pending = r, nil
	s.mu.Unlock()
	s.namespace.leaveAll(s)
	s.client.remove(s)
	close(s.done)
	if before != connected {
		return
	}
	s.namespace.server.sockets.Add(-1)
	if s.onClose != nil {
		s.onClose(r)
	}
}

// receive takes an event or an answer.
func (s *Socket) receive(p packet, files [][]byte) error {
	args, err := splitArgs(p.data, files)
	if err != nil {
		return err
	}
	if p.kind == typeAck {
		if answer := s.takeAck(p.id); answer != nil {
			answer <- args // has room for it
		}
		return nil
	}
	event, err := eventName(args)
	if err != nil {
		return err
	}
	for _, h := range s.handlers {
		if h.event == event {
			h.call(args[1:], s.ack(p.id))
		}
	}
	return nil
}

func eventName(args Args) (string, error) {
	if len(args) == 0 {
		return "", fmt.Errorf("%w: no event", errPacket)
	}
	if args[0].json.Kind() == jsontext.KindNumber {
		return string(args[0].json), nil
	}
	var event string
	if err := args[0].Decode(&event); err != nil || args[0].json.Kind() != jsontext.KindString || isReserved(event) {
		return "", fmt.Errorf("%w: event %s", errPacket, args[0].json)
	}
	return event, nil
}

func (s *Socket) ack(id int64) Ack {
	if id == noID {
		return func(...any) error { return nil }
	}
	var once atomic.Bool
	return func(args ...any) error {
		if once.Swap(true) {
			return nil
		}
		data, files, err := encodeArgs(args)
		if err != nil {
			return fmt.Errorf("encode answer: %w", err)
		}
		if !s.sendBatch(engineio.NewBatch(encodePacket(typeAck, s.namespace.name, id, data, files))) {
			return fmt.Errorf("answer: %w", ErrClosed)
		}
		return nil
	}
}
