package engineio

import (
	"io"
	"net/http"
	"time"
)

// An upgrade: the client opens a WebSocket beside its polling, sends a probe over it, lets its last poll end, and says
// that it is done. Until then everything goes over polling, from then on over the WebSocket; the queue is the same.

const (
	probePing = "2probe"
	// noopInterval is how soon after a probe an open poll is ended, so that the client can stop polling. At once would
	// make clients poll again, and again.
	noopInterval = 100 * time.Millisecond
	// turnAwayTime and turnAwayBytes bound what the server still reads from a WebSocket that it closes.
	turnAwayTime  = time.Second
	turnAwayBytes = 64 << 10
)

func (s *Session) serveUpgrade(w http.ResponseWriter, r *http.Request) {
	ws := &webSocket{s: s}
	s.mu.Lock()
	goesOn, taken := s.state == open, s.ws != nil || s.probe != nil
	switch {
	case goesOn && taken:
		s.server.running.Add(1)
	case goesOn:
		s.probe = ws
	}
	s.mu.Unlock()
	if !goesOn {
		s.server.refuse(w, unknownSession)
		return
	}
	if taken {
		ws.turnAway(w, r)
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

// turnAway closes a WebSocket for a session that has one, or that tries another. The original server completes the
// handshake before it closes, and clients can tell that from a refusal. The session does not notice.
func (ws *webSocket) turnAway(w http.ResponseWriter, r *http.Request) {
	defer ws.s.server.running.Done()
	c, p := ws.accept(w, r)
	if p != nil {
		ws.s.server.refuse(w, p)
	}
	if c == nil {
		return
	}
	defer func() { _ = ws.Close() }()
	_ = ws.SetDeadline(time.Now().Add(turnAwayTime))
	_, _ = ws.Conn.Write(closeFrame(closeCode(ServerClose)))
	half, ok := ws.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	// A connection that is closed with bytes unread is reset, and the client may never see the close frame.
	_, _ = io.Copy(io.Discard, io.LimitReader(ws.Conn, turnAwayBytes))
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
