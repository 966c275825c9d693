package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
	"sneakerdrop/socketio/engineio"
	"sneakerdrop/socketio/internal/wire"
)

func (s *server) probe(t *testing.T, p *wire.Poller) *wire.WebSocket {
	t.Helper()
	ws, err := wire.Dial(s.url("websocket")+"&sid="+p.SID, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

func TestUpgrade(t *testing.T) {
	s := start(t, engineio.Options{})
	p := s.poller(t)
	session := s.session(t, p.SID)
	answer := poll(t.Context(), p)
	s.opened(t)
	ws := s.probe(t, p)
	begun := time.Now()
	_ = ws.Send("2probe")
	if got := read(t, ws); got != "3probe" {
		t.Fatalf("got %q", got)
	}
	expect(t, <-answer, 200, "6")
	if took := time.Since(begun); took < 90*time.Millisecond {
		t.Errorf("the open poll was ended after %v: clients would spin", took)
	}
	session.Send(engineio.NewPacket([]byte("between"))) // waits for whoever comes next
	_ = ws.Send("5")
	if got := read(t, ws); got != "4between" {
		t.Errorf("got %q", got)
	}
	if session.Transport() != "websocket" {
		t.Error(session.Transport())
	}
	expect(t, do(t, p, http.MethodGet, ""), 400, bad)
	expect(t, do(t, p, http.MethodPost, "4x"), 400, bad)
	if n := s.engine.Stats(); n.Upgrades != 1 || n.WebSocket != 1 || n.Polling != 0 {
		t.Errorf("%+v", n)
	}
}

func TestUpgrade_MessagesDuringTheProbeGoToThePoll(t *testing.T) {
	s := start(t, engineio.Options{})
	p := s.poller(t)
	ws := s.probe(t, p)
	_ = ws.Send("2probe")
	read(t, ws)
	s.session(t, p.SID).Send(engineio.NewPacket([]byte("a")))
	expect(t, do(t, p, http.MethodGet, ""), 200, "4a")
}

func TestUpgrade_FailedProbeLeavesTheSessionPolling(t *testing.T) {
	for name, say := range map[string]func(*wire.WebSocket){
		"gone":              func(ws *wire.WebSocket) { _ = ws.Close() },
		"no probe":          func(ws *wire.WebSocket) { _ = ws.Send("4hello") },
		"upgrade too early": func(ws *wire.WebSocket) { _ = ws.Send("5") },
		"two probes":        func(ws *wire.WebSocket) { _ = ws.Send("2probe"); _ = ws.Send("2probe") },
		"lie":               func(ws *wire.WebSocket) { _ = ws.WriteLie(wire.Text, 1<<40, nil) },
		"late":              func(*wire.WebSocket) {},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, engineio.Options{UpgradeTimeout: 50 * time.Millisecond})
			p := s.poller(t)
			ws := s.probe(t, p)
			say(ws)
			if name != "gone" {
				_ = ends(t, ws)
			}
			expect(t, do(t, p, http.MethodPost, "4x"), 200, "ok")
			expect(t, do(t, p, http.MethodGet, ""), 200, "4x")
			await.Until(t, "another may upgrade", func() bool {
				ws, err := wire.Dial(s.url("websocket")+"&sid="+p.SID, nil)
				if err != nil {
					return false
				}
				defer ws.Close()
				_ = ws.Send("2probe")
				answer, err := ws.Next() // on a busy machine this one may be late too
				return err == nil && answer == "3probe"
			})
		})
	}
}

