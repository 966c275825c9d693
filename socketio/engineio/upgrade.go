package engineio

import (
	"net/http"
	"time"
)

// An upgrade: the client opens a WebSocket beside its polling, sends a probe over it, lets its last poll end, and says
// that it is done. Until then everything goes over polling, from then on over the WebSocket; the queue is the same.

const (
	probePing = "2probe"
	probePong = "3probe"
	// noopInterval is how soon after a probe an open poll is ended, so that the client can stop polling. At once would
	// make clients poll again, and again.
	noopInterval = 100 * time.Millisecond
)

func (s *Session) serveUpgrade(w http.ResponseWriter, r *http.Request) {
	ws := &webSocket{s: s}
	s.mu.Lock()
	refusal := s.mayUpgradeLocked()
	if refusal == nil {
		s.probe = ws
	}
	s.mu.Unlock()
	if refusal != nil {
		s.server.refuse(w, refusal)
		return
	}
	c, p := ws.accept(w, r)
	s.mu.Lock()
	if c == nil || s.state != open {
		if s.probe == ws {
			s.probe = nil
		}
		s.mu.Unlock()
		if p != nil {
			s.server.refuse(w, p)
		}
		if c != nil {
			_ = ws.Close()
		}
		return
	}
	ws.accepted = true
	s.server.running.Add(1)
	s.mu.Unlock()
	time.AfterFunc(s.server.options.UpgradeTimeout, func() { s.abandon(ws) })
	go ws.read(c)
}

func (s *Session) mayUpgradeLocked() *problem {
	switch {
	case s.state != open:
		return unknownSession
	case s.ws != nil || s.probe != nil:
		return badRequest
	}
	return nil
}

// upgrading takes a message of a WebSocket that is not yet its session's transport, and reports whether it was one.
func (ws *webSocket) upgrading(isProbe, isUpgrade bool) bool {
	s := ws.s
	s.mu.Lock()
	fails := false
	defer func() {
		s.mu.Unlock()
		if fails {
			_ = ws.Close() // not under the lock: TLS may take its time
		}
	}()
	switch {
	case s.ws == ws:
		return false
	case s.probe != ws || s.state == ended: // too late: it is being closed
	case isProbe && !ws.probed:
		ws.probed = true
		ws.answerProbe()
		s.noopLater(ws)
	case isUpgrade && ws.probed:
		s.server.counters.upgrades.Add(1)
		s.attachLocked(ws)
		s.wakePollLocked() // an honest client has none open
		s.wakeLocked()
		if s.state == closing && !s.writing {
			s.endLocked(ServerClose)
		}
	default:
		s.probe, fails = nil, true // the session goes on polling
	}
	return true
}

func (ws *webSocket) answerProbe() {
	frame := encodeText(typePong, []byte("probe")).frames
	if ws.raw != nil {
		ws.now(frame) // the first frame of a connection always has room
		return
	}
	_ = ws.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = ws.Conn.Write(frame)
	_ = ws.SetWriteDeadline(time.Time{})
}

func (s *Session) noopLater(ws *webSocket) {
	time.AfterFunc(noopInterval, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.probe != ws || s.state == ended {
			return
		}
		s.wakePollLocked()
		s.noopLater(ws)
	})
}

func (s *Session) wakePollLocked() {
	if s.poll == nil {
		return
	}
	select {
	case s.poll <- struct{}{}:
	default: // woken already
	}
}

// abandon gives up an upgrade that was not completed.
func (s *Session) abandon(ws *webSocket) {
	s.mu.Lock()
	late := s.probe == ws
	if late {
		s.probe = nil
	}
	s.mu.Unlock()
	if late {
		_ = ws.Close()
	}
}
