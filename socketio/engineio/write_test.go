package engineio_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
	"sneakerdrop/socketio/engineio"
	"sneakerdrop/socketio/internal/wire"
)

func TestSend_BatchKeepsOrderAndBytes(t *testing.T) {
	s := start(t, engineio.Options{})
	ws, sid := s.webSocket(t)
	var packets []*engineio.Packet
	for i := range 20 {
		packets = append(packets, engineio.NewPacket(fmt.Appendf(nil, "%d", i), []byte{byte(i)}))
	}
	s.session(t, sid).SendBatch(engineio.NewBatch(packets...))
	for i := range 20 {
		if got := read(t, ws); got != fmt.Sprintf("4%d", i) {
			t.Errorf("got %q, want 4%d", got, i)
		}
		if got := read(t, ws); got != string([]byte{byte(i)}) {
			t.Errorf("got %q", got)
		}
	}
	if n := s.engine.Stats(); n.DirectWrites != 2 { // with the open packet
		t.Errorf("%d writes, want one a batch", n.DirectWrites)
	}
}

// stall sends to a session whose client does not read, until the kernel has taken nothing more for a while.
func stall(t *testing.T, s *server, session *engineio.Session) (sent int) {
	t.Helper()
	for sent < 100_000 {
		before := s.engine.Stats().PacketsOut
		if !session.Send(engineio.NewPacket(fmt.Appendf(nil, "%06d%s", sent, strings.Repeat(".", 1000)))) {
			t.Fatal("closed before it stalled")
		}
		sent++
		if s.engine.Stats().PacketsOut > before {
			continue
		}
		quiet := 0
		for quiet < 10 && s.engine.Stats().PacketsOut == before { // on a busy machine the writer may not get its turn for a moment
			time.Sleep(50 * time.Millisecond)
			quiet++
		}
		if quiet == 10 {
			return sent
		}
	}
	t.Fatal("never stalls")
	return 0
}

func TestSend_WhatIsPartlyWrittenIsFinishedFirst(t *testing.T) {
	s := start(t, engineio.Options{})
	ws, sid := s.webSocket(t)
	session := s.session(t, sid)
	sent := stall(t, s, session)
	for range 100 {
		session.Send(engineio.NewPacket(fmt.Appendf(nil, "%06d", sent)))
		sent++
	}
	for i := range sent {
		if got := read(t, ws); !strings.HasPrefix(got, fmt.Sprintf("4%06d", i)) {
			t.Fatalf("got %.20q, want message %d", got, i)
		}
	}
	await.Until(t, "the session writes directly again", func() bool {
		before := s.engine.Stats().DirectWrites
		session.Send(engineio.NewPacket([]byte("again")))
		read(t, ws)
		return s.engine.Stats().DirectWrites > before
	})
}

func TestSend_BatchOfAStalledSessionIsTakenApart(t *testing.T) {
	const size, length = 100, 4000 // more than the kernel takes in one write, so that it stops within a packet
	s := start(t, engineio.Options{MaxQueueBytes: 1 << 20})
	ws, sid := s.webSocket(t)
	session := s.session(t, sid)
	sent := 0
	for ; s.engine.Stats().Deferred == 0; sent += size {
		var packets []*engineio.Packet
		for i := range size {
			packets = append(packets, engineio.NewPacket(fmt.Appendf(nil, "%06d%s", sent+i, strings.Repeat(".", length-7))))
		}
		session.SendBatch(engineio.NewBatch(packets...))
	}
	for i := range sent {
		if got := read(t, ws); !strings.HasPrefix(got, fmt.Sprintf("4%06d", i)) || len(got) != length {
			t.Fatalf("got %.20q, want message %d", got, i)
		}
	}
	if n := s.engine.Stats(); n.PacketsOut != int64(sent)+1 {
		t.Errorf("%d packets counted, want %d and the open packet", n.PacketsOut, sent)
	}
}

