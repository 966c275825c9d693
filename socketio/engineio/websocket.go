package engineio

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/lxzan/gws"
)

// webSocket is the connection under a gws.Conn, which reads from it frame by frame. gws writes to it twice, at the
// handshake and when it ends; everything else is written by the session.
type webSocket struct {
	net.Conn
	raw      syscall.RawConn // nil where direct writes are not possible
	s        *Session
	early    []byte // what the client sent right behind its handshake
	gate     frameGate
	shaken   bool   // the WebSocket handshake is over
	accepted bool   // Conn may be closed by others; the session's lock guards it
	probed   bool   // the probe of an upgrade was answered
	reason   Reason // why reading ended, if it is known
}

func newUpgrader(o Options) *gws.Upgrader {
	return gws.NewUpgrader(reader{}, &gws.ServerOption{
		ReadBufferSize:     readBuffer,
		ReadMaxPayloadSize: o.MaxPayload,
		CheckUtf8Enabled:   true,
		HandshakeTimeout:   o.WriteTimeout,
		NewSession:         func() gws.SessionStorage { return nil },
	})
}

// openWebSocket completes the handshake of a session that starts as a WebSocket.
func (e *Server) openWebSocket(w http.ResponseWriter, r *http.Request, s *Session) {
	ws := &webSocket{s: s}
	c, p := ws.accept(w, r)
	if c == nil {
		s.End(TransportError)
		if p != nil {
			e.refuse(w, p)
		}
		return
	}
	s.mu.Lock()
	if s.state != open {
		s.mu.Unlock()
		_ = ws.Close()
		return
	}
	s.attachLocked(ws)
	s.sendLocked(e.openPacket(s, "[]"))
	ended := s.state == ended
	if !ended {
		e.running.Add(1)
	}
	s.mu.Unlock()
	if !ended {
		e.begin(s)
		go ws.read(c)
	}
}

func (s *Session) attachLocked(ws *webSocket) {
	s.ws, s.probe, s.askBy = ws, nil, 0
	s.server.counters.polling.Add(-1)
	s.server.counters.webSocket.Add(1)
}

// accept takes the connection over from net/http. Without a problem and without a connection the client was told.
func (ws *webSocket) accept(w http.ResponseWriter, r *http.Request) (*gws.Conn, *problem) {
	if r.Method != http.MethodGet || r.Header.Get("Sec-Websocket-Key") == "" || r.Header.Get("Sec-Websocket-Version") != "13" {
		return nil, badRequest
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2
		return nil, badRequest
	}
	_ = conn.SetDeadline(time.Time{}) // net/http's own
	if t, ok := conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = t.SetWriteBuffer(kernelSendBuffer)
	}
	if n := buffered.Reader.Buffered(); n > 0 {
		early, _ := buffered.Peek(n)
		ws.early = bytes.Clone(early)
	}
	ws.Conn = conn
	ws.gate.inbound, ws.gate.limit = &ws.s.server.inbound, uint64(ws.s.server.options.MaxPayload)
	c, err := ws.s.server.upgrader.UpgradeFromConn(ws, bufio.NewReaderSize(ws, readBuffer), r)
	if err != nil {
		return nil, nil // gws answered and closed
	}
	ws.shaken, ws.raw = true, rawConn(conn)
	return c, nil
}

// read has no defers, and Read does little itself. While a client is idle, both frames are on its goroutine's stack.
// The runtime halves that stack only while a quarter of it or less is in use.
func (ws *webSocket) read(c *gws.Conn) {
	c.ReadLoop()
	ws.gate.free()
	ws.s.server.running.Done()
}

// Read lets gws see a frame's header only once the frame was found to be acceptable: gws allocates what a header says.
func (ws *webSocket) Read(b []byte) (int, error) {
	if len(ws.early) > 0 {
		return ws.check(b, ws.takeEarly(b), nil)
	}
	n, err := ws.Conn.Read(b)
	return ws.check(b, n, err)
}

func (ws *webSocket) check(b []byte, n int, err error) (int, error) {
	if fault := ws.gate.scan(b[:n]); fault != "" {
		ws.reason = fault
		return 0, errors.New(string(fault))
	}
	return n, err
}

func (ws *webSocket) takeEarly(b []byte) int {
	n := copy(b, ws.early)
	if ws.early = ws.early[n:]; len(ws.early) == 0 {
		ws.early = nil
	}
	return n
}

// Write is for gws only. Its closing words are dropped rather than waited for.
func (ws *webSocket) Write(b []byte) (int, error) {
	if !ws.shaken {
		return ws.Conn.Write(b)
	}
	s := ws.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if ws.raw == nil || s.ws == ws && (s.writing || s.state == ended) {
		return len(b), nil
	}
	if ws.reason != "" {
		b = closeFrame(closeCode(ws.reason))
	}
	ws.now(b)
	return len(b), nil
}

// now writes what the kernel takes at once.
func (ws *webSocket) now(b []byte) {
	d := ws.s.server.writers.Get().(*directWriter)
	_, _ = d.write(ws.raw, b)
	ws.s.server.writers.Put(d)
}

func (ws *webSocket) sayClose(r Reason) { ws.now(closeFrame(closeCode(r))) }

func closeCode(r Reason) uint16 {
	switch r {
	case ParseError, ClientClose, ServerClose:
		return 1000
	case ServerShutdown:
		return 1001
	case PayloadTooLarge:
		return 1009
	case Flood, SlowClient:
		return 1008
	case ServerBusy:
		return 1013
	default:
		return 1000
	}
}

// reader has the methods that gws calls. It holds nothing: the connection knows its session.
type reader struct{}

func (reader) OnOpen(*gws.Conn) {}

func (reader) OnClose(c *gws.Conn, _ error) {
	ws := c.NetConn().(*webSocket)
	s := ws.s
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.probe == ws:
		s.probe = nil // the session goes on polling
	case s.ws == ws && ws.reason != "":
		s.endLocked(ws.reason)
	case s.ws == ws:
		s.endLocked(TransportClose)
	}
}

func (reader) OnPong(c *gws.Conn, _ []byte) { c.NetConn().(*webSocket).control(nil) }

func (reader) OnPing(c *gws.Conn, data []byte) { c.NetConn().(*webSocket).control(pongPacket(data)) }

// control counts a control frame like a message: a flood of them is a flood.
func (ws *webSocket) control(answer *Packet) {
	s := ws.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mayTalkLocked() && answer != nil && s.ws == ws {
		s.sendLocked(answer)
	}
}

func (reader) OnMessage(c *gws.Conn, m *gws.Message) {
	ws := c.NetConn().(*webSocket)
	defer ws.s.rescue()
	p, err := received{typeBinary, bytes.Clone(m.Bytes())}, error(nil)
	if m.Opcode != gws.OpcodeBinary {
		p, err = decodePacket(p.data)
	}
	isUpgrade := m.Opcode == gws.OpcodeText && bytes.Equal(m.Bytes(), []byte{typeUpgrade})
	isProbe := m.Opcode == gws.OpcodeText && string(m.Bytes()) == probePing
	_ = m.Close()
	switch {
	case ws.upgrading(isProbe, isUpgrade):
	case err != nil:
		ws.s.End(ParseError)
	default:
		ws.s.receive(p)
	}
}
