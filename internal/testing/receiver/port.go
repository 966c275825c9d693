package receiver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// port is a port of an address of this machine that nobody else can get while its receiver is dead. A bound socket that
// does not listen holds it. Without that socket, another process could listen there, or a sender that dials it could
// reach itself.
type port struct {
	address netip.Addr
	socket  int
	number  int
}

func reserve(address netip.Addr) (*port, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, fmt.Errorf("open a socket: %w", err)
	}
	unix.CloseOnExec(socket)
	p := &port{address: address, socket: socket}
	if err := p.bind(); err != nil {
		p.release()
		return nil, err
	}
	return p, nil
}

func (p *port) bind() error {
	if err := unix.SetsockoptInt(p.socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return fmt.Errorf("share the port: %w", err)
	}
	if err := unix.Bind(p.socket, &unix.SockaddrInet4{Addr: p.address.As4()}); err != nil {
		return fmt.Errorf("bind a port: %w", err)
	}
	name, err := unix.Getsockname(p.socket)
	if err != nil {
		return fmt.Errorf("ask for the port: %w", err)
	}
	p.number = name.(*unix.SockaddrInet4).Port
	return nil
}

func (p *port) listen() (net.Listener, error) {
	share := func(_, _ string, c syscall.RawConn) error {
		var err error
		if controlled := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}); controlled != nil {
			return controlled
		}
		return err
	}
	config := net.ListenConfig{Control: share}
	return config.Listen(context.Background(), "tcp4", p.host())
}

func (p *port) host() string { return fmt.Sprintf("%s:%d", p.address, p.number) }

func (p *port) release() { _ = unix.Close(p.socket) }
