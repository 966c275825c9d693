package app

import (
	"context"
	"log/slog"
	"sync"
)

// Secret is something in files, or at a provider, that a server reads again at SIGHUP.
type Secret struct {
	What  string
	Files []string
	// Read switches to the current content. After an error the old content stays in use.
	Read func(ctx context.Context) (changed bool, err error)
}

// secrets returns everything that the server reads again.
func (s *server) secrets() (all []Secret) {
	if c := s.Certificates; c != nil {
		all = append(all, Secret{"certificate", []string{c.certFile, c.keyFile}, func(context.Context) (bool, error) { return c.reload() }})
	}
	all = append(all, s.Secrets...)
	if n := s.Bus; n != nil && (n.Credentials != "" || n.CA != "" || n.Cert != "") {
		files := []string{n.Credentials, n.CA, n.Cert, n.Key}
		all = append(all, Secret{"user and certificates at NATS", files, func(context.Context) (bool, error) { return s.bus.Reload() }})
	}
	return all
}

// startReloading reads secrets again at each SIGHUP. Requests continue meanwhile.
func (s *server) startReloading(ctx context.Context) (stop, error) {
	ctx, cancel := context.WithCancel(ctx)
	all := s.secrets()
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.Hangups:
				reload(ctx, all, s.Log)
			}
		}
	})
	return ends(func() {
		cancel()
		running.Wait()
	}), nil
}

func reload(ctx context.Context, all []Secret, log *slog.Logger) {
	log.Info("SIGHUP: reading certificates, keys and users again", "of", len(all))
	for _, s := range all {
		switch changed, err := s.Read(ctx); {
		case err != nil:
			log.Error("cannot be read again; the old content stays in use", "what", s.What, "error", err)
		case changed:
			log.Info("read again: changed", "what", s.What, "files", s.Files)
		default:
			log.Info("read again: unchanged", "what", s.What, "files", s.Files)
		}
	}
}