// A WebSocket that names a session which has one, or which tries another, completes its handshake and is closed, as the
// original server does. The session goes on over the one that it has, and nothing of the other counts.
func TestUpgrade_OneWebSocketForASession(t *testing.T) {
	for name, begin := range map[string]func(*testing.T, *server) (sid string, ws *wire.WebSocket, transport string){
		"upgraded": func(t *testing.T, s *server) (string, *wire.WebSocket, string) {
			p := s.poller(t)
			ws := s.probe(t, p)
			_ = ws.Send("2probe")
			read(t, ws)
			_ = ws.Send("5")
			await.Until(t, "the session is upgraded", func() bool { return s.session(t, p.SID).Transport() == "websocket" })
			return p.SID, ws, "websocket"
		},
		"a WebSocket from the start": func(t *testing.T, s *server) (string, *wire.WebSocket, string) {
			ws, sid := s.webSocket(t)
			return sid, ws, "websocket"
		},
		"in the middle of an upgrade": func(t *testing.T, s *server) (string, *wire.WebSocket, string) {
			p := s.poller(t)
			ws := s.probe(t, p)
			_ = ws.Send("2probe")
			read(t, ws)
			return p.SID, ws, "polling"
		},
		"before the probe": func(t *testing.T, s *server) (string, *wire.WebSocket, string) {
			p := s.poller(t)
			return p.SID, s.probe(t, p), "polling"
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, engineio.Options{})
			sid, ws, transport := begin(t, s)
			before := s.engine.Stats()
			for what, say := range map[string][]string{
				"silent": nil, "probes": {"2probe"}, "upgrades": {"2probe", "5"}, "talks": {"4hello"}, "closes": {"1"}, "nonsense": {"x"},
			} {
				second, err := wire.Dial(s.url("websocket")+"&sid="+sid, nil)
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				for _, packet := range say {
					_ = second.Send(packet)
				}
				if packet, err := second.Next(); !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "close frame") {
					t.Errorf("%s: %q, %v", what, packet, err)
				}
				_ = second.Close()
			}
			if got := s.session(t, sid).Transport(); got != transport {
				t.Errorf("the session is on %s", got)
			}
			if after := s.engine.Stats(); after.Polling != before.Polling || after.WebSocket != before.WebSocket || after.Upgrades != before.Upgrades {
				t.Errorf("%+v, before %+v", after, before)
			}
			if name == "before the probe" {
				_ = ws.Send("2probe")
				read(t, ws)
			}
			if transport == "polling" {
				_ = ws.Send("5")
			}
			_ = ws.Send("4still here")
			if got := read(t, ws); got != "4still here" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A client that names an unknown session learns that before the handshake.
func TestUpgrade_UnknownSessionIsRefused(t *testing.T) {
	s := start(t, engineio.Options{})
	p := s.poller(t)
	do(t, p, http.MethodPost, "1")
	for _, sid := range []string{"nobody", p.SID} {
		if _, err := wire.Dial(s.url("websocket")+"&sid="+sid, nil); !errors.Is(err, wire.ErrRefused) {
			t.Errorf("%s: %v", sid, err)
		}
	}
}

func TestUpgrade_ProbeEndsWithTheSession(t *testing.T) {
	s := start(t, engineio.Options{})
	p := s.poller(t)
	ws := s.probe(t, p)
	do(t, p, http.MethodPost, "bad")
	_ = ends(t, ws)
}

// TestUpgrade_UnderBroadcast lets clients upgrade as real ones do, while a message goes to all every 2 ms. Each must
// see every number from its first to the last, once.
func TestUpgrade_UnderBroadcast(t *testing.T) {
	const clients, after = 50, 100
	s := start(t, engineio.Options{MaxQueuePackets: -1, MaxQueueBytes: -1}) // a busy machine may be behind by more than a queue holds
	s.echo = false
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var broadcast sync.WaitGroup
	broadcast.Go(func() {
		for n := 1; ctx.Err() == nil; n++ {
			b := engineio.NewBatch(engineio.NewPacket([]byte(strconv.Itoa(n))))
			for _, session := range s.all() {
				session.SendBatch(b)
			}
			time.Sleep(2 * time.Millisecond)
		}
	})
	faults := make(chan error, clients)
	for range clients {
		go func() { faults <- s.upgradeAndCount(t.Context(), after) }()
	}
	for range clients {
		if err := <-faults; err != nil {
			t.Error(err)
		}
	}
	stop()
	broadcast.Wait()
	if n := s.engine.Stats(); n.Upgrades != clients {
		t.Errorf("%+v", n)
	}
}

// upgradeAndCount polls until its probe is answered and its last poll has ended, then reads n messages more.
func (s *server) upgradeAndCount(ctx context.Context, n int) error {
	p := &wire.Poller{URL: s.url("polling"), HTTP: s.client}
	if err := p.Handshake(ctx); err != nil {
		return err
	}
	ws, err := wire.Dial(s.url("websocket")+"&sid="+p.SID, nil)
	if err != nil {
		return err
	}
	defer ws.Close()
	probed := make(chan error, 1)
	go func() {
		_ = ws.Send("2probe")
		got, err := ws.Next()
		if err == nil && got != "3probe" {
			err = fmt.Errorf("got %q", got)
		}
		probed <- err
	}()
	var seen counter
	for paused := false; !paused; {
		a, err := p.Do(ctx, http.MethodGet, "")
		if err != nil || a.Status != 200 {
			return fmt.Errorf("%v %w", a, err)
		}
		for part := range strings.SplitSeq(a.Body, "\x1e") {
			if err := seen.add(part); err != nil {
				return fmt.Errorf("polling: %w", err)
			}
		}
		select {
		case err := <-probed:
			if err != nil {
				return err
			}
			paused = true
		default:
		}
	}
	_ = ws.Send("5")
	for range n {
		got, err := ws.Next()
		if err == nil {
			err = seen.add(got)
		}
		if err != nil {
			return fmt.Errorf("websocket: %w", err)
		}
	}
	return nil
}

// counter checks that numbers follow one another.
type counter int

func (c *counter) add(packet string) error {
	if packet == "6" || packet == "2" {
		return nil
	}
	n, err := strconv.Atoi(strings.TrimPrefix(packet, "4"))
	if err != nil {
		return err
	}
	if *c != 0 && n != int(*c)+1 {
		return fmt.Errorf("%d came after %d", n, *c)
	}
	*c = counter(n)
	return nil
}
