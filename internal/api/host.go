package api

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"sneakerdrop/internal/drop"
)

// Hosts are the names under which the server answers. Any site can make its name resolve to this machine (DNS
// rebinding). A browser here then takes our answers for that site's own, and only the Host header gives it away.
type Hosts struct {
	// names besides localhost and the loopback addresses, without a port
	Names []string
	// AnyAddress allows requests to any IP address, because nobody can make an address resolve elsewhere.
	AnyAddress bool
}

// Around answers requests for other hosts with 421 and passes the rest to next. A request without a host does not
// come from a browser.
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

// Loopback reports whether a host, without a port, is a name or address of the caller's own machine.
func Loopback(host string) bool {
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && a.Unmap().IsLoopback()
}

func (h Hosts) named(host string) bool {
	return slices.ContainsFunc(h.Names, func(name string) bool { return strings.EqualFold(name, host) })
}
