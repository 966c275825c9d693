package engineio_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
	"sneakerdrop/socketio/engineio"
	"sneakerdrop/socketio/internal/wire"
)

const (
	unknown = `{"code":1,"message":"Session ID unknown"}`
	bad     = `{"code":3,"message":"Bad request"}`
)

// poll starts a poll that the server keeps open; the answer comes through the channel.
func poll(ctx context.Context, p *wire.Poller) <-chan wire.Answer {
	answer := make(chan wire.Answer, 1)
	go func() {
		a, err := p.Do(ctx, http.MethodGet, "")
		if err != nil {
			a.Body = err.Error()
		}
		answer <- a
	}()
	return answer
}

// opened waits until a poll has reached its session: a second one might come first.
func (s *server) opened(t *testing.T) {
	t.Helper()
	await.Until(t, "a poll is open", func() bool { return s.engine.Stats().OpenPolls > 0 })
}

func TestPolling_MessagesBothWays(t *testing.T) {
	s := start(t, engineio.Options{})
	p := s.poller(t)
	expect(t, do(t, p, http.MethodPost, "4one\x1ebAQIDBA==\x1e4zwölf 😀"), 200, "ok")
	expect(t, do(t, p, http.MethodGet, ""), 200, "4one\x1ebAQIDBA==\x1e4zwölf 😀")
	answer := poll(t.Context(), p)
	s.opened(t)
	s.session(t, p.SID).Send(engineio.NewPacket([]byte("late"), []byte{1, 2}))
	expect(t, <-answer, 200, "4late\x1ebAQI=")
}

func TestPolling_Misuse(t *testing.T) {
	for _, c := range []struct {
		name string
		body string
		want engineio.Reason
	}{
		{"unknown type", "abc", engineio.ParseError},
		{"empty", "", engineio.ParseError},
		{"empty packet", "4a\x1e\x1e4b", engineio.ParseError},
		{"a server's packet", "0{}", engineio.ParseError},
		{"ping", "2", engineio.ParseError},
		{"upgrade", "5", engineio.ParseError},
		{"no base64", "b%%%", engineio.ParseError},
		{"no UTF-8", "4\xff", engineio.ParseError},
		{"handler's error", "4bad", engineio.ParseError},
		{"handler's panic", "4panic", engineio.HandlerPanic},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, engineio.Options{})
			p := s.poller(t)
			answer := poll(t.Context(), p)
			s.opened(t)
			if a := do(t, p, http.MethodPost, c.body); a.Status == 200 && c.want == engineio.ParseError {
				t.Errorf("answer %+v", a)
			}
			s.closed(t, p.SID, c.want)
			expect(t, <-answer, 200, "1")
			expect(t, do(t, p, http.MethodGet, ""), 400, unknown)
		})
	}
}

func TestPolling_SecondPollClosesTheSession(t *testing.T) {
	s := start(t, engineio.Options{})
	p := s.poller(t)
	first := poll(t.Context(), p)
	s.opened(t)
	expect(t, do(t, p, http.MethodGet, ""), 400, bad)
	expect(t, <-first, 200, "1")
	s.closed(t, p.SID, engineio.DuplicatePoll)
}

func TestPolling_AbortedPollClosesTheSession(t *testing.T) {
	s := start(t, engineio.Options{})
	p := s.poller(t)
	ctx, cancel := context.WithCancel(t.Context())
	answer := poll(ctx, p)
	s.opened(t)
	cancel()
	<-answer
	s.closed(t, p.SID, engineio.PollAborted)
	expect(t, do(t, p, http.MethodGet, ""), 400, unknown)
}

func TestPolling_ClientCloses(t *testing.T) {
	s := start(t, engineio.Options{})
	p := s.poller(t)
	answer := poll(t.Context(), p)
	s.opened(t)
	expect(t, do(t, p, http.MethodPost, "1"), 200, "ok")
	expect(t, <-answer, 200, "6")
	s.closed(t, p.SID, engineio.ClientClose)
	expect(t, do(t, p, http.MethodGet, ""), 400, unknown)
}

func TestPolling_LastPollMayComeAfterTheClose(t *testing.T) {
	s := start(t, engineio.Options{})
	p := s.poller(t)
	expect(t, do(t, p, http.MethodPost, "1"), 200, "ok")
	expect(t, do(t, p, http.MethodGet, ""), 200, "6")
	expect(t, do(t, p, http.MethodGet, ""), 400, unknown)
}

func TestPolling_TooLarge(t *testing.T) {
	for name, body := range map[string]string{"announced": strings.Repeat("4", 200), "one byte over": strings.Repeat("4", 101)} {
		s := start(t, engineio.Options{MaxPayload: 100})
		p := s.poller(t)
		if a := do(t, p, http.MethodPost, body); a.Status != 413 {
			t.Errorf("%s: %+v", name, a)
		}
		s.closed(t, p.SID, engineio.PayloadTooLarge)
	}
}

func TestPolling_OtherMethodsAreRefused(t *testing.T) {
	s := start(t, engineio.Options{})
	p := s.poller(t)
	expect(t, do(t, p, http.MethodDelete, ""), 400, bad)
	expect(t, do(t, p, http.MethodPost, "4still here"), 200, "ok")
}

func TestPolling_ServerClosesAfterWhatWaits(t *testing.T) {
	s := start(t, engineio.Options{})
	p := s.poller(t)
	session := s.session(t, p.SID)
	session.Send(engineio.NewPacket([]byte("bye")))
	session.Close()
	expect(t, do(t, p, http.MethodGet, ""), 200, "4bye\x1e1")
	s.closed(t, p.SID, engineio.ServerClose)
}

func TestPolling_FullQueueClosesTheSession(t *testing.T) {
	s := start(t, engineio.Options{MaxQueuePackets: 10})
	p := s.poller(t)
	session := s.session(t, p.SID)
	for range 11 {
		session.Send(engineio.NewPacket([]byte("x")))
	}
	s.closed(t, p.SID, engineio.SlowClient)
}

// TestPolling_OutlastsTheTimeoutsOfItsServer: a poll is open for as long as a ping interval, whatever bounds an
// http.Server has for ordinary requests. A WebSocket is not bounded by them either.
func TestPolling_OutlastsTheTimeoutsOfItsServer(t *testing.T) {
	s := start(t, engineio.Options{})
	short := httptest.NewUnstartedServer(s.engine)
	const timeout = time.Second
	short.Config.ReadTimeout, short.Config.WriteTimeout = timeout, timeout
	short.Start()
	defer short.Close()
	s.http.URL = short.URL
	p := s.poller(t)
	ws, sid := s.webSocket(t)
	answer := poll(t.Context(), p)
	time.Sleep(2 * timeout)
	for _, id := range []string{p.SID, sid} {
		s.session(t, id).Send(engineio.NewPacket([]byte("late")))
	}
	expect(t, <-answer, 200, "4late")
	if got := read(t, ws); got != "4late" {
		t.Errorf("got %q", got)
	}
	expect(t, do(t, p, http.MethodPost, "4x"), 200, "ok")
	s.client.CloseIdleConnections()
}
