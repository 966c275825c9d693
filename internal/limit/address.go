package limit

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientAddress is the address that a request comes from: the peer's own or, where that is a trusted proxy, what the
// trusted proxies say of it. Of X-Forwarded-For only the entries count that a trusted proxy added, from the right;
// what stands to the left of the first other address anybody can have written. The result is not valid where the
// request does not come over IP.
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
			return client // the last one that is known
		}
		if client = next; !contains(trusted, client) {
			return client
		}
	}
	return client
}

// ForwardedTLS reports whether a trusted proxy says that the client came to it over TLS.
func ForwardedTLS(r *http.Request, trusted []netip.Prefix) bool {
	said := r.Header["X-Forwarded-Proto"]
	if len(said) == 0 {
		return false
	}
	first, _, _ := strings.Cut(said[0], ",") // of several proxies the one that the client came to
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && strings.EqualFold(strings.TrimSpace(first), "https") && contains(trusted, plain(peer.Addr()))
}

// parseEntry reads an address, with a port as some proxies write it or without.
func parseEntry(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return plain(a), true
	}
	if a, err := netip.ParseAddrPort(s); err == nil {
		return plain(a.Addr()), true
	}
	return netip.Addr{}, false
}

// plain is the address without a zone, and an IPv4 address as such.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Caller is what one address counts as: itself, or with IPv6 its network of 64 bits, all of which one customer has.
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
