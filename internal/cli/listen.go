package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"syscall"

	"sneakerdrop/internal/app"
)

// address is where to listen.
type address struct {
	app.Address

	given bool // :0 is an address too: any free port, everywhere
}

func parseAddress(s string) (address, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return address{}, fmt.Errorf("must be HOST:PORT, such as localhost:3000, and is %q", s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return address{}, fmt.Errorf("must end in a port from 0 to 65535, and is %q", s)
	}
	return address{Address: app.Address{Host: host, Port: uint16(n)}, given: true}, nil
}

// keepLocal keeps an address that a platform names (PORT, HOST) on this machine where nobody has to sign in. Nobody
// has chosen such an address for this program, so it is no reason to refuse the start.
func (c *serveCommand) keepLocal(s *settings, log *slog.Logger) {
	if !s.platform || c.Insecure || c.required() || c.Addr.Loopback() {
		return
	}
	wanted := c.Addr
	c.Addr.Host = "localhost"
	log.Warn("nobody has to sign in, so this machine alone is served; have buyers sign in (--oidc-issuer, --jwt-jwks-url or --jwt-secret-file) to "+
		"listen on the address that "+s.name("addr")+" names", "addr", c.Addr.String(), "wanted", wanted.String())
}

// checkReach refuses addresses that are not this machine's own where nobody has to sign in, unless that was allowed.
func (c *serveCommand) checkReach() error {
	exposed := func(a address) bool { return a.given && !a.Loopback() }
	if exposed(c.Addr) && !c.Insecure && !c.required() {
		return &faultError{flag: "addr", rule: fmt.Sprintf(
			"is %s, which other machines may reach, and nobody has to sign in; have buyers sign in (--oidc-issuer, --jwt-jwks-url or "+
				"--jwt-secret-file), listen on localhost, or add --insecure if that is what you want", c.Addr)}
	}
	if !exposed(c.MetricsAddr) || c.InsecureMetrics {
		return nil
	}
	instead := "add --insecure-metrics"
	if c.Insecure {
		instead += " (--insecure is for --addr alone)"
	}
	return &faultError{flag: "metrics-addr", rule: fmt.Sprintf(
		"is %s, which other machines may reach, and nobody has to sign in there; listen on localhost, or %s if that is what you want", c.MetricsAddr, instead)}
}

// listenError says which setting to change: the one of that flag.
func (con *console) listenError(flag string, a address, err error) error {
	setting := con.settings.name(flag)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %d of %s is taken by another program; stop that one, or choose another port with %s", a.Port, a.Host, setting)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("port %d of %s is not allowed to this user; choose one above 1023 with %s", a.Port, a.Host, setting)
	default:
		if flag == "addr" && con.settings.platform && con.settings.hostSource != "" {
			setting = con.settings.hostSource
		}
		if e, ok := errors.AsType[*net.OpError](err); ok {
			err = e.Err
		}
		return fmt.Errorf("cannot listen on %s: %w; correct %s", a, err, setting)
	}
}
