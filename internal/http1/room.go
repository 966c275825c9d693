package http1

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds are the limits on one listener's connections. At a limit, the connection that has been quiet for longest is
// closed for the new one. A connection is quiet if it has no request, an incomplete request, or an unread answer.
type Bounds struct {
	// Connections is the most open connections. If all of them are working, a new one waits. 0 means any number.
	Connections int
	// OfAddress is the most open connections of one address. If all of them are working, a new one is closed. 0 means
	// any number.
	OfAddress int
	// Caller returns what a peer's address counts as. If the result is not valid, it has no limit. Nil counts each
	// address as itself.
	Caller func(netip.Addr) netip.Addr
	// Refused is called with an address that has reached its limit. It may be nil.
	Refused func(netip.Addr)
}

const (
	// leastQuiet is how long a connection must be quiet before it may be closed: a new one's first request may be on
	// its way.
	leastQuiet = 250 * time.Millisecond
	// lookedAt is the most connections to examine for the longest quiet time. If there are more, a random selection
	// is examined.
	lookedAt = 64
	// lookAgain is how long to wait before working connections are examined again.
	lookAgain = 50 * time.Millisecond
)

// room has the connections of one listener.
type room struct {
	Bounds

	counts *counts

	mu        sync.Mutex
	open      []*tracked
	addresses map[netip.Addr][]*tracked
	freed     chan struct{} // receives a value when a connection was closed
}

// counts are the counters of all rooms of a server.
type counts struct {
	open, made, refused atomic.Int64 // open now; closed to make room; refused because of their address
}

// limited is a listener with limits. A connection over the total limit is accepted and waits; further ones stay in
// the kernel.
type limited struct {
	net.Listener

	room   *room
	once   sync.Once
	closed chan struct{}
}

func (s *Server) limit(l net.Listener) net.Listener {
	b := s.bounds
	if b.Caller == nil {
		b.Caller = func(a netip.Addr) netip.Addr { return a }
	}
	return &limited{
		Listener: l, closed: make(chan struct{}),
		room: &room{Bounds: b, counts: &s.counts, addresses: make(map[netip.Addr][]*tracked), freed: make(chan struct{}, 1)},
	}
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		t, ok := c.(*net.TCPConn)
		if !ok {
			return c, nil
		}
		switch admitted, err := l.room.admit(t, l.closed); {
		case err != nil:
			return nil, err
		case admitted != nil:
			return admitted, nil
		}
	}
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// admit lets a connection in as soon as there is room. It returns nil without an error if its address has too many.
func (r *room) admit(c *net.TCPConn, closed <-chan struct{}) (*tracked, error) {
	t := &tracked{TCPConn: c, room: r, address: r.callerOf(c)}
	t.quiet.Store(time.Now().UnixNano())
	for {
		ok, crowd := r.enter(t)
		if ok {
			tune(c)
			return t, nil
		}
		if victim := quietest(crowd, time.Now()); victim != nil {
			r.counts.made.Add(1)
			_ = victim.Close()
			continue
		}
		if r.ofAddressFull(t.address) {
			r.refuse(t)
			return nil, nil
		}
		select {
		case <-r.freed:
		case <-time.After(lookAgain):
		case <-closed:
			_ = c.Close()
			return nil, net.ErrClosed
		}
	}
}

func (r *room) callerOf(c net.Conn) netip.Addr {
	t, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return r.Caller(t.AddrPort().Addr().Unmap().WithZone(""))
}

// enter adds a connection or, if there is no room, returns those from which one may be closed.
func (r *room) enter(t *tracked) (ok bool, crowd []*tracked) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.fullOf(t.address):
		return false, some(r.addresses[t.address])
	case r.Connections > 0 && len(r.open) >= r.Connections:
		return false, some(r.open)
	}
	t.at, r.open = len(r.open), append(r.open, t)
	if t.address.IsValid() {
		of := r.addresses[t.address]
		t.atAddress, r.addresses[t.address] = len(of), append(of, t)
	}
	r.counts.open.Add(1)
	return true, nil
}

// fullOf needs r.mu.
func (r *room) fullOf(a netip.Addr) bool {
	return r.OfAddress > 0 && a.IsValid() && len(r.addresses[a]) >= r.OfAddress
}

func (r *room) ofAddressFull(a netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fullOf(a)
}

// refuse closes a connection at no cost: without a message, a goroutine, or state in the kernel.
func (r *room) refuse(t *tracked) {
	r.counts.refused.Add(1)
	_ = t.SetLinger(0)
	_ = t.TCPConn.Close()
	if r.Refused != nil {
		r.Refused(t.address)
	}
}

func (r *room) leave(t *tracked) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.open.Add(-1)
	last := len(r.open) - 1
	r.open[t.at] = r.open[last]
	r.open[t.at].at = t.at
	r.open[last] = nil
	r.open = r.open[:last]
	if of := r.addresses[t.address]; len(of) > 1 {
		last := len(of) - 1
		of[t.atAddress] = of[last]
		of[t.atAddress].atAddress = t.atAddress
		of[last] = nil
		r.addresses[t.address] = of[:last]
	} else {
		delete(r.addresses, t.address)
	}
	select {
	case r.freed <- struct{}{}:
	default:
	}
}

// some returns up to lookedAt of the connections, starting anywhere.
func some(of []*tracked) []*tracked {
	n := min(len(of), lookedAt)
	found := make([]*tracked, 0, n)
	for i, from := 0, rand.IntN(len(of)); i < n; i++ {
		found = append(found, of[(from+i)%len(of)])
	}
	return found
}

// quietest picks the connection that has been quiet for longest, which then starts nothing more. It returns nil if
// all are working.
func quietest(of []*tracked, now time.Time) *tracked {
	for {
		var found *tracked
		least := now.Add(-leastQuiet).UnixNano()
		for _, t := range of {
			if since := t.quiet.Load(); since > 0 && since <= least {
				found, least = t, since
			}
		}
		if found == nil || found.quiet.CompareAndSwap(least, gone) {
			return found
		}
	}
}

// Values of quiet that are not times.
const (
	atWork int64 = 0
	gone   int64 = -1
)

// tracked is a TCP connection of a room.
type tracked struct {
	*net.TCPConn

	room          *room
	address       netip.Addr
	at, atAddress int // indexes in the room's lists, guarded by its mutex

	quiet atomic.Int64 // since when, in Unix nanoseconds; or atWork, or gone

	mu      sync.Mutex // guards working
	working int        // requests at net/http that do not wait for the client
	once    sync.Once
}

// mark records that the connection is quiet from now on, or working. It returns false if the connection was closed to
// make room.
func (t *tracked) mark(quiet int64) bool {
	for {
		was := t.quiet.Load()
		if was == gone {
			return false
		}
		if t.quiet.CompareAndSwap(was, quiet) {
			return true
		}
	}
}

// Call begin before and end after work for one of several concurrent requests.
func (t *tracked) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.working++
	return t.mark(atWork)
}

func (t *tracked) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.working--; t.working == 0 {
		t.mark(time.Now().UnixNano())
	}
}

// Close makes room for another connection.
func (t *tracked) Close() error {
	t.once.Do(func() { t.room.leave(t) })
	return t.TCPConn.Close()
}
