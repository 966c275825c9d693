// Package app wires the parts of a server together. It makes them from settings and starts them in order. It stops
// them in reverse order, whether the server ends or a part fails to start.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/bus"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/events/webhooks"
	"sneakerdrop/internal/shop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/web"
)

// Config has a server's settings. In the parts' own settings, leave out what refers to other parts: Serve fills that
// in.
type Config struct {
	Log *slog.Logger
	// Address is where to serve. Metrics, if not nil, is a separate address for metrics and profiles.
	Address Address
	Metrics *Address
	// Certificates secure connections. Nil means HTTP.
	Certificates *Certificates
	// HSTS is how long browsers must keep using TLS; 0 leaves the header out.
	HSTS time.Duration
	// Hosts are names of this server besides those of this machine. A server that only this machine reaches, and that
	// has no sign-in, answers only to all of these names. Any other server answers to every name if Hosts is empty,
	// and only to these names otherwise.
	Hosts []string
	// KeepAlive is how long a connection may wait for its next request.
	KeepAlive time.Duration
	// MaxConnections is the most open connections, and ConnectionsPerAddress the most from one address (0 chooses a
	// default).
	MaxConnections, ConnectionsPerAddress int
	// MaxSockets is the most Socket.IO clients, and the most event streams. SocketsPerAddress is the same for one
	// address.
	MaxSockets, SocketsPerAddress int

	// Open opens the store and brings its schema up to date. While it waits for the store, it calls waits repeatedly
	// with the reason.
	Open func(ctx context.Context, waits func(why string)) (store.Store, error)
	// AnswerWhileWaiting answers /livez and /readyz while the server waits for the store.
	AnswerWhileWaiting bool
	// Fill, if not nil, fills an empty store.
	Fill func(context.Context, store.Store) error

	Engine     engine.Config
	API        api.Config
	Payments   *Payments // nil: a purchase takes no money
	Pages      web.Config
	Bus        *bus.Config      // nil for none; its Subject is only the first word of the subjects
	Rehearsals *shop.Rehearsals // nil for none
	Webhooks   webhooks.SenderOptions
	// BeaconURL is where the public HTTP API of drand is, for draws with a beacon. Empty: operators reveal the round.
	BeaconURL string

	// Hangups makes the server read Secrets, and everything else in files, again.
	Hangups <-chan os.Signal
	Secrets []Secret

	// Ready is called once the server serves, with its address and the URL for a browser on this machine.
	Ready func(at Address, url string)
	// Explain rewords a start-up error so that it names the setting to change; see SettingError.
	Explain func(error) error
	// Drain is how long the server keeps serving after the signal to stop. ShutdownTimeout is how long a stop waits
	// for accepted requests.
	Drain, ShutdownTimeout time.Duration
}

// SettingError says why a server did not start, and which setting is the cause: "database", "addr", "metrics-addr" or
// "nats".
type SettingError struct {
	Setting string
	Err     error
}

func (e *SettingError) Error() string { return e.Setting + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *SettingError) Unwrap() error { return e.Err }

// part starts one part of a server, which may depend on those before it. It returns a function that stops it, or nil
// if nothing has to be stopped.
type part func(context.Context) (stop, error)

type stop func(context.Context) error

// ends adapts a function that stops something by itself and without errors.
func ends(end func()) stop {
	return func(context.Context) error {
		end()
		return nil
	}
}

// up starts parts one after the other, until one fails. down stops those that were started, in reverse order.
func up(ctx context.Context, parts []part) (down stop, err error) {
	var stops []stop
	down = func(ctx context.Context) (err error) {
		for _, end := range slices.Backward(stops) {
			err = errors.Join(err, end(ctx))
		}
		stops = nil
		return err
	}
	for _, start := range parts {
		end, err := start(ctx)
		if err != nil {
			return down, err
		}
		if end != nil {
			stops = append(stops, end)
		}
	}
	return down, nil
}

// settleAfter is when the first pages, looks and sweeps are done. What only they needed is freed then, up to 10 MB.
// Otherwise a server that does nothing keeps it for minutes.
const settleAfter = 5 * time.Second

// Serve runs a server until ctx ends, and then finishes what was accepted. It returns no error if ctx ends before the
// server is ready.
func Serve(ctx context.Context, c Config) error {
	s := &server{Config: c}
	down, err := up(ctx, s.parts())
	switch {
	case err == nil:
		debug.FreeOSMemory() // frees 3 MB that only the start needed
		settled := time.AfterFunc(settleAfter, func() {
			debug.FreeOSMemory()
			if err := dropStartCode(); err != nil {
				s.Log.Debug("keep the code that only the start needed", "err", err)
			}
		})
		defer settled.Stop()
		c.Ready(s.door.addr, s.url)
		err = s.serve(ctx)
		s.Log.Info("stopping", "timeout", c.ShutdownTimeout)
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		err = nil
	default:
		err = c.Explain(err)
	}
	began := time.Now()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.ShutdownTimeout)
	defer cancel()
	unfinished := down(stopping)
	if unfinished == nil && s.url != "" {
		s.Log.Info("stopped", "took", time.Since(began).Round(time.Millisecond))
	}
	return errors.Join(err, unfinished)
}

// serve returns when the server should stop.
func (s *server) serve(ctx context.Context) error {
	if s.Rehearsals != nil {
		defer s.Rehearsals.Stop() // while it can still archive its copy
	}
	select {
	case err := <-s.door.failed:
		return fmt.Errorf("serve %s: %w", s.door.addr, err)
	case <-ctx.Done():
	}
	if s.Drain == 0 {
		return nil
	}
	s.Log.Info("draining", "for", s.Drain)
	s.engine.Drain()
	select {
	case err := <-s.door.failed:
		return fmt.Errorf("serve: %w", err)
	case <-time.After(s.Drain):
		return nil
	}
}
