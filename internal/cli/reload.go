package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"sneakerdrop/internal/bus"
	"sneakerdrop/internal/identity"
	"sneakerdrop/internal/shop"
)

// endBy gives a signal its usual effect back, also to one that has come already.
func endBy(signals chan os.Signal) {
	signal.Stop(signals)
	select {
	case <-signals:
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Signal(syscall.SIGHUP)
		}
	default:
	}
}

// secret is something in files, or at a provider, that serve reads again at SIGHUP.
type secret struct {
	what  string
	files []string
	// read takes over what is there now. After an error what was there before stays in use.
	read func(ctx context.Context) (changed bool, err error)
}

// secrets are all that a server reads again.
func (c *serveCommand) secrets(v *identity.Verifier, pair *certificates, b *bus.NATS, rehearsals *shop.Rehearsals) (all []secret) {
	if pair != nil {
		all = append(all, secret{"certificate", []string{c.TLSCert, c.TLSKey}, func(context.Context) (bool, error) { return pair.reload() }})
	}
	switch {
	case v == nil || c.JWTSecret != "": // that one is in no file
	case c.JWTSecretFile != "":
		all = append(all, secret{"secret of buyers' tokens", []string{c.JWTSecretFile}, func(ctx context.Context) (bool, error) {
			text, err := c.secret()
			if err != nil {
				return false, err
			}
			changed, err := v.Reload(ctx, text)
			if changed && rehearsals != nil {
				rehearsals.Sign(c.signing(text))
			}
			return changed, err
		}})
	default:
		all = append(all, secret{"identity provider's keys", nil, func(ctx context.Context) (bool, error) { return v.Reload(ctx, nil) }})
	}
	if b != nil && (c.NATSCreds != "" || c.NATSCA != "" || c.NATSCert != "") {
		all = append(all, secret{"user and certificates at NATS", []string{c.NATSCreds, c.NATSCA, c.NATSCert, c.NATSKey}, func(context.Context) (bool, error) {
			return b.Reload()
		}})
	}
	return all
}

// reloading reads secrets again at each SIGHUP, until the returned function is called. Requests go on meanwhile.
func (con *console) reloading(ctx context.Context, all []secret, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-con.hangups:
				reload(ctx, all, log)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func reload(ctx context.Context, all []secret, log *slog.Logger) {
	log.Info("SIGHUP: certificates, keys and users are read again", "of", len(all))
	for _, s := range all {
		switch changed, err := s.read(ctx); {
		case err != nil:
			log.Error("cannot be read again, what was read before stays in use", "what", s.what, "error", err)
		case changed:
			log.Info("read again, and changed", "what", s.what, "files", s.files)
		default:
			log.Info("read again, and the same", "what", s.what, "files", s.files)
		}
	}
}
