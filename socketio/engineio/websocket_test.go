package engineio_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/pipes"
	"sneakerdrop/socketio/engineio"
	"sneakerdrop/socketio/internal/wire"
)

func TestWebSocket_MessagesBothWays(t *testing.T) {
	s := start(t, engineio.Options{})
	ws, _ := s.webSocket(t)
	for _, text := range []string{"4", "4hello", "4" + strings.Repeat("ä", 100), "4" + strings.Repeat("x", 70_000)} {
		if err := ws.Send(text); err != nil {
			t.Fatal(err)
		}
		if got := read(t, ws); got != text {
			t.Errorf("got %.40q, want %.40q", got, text)
		}
	}
	data := bytes.Repeat([]byte{0, 0xff}, 500)
	if err := ws.WriteFrame(wire.Binary, data); err != nil {
		t.Fatal(err)
	}
	if got := read(t, ws); got != string(data) {
		t.Errorf("got %d bytes", len(got))
	}
}

func TestWebSocket_FragmentsAndControlFramesBetween(t *testing.T) {
	s := start(t, engineio.Options{})
	ws, _ := s.webSocket(t)
	_ = ws.WriteFrame(0x01, []byte("4hel"))
	_ = ws.WriteFrame(wire.Ping, []byte("p"))
	_ = ws.WriteFrame(0x80, []byte("lo"))
	if opcode, data, err := ws.ReadFrame(); err != nil || opcode != wire.Pong || string(data) != "p" {
		t.Errorf("%x %q %v", opcode, data, err)
	}
	if got := read(t, ws); got != "4hello" {
		t.Errorf("got %q", got)
	}
}

func TestWebSocket_Misuse(t *testing.T) {
	for _, c := range []struct {
		name string
		say  func(*wire.WebSocket) error
		want engineio.Reason
	}{
		{"unknown type", func(ws *wire.WebSocket) error { return ws.Send("abc") }, engineio.ParseError},
		{"empty", func(ws *wire.WebSocket) error { return ws.Send("") }, engineio.ParseError},
		{"ping", func(ws *wire.WebSocket) error { return ws.Send("2") }, engineio.ParseError},
		{"probe", func(ws *wire.WebSocket) error { return ws.Send("2probe") }, engineio.ParseError},
		{"handler's error", func(ws *wire.WebSocket) error { return ws.Send("4bad") }, engineio.ParseError},
		{"handler's panic", func(ws *wire.WebSocket) error { return ws.Send("4panic") }, engineio.HandlerPanic},
		{"no UTF-8", func(ws *wire.WebSocket) error { return ws.Send("4\xff") }, engineio.TransportClose},
		{"reserved bits", func(ws *wire.WebSocket) error { return ws.WriteFrame(0xF1, []byte("4x")) }, engineio.TransportClose},
		{"unmasked", func(ws *wire.WebSocket) error { _, err := ws.Write([]byte{0x81, 2, '4', 'x'}); return err }, engineio.TransportClose},
		{"long control frame", func(ws *wire.WebSocket) error { return ws.WriteFrame(wire.Ping, make([]byte, 126)) }, engineio.ParseError},
		{"one byte over", func(ws *wire.WebSocket) error { return ws.WriteFrame(wire.Text, make([]byte, 1001)) }, engineio.PayloadTooLarge},
		{"fragments over", func(ws *wire.WebSocket) error {
			return errors.Join(ws.WriteFrame(0x01, make([]byte, 600)), ws.WriteFrame(0x00, make([]byte, 600)))
		}, engineio.PayloadTooLarge},
		{"a length of 2⁶³", func(ws *wire.WebSocket) error { return ws.WriteLie(wire.Text, 1<<63, nil) }, engineio.PayloadTooLarge},
		{"a length of 2⁶⁴−1", func(ws *wire.WebSocket) error { return ws.WriteLie(0x01, 1<<64-1, nil) }, engineio.PayloadTooLarge},
		{"close packet", func(ws *wire.WebSocket) error { return ws.Send("1") }, engineio.ClientClose},
		{"close frame", func(ws *wire.WebSocket) error { return ws.WriteFrame(wire.Close, []byte{3, 232}) }, engineio.TransportClose},
		{"gone", func(ws *wire.WebSocket) error { return ws.Close() }, engineio.TransportClose},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, engineio.Options{MaxPayload: 1000})
			ws, sid := s.webSocket(t)
			if err := c.say(ws); err != nil {
				t.Fatal(err)
			}
			s.closed(t, sid, c.want)
			if err := ends(t, ws); c.want == engineio.PayloadTooLarge && !strings.Contains(err.Error(), "close frame 03f1") {
				t.Errorf("ended with %v, want a close frame with 1009", err)
			}
		})
	}
}

