package engineio

import (
	"cmp"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Options of a Server. A zero field means its default; where a limit is a number, a negative one means none.
type Options struct {
	// PingInterval is the time between two pings of the server (default 25 s), PingTimeout how long each may go
	// unanswered (default 20 s).
	PingInterval, PingTimeout time.Duration
	// MaxPayload bounds one WebSocket message or one POST, in bytes (default 1,000,000).
	MaxPayload int
	// FirstPollTimeout is how long a client that opened a session by polling may take to poll or to upgrade (default
	// 10 s). A session that nobody asks for ends then, and its place is free.
	FirstPollTimeout time.Duration
	// UpgradeTimeout is how long a client may take to complete an upgrade (default 10 s).
	UpgradeTimeout time.Duration
	// WriteTimeout is how long a client may take to accept one write (default 10 s).
	WriteTimeout time.Duration
	// Origins that may connect from a browser, such as https://shop.example; * stands for any characters. A page of the
	// server's own origin always may (default: every origin).
	Origins []string
	// MaxQueuePackets and MaxQueueBytes bound what waits for one session (defaults 256 and 256 KiB). One packet larger
	// than MaxQueueBytes may wait alone.
	MaxQueuePackets, MaxQueueBytes int
	// MaxConnections bounds sessions (default 20,000); MaxConnectionsPerAddress those of one address (default 1,000).
	// Behind a proxy all clients have its address, unless Address looks further.
	MaxConnections, MaxConnectionsPerAddress int
	// HandshakesPerSecond limits the new sessions of all clients together (default 2,000).
	// HandshakesPerSecondPerAddress limits those of one address (default 500), which leaves room for the others. An
	// address may save up two seconds' worth.
	HandshakesPerSecond, HandshakesPerSecondPerAddress int
	// KeepHeaders names the headers that Session.Request has (default none; the longest value kept has 1 KiB, the
	// rest is cut off). A session lasts long, and a stranger chooses how long its headers are.
	KeepHeaders []string
	// MessagesPerSecond bounds the packets of one client; it may save up two seconds' worth (default 100).
	MessagesPerSecond int
	// MaxInboundBytes bounds what all clients together are in the middle of sending in messages above 4 KiB
	// (default 64 MiB). A client counts with what it announces.
	MaxInboundBytes int
	// Address names the client of a request for MaxConnectionsPerAddress (default: the host of RemoteAddr).
	Address func(*http.Request) string
	// Log receives what no caller can be told (default slog.Default).
	Log *slog.Logger
}

const (
	maxQuery         = 2 << 10  // bytes of a handshake's query, which a session keeps
	maxKeptHeader    = 1 << 10  // bytes of one header's value that a session keeps
	maxKeptValues    = 4        // values of one header that a session keeps
	kernelSendBuffer = 64 << 10 // bounds what a stalled client holds in the kernel, where autotuning takes megabytes
	readBuffer       = 256      // clients of a server like this say little
	unbounded        = int(^uint(0) >> 1)
)

// WithDefaults returns the options with every default in its place, and no negative limit.
func (o Options) WithDefaults() Options {
	o.PingInterval = cmp.Or(o.PingInterval, 25*time.Second)
	o.PingTimeout = cmp.Or(o.PingTimeout, 20*time.Second)
	o.MaxPayload = cmp.Or(o.MaxPayload, 1_000_000)
	o.FirstPollTimeout = cmp.Or(o.FirstPollTimeout, 10*time.Second)
	o.UpgradeTimeout = cmp.Or(o.UpgradeTimeout, 10*time.Second)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 10*time.Second)
	o.MaxQueuePackets = cmp.Or(o.MaxQueuePackets, 256)
	o.MaxQueueBytes = cmp.Or(o.MaxQueueBytes, 256<<10)
	o.MaxConnections = cmp.Or(o.MaxConnections, 20_000)
	o.MaxConnectionsPerAddress = cmp.Or(o.MaxConnectionsPerAddress, 1_000)
	o.HandshakesPerSecond = cmp.Or(o.HandshakesPerSecond, 2_000)
	o.HandshakesPerSecondPerAddress = cmp.Or(o.HandshakesPerSecondPerAddress, 500)
	o.MessagesPerSecond = cmp.Or(o.MessagesPerSecond, 100)
	o.MaxInboundBytes = cmp.Or(o.MaxInboundBytes, 64<<20)
	for _, limit := range []*int{
		&o.MaxPayload, &o.MaxQueuePackets, &o.MaxQueueBytes, &o.MaxConnections, &o.MaxConnectionsPerAddress, &o.MaxInboundBytes,
	} {
		if *limit < 0 {
			*limit = unbounded
		}
	}
	if len(o.Origins) == 0 {
		o.Origins = []string{"*"}
	}
	if o.Address == nil {
		o.Address = remoteHost
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
