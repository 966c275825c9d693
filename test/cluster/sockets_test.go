//go:build linux

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/lxzan/gws"
)

// watchThrough lets Socket.IO clients watch a drop through HAProxy, by polling and by WebSocket. Each poll must reach
// the replica that knows the session, with a cookie and without. Each client must hear about sales at any replica.
func (c *cluster) watchThrough(t testing.TB, crowd *crowd, s *shelf) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	for name, open := range map[string]func(context.Context) (hear func() (string, error), err error){
		"polling with a cookie": func(ctx context.Context) (func() (string, error), error) {
			return c.poll(ctx, &http.Client{Jar: jar})
		},
		"polling":   func(ctx context.Context) (func() (string, error), error) { return c.poll(ctx, &http.Client{}) },
		"WebSocket": c.socket,
	} {
		if err := c.hears(crowd, s, open); err != nil {
			t.Errorf("%s through HAProxy: %v", name, err)
		}
	}
}

func (c *cluster) hears(crowd *crowd, s *shelf, open func(context.Context) (func() (string, error), error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	hear, err := open(ctx)
	if err != nil {
		return err
	}
	until := func(words string) error {
		for {
			said, err := hear()
			if err != nil || strings.Contains(said, fmt.Sprintf(`"dropId":%d,`, s.id)) && strings.Contains(said, words) {
				return err
			}
		}
	}
	if err := until(`"stock_update"`); err != nil { // how things are
		return err
	}
	k := call{path: "/api/drops/reserve", key: fmt.Sprint("watched-", crowd.user.Add(1)), body: fmt.Sprintf(`{"dropId":%d,"userId":%d}`, s.id, crowd.user.Add(1))}
	crowd.settle(&k)
	return until(`"reserved"`)
}

// poll is a client that can only poll.
func (c *cluster) poll(ctx context.Context, client *http.Client) (func() (string, error), error) {
	address := c.shop() + "/socket.io/?EIO=4&transport=polling"
	client.Transport = &http.Transport{DisableKeepAlives: true} // each request is routed anew
	ask := func(method, address, body string) (string, error) {
		req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
		if err != nil {
			return "", err
		}
		resp, err := client.Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s %s: %d %s", method, address, resp.StatusCode, text)
		}
		return string(text), err
	}
	opened, err := ask(http.MethodGet, address, "")
	if err != nil {
		return nil, err
	}
	var session struct{ Sid string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(opened, "0")), &session); err != nil {
		return nil, fmt.Errorf("%s: %w", opened, err)
	}
	address += "&sid=" + session.Sid
	if _, err := ask(http.MethodPost, address, "40"); err != nil {
		return nil, err
	}
	return func() (string, error) { return ask(http.MethodGet, address, "") }, nil
}

// socket is a client that only uses WebSocket.
func (c *cluster) socket(ctx context.Context) (func() (string, error), error) {
	heard := &listener{said: make(chan string, 100)}
	socket, _, err := gws.NewClient(heard, &gws.ClientOption{
		Addr: strings.Replace(c.shop(), "http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket",
	})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = socket.NetConn().Close() })
	go socket.ReadLoop()
	return func() (string, error) {
		select {
		case said := <-heard.said:
			return said, nil
		case <-time.After(patience):
			return "", errors.New("nothing is heard")
		}
	}, socket.WriteString("40")
}

type listener struct {
	gws.BuiltinEventHandler

	said chan string
}

// OnMessage implements gws.Event.
func (l *listener) OnMessage(_ *gws.Conn, m *gws.Message) {
	defer m.Close()
	l.said <- m.Data.String()
}