func TestWebSocket_SentBehindTheHandshake(t *testing.T) {
	s := start(t, engineio.Options{})
	ws, _ := s.webSocket(t)
	_ = ws.Send("4first") // in the same segment or not, nothing of it is lost
	if got := read(t, ws); got != "4first" {
		t.Errorf("got %q", got)
	}
}

// TestWebSocket_LyingAboutLengths: many clients announce large messages and send nothing. Those for whom there is no
// room are closed, and small messages of others still pass.
func TestWebSocket_LyingAboutLengths(t *testing.T) {
	s := start(t, engineio.Options{MaxInboundBytes: 3_000_000})
	honest, _ := s.webSocket(t)
	var liars []*wire.WebSocket
	for range 10 {
		ws, _ := s.webSocket(t)
		if err := ws.WriteLie(wire.Text, 1_000_000, []byte("4")); err != nil {
			t.Fatal(err)
		}
		liars = append(liars, ws)
	}
	await.Until(t, "7 are closed", func() bool { return s.engine.Stats().Closed[engineio.ServerBusy] == 7 })
	_ = honest.Send("4small")
	if got := read(t, honest); got != "4small" {
		t.Errorf("got %q", got)
	}
	for _, ws := range liars {
		_ = ws.Close()
	}
	await.Until(t, "all are gone", func() bool { return s.engine.Stats().WebSocket == 1 })
	large := "4" + strings.Repeat("x", 900_000) // what they held is free again
	for range 4 {
		_ = honest.Send(large)
		if got := read(t, honest); got != large {
			t.Fatalf("got %d bytes", len(got))
		}
	}
}

func TestFlood(t *testing.T) {
	s := start(t, engineio.Options{MessagesPerSecond: 20})
	s.echo = false
	for name, say := range map[string]func(*wire.WebSocket) error{
		"messages": func(ws *wire.WebSocket) error { return ws.Send("4x") },
		"pings":    func(ws *wire.WebSocket) error { return ws.WriteFrame(wire.Ping, nil) },
		"pongs":    func(ws *wire.WebSocket) error { return ws.Send("3") },
	} {
		ws, sid := s.webSocket(t)
		began := time.Now()
		for range 100 {
			if say(ws) != nil {
				break
			}
		}
		s.closed(t, sid, engineio.Flood)
		if name == "messages" {
			s.mu.Lock()
			if n, most := len(s.messages[sid]), 45+int(20*time.Since(began).Seconds()); n < 40 || n > most {
				t.Errorf("%d messages passed, want two seconds' worth", n)
			}
			s.mu.Unlock()
		}
	}
	p := s.poller(t)
	do(t, p, "POST", strings.Repeat("4x\x1e", 100)+"4x")
	s.closed(t, p.SID, engineio.Flood)
}

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startOn(t, pipes.Listen(), engineio.Options{PingInterval: 40 * time.Millisecond, PingTimeout: 200 * time.Millisecond})
		ws, sid := s.webSocket(t)
		for range 4 {
			if _, data, err := ws.ReadFrame(); err != nil || string(data) != "2" {
				t.Fatalf("%q %v", data, err)
			}
			_ = ws.Send("3")
		}
		begun := time.Now()
		s.closed(t, sid, engineio.PingTimeout) // a half-open connection: nothing comes any more
		if took := time.Since(begun); took < 200*time.Millisecond || took > 2*time.Second {
			t.Errorf("given up after %v", took)
		}
		if err := ends(t, ws); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}

func TestHeartbeat_Polling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startOn(t, pipes.Listen(), engineio.Options{PingInterval: 40 * time.Millisecond, PingTimeout: 200 * time.Millisecond})
		p := s.poller(t)
		for range 4 {
			expect(t, do(t, p, "GET", ""), 200, "2")
			expect(t, do(t, p, "POST", "3"), 200, "ok")
		}
		s.closed(t, p.SID, engineio.PingTimeout) // the client has gone away without a word
		expect(t, do(t, p, "GET", ""), 400, unknown)
	})
}
