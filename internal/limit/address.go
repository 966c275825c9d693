package limit

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientAddress returns the address that a request comes from. If the peer is a trusted proxy, that is what the
// trusted proxies say. Entries of X-Forwarded-For count only if a trusted proxy added them, starting from the right.
// Everything left of the first other address may be forged. The result is invalid if the request did not arrive over
// IP.
func ClientAddress(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	client := plain(peer.Addr())
	if !contains(trusted, client) {
		return client
	}
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, entry := range slices.Backward(forwarded) {
		next, ok := parseEntry(strings.TrimSpace(entry))
		if !ok {
			return client // the last one known
		}
		if client = next; !contains(trusted, client) {
			return client
		}
	}
	return client
}

// ForwardedTLS reports whether a trusted proxy says that the client used TLS to reach it.
func ForwardedTLS(r *http.Request, trusted []netip.Prefix) bool {
	said := r.Header["X-Forwarded-Proto"]
	if len(said) == 0 {
		return false
	}
	first, _, _ := strings.Cut(said[0], ",") // with several proxies, the one that the client reached
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && strings.EqualFold(strings.TrimSpace(first), "https") && contains(trusted, plain(peer.Addr()))
}

// parseEntry reads an address, with or without a port, which some proxies add.
func parseEntry(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return plain(a), true
	}
	if a, err := netip.ParseAddrPort(s); err == nil {
		return plain(a.Addr()), true
	}
	return netip.Addr{}, false
}

// plain returns the address without a zone, and an IPv4-mapped address as IPv4.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Caller returns what is counted for an address: the address itself or, with IPv6, its /64 network, because one
// customer has all of it.
func Caller(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	network, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return network.Addr()
}
