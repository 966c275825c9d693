package app

import (
	"cmp"
	"log/slog"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"sneakerdrop/internal/http1"
	"sneakerdrop/internal/limit"
)

const (
	// connectionsPerAddress is enough for many browsers that share one address of a mobile network. It is a twentieth
	// of all connections.
	connectionsPerAddress = 2500
	// metricsConnections is the most open connections of the listener for metrics and profiles.
	metricsConnections = 1000
	// refusalsSaid is how often the log says that an address has too many connections.
	refusalsSaid = time.Minute
)

// connections limits the connections of Address: most in total, and ofAddress from one address (0 chooses a default).
// Trusted proxies only have the total limit, because all buyers come from there.
func connections(most, ofAddress int, trusted []netip.Prefix, log *slog.Logger) http1.Bounds {
	ofAddress = cmp.Or(ofAddress, min(connectionsPerAddress, max(1, most/2)))
	var said atomic.Int64
	return http1.Bounds{
		Connections: most, OfAddress: ofAddress,
		Caller: func(a netip.Addr) netip.Addr {
			if slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) }) {
				return netip.Addr{}
			}
			return limit.Caller(a)
		},
		Refused: func(a netip.Addr) {
			now, last := time.Now().UnixNano(), said.Load()
			if now-last < int64(refusalsSaid) || !said.CompareAndSwap(last, now) {
				return
			}
			log.Warn("an address has the most working connections allowed, and further ones are closed; if it is a proxy, name it with --trusted-proxy",
				"address", a.String(), "max_connections_per_address", ofAddress)
		},
	}
}
