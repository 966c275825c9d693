package socketio

import (
	"slices"
	"sync"
)

// A Namespace is a part of a server that clients connect to by its name.
type Namespace struct {
	server    *Server
	name      string
	onConnect func(*Socket) error

	mu        sync.Mutex
	rooms     map[string]*room
	snapshots sync.Pool // of *[]*Socket
}

// room is a set with an order, so that taking a snapshot is one copy.
type room struct {
	members []*Socket
	at      map[*Socket]int
}

func newNamespace(s *Server, name string) *Namespace {
	return &Namespace{
		server:    s,
		name:      name,
		rooms:     map[string]*room{},
		snapshots: sync.Pool{New: func() any { return new([]*Socket) }},
	}
}

// Name begins with a slash.
func (n *Namespace) Name() string { return n.name }

// OnConnect sets what is called for each client that wants to connect; it is to be set before clients come. An error
// refuses the client: it gets the error's text, and the Data of a [*ConnectError]. What is sent to the socket, or to
// a room it joins, before OnConnect returns, reaches the client right after it was told that it is connected.
//
// OnConnect may ask other services, but it must not wait for the client.
func (n *Namespace) OnConnect(f func(*Socket) error) { n.onConnect = f }

// A ConnectError refuses a client.
type ConnectError struct {
	Message string
	Data    any // encoded as JSON, if not nil
}

func (e *ConnectError) Error() string { return e.Message }

// Broadcast sends messages to all sockets of a room, one write a socket; the room "" is the whole namespace. It
// returns how many sockets took them, and waits for none.
func (n *Namespace) Broadcast(room string, messages []*Message) int {
	if len(messages) == 0 {
		return 0
	}
	b := batch(n.name, messages)
	sockets := n.snapshots.Get().(*[]*Socket)
	*sockets = n.appendMembers((*sockets)[:0], room)
	reached := 0
	for _, s := range *sockets {
		if s.sendBatch(b) {
			reached++
		}
	}
	clear(*sockets) // keep no socket alive
	n.snapshots.Put(sockets)
	return reached
}

// Len is the number of sockets in a room.
func (n *Namespace) Len(room string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r := n.rooms[room]; r != nil {
		return len(r.members)
	}
	return 0
}

// Sockets returns those of a room.
func (n *Namespace) Sockets(room string) []*Socket { return n.appendMembers(nil, room) }

func (n *Namespace) appendMembers(to []*Socket, room string) []*Socket {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r := n.rooms[room]; r != nil {
		to = append(to, r.members...)
	}
	return to
}

func (n *Namespace) join(s *Socket, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.rooms[name]
	if s.gone {
		return
	}
	if r == nil {
		r = &room{at: map[*Socket]int{}}
		n.rooms[name] = r
	}
	if _, is := r.at[s]; is {
		return
	}
	r.at[s] = len(r.members)
	r.members = append(r.members, s)
	s.rooms = append(s.rooms, name)
}

func (n *Namespace) leave(s *Socket, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if i := slices.Index(s.rooms, name); i >= 0 {
		s.rooms = slices.Delete(s.rooms, i, i+1)
		n.removeLocked(s, name)
	}
}

func (n *Namespace) leaveAll(s *Socket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.gone = true
	for _, name := range s.rooms {
		n.removeLocked(s, name)
	}
	s.rooms = nil
}

// removeLocked puts the last member in the place of s.
func (n *Namespace) removeLocked(s *Socket, name string) {
	r := n.rooms[name]
	i, last := r.at[s], len(r.members)-1
	r.members[i] = r.members[last]
	r.at[r.members[i]] = i
	r.members[last] = nil
	r.members = r.members[:last]
	delete(r.at, s)
	if last == 0 {
		delete(n.rooms, name)
	}
}
