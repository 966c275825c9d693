// Package app is the one place where the parts of a server are wired together: it makes them from settings, starts
// them in order and stops them in the opposite order, whether the server ends or one of them does not start.
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
	"sneakerdrop/internal/shop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/web"
)

// Config is a server's settings. Of the parts' own settings it leaves out what other parts are: Serve fills that in.
type Config struct {
	Log *slog.Logger
	// Address is what is served; Metrics, if not nil, where metrics and profiles are apart.
	Address Address
	Metrics *Address
	// Certificates secure connections; nil: nothing does.
	Certificates *Certificates
	// HSTS is for how long browsers are told to come over TLS alone; 0: they are not told.
	HSTS time.Duration
	// Hosts are names of this server beside those of this machine. Where only this machine reaches it and nobody
	// signs in, it answers to these alone; anywhere else too, unless there are none.
	Hosts []string
	// KeepAlive is how long a connection may wait for its next request.
	KeepAlive time.Duration
	// MaxConnections are open at once, and ConnectionsPerAddress (0: what suits) of one address.
	MaxConnections, ConnectionsPerAddress int
	// MaxSockets are Socket.IO clients, and event streams, at once, and SocketsPerAddress of one address.
	MaxSockets, SocketsPerAddress int

	// Open opens the store, with its schema up to date. It tells waits again and again why it is still waited for.
	Open func(ctx context.Context, waits func(why string)) (store.Store, error)
	// AnswerWhileWaiting has /livez and /readyz answered while the store is waited for.
	AnswerWhileWaiting bool
	// Fill, if not nil, fills an empty store.
	Fill func(context.Context, store.Store) error

	Engine     engine.Config
	API        api.Config
	Pages      web.Config
	Bus        *bus.Config      // nil: none; Subject is the word that the subjects begin with
	Rehearsals *shop.Rehearsals // nil: none

	// Hangups has Secrets, and what else is in files, read again.
	Hangups <-chan os.Signal
	Secrets []Secret

	// Ready is told where the server listens, and where a browser on this machine finds it, once it serves.
	Ready func(at Address, url string)
	// Explain puts an error on the way up into words that name the setting to change; see SettingError.
	Explain func(error) error
	// Drain is how long it serves on after the signal to stop, and ShutdownTimeout how long a stop waits for what was
	// accepted.
	Drain, ShutdownTimeout time.Duration
}

// SettingError is why a server did not start, and the setting that it hangs on: "database", "addr", "metrics-addr" or
// "nats".
type SettingError struct {
	Setting string
	Err     error
}

func (e *SettingError) Error() string { return e.Setting + ": " + e.Err.Error() }

// Unwrap returns what went wrong.
func (e *SettingError) Unwrap() error { return e.Err }

// part starts one part of a server, which rests on those before it, and returns what stops it; nil: nothing has to be
// stopped.
type part func(context.Context) (stop, error)

type stop func(context.Context) error

// ends is how something stops that does so by itself, and without errors.
func ends(end func()) stop {
	return func(context.Context) error {
		end()
		return nil
	}
}

// up starts parts one after the other, until one fails. down stops those that were started, the last one first.
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

// Serve runs a server until ctx ends, and then finishes what was accepted. A server that was told to end before it
// was ready has not failed.
func Serve(ctx context.Context, c Config) error {
	s := &server{Config: c}
	down, err := up(ctx, s.parts())
	switch {
	case err == nil:
		debug.FreeOSMemory() // what only the start needed: 3 MB
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

// serve returns when the server is to stop.
func (s *server) serve(ctx context.Context) error {
	if s.Rehearsals != nil {
		defer s.Rehearsals.Stop() // while its copy can still be archived
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