func TestSend_ReplacesInPlace(t *testing.T) {
	s := start(t, engineio.Options{})
	ws, sid := s.webSocket(t)
	session := s.session(t, sid)
	sent := stall(t, s, session)
	keyed := func(key, text string) *engineio.Packet {
		p := engineio.NewPacket([]byte(text))
		p.Key = key
		return p
	}
	session.Send(keyed("a", "a1"), keyed("b", "b1"), engineio.NewPacket([]byte("plain")))
	for i := 2; i < 10_000; i++ { // far more than a queue holds
		session.Send(keyed("a", fmt.Sprintf("a%d", i)))
	}
	session.Send(keyed("b", "b2"), keyed("c", "c1"))
	for range sent {
		read(t, ws)
	}
	for _, want := range []string{"4a9999", "4b2", "4plain", "4c1"} {
		if got := read(t, ws); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if n := s.engine.Stats().Replaced; n != 9999 {
		t.Errorf("%d replaced, want 9999", n)
	}
}

func TestSend_ReplacesBetweenPolls(t *testing.T) {
	s := start(t, engineio.Options{})
	p := s.poller(t)
	for i := range 1000 {
		packet := engineio.NewPacket(fmt.Appendf(nil, "%d", i))
		packet.Key = "k"
		s.session(t, p.SID).Send(packet)
	}
	expect(t, do(t, p, "GET", ""), 200, "4999")
}

func TestSend_LargePacketPassesAlone(t *testing.T) {
	s := start(t, engineio.Options{MaxQueueBytes: 1000})
	ws, sid := s.webSocket(t)
	large := strings.Repeat("x", 900_000)
	go s.session(t, sid).Send(engineio.NewPacket([]byte(large)))
	if got := read(t, ws); got != "4"+large {
		t.Errorf("got %d bytes", len(got))
	}
}

func TestSlowClient_IsCutForAFullQueue(t *testing.T) {
	s := start(t, engineio.Options{})
	healthy, _ := s.webSocket(t)
	const stalled, broadcasts = 20, 60_000
	var slow []string
	for range stalled {
		_, sid := s.webSocket(t)
		slow = append(slow, sid)
	}
	var got atomic.Int64
	go func() {
		for got.Load() < broadcasts {
			if _, err := healthy.Next(); err != nil {
				return
			}
			got.Add(1)
		}
	}()
	before := heap()
	sessions := s.all()
	for i := range broadcasts {
		b := engineio.NewBatch(engineio.NewPacket(fmt.Appendf(nil, `2["stock_update",{"dropId":7,"available_stock":%d}]`, i)))
		for _, session := range sessions {
			session.SendBatch(b)
		}
		if i%50 == 49 { // the healthy one is never behind by as much as a queue holds
			await.Until(t, "the healthy client keeps up", func() bool { return got.Load() > int64(i)-150 })
		}
		if i == broadcasts/2 {
			if grown := int64(heap()) - int64(before); grown > 10<<20 {
				t.Errorf("the heap grew by %d KiB", grown>>10)
			}
		}
	}
	await.Until(t, "the healthy client got everything", func() bool { return got.Load() == broadcasts })
	for _, sid := range slow {
		s.closed(t, sid, engineio.SlowClient)
	}
	if grown := int64(heap()) - int64(before); grown > 10<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func TestSlowClient_IsCutForALateWrite(t *testing.T) {
	s := start(t, engineio.Options{WriteTimeout: time.Second, MaxQueuePackets: -1, MaxQueueBytes: -1})
	_, sid := s.webSocket(t)
	s.session(t, sid).Send(engineio.NewPacket(make([]byte, 64<<20))) // far more than a kernel takes
	s.closed(t, sid, engineio.WriteTimeout)
}

// TestSend_AnOldDeadlineHarmsNoLaterWrite: a writer sets deadlines; a direct write after them must not meet one.
func TestSend_AnOldDeadlineHarmsNoLaterWrite(t *testing.T) {
	const timeout = 4 * time.Second // in which a busy machine stalls and is read
	s := start(t, engineio.Options{WriteTimeout: timeout})
	ws, sid := s.webSocket(t)
	session := s.session(t, sid)
	for range stall(t, s, session) {
		read(t, ws)
	}
	time.Sleep(timeout + 100*time.Millisecond) // past the deadline
	if !session.Send(engineio.NewPacket([]byte("late"))) {
		t.Fatal("closed")
	}
	if got := read(t, ws); got != "4late" {
		t.Errorf("got %q", got)
	}
}

func TestClose_SendsWhatWaits(t *testing.T) {
	s := start(t, engineio.Options{})
	ws, sid := s.webSocket(t)
	session := s.session(t, sid)
	sent := stall(t, s, session)
	session.Close()
	for range sent {
		read(t, ws)
	}
	_ = ends(t, ws)
	s.closed(t, sid, engineio.ServerClose)
}

func TestTLS_FallsBackToTheOrdinaryWriter(t *testing.T) {
	l := newLog()
	engine := engineio.New(l, engineio.Options{})
	server := httptest.NewTLSServer(engine)
	defer server.Close()
	u, _ := url.Parse(server.URL + "/?EIO=4&transport=websocket")
	conn, err := tls.Dial("tcp", u.Host, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	ws, err := wire.Open(conn, u, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	sid, _ := wire.SID(read(t, ws))
	for i := range 200 {
		l.session(t, sid).Send(engineio.NewPacket(fmt.Appendf(nil, "%d", i)))
	}
	for i := range 200 {
		if got := read(t, ws); got != fmt.Sprintf("4%d", i) {
			t.Fatalf("got %q, want 4%d", got, i)
		}
	}
	if n := engine.Stats(); n.DirectWrites != 0 {
		t.Errorf("%d direct writes past TLS", n.DirectWrites)
	}
	ctx, cancel := context.WithTimeout(context.Background(), await.Patience)
	defer cancel()
	if err := engine.Close(ctx); err != nil {
		t.Error(err)
	}
}

func TestServerClose(t *testing.T) {
	s := start(t, engineio.Options{})
	ws, sid := s.webSocket(t)
	p := s.poller(t)
	idle := s.poller(t)
	answer := poll(t.Context(), p)
	s.opened(t)
	_, stalledID := s.webSocket(t)
	stall(t, s, s.session(t, stalledID))
	s.stop(t) // waits for every goroutine, the stalled writer's too
	opcode, data, err := ws.ReadFrame()
	if err != nil || opcode != wire.Close || !bytes.Equal(data, []byte{3, 233}) {
		t.Errorf("%x %x %v, want a close frame with 1001 and nothing before it", opcode, data, err)
	}
	expect(t, <-answer, 200, "1")
	for _, id := range []string{sid, p.SID, idle.SID, stalledID} {
		s.closed(t, id, engineio.ServerShutdown)
	}
}

func TestServerClose_RefusesHandshakes(t *testing.T) {
	s := start(t, engineio.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	defer cancel()
	if err := s.engine.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := wire.Dial(s.url("websocket"), nil); err == nil || !strings.Contains(err.Error(), "503") {
		t.Error(err)
	}
}

// TestNothingIsLeft opens and closes 200 sessions of all kinds, in all ways; goleak and the counters say what remains.
func TestNothingIsLeft(t *testing.T) {
	s := start(t, engineio.Options{})
	before := heap()
	for i := range 200 {
		switch i % 5 {
		case 0:
			ws, _ := s.webSocket(t)
			_ = ws.Close()
		case 1:
			ws, _ := s.webSocket(t)
			_ = ws.Send("1")
			_ = ends(t, ws)
		case 2:
			p := s.poller(t)
			do(t, p, "POST", "1")
		case 3:
			p := s.poller(t)
			ws := s.probe(t, p)
			_ = ws.Send("2probe")
			read(t, ws)
			_ = ws.Send("5")
			_ = ws.Close()
		case 4:
			_, sid := s.webSocket(t)
			s.session(t, sid).Close()
		}
	}
	await.Until(t, "all are closed", func() bool { n := s.engine.Stats(); return n.WebSocket == 0 && n.Polling == 0 })
	s.mu.Lock()
	clear(s.sessions)
	s.mu.Unlock()
	await.Until(t, "memory is back", func() bool { return heap() < before+2<<20 })
}
