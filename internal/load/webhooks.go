package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// slowAnswer is how long the slow receiver takes for each message.
const slowAnswer = 5 * time.Second

// receivers are three endpoints of the server's webhooks, which get all events: one answers at once, one slowly, and
// one is dead.
type receivers struct {
	client *client
	ids    []int64
	server *http.Server
	ended  chan error
}

// receive starts the receivers and creates their endpoints. The server must allow endpoints on this machine.
func receive(ctx context.Context, c *client) (*receivers, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	dead, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if err := dead.Close(); err != nil { // now nothing listens on its port
		return nil, errors.Join(err, l.Close())
	}
	answer := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // it is only taken
		w.WriteHeader(http.StatusNoContent)
	}
	handler := http.NewServeMux()
	handler.HandleFunc("/good", answer)
	handler.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(slowAnswer):
		case <-r.Context().Done():
		}
		answer(w, r)
	})
	rs := &receivers{client: c, server: &http.Server{Handler: handler, ReadHeaderTimeout: slowAnswer}, ended: make(chan error, 1)}
	go func() { rs.ended <- rs.server.Serve(l) }()
	for _, url := range []string{"http://" + l.Addr().String() + "/good", "http://" + l.Addr().String() + "/slow", "http://" + dead.Addr().String() + "/"} {
		var made struct {
			ID int64 `json:"id"`
		}
		if err := c.ask(ctx, http.MethodPost, "/api/webhooks", map[string]string{"url": url}, &made); err != nil {
			return nil, errors.Join(fmt.Errorf("create a webhook: %w", err), rs.end(ctx))
		}
		rs.ids = append(rs.ids, made.ID)
	}
	return rs, nil
}

// end deletes the endpoints and ends the receivers.
func (rs *receivers) end(ctx context.Context) (err error) {
	for _, id := range rs.ids {
		var gone json.RawMessage
		err = errors.Join(err, rs.client.ask(ctx, http.MethodDelete, "/api/webhooks/"+strconv.FormatInt(id, 10), nil, &gone))
	}
	err = errors.Join(err, rs.server.Close())
	if ended := <-rs.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
