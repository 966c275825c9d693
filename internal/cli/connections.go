package cli

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"sneakerdrop/internal/http1"
	"sneakerdrop/internal/limit"
)

const (
	// connectionsPerAddress is many browsers behind one address of a mobile network, and a twentieth of all connections.
	connectionsPerAddress = 2500
	// metricsConnections are open at once where only metrics and profiles are served.
	metricsConnections = 1000
	// refusalsSaid is how often the log says that an address has too many connections.
	refusalsSaid = time.Minute
)

// bounds are those of the connections at --addr. Connections of trusted proxies have the bound of all alone: all buyers come from there.
func (c *serveCommand) bounds(log *slog.Logger) http1.Bounds {
	ofAddress := int(c.ConnsPerAddr)
	if ofAddress == 0 {
		ofAddress = min(connectionsPerAddress, max(1, int(c.MaxConnections)/2))
	}
	var said atomic.Int64
	return http1.Bounds{
		Connections: int(c.MaxConnections), OfAddress: ofAddress,
		Caller: func(a netip.Addr) netip.Addr {
			if slices.ContainsFunc(c.TrustedProxy, func(p netip.Prefix) bool { return p.Contains(a) }) {
				return netip.Addr{}
			}
			return limit.Caller(a)
		},
		Refused: func(a netip.Addr) {
			now, last := time.Now().UnixNano(), said.Load()
			if now-last < int64(refusalsSaid) || !said.CompareAndSwap(last, now) {
				return
			}
			log.Warn("an address has as many connections at work as it may, and more are closed; if it is a proxy, name it by --trusted-proxy",
				"address", a.String(), "max_connections_per_address", ofAddress)
		},
	}
}

func serveOn(server *http1.Server, l net.Listener, security *tls.Config) error {
	if security == nil {
		return server.Serve(l)
	}
	return server.ServeTLS(l, security)
}
