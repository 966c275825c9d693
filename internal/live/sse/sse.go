// Package sse sends the hub's updates as Server-Sent Events (WHATWG HTML, 9.2), which curl can show and every
// browser's EventSource can read.
//
// Each client has a bounded queue, in which a later update of the same kind and drop replaces an unsent one. A client
// is disconnected if its queue stays full or if it reads nothing for ten seconds; it reconnects by itself. Updates
// for one buyer alone use the same queue, and nothing replaces them.
package sse

import (
	"cmp"
	"context"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/limit"
	"sneakerdrop/internal/live"
)

const (
	queueLimit   = 256 // updates
	writeTimeout = 10 * time.Second
	// heartbeat keeps proxies from closing a quiet stream, and detects clients that disappeared silently.
	heartbeat = 15 * time.Second
	// DefaultMaxClients is the most open streams of one server.
	DefaultMaxClients = 20_000
)

// ErrTooMany is a refusal: the server, or the client's address, already has the most streams allowed. Nothing was
// sent.
var ErrTooMany error = drop.Refuse("overloaded")

// Streams is a wire of a hub, and serves the streams.
type Streams struct {
	hub                      *live.Hub
	maxClients, maxOfAddress int

	watchers rooms
	buyers   rooms // separate, so that a lane that tells a buyer does not wait for thousands of watchers

	mu        sync.Mutex // guards count and addresses
	count     int
	addresses map[netip.Addr]int
	closed    chan struct{}
	once      sync.Once
}

var _ live.PrivateWire = (*Streams)(nil)

// New attaches a wire to the hub. maxClients 0 means DefaultMaxClients. maxOfAddress limits the streams of one
// address; 0 means any number.
func New(h *live.Hub, maxClients, maxOfAddress int) *Streams {
	maxClients = cmp.Or(maxClients, DefaultMaxClients)
	maxOfAddress = cmp.Or(maxOfAddress, maxClients)
	s := &Streams{
		hub: h, maxClients: maxClients, maxOfAddress: maxOfAddress,
		addresses: make(map[netip.Addr]int), closed: make(chan struct{}),
	}
	h.Attach(s)
	return s
}

// Close ends all streams. Their clients reconnect by themselves. A second Close does nothing.
func (s *Streams) Close() { s.once.Do(func() { close(s.closed) }) }

// Count returns how many streams are open.
func (s *Streams) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Serve sends a stream to one client until the request's context ends, the client is disconnected, or the server
// stops. The stream has the current state of one drop, or with id 0 of all drops, followed by updates. If buyer is
// not 0, it also has that buyer's private updates. At the limit, Serve writes nothing and returns ErrTooMany.
func (s *Streams) Serve(w http.ResponseWriter, r *http.Request, id drop.ID, buyer drop.UserID) error {
	c := newClient()
	room := live.RoomAll
	if id != 0 {
		room = live.RoomOf(id)
	}
	address := limit.Caller(limit.ClientAddress(r, nil))
	if !s.reserve(address) {
		return ErrTooMany
	}
	defer s.release(address)
	if buyer != 0 {
		s.buyers.enter(live.RoomOfUser(buyer), c)
		defer s.buyers.leave(live.RoomOfUser(buyer), c)
	}
	s.hub.Join(id, func(snapshot []live.Update) {
		c.push(encode(snapshot))
		s.watchers.enter(room, c)
	})
	defer s.watchers.leave(room, c)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store, no-transform") // a proxy that compresses would delay events
	h.Set("X-Accel-Buffering", "no")                 // nginx would too
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	c.stream(r.Context(), http.NewResponseController(w), w, s.closed)
	return nil
}

func (s *Streams) reserve(address netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count >= s.maxClients || s.addresses[address] >= s.maxOfAddress {
		return false
	}
	s.count++
	s.addresses[address]++
	return true
}

func (s *Streams) release(address netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count--
	if s.addresses[address]--; s.addresses[address] == 0 {
		delete(s.addresses, address)
	}
}

// Broadcast implements live.Wire.
func (s *Streams) Broadcast(room string, updates []live.Update) {
	s.watchers.tell(room, func() []live.Update { return updates })
}

// Tell implements live.PrivateWire.
func (s *Streams) Tell(room string, updates func() []live.Update) { s.buyers.tell(room, updates) }

// rooms lists the clients in each room. The zero value is empty.
type rooms struct {
	mu sync.RWMutex
	in map[string]map[*client]struct{}
}

func (r *rooms) enter(room string, c *client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.in == nil {
		r.in = make(map[string]map[*client]struct{})
	}
	if r.in[room] == nil {
		r.in[room] = make(map[*client]struct{})
	}
	r.in[room][c] = struct{}{}
}

func (r *rooms) leave(room string, c *client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.in[room], c)
	if len(r.in[room]) == 0 {
		delete(r.in, room)
	}
}

// tell asks for the updates only if somebody is in the room.
func (r *rooms) tell(room string, updates func() []live.Update) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	clients := r.in[room]
	if len(clients) == 0 {
		return
	}
	events := encode(updates())
	for c := range clients {
		c.push(events)
	}
}

// event is one update in its encoded form; all clients share the text.
type event struct {
	replace string
	text    []byte
}

func encode(updates []live.Update) []event {
	events := make([]event, len(updates))
	for i, u := range updates {
		text := make([]byte, 0, len(u.JSON)+48)
		text = append(append(append(text, "event: "...), u.Event...), "\ndata: "...)
		text = append(append(text, u.JSON...), "\n\n"...)
		events[i] = event{u.Replace, text}
	}
	return events
}

// client is the queue of one stream.
type client struct {
	mu    sync.Mutex
	queue []event
	full  bool // it overflowed, so the stream ends
	ready chan struct{}
}

func newClient() *client { return &client{ready: make(chan struct{}, 1)} }

func (c *client) push(events []event) {
	c.mu.Lock()
	for _, e := range events {
		c.add(e)
	}
	c.mu.Unlock()
	select {
	case c.ready <- struct{}{}:
	default: // the stream is already notified
	}
}

// add replaces what e makes unnecessary, or appends e. It needs c.mu.
func (c *client) add(e event) {
	if e.replace != "" {
		for i := range c.queue {
			if c.queue[i].replace == e.replace {
				c.queue[i] = e
				return
			}
		}
	}
	if len(c.queue) >= queueLimit {
		c.full = true
		return
	}
	c.queue = append(c.queue, e)
}

func (c *client) fill(into []byte) (text []byte, full bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.queue {
		into = append(into, e.text...)
	}
	c.queue = c.queue[:0]
	return into, c.full
}

// stream writes what is queued, several events at a time. It ends when the client or the server does.
func (c *client) stream(ctx context.Context, control *http.ResponseController, w http.ResponseWriter, closed <-chan struct{}) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	var text []byte
	for {
		text = text[:0]
		full := false
		select {
		case <-ctx.Done():
			return
		case <-closed:
			return
		case <-beat.C:
			text = append(text, ": still here\n\n"...)
		case <-c.ready:
			if text, full = c.fill(text); full {
				text = append(text, ": cut off: this client reads too slowly\n\n"...)
			}
		}
		if control.SetWriteDeadline(time.Now().Add(writeTimeout)) != nil {
			return
		}
		if _, err := w.Write(text); err != nil || control.Flush() != nil || full {
			return
		}
	}
}
