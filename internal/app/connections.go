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
	// connectionsPerAddress is many browsers behind one address of a mobile network, and a twentieth of all
	// connections.
	connectionsPerAddress = 2500
	// metricsConnections are open at once where only metrics and profiles are served.
	metricsConnections = 1000
	// refusalsSaid is how often the log says that an address has too many connections.
	refusalsSaid = time.Minute
)

// connections bounds those of Address: most at once, and of one address so many (0: what suits). Those of trusted
// proxies have the bound of all alone: all buyers come from there.
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
			log.Warn("an address has as many connections at work as it may, and more are closed; if it is a proxy, name it by --trusted-proxy",
				"address", a.String(), "max_connections_per_address", ofAddress)
		},
	}
}
