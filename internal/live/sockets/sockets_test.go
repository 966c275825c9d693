package sockets_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lxzan/gws"
	"go.uber.org/goleak"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/live"
	"sneakerdrop/internal/live/sockets"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/socketio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client is a minimal Socket.IO client. The packets that it receives arrive in events.
type client struct {
	gws.BuiltinEventHandler
	t      *testing.T
	conn   *gws.Conn
	auth   string // JSON, sent when it connects
	events chan string
	closed chan struct{}
}

func (c *client) OnClose(*gws.Conn, error) { close(c.closed) }

func (c *client) OnMessage(conn *gws.Conn, message *gws.Message) {
	defer message.Close()
	switch text := message.Data.String(); {
	case strings.HasPrefix(text, "0"):
		_ = conn.WriteString("40" + c.auth)
	case text == "2":
		_ = conn.WriteString("3")
	case strings.HasPrefix(text, "4"):
		c.events <- text
	}
}

// next returns the next packet: 42["stock_update",…].
func (c *client) next() string {
	c.t.Helper()
	select {
	case e := <-c.events:
		return e
	case <-time.After(await.Patience):
		c.t.Fatalf("nothing was told in %s", await.Patience)
		return ""
	}
}

func (c *client) want(packet string) {
	c.t.Helper()
	if got := c.next(); got != packet {
		c.t.Errorf("got  %s\nwant %s", got, packet)
	}
}

func (c *client) emit(packet string) {
	c.t.Helper()
	if err := c.conn.WriteString("42" + packet); err != nil {
		c.t.Fatal(err)
	}
}

type show struct {
	t   *testing.T
	hub *live.Hub
	url string
}

func newShow(t *testing.T) *show { return newShowWith(t, live.Config{Window: time.Millisecond}, nil) }

func newShowWith(t *testing.T, c live.Config, identify sockets.Identify) *show {
	hub := live.New(c)
	s := sockets.New(hub, socketio.Options{}, identify)
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
		server.Close()
		hub.Close()
	})
	return &show{t, hub, "ws" + strings.TrimPrefix(server.URL, "http") + "/socket.io/?EIO=4&transport=websocket"}
}

// connect joins and reads the answer.
func (s *show) connect(query string) *client {
	s.t.Helper()
	c := s.dial(query, "")
	if got := c.next(); !strings.HasPrefix(got, `40{"sid":"`) {
		s.t.Fatalf("connecting was answered %s", got)
	}
	return c
}

// dial connects. The answer is the first packet in events.
func (s *show) dial(query, auth string) *client {
	s.t.Helper()
	c := &client{t: s.t, auth: auth, events: make(chan string, 1000), closed: make(chan struct{})}
	conn, _, err := gws.NewClient(c, &gws.ClientOption{Addr: s.url + query})
	if err != nil {
		s.t.Fatal(err)
	}
	c.conn = conn
	go conn.ReadLoop()
	s.t.Cleanup(func() { conn.NetConn().Close() })
	return c
}

func (s *show) publish(id drop.ID, version int64) {
	s.hub.Publish(engine.Event{
		View: &engine.View{Drop: drop.Drop{
			ID: id, Version: version, Sizes: []drop.Size{{Stock: drop.Stock{Total: version, Available: version}}},
		}},
		Ledger: []drop.LedgerEntry{{Reason: drop.Restocked, Units: 1}},
	})
}

// shown publishes, and waits until the hub has sent it.
func (s *show) shown(id drop.ID, version int64) {
	s.t.Helper()
	s.publish(id, version)
	await.Until(s.t, "the hub shows the drop", func() (there bool) {
		s.hub.Join(id, func(snapshot []live.Update) { there = len(snapshot) > 0 })
		return there
	})
}

func stock(id, version int, reason string) string {
	if reason != "" {
		reason = `"reason":"` + reason + `",`
	}
	return fmt.Sprintf(`42["stock_update",{"dropId":%d,"available_stock":%d,%s"version":%d}]`, id, version, reason, version)
}

func TestClient_GetsTheStateThenWhatFollows(t *testing.T) {
	s := newShow(t)
	s.shown(7, 1)
	s.shown(8, 1)
	c := s.connect("")
	c.want(stock(7, 1, ""))
	c.want(stock(8, 1, ""))
	s.publish(8, 2)
	c.want(stock(8, 2, "restocked"))
}

func TestClient_WatchesOneDropByQuery(t *testing.T) {
	s := newShow(t)
	s.shown(7, 1)
	s.shown(8, 1)
	c := s.connect("&drop=8")
	c.want(stock(8, 1, ""))
	s.publish(7, 2)
	s.publish(8, 2)
	c.want(stock(8, 2, "restocked"))
}

func TestClient_WatchesByEvent(t *testing.T) {
	s := newShow(t)
	for id := drop.ID(7); id <= 9; id++ {
		s.shown(id, 1)
	}
	c := s.connect("&drop=7")
	c.want(stock(7, 1, ""))
	c.emit(`["watch",8]`)
	c.want(stock(8, 1, ""))
	s.publish(9, 2)
	s.publish(7, 2)
	c.want(stock(7, 2, "restocked"))
	s.publish(8, 2)
	c.want(stock(8, 2, "restocked"))
	c.emit(`["watch"]`) // all drops again
	c.want(stock(7, 2, ""))
	c.want(stock(8, 2, ""))
	c.want(stock(9, 2, ""))
	s.publish(9, 3)
	c.want(stock(9, 3, "restocked"))
	s.publish(7, 3)
	c.want(stock(7, 3, "restocked")) // once, not once per room
	s.publish(9, 4)
	c.want(stock(9, 4, "restocked"))
}

func TestClient_WatchIsAnswered(t *testing.T) {
	s := newShow(t)
	s.shown(7, 1)
	c := s.connect("&drop=7")
	c.want(stock(7, 1, ""))
	c.emit(`1["watch","seven"]`)
	c.want(`431[{"code":"invalid","error":"watch takes the number of a drop, or nothing for all drops"}]`)
	c.emit(`2["watch",7]`)
	c.want(stock(7, 1, ""))
	c.want(`432[{"watching":7}]`)
	for id := range 60 {
		c.emit(fmt.Sprintf(`["watch",%d]`, 1000+id))
	}
	c.emit(`3["watch",2000]`)
	c.want(`433[{"code":"invalid","error":"You are watching too many single drops; watch all drops instead"}]`)
}

// A client that keeps asking for the state gets it rarely and is told so. Others do not wait for it.
func TestClient_WatchesAtARate(t *testing.T) {
	s := newShow(t)
	s.shown(7, 1)
	c := s.connect("&drop=7")
	c.want(stock(7, 1, ""))
	const many = 150 // the number that engineio accepts at once
	for range many {
		c.emit(`1["watch"]`)
	}
	told, refused := 0, 0
	for range many {
		switch got := c.next(); got {
		case stock(7, 1, ""):
			told++
			c.want(`431[{"watching":0}]`)
		case `431[{"code":"rate_limited","error":"You are changing the watched drops too often; wait a second and try again"}]`:
			refused++
		default:
			t.Fatal(got)
		}
	}
	if told < 100 || told > 140 || told+refused != many { // a slow machine takes some seconds
		t.Errorf("told %d times, refused %d", told, refused)
	}
	s.publish(7, 2)
	c.want(stock(7, 2, "restocked"))
}
