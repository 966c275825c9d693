package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

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
		if e, ok := errors.AsType[*net.OpError](err); ok {
			err = e.Err
		}
		return fmt.Errorf("cannot listen on %s: %w; correct %s", a, err, setting)
	}
}
