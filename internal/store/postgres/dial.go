package postgres

import (
	"net"
	"time"
)

// silence is how long a connection may go without a sign of life from the server's machine before it is closed.
// Without this limit, a batch would wait for the end of its context (30 s) if the machine vanished or the network
// dropped everything. It could also wait for TCP's retransmissions, whose intervals grow, long after the database is
// back.
const silence = 4 * time.Second

// dialer opens connections that notice such a machine. Keep-alives check idle connections, and sent data must be
// acknowledged in time. A slow server is not affected, because its machine acknowledges for it.
func dialer() *net.Dialer {
	const probes = 3
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence / 4, Interval: silence / 4, Count: probes},
		Control:         boundUnacknowledged,
	}
}
