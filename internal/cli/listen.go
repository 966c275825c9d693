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

	given bool // :0 is an address too: any free port, on every interface
}

func parseAddress(s string) (address, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return address{}, fmt.Errorf("must be HOST:PORT, such as localhost:3000, not %q", s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return address{}, fmt.Errorf("must end in a port from 0 to 65535, not %q", s)
	}
	return address{Address: app.Address{Host: host, Port: uint16(n)}, given: true}, nil
}

// keepLocal restricts an address from a platform (PORT, HOST) to this machine if there is no sign-in. Nobody has
// chosen that address for this program, so it is no reason to refuse the start.
func (c *serveCommand) keepLocal(s *settings, log *slog.Logger) {
	if !s.platform || c.Insecure || c.required() || c.Addr.Loopback() {
		return
	}
	wanted := c.Addr
	c.Addr.Host = "localhost"
	log.Warn("there is no sign-in, so the server listens on this machine only; set up sign-in (--oidc-issuer, --jwt-jwks-url or --jwt-secret-file) to "+
		"listen on the address that "+s.name("addr")+" names", "addr", c.Addr.String(), "wanted", wanted.String())
}

// checkReach refuses addresses that other machines can reach if there is no sign-in, unless that is explicitly
// allowed.
func (c *serveCommand) checkReach() error {
	exposed := func(a address) bool { return a.given && !a.Loopback() }
	if exposed(c.Addr) && !c.Insecure && !c.required() {
		return &faultError{flag: "addr", rule: fmt.Sprintf(
			"is %s, which other machines may reach, but nobody has to sign in; set up sign-in (--oidc-issuer, --jwt-jwks-url or "+
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
		"is %s, which other machines may reach, but nobody has to sign in; listen on localhost, or %s if that is what you want", c.MetricsAddr, instead)}
}

// demoPays lets buyers of sample drops on this machine pay with the demo provider, unless somebody has chosen.
func (c *serveCommand) demoPays() {
	if c.Payments == "" && c.Demo && c.Addr.Loopback() && len(c.NATS) == 0 {
		c.Payments = payDemo
	}
}

// checkDemo refuses payments without money where other machines can buy, unless that is explicitly allowed, and where
// other servers would have to know them.
func (c *serveCommand) checkDemo() error {
	switch {
	case c.Payments != payDemo:
		return nil
	case c.Addr.given && !c.Addr.Loopback() && !c.InsecurePayments:
		return &faultError{flag: "payments", rule: fmt.Sprintf("is demo, which takes no money, but other machines may reach --addr %s; "+
			"choose another provider, listen on localhost, or add --insecure-payments if that is what you want", c.Addr)}
	case len(c.NATS) > 0:
		return &faultError{flag: "payments", rule: "is demo, which is for one server alone, but --nats is set; choose another provider"}
	default:
		return nil
	}
}

// listenError says which setting to change: the one of that flag.
func (con *console) listenError(flag string, a address, err error) error {
	setting := con.settings.name(flag)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %d of %s is in use by another program; stop that one, or choose another port with %s", a.Port, a.Host, setting)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("this user may not use port %d of %s; choose one above 1023 with %s", a.Port, a.Host, setting)
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
