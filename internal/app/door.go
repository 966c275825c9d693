package app

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/http1"
)

// door is the listener at Config.Address. Its handler may change while it is open: while the server waits for its
// database, it is a waiting room.
type door struct {
	listeners []net.Listener
	addr      Address
	server    *http1.Server
	security  *tls.Config // nil for none
	failed    chan error
	inside    atomic.Pointer[http.Handler]
}

// openDoor listens. No connection is accepted before lead.
func (c *Config) openDoor(ctx context.Context) (*door, error) {
	listeners, addr, err := listen(ctx, c.Address)
	if err != nil {
		return nil, &SettingError{"addr", err}
	}
	d := &door{listeners: listeners, addr: addr, security: c.Certificates.config(), failed: make(chan error, len(listeners))}
	rest := api.Server(api.StrictTransport(d, c.HSTS, c.API.TrustedProxies), c.Log)
	rest.IdleTimeout = c.KeepAlive
	d.server = http1.New(rest, api.GivenWhole, connections(c.MaxConnections, c.ConnectionsPerAddress, c.API.TrustedProxies, c.Log))
	return d, nil
}

// lead sets the handler, and starts to accept the first time.
func (d *door) lead(h http.Handler) {
	if before := d.inside.Swap(&h); before != nil {
		return
	}
	for _, l := range d.listeners {
		go func() { d.failed <- d.serve(l) }()
	}
}

func (d *door) serve(l net.Listener) error {
	if d.security == nil {
		return d.server.Serve(l)
	}
	return d.server.ServeTLS(l, d.security)
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*d.inside.Load()).ServeHTTP(w, r) }

// close ends what is under way. After a shutdown that is nothing.
func (d *door) close() {
	_ = d.server.Close()
	for _, l := range d.listeners {
		_ = l.Close() // also if it has not been served yet
	}
}

// waitingRoom answers while the server waits for its database: the process is alive, but cannot sell.
type waitingRoom struct {
	mu  sync.Mutex
	why string
}

func (w *waitingRoom) say(why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.why = why
}

// ServeHTTP implements http.Handler. Its answers have the same form as the API's.
func (w *waitingRoom) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	path := strings.ToLower(strings.TrimSuffix(r.URL.Path, "/"))
	if path == "/livez" {
		_, _ = rw.Write([]byte(`{"status":"ok"}` + "\n"))
		return
	}
	w.mu.Lock()
	answer := struct {
		Error string `json:"error"`
		Code  string `json:"code"`
	}{"Not ready to serve: the database is not up yet; try again after Retry-After seconds", "not_ready"}
	if path == "/readyz" && w.why != "" {
		answer.Error = "Not ready to serve: waiting for the database (" + w.why + "); try again after Retry-After seconds"
	}
	w.mu.Unlock()
	rw.Header().Set("Retry-After", "2")
	rw.WriteHeader(http.StatusServiceUnavailable)
	_ = json.NewEncoder(rw).Encode(answer) //nolint:errchkjson // strings alone; whoever has gone is not told
}
