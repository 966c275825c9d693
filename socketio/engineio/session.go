package engineio

import (
	"net"
	"sync"
	"time"
)

type state uint8

const (
	open    state = iota
	closing       // what is queued is still sent
	ended
)

// A Session is one client, over whatever transport.
type Session struct {
	// Data is the handler's own. It is set in Handler.Open and not changed afterwards.
	Data any

	id      string
	server  *Server
	request kept
	address string
	done    chan struct{}

	reading sync.Mutex // held while the handler is told something
	opened  bool       // the handler knows the session; reading guards it

	mu       sync.Mutex
	state    state
	posting  bool // a POST is being received
	writing  bool // a goroutine writes the queue to the WebSocket
	farewell bool // the client closed the session and may still fetch a last poll
	reason   Reason
	ws       *webSocket    // nil while polling
	probe    *webSocket    // an upgrade on its way
	poll     chan struct{} // wakes the open poll; nil if there is none
	queue    []*Packet
	queued   int    // bytes in queue
	partial  []byte // the rest of a frame of which the kernel took a part
	timer    *time.Timer
	pingAt   int64 // when the next ping is due, or the last one was
	pongBy   int64 // when the client is given up; 0 while no ping is unanswered
	askBy    int64 // when the client is given up unless it polls or upgrades; 0 once it did
	talk     bucket
}

// ID is the session's secret: who knows it can take part in it.
func (s *Session) ID() string { return s.id }

// Request returns the request that opened the session. Each call reads it anew, so the caller may change it.
func (s *Session) Request() Request { return s.request.request() }

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Reason says why the session ended; it is empty before Done is closed.
func (s *Session) Reason() Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

// Transport is "polling" or "websocket".
func (s *Session) Transport() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ws != nil {
		return "websocket"
	}
	return "polling"
}

// Close ends the session once what is queued was sent.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != open {
		return
	}
	if s.ws != nil && !s.writing {
		s.endLocked(ServerClose)
		return
	}
	s.state = closing // the writer, the next poll or the heartbeat ends it
	s.wakeLocked()
}

// End ends the session at once, for a reason of the caller's.
func (s *Session) End(r Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(r)
}

// endLocked never waits: what may take time is left to finish.
func (s *Session) endLocked(r Reason) {
	if s.state == ended {
		return
	}
	s.state, s.reason = ended, r
	s.timer.Stop()
	if s.ws != nil && !s.writing && s.ws.raw != nil {
		s.ws.sayClose(r)
	}
	if r == ClientClose && s.ws == nil && s.poll == nil {
		s.farewell = true
		time.AfterFunc(farewellTime, func() { s.server.forget(s) })
	}
	s.queue, s.queued, s.partial = nil, 0, nil
	s.wakeLocked()
	var conns []net.Conn
	if s.ws != nil {
		conns = append(conns, s.ws.Conn)
	}
	if s.probe != nil && s.probe.accepted {
		conns = append(conns, s.probe.Conn)
	}
	go s.finish(r, conns)
}

// farewellTime is for a poll that the client sent before its close packet, and that another goroutine still holds.
const farewellTime = 100 * time.Millisecond

func (s *Session) finish(r Reason, conns []net.Conn) {
	defer s.server.running.Done()
	close(s.done)
	for _, c := range conns {
		_ = c.Close() // under TLS it may wait, to say good-bye
	}
	s.server.leave(s, r)
	s.reading.Lock() // so that Close comes after the last Message
	defer s.reading.Unlock()
	if !s.opened {
		return
	}
	defer s.rescue()
	s.server.handler.Close(s, r)
}

// tick runs when a ping or the end of the wait for its pong is due.
func (s *Session) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == ended {
		return
	}
	now, o := s.server.now(), &s.server.options
	if s.askBy != 0 && now >= s.askBy {
		s.endLocked(NoFirstPoll)
		return
	}
	if s.pongBy != 0 {
		if now >= s.pongBy {
			s.endLocked(PingTimeout)
			return
		}
		s.timer.Reset(time.Duration(s.pongBy - now))
		return
	}
	if now < s.pingAt {
		next := s.pingAt
		if s.askBy != 0 {
			next = min(next, s.askBy)
		}
		s.timer.Reset(time.Duration(next - now))
		return
	}
	s.pongBy = s.pingAt + int64(o.PingTimeout)
	if now > s.pingAt+int64(o.PingTimeout)/4 { // this process was held up: no fault of the client's
		s.pongBy = now + int64(o.PingTimeout)
	}
	s.timer.Reset(time.Duration(s.pongBy - now))
	s.sendLocked(s.server.ping)
}

func (s *Session) pongLocked() {
	if s.pongBy == 0 {
		return
	}
	s.pongBy, s.pingAt = 0, s.server.now()+int64(s.server.options.PingInterval)
	s.timer.Reset(s.server.options.PingInterval)
}

// receive takes one packet of the client, over any transport. It reports whether the session goes on.
func (s *Session) receive(p received) bool {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.mu.Lock()
	if s.state == ended || !s.mayTalkLocked() {
		s.mu.Unlock()
		return false
	}
	s.server.counters.packetsIn.Add(1)
	switch p.kind {
	case typePong:
		s.pongLocked()
	case typeClose:
		s.endLocked(ClientClose)
	case typeMessage, typeBinary:
		s.mu.Unlock()
		return s.handle(p)
	}
	goesOn := s.state != ended
	s.mu.Unlock()
	return goesOn
}

func (s *Session) mayTalkLocked() bool {
	rate := float32(s.server.options.MessagesPerSecond)
	if rate > 0 && !s.talk.take(s.server.now(), rate, 2*rate) {
		s.endLocked(Flood)
		return false
	}
	return true
}

func (s *Session) handle(p received) (goesOn bool) {
	defer s.rescue()
	if err := s.server.handler.Message(s, p.data, p.kind == typeBinary); err != nil {
		s.server.options.Log.Debug("engineio: invalid message", "session", s.request.remote, "error", err)
		s.End(ParseError)
		return false
	}
	return true
}
