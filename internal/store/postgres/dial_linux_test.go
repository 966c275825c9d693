package postgres_test

import (
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"sneakerdrop/internal/testing/pgtest"
)

// A machine that vanishes is noticed within about 4 s, whether the connection is busy or idle.
func TestConnections_NoticeAMachineThatVanished(t *testing.T) {
	s := open(t, pgtest.Migrated(t))
	conn, err := s.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	raw, err := conn.Conn().PgConn().Conn().(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	get := func(option int) (value int) {
		err := raw.Control(func(fd uintptr) { value, err = syscall.GetsockoptInt(int(fd), unix.IPPROTO_TCP, option) })
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	if ms := get(unix.TCP_USER_TIMEOUT); ms != 4000 {
		t.Errorf("what was sent may stay unacknowledged for %d ms, want 4000", ms)
	}
	idle, interval, probes := get(unix.TCP_KEEPIDLE), get(unix.TCP_KEEPINTVL), get(unix.TCP_KEEPCNT)
	if idle+interval*probes != 4 {
		t.Errorf("a silent machine is noticed after %d + %d × %d s, want 4", idle, interval, probes)
	}
}
