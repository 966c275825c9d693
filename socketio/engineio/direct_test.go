package engineio_test

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"sneakerdrop/socketio/engineio"
)

// counting wraps connections as a listener does that bounds them.
type counting struct {
	net.Listener
	buffers *atomic.Int64
}

func (l counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &counted{TCPConn: c.(*net.TCPConn), buffers: l.buffers}, nil
}

type counted struct {
	*net.TCPConn
	buffers *atomic.Int64
}

func (c *counted) SetWriteBuffer(bytes int) error {
	c.buffers.Add(1)
	return c.TCPConn.SetWriteBuffer(bytes)
}

func TestSend_WritesDirectlyToAWrappedTCPConnection(t *testing.T) {
	l := newLog()
	s := &server{log: l, engine: engineio.New(l, engineio.Options{Log: slog.New(slog.DiscardHandler)}), client: &http.Client{}}
	var buffers atomic.Int64
	s.http = httptest.NewUnstartedServer(s.engine)
	s.http.Listener = counting{s.http.Listener, &buffers}
	s.http.Start()
	t.Cleanup(func() { s.stop(t) })
	ws, sid := s.webSocket(t)
	s.session(t, sid).Send(engineio.NewPacket([]byte("hello")))
	if got := read(t, ws); got != "4hello" {
		t.Errorf("got %q", got)
	}
	if n := s.engine.Stats(); n.DirectWrites != 2 || n.Deferred != 0 { // with the open packet
		t.Errorf("%d direct writes and %d deferred, want 2 and none", n.DirectWrites, n.Deferred)
	}
	if buffers.Load() != 1 {
		t.Error("the kernel's send buffer is not bounded")
	}
}
