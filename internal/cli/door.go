package cli

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/http1"
)

// door is what listens at --addr. What it leads to may change while it is open: at first to a waiting room, if the database is waited for.
type door struct {
	listeners []net.Listener
	addr      address
	server    *http1.Server
	failed    chan error
	inside    atomic.Pointer[http.Handler]
}

// listenAt opens the door; nobody is let in before lead.
func (c *serveCommand) listenAt(ctx context.Context, con *console, log *slog.Logger) (*door, error) {
	listeners, addr, err := listen(ctx, c.Addr)
	if err != nil {
		return nil, con.listenError("addr", c.Addr, err)
	}
	d := &door{listeners: listeners, addr: addr, failed: make(chan error, len(listeners))}
	rest := api.Server(api.StrictTransport(d, time.Duration(c.HSTS), c.TrustedProxy), log)
	rest.IdleTimeout = time.Duration(c.KeepAlive)
	d.server = http1.New(rest, api.GivenWhole, c.bounds(log))
	return d, nil
}

// lead has the door lead to h, and opens it the first time.
func (c *serveCommand) lead(d *door, h http.Handler, security *tls.Config) {
	if before := d.inside.Swap(&h); before != nil {
		return
	}
	for _, l := range d.listeners {
		go func() { d.failed <- serveOn(d.server, l, security) }()
	}
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*d.inside.Load()).ServeHTTP(w, r) }

// close is for a start that failed; a nil door is none.
func (d *door) close() {
	if d == nil {
		return
	}
	_ = d.server.Close() // there is nothing to finish
	for _, l := range d.listeners {
		_ = l.Close() // also where it was not served on yet
	}
}

// waitingRoom answers while the database is waited for: the process lives, and cannot sell.
type waitingRoom struct {
	mu  sync.Mutex
	why string
}

func (w *waitingRoom) say(why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.why = why
}

// ServeHTTP implements http.Handler. Its answers have the form of the API's.
func (w *waitingRoom) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	if path := strings.ToLower(strings.TrimSuffix(r.URL.Path, "/")); path == "/livez" {
		_, _ = rw.Write([]byte(`{"status":"ok"}` + "\n"))
		return
	}
	w.mu.Lock()
	answer := struct {
		Error string `json:"error"`
		Code  string `json:"code"`
	}{"Not ready to serve: the database is not there yet; try again after Retry-After seconds", "not_ready"}
	if path := strings.ToLower(strings.TrimSuffix(r.URL.Path, "/")); path == "/readyz" && w.why != "" {
		answer.Error = "Not ready to serve: waiting for the database (" + w.why + "); try again after Retry-After seconds"
	}
	w.mu.Unlock()
	rw.Header().Set("Retry-After", "2")
	rw.WriteHeader(http.StatusServiceUnavailable)
	_ = json.NewEncoder(rw).Encode(answer)
}
