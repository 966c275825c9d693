package api

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"sneakerdrop/internal/drop"
)

// Hosts are the names by which a server may be called. The browser of somebody on this machine reaches a server here
// under any name whose owner says so (DNS rebinding), and takes its answers for that site's own. Only the Host header
// tells.
type Hosts struct {
	// Names beside localhost and the loopback addresses, without a port.
	Names []string
	// AnyAddress lets requests name any IP address: an address cannot be made to point elsewhere.
	AnyAddress bool
}

// Around answers requests for other hosts with 421, and has next serve the rest. A request without a host comes from
// no browser.
func (h Hosts) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "" || h.allow(r.Host) {
			next.ServeHTTP(w, r)
			return
		}
		p := problems[codeMisdirected]
		securityHeaders(w.Header())
		writeBody(w, p.status, encode(answerOf(drop.Refuse(codeMisdirected), p)))
	})
}

func (h Hosts) allow(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(host, ".")
	if Loopback(host) || h.named(host) {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && h.AnyAddress
}

// Loopback reports whether a host, without a port, is a name or address of the machine that asks.
func Loopback(host string) bool {
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && a.Unmap().IsLoopback()
}

func (h Hosts) named(host string) bool {
	return slices.ContainsFunc(h.Names, func(name string) bool { return strings.EqualFold(name, host) })
}
