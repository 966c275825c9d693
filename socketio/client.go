package socketio

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sneakerdrop/socketio/engineio"
)

// client is one connection with its sockets, one a namespace.
type client struct {
	server  *Server
	session *engineio.Session

	// A packet whose attachments are still coming. Only the session's reader touches it.
	partial *packet
	files   [][]byte
	size    int

	mu      sync.Mutex
	sockets []*Socket
	left    []string    // namespaces that it was in: packets for them may be on their way
	timer   *time.Timer // runs while it is in none
	closed  bool
}

// sessions is how the engine sees a Server.
type sessions struct{ *Server }

func (h sessions) Open(session *engineio.Session) {
	c := &client{server: h.Server, session: session}
	session.Data = c
	c.mu.Lock()
	defer c.mu.Unlock()
	c.startTimerLocked()
}

func (h sessions) Close(session *engineio.Session, r Reason) {
	c := session.Data.(*client)
	c.mu.Lock()
	c.closed = true
	c.stopTimerLocked()
	sockets := slices.Clone(c.sockets)
	c.mu.Unlock()
	c.drop()
	for _, s := range sockets {
		s.end(r)
	}
}

func (h sessions) Message(session *engineio.Session, data []byte, binary bool) error {
	c := session.Data.(*client)
	if binary {
		return c.attach(data)
	}
	if c.partial != nil {
		return fmt.Errorf("%w: attachments are missing", errPacket)
	}
	p, err := decodePacket(data, h.options.MaxAttachments)
	if err != nil {
		return err
	}
	if p.attachments > 0 {
		c.partial = &p
		c.keep(len(data))
		return nil
	}
	return c.dispatch(p, nil)
}

// keep counts bytes of a packet that is not whole, and ends the session where that is more than all clients may have
// together.
func (c *client) keep(n int) {
	c.size += n
	if c.server.partial.Add(int64(n)) > int64(c.server.options.MaxInboundBytes) {
		c.session.End(engineio.ServerBusy)
	}
}

// drop forgets the packet that is not whole.
func (c *client) drop() {
	c.server.partial.Add(-int64(c.size))
	c.partial, c.files, c.size = nil, nil, 0
}

func (c *client) attach(data []byte) error {
	if c.partial == nil {
		return fmt.Errorf("%w: an attachment of no packet", errPacket)
	}
	c.keep(len(data))
	if c.size > c.server.options.MaxPayload {
		c.session.End(engineio.PayloadTooLarge)
		return nil
	}
	c.files = append(c.files, data)
	if len(c.files) < c.partial.attachments {
		return nil
	}
	p, files := *c.partial, c.files
	c.drop()
	return c.dispatch(p, files)
}

func (c *client) dispatch(p packet, files [][]byte) error {
	if p.kind == typeConnect {
		return c.connect(p)
	}
	s, was := c.socket(p.namespace)
	switch {
	case s == nil && was:
		return nil
	case s == nil:
		return fmt.Errorf("%w: not connected to %s", errPacket, p.namespace)
	case p.kind == typeDisconnect:
		s.end(ClientDisconnect)
		return nil
	}
	return s.receive(p, files)
}

// socket returns the client's socket in a namespace, or says that it had one.
func (c *client) socket(namespace string) (s *Socket, was bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sockets {
		if s.namespace.name == namespace {
			return s, true
		}
	}
	return nil, slices.Contains(c.left, namespace)
}

func (c *client) connect(p packet) error {
	n := c.server.find(p.namespace)
	if n == nil {
		c.refuse(p.namespace, errors.New("Invalid namespace")) //nolint:staticcheck // clients know these words
		return nil
	}
	if s, _ := c.socket(p.namespace); s != nil {
		return fmt.Errorf("%w: connected to %s twice", errPacket, p.namespace)
	}
	if most := c.server.options.MaxAuthBytes; most > 0 && len(p.data) > most {
		c.refuse(p.namespace, fmt.Errorf("auth is larger than %d bytes", most))
		return nil
	}
	auth := json.RawMessage(p.data)
	if auth == nil {
		auth = json.RawMessage("{}")
	}
	s := &Socket{id: newID(), namespace: n, client: c, auth: auth, done: make(chan struct{})}
	c.add(s)
	s.Join("")
	if n.onConnect != nil {
		if err := n.onConnect(s); err != nil {
			s.end(ServerDisconnect)
			c.refuse(p.namespace, err)
			return nil
		}
	}
	s.accept()
	return nil
}

func (c *client) refuse(namespace string, cause error) {
	refusal := struct {
		Message string `json:"message"`
		Data    any    `json:"data,omitempty"`
	}{Message: cause.Error()}
	if e := new(ConnectError); errors.As(cause, &e) {
		refusal.Data = e.Data
	}
	data, err := json.Marshal(refusal)
	if err != nil { // the program's data is to blame; the client still gets the message
		quoted, _ := jsontext.AppendQuote(nil, refusal.Message) // what is not UTF-8 is replaced
		data = fmt.Appendf(nil, `{"message":%s}`, quoted)
	}
	c.session.Send(encodePacket(typeConnectError, namespace, noID, data, nil))
}

func (c *client) add(s *Socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sockets = append(c.sockets, s)
	c.stopTimerLocked()
}

func (c *client) remove(s *Socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.sockets, s)
	if i < 0 {
		return
	}
	c.sockets = slices.Delete(c.sockets, i, i+1)
	if name := s.namespace.name; !slices.Contains(c.left, name) {
		c.left = append(c.left, name)
	}
	if len(c.sockets) == 0 {
		c.startTimerLocked()
	}
}

func (c *client) startTimerLocked() {
	if c.closed {
		return
	}
	c.timer = time.AfterFunc(c.server.options.ConnectTimeout, func() { c.session.End(ConnectTimeout) })
}

// stopTimerLocked drops the timer: most clients never need it again.
func (c *client) stopTimerLocked() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

func newID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
