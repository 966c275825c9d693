package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
	"sneakerdrop/socketio"
	"sneakerdrop/socketio/engineio"
	"sneakerdrop/socketio/internal/wire"
)

type server struct {
	*socketio.Server
	http *httptest.Server
}

// start serves; handlers are given to the namespaces by name before anybody can connect.
func start(t *testing.T, o socketio.Options, onConnect map[string]func(*socketio.Socket) error) *server {
	t.Helper()
	s := &server{Server: socketio.New(o)}
	for name, f := range onConnect {
		s.Of(name).OnConnect(f)
	}
	s.http = httptest.NewServer(s)
	t.Cleanup(func() { s.stop(t) })
	return s
}

func (s *server) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), await.Patience)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Errorf("close the server: %v", err)
	}
	s.http.Close()
	if n := s.Stats(); n.Sockets != 0 {
		t.Errorf("%d sockets after Close", n.Sockets)
	}
}

func (s *server) dial(t *testing.T) *wire.WebSocket {
	t.Helper()
	ws, err := wire.Dial(s.http.URL+"/socket.io/?EIO=4&transport=websocket&token=abc", http.Header{"X-Shop": {"7"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	if got := next(t, ws); !strings.HasPrefix(got, "0{") {
		t.Fatalf("got %q", got)
	}
	return ws
}

// connect dials and connects to "/".
func (s *server) connect(t *testing.T) *wire.WebSocket {
	t.Helper()
	ws := s.dial(t)
	say(t, ws, "40")
	if got := next(t, ws); !strings.HasPrefix(got, `40{"sid":"`) {
		t.Fatalf("got %q", got)
	}
	return ws
}

func say(t *testing.T, ws *wire.WebSocket, packets ...string) {
	t.Helper()
	for _, p := range packets {
		opcode, data := byte(wire.Text), p
		if attachment, ok := strings.CutPrefix(p, "binary:"); ok {
			opcode, data = wire.Binary, attachment
		}
		if err := ws.WriteFrame(opcode, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
}

func next(t *testing.T, ws *wire.WebSocket) string {
	t.Helper()
	got, err := ws.Next()
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return got
}

func expect(t *testing.T, ws *wire.WebSocket, packets ...string) {
	t.Helper()
	for _, want := range packets {
		if got := next(t, ws); got != strings.TrimPrefix(want, "binary:") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestConnect_SocketKnowsItsClient(t *testing.T) {
	sockets, auths := make(chan *socketio.Socket, 2), make(chan string, 2)
	keep := func(s *socketio.Socket) error {
		auths <- string(s.Auth())
		sockets <- s
		return nil
	}
	s := start(t, socketio.Options{Options: engineio.Options{KeepHeaders: []string{"x-shop"}}}, map[string]func(*socketio.Socket) error{"/": keep})
	ws := s.dial(t)
	say(t, ws, `40{"token":"123"}`)
	next(t, ws)
	socket := <-sockets
	r := socket.Request()
	if auth := <-auths; auth != `{"token":"123"}` || socket.Auth() != nil || r.Query.Get("token") != "abc" || r.Header.Get("X-Shop") != "7" ||
		!strings.HasPrefix(r.RemoteAddr, "127.0.0.1:") || socket.Namespace() != s.Of("/") || len(socket.ID()) != 20 {
		t.Errorf("%s %+v %q", auth, r, socket.ID())
	}
	s.connect(t)
	if auth := <-auths; auth != "{}" {
		t.Errorf("without a payload: %s", auth)
	}
}

// What clients send before they are served is bounded, for one and for all together.
func TestLimits_WhatStrangersLeaveBehind(t *testing.T) {
	s := start(t, socketio.Options{
		Options: engineio.Options{MaxInboundBytes: 10 << 10}, MaxAuthBytes: 1 << 10,
	}, map[string]func(*socketio.Socket) error{"/": func(*socketio.Socket) error { return nil }})
	ws := s.dial(t)
	say(t, ws, `40{"token":"`+strings.Repeat("x", 2<<10)+`"}`)
	expect(t, ws, `44{"message":"auth is larger than 1024 bytes"}`)
	long := strings.Repeat("x", 3<<10)
	var open []*wire.WebSocket
	for range 4 { // packets whose attachment never comes: 12 KiB in all
		ws := s.connect(t)
		say(t, ws, `451-["a",{"_placeholder":true,"num":0},"`+long+`"]`)
		open = append(open, ws)
	}
	await.Until(t, "one more is too many", func() bool { return s.Stats().Closed[engineio.ServerBusy] == 1 })
	for _, ws := range open {
		_ = ws.Close()
	}
	await.Until(t, "they have left", func() bool { return s.Stats().Closed[engineio.TransportClose] == 3 })
	again := s.connect(t)
	say(t, again, `451-["a",{"_placeholder":true,"num":0},"`+long+`"]`)
	if err := again.WriteFrame(wire.Binary, []byte("the attachment")); err != nil {
		t.Fatal(err)
	}
	say(t, again, `451-["a",{"_placeholder":true,"num":0},"`+long+`"]`) // there is room again
	say(t, again, "41")
	await.Until(t, "a packet within a packet is no packet", func() bool { return s.Stats().Closed[engineio.ParseError] == 1 })
	if n := s.Stats().Closed[engineio.ServerBusy]; n != 1 {
		t.Errorf("%d sessions were ended for want of room", n)
	}
}

// TestConnect_NothingComesBeforeTheAnswer: what a joining socket is sent, by its own handler and by broadcasts
// meanwhile, follows the packet that says it is connected.
func TestConnect_NothingComesBeforeTheAnswer(t *testing.T) {
	inside, goOn := make(chan struct{}), make(chan struct{})
	s := start(t, socketio.Options{}, map[string]func(*socketio.Socket) error{"/": func(s *socketio.Socket) error {
		s.Join("news")
		_ = s.Emit("state", 1)
		inside <- struct{}{}
		<-goOn
		return nil
	}})
	ws := s.dial(t)
	say(t, ws, "40")
	<-inside
	m, _ := socketio.NewMessage("update", 2)
	if n := s.Of("/").Broadcast("news", []*socketio.Message{m}); n != 1 {
		t.Errorf("reached %d", n)
	}
	close(goOn)
	if got := next(t, ws); !strings.HasPrefix(got, "40{") {
		t.Errorf("got %q", got)
	}
	expect(t, ws, `42["state",1]`, `42["update",2]`)
}

func TestConnect_RefusedSocketIsGone(t *testing.T) {
	sockets := make(chan *socketio.Socket, 1)
	s := start(t, socketio.Options{}, map[string]func(*socketio.Socket) error{"/": func(s *socketio.Socket) error {
		s.Join("news")
		s.OnDisconnect(func(socketio.Reason) { t.Error("it was never connected") })
		sockets <- s
		return errors.New("no")
	}})
	ws := s.dial(t)
	say(t, ws, "40")
	expect(t, ws, `44{"message":"no"}`)
	socket := <-sockets
	<-socket.Done()
	if s.Of("/").Len("news") != 0 || s.Of("/").Len("") != 0 || socket.Emit("x") == nil {
		t.Error("a refused socket is still there")
	}
	socket.Join("news")
	if s.Of("/").Len("news") != 0 {
		t.Error("a refused socket joins")
	}
}

func TestConnectTimeout(t *testing.T) {
	const timeout = 2 * time.Second // in which a busy machine connects
	s := start(t, socketio.Options{ConnectTimeout: timeout}, nil)
	silent, leaver, stays := s.dial(t), s.connect(t), s.connect(t)
	say(t, leaver, "41")
	for _, ws := range []*wire.WebSocket{silent, leaver} {
		if _, err := ws.Next(); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	}
	await.Until(t, "both are counted", func() bool { return s.Stats().Closed[socketio.ConnectTimeout] == 2 })
	say(t, stays, "41", "40")
	next(t, stays)
	time.Sleep(timeout + 100*time.Millisecond)
	if n := s.Stats().Sockets; n != 1 {
		t.Errorf("%d sockets", n)
	}
}

func TestEmitWithAck(t *testing.T) {
	sockets := make(chan *socketio.Socket, 1)
	s := start(t, socketio.Options{}, map[string]func(*socketio.Socket) error{
		"/": func(s *socketio.Socket) error { sockets <- s; return nil },
	})
	ws := s.connect(t)
	socket := <-sockets
	answers := make(chan string, 1)
	ask := func(ctx context.Context) {
		args, err := socket.EmitWithAck(ctx, "question", 42, []byte("data"))
		if err != nil {
			answers <- err.Error()
			return
		}
		var number int
		var data []byte
		answers <- fmt.Sprint(args[0].Decode(&number), number, args[1].Decode(&data), string(data))
	}
	go ask(t.Context())
	expect(t, ws, `451-1["question",42,{"_placeholder":true,"num":0}]`, "binary:data")
	say(t, ws, "4399[1]", `461-1[84,{"_placeholder":true,"num":0}]`, "binary:back", "431[85]")
	if got := <-answers; got != "<nil> 84 <nil>back" {
		t.Error(got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go ask(ctx)
	next(t, ws)
	cancel()
	if got := <-answers; !strings.Contains(got, "context canceled") {
		t.Error(got)
	}
	go ask(t.Context())
	next(t, ws)
	_ = ws.Close()
	if got := <-answers; !strings.Contains(got, socketio.ErrClosed.Error()) {
		t.Error(got)
	}
	if _, err := socket.EmitWithAck(t.Context(), "question"); !errors.Is(err, socketio.ErrClosed) {
		t.Error(err)
	}
}

func TestRooms(t *testing.T) {
	sockets := make(chan *socketio.Socket, 3)
	s := start(t, socketio.Options{}, map[string]func(*socketio.Socket) error{
		"/": func(s *socketio.Socket) error { sockets <- s; return nil },
	})
	var clients []*wire.WebSocket
	var list []*socketio.Socket
	for range 3 {
		clients = append(clients, s.connect(t))
		list = append(list, <-sockets)
	}
	root := s.Of("/")
	await.Until(t, "all are connected", func() bool { return s.Stats().Sockets == 3 })
	list[0].Join("a")
	list[1].Join("a")
	list[1].Join("a")
	list[1].Join("b")
	message := func(text string) []*socketio.Message {
		m, err := socketio.NewMessage("m", text)
		if err != nil {
			t.Fatal(err)
		}
		return []*socketio.Message{m, m}
	}
	for room, want := range map[string]int{"a": 2, "b": 1, "": 3, "nobody": 0} {
		if n := root.Broadcast(room, message("to "+room)); n != want || root.Len(room) != want {
			t.Errorf("room %q: %d, want %d", room, n, want)
		}
	}
	for i, want := range [][]string{{"to ", "to a"}, {"to ", "to a", "to b"}, {"to "}} {
		var got []string
		for range 2 * len(want) {
			got = append(got, next(t, clients[i]))
		}
		slices.Sort(got)
		for j, text := range want {
			if packet := `42["m","` + text + `"]`; got[2*j] != packet || got[2*j+1] != packet {
				t.Errorf("client %d: %q", i, got)
			}
		}
	}
	list[1].Leave("a")
	list[1].Leave("never joined")
	if got := list[1].Rooms(); !slices.Equal(got, []string{"b"}) || root.Len("a") != 1 {
		t.Error(got)
	}
	_ = clients[0].Close()
	<-list[0].Done()
	if root.Len("a") != 0 || root.Broadcast("", message("x")) != 2 || len(root.Sockets("")) != 2 {
		t.Error("who is gone is still in a room")
	}
}

func TestDisconnect(t *testing.T) {
	type end struct {
		socket *socketio.Socket
		reason socketio.Reason
	}
	sockets, ended := make(chan *socketio.Socket, 1), make(chan end, 1)
	keep := func(s *socketio.Socket) error {
		s.OnDisconnect(func(r socketio.Reason) { ended <- end{s, r} })
		sockets <- s
		return nil
	}
	s := start(t, socketio.Options{}, map[string]func(*socketio.Socket) error{"/": keep})
	for _, c := range []struct {
		name string
		do   func(*wire.WebSocket, *socketio.Socket)
		want socketio.Reason
		says string
	}{
		{"server disconnects", func(_ *wire.WebSocket, s *socketio.Socket) { go s.Disconnect() }, socketio.ServerDisconnect, "41"},
		{"client disconnects", func(ws *wire.WebSocket, _ *socketio.Socket) { _ = ws.Send("41") }, socketio.ClientDisconnect, ""},
		{"client closes", func(ws *wire.WebSocket, _ *socketio.Socket) { _ = ws.Send("1") }, engineio.ClientClose, ""},
		{"client is gone", func(ws *wire.WebSocket, _ *socketio.Socket) { _ = ws.Close() }, engineio.TransportClose, ""},
		{"server closes", func(_ *wire.WebSocket, s *socketio.Socket) { s.Close() }, engineio.ServerClose, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ws := s.connect(t)
			socket := <-sockets
			c.do(ws, socket)
			if got := <-ended; got.reason != c.want || got.socket != socket || socket.Reason() != c.want {
				t.Errorf("got %q, want %q", got.reason, c.want)
			}
			<-socket.Done()
			if c.says != "" {
				expect(t, ws, c.says)
			}
			if socket.Send() || !errors.Is(socket.Emit("x"), socketio.ErrClosed) {
				t.Error("a disconnected socket sends")
			}
			socket.Disconnect() // does nothing
		})
	}
}

// TestClose_LetsClientsComeBack: a disconnect packet would switch off their automatic reconnection.
func TestClose_LetsClientsComeBack(t *testing.T) {
	s := start(t, socketio.Options{}, nil)
	ws := s.connect(t)
	s.stop(t)
	if opcode, data, err := ws.ReadFrame(); err != nil || opcode != wire.Close {
		t.Errorf("%x %q %v", opcode, data, err)
	}
}

func TestBroadcast_EncodesForEachNamespace(t *testing.T) {
	s := start(t, socketio.Options{}, nil)
	s.Of("/custom")
	ws := s.connect(t)
	say(t, ws, "40/custom")
	next(t, ws)
	m, _ := socketio.NewMessage("m", []byte("file"))
	s.Of("/").Broadcast("", []*socketio.Message{m})
	s.Of("/custom").Broadcast("", []*socketio.Message{m})
	expect(t, ws, `451-["m",{"_placeholder":true,"num":0}]`, "binary:file", `451-/custom,["m",{"_placeholder":true,"num":0}]`, "binary:file")
}

func TestNewMessage_Invalid(t *testing.T) {
	if _, err := socketio.NewMessage("disconnect"); err == nil {
		t.Error("a reserved name")
	}
	if _, err := socketio.NewMessage("m", make(chan int)); err == nil {
		t.Error("a channel")
	}
}

func TestAttachments_AreBounded(t *testing.T) {
	s := start(t, socketio.Options{Options: engineio.Options{MaxPayload: 1000}}, map[string]func(*socketio.Socket) error{"/": echo})
	ws := s.connect(t)
	say(t, ws, `452-["message",{"_placeholder":true,"num":0}]`, "binary:"+strings.Repeat("x", 900), "binary:"+strings.Repeat("x", 900))
	await.Until(t, "it is closed", func() bool { return s.Stats().Closed[engineio.PayloadTooLarge] == 1 })
}

func TestStats(t *testing.T) {
	s := start(t, socketio.Options{}, map[string]func(*socketio.Socket) error{"/": echo})
	ws := s.connect(t)
	say(t, ws, `42["message"]`)
	next(t, ws)
	await.Until(t, "the answer that has arrived is counted", func() bool { return s.Stats().PacketsOut == 3 })
	n := s.Stats()
	if n.Sockets != 1 || n.WebSocket != 1 || n.Handshakes != 1 || n.PacketsIn != 2 || n.BytesOut == 0 {
		data, _ := json.Marshal(n)
		t.Errorf("%s", data)
	}
}
