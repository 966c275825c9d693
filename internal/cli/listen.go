package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"syscall"
)

// settle keeps an address that a platform names (PORT, HOST) on this machine where nobody has to sign in. Nobody has chosen such an
// address for this program, so it is no reason to refuse the start.
func (c *serveCommand) settle(s *settings, log *slog.Logger) {
	if !s.platform || c.Insecure || c.required() || c.Addr.loopback() {
		return
	}
	wanted := c.Addr
	c.Addr.host = "localhost"
	log.Warn("nobody has to sign in, so this machine alone is served; have buyers sign in (--oidc-issuer, --jwt-jwks-url or --jwt-secret-file) to "+
		"listen on the address that "+s.name("addr")+" names", "addr", c.Addr.String(), "wanted", wanted.String())
}

// checkReach refuses an address that is not this machine's own where nobody has to sign in, unless that was allowed.
func (c *serveCommand) checkReach(flag string, a address, allowed bool) error {
	if allowed || !a.given || a.loopback() {
		return nil
	}
	if flag == "addr" {
		return &faultError{flag: flag, rule: fmt.Sprintf(
			"is %s, which other machines may reach, and nobody has to sign in; have buyers sign in (--oidc-issuer, --jwt-jwks-url or "+
				"--jwt-secret-file), listen on localhost, or add --insecure if that is what you want", a)}
	}
	instead := "add --insecure-metrics"
	if c.Insecure {
		instead += " (--insecure is for --addr alone)"
	}
	return &faultError{flag: flag, rule: fmt.Sprintf(
		"is %s, which other machines may reach, and nobody has to sign in there; listen on localhost, or %s if that is what you want", a, instead)}
}

// listen opens the address; localhost is both 127.0.0.1 and, where there is one, ::1, on one port. The returned address
// has the port that was given for port 0.
func listen(ctx context.Context, a address) ([]net.Listener, address, error) {
	hosts := []string{a.host}
	if a.local() {
		hosts = []string{"127.0.0.1", "::1"}
	}
	const tries = 10 // the port that is free on one address may be taken on the other
	for try := 1; ; try++ {
		ls, err := listenAll(ctx, hosts, a.port)
		if err == nil {
			tcp := ls[0].Addr().(*net.TCPAddr)
			return ls, address{host: a.host, port: uint16(tcp.Port), given: true}, nil
		}
		if a.port != 0 || try == tries || !errors.Is(err, syscall.EADDRINUSE) {
			return nil, a, err
		}
	}
}

func listenAll(ctx context.Context, hosts []string, port uint16) ([]net.Listener, error) {
	var ls []net.Listener
	var lc net.ListenConfig
	for i, host := range hosts {
		l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(int(port))))
		if i > 0 && (errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)) {
			continue // no IPv6 here
		}
		if err != nil {
			for _, l := range ls {
				err = errors.Join(err, l.Close())
			}
			return nil, err
		}
		ls = append(ls, l)
		port = uint16(l.Addr().(*net.TCPAddr).Port)
	}
	return ls, nil
}

// listenError says which setting to change: the one of that flag.
func (con *console) listenError(flag string, a address, err error) error {
	setting := con.settings.name(flag)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %d of %s is taken by another program; stop that one, or choose another port with %s", a.port, a.host, setting)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("port %d of %s is not allowed to this user; choose one above 1023 with %s", a.port, a.host, setting)
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
