package postgres

import (
	"net"
	"time"
)

// silence is how long a connection may go without a sign of the server's machine before it is given up. Without it a
// batch whose machine vanished, or whose network swallows everything, would wait for the end of its context, 30 s, or
// for TCP to send again, which it does ever more seldom: long after the database is back.
const silence = 4 * time.Second

// dialer opens connections that notice such a machine: keep-alives ask where nothing is under way, and what was sent
// must be acknowledged. A server that is merely slow is not affected, its machine answers for it.
func dialer() *net.Dialer {
	const probes = 3
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence / 4, Interval: silence / 4, Count: probes},
		Control:         boundUnacknowledged,
	}
}
