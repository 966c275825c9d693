package app

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"sneakerdrop/internal/api"
)

// Address is where to listen.
type Address struct {
	Host string // empty means every address of this machine
	Port uint16 // 0 means a free one
}

func (a Address) String() string { return net.JoinHostPort(a.Host, strconv.Itoa(int(a.Port))) }

// Loopback reports whether only this machine can reach the address. A name other than localhost may resolve to
// anything.
func (a Address) Loopback() bool { return api.Loopback(a.Host) }

// Local reports whether the host is localhost, which means both 127.0.0.1 and ::1.
func (a Address) Local() bool { return strings.EqualFold(a.Host, "localhost") }

// url returns the URL of the address for a browser on this machine.
func (a Address) url(secured bool) string {
	if ip, err := netip.ParseAddr(a.Host); a.Host == "" || err == nil && ip.IsUnspecified() {
		a.Host = "localhost"
	}
	if secured {
		return "https://" + a.String()
	}
	return "http://" + a.String()
}

// listen opens the address. For localhost it opens 127.0.0.1 and, if there is one, ::1, on the same port. The
// returned address has the port that was chosen for port 0.
func listen(ctx context.Context, a Address) ([]net.Listener, Address, error) {
	hosts := []string{a.Host}
	if a.Local() {
		hosts = []string{"127.0.0.1", "::1"}
	}
	const tries = 10 // a port that is free on one address may be in use on the other
	for try := 1; ; try++ {
		ls, err := listenAll(ctx, hosts, a.Port)
		if err == nil {
			tcp := ls[0].Addr().(*net.TCPAddr)
			return ls, Address{Host: a.Host, Port: uint16(tcp.Port)}, nil
		}
		if a.Port != 0 || try == tries || !errors.Is(err, syscall.EADDRINUSE) {
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
			continue // there is no IPv6 here
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
