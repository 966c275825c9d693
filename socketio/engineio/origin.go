package engineio

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Origins are patterns of web origins, in which * stands for any characters. Case does not matter.
type Origins []string

// allow says whether a page of the request's origin may connect, and tells its browser so. WebSockets know no CORS:
// for them this is the only check. With credentials, which are cookies of a proxy in front, may come whoever a
// pattern other than
// * matches, and a page of this machine to a server of this machine.
func (l Origins) allow(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true // no browser, or a page of this server
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	allowed, named := l.Match(origin)
	u, err := url.Parse(origin)
	if !allowed {
		return err == nil && strings.EqualFold(u.Host, r.Host)
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if named || err == nil && isLoopback(u.Host) && isLoopback(r.Host) {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	return true
}

// isLoopback reports whether a host, with a port or without, is a name of the machine that asks.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}

// Match reports whether a pattern matches an origin, and whether one other than * does.
func (l Origins) Match(origin string) (allowed, named bool) {
	for _, pattern := range l {
		if pattern == "*" {
			allowed = true
			continue
		}
		before, after, wild := strings.Cut(pattern, "*")
		if !wild && strings.EqualFold(pattern, origin) {
			return true, true
		}
		if wild && len(origin) >= len(before)+len(after) &&
			strings.EqualFold(origin[:len(before)], before) && strings.EqualFold(origin[len(origin)-len(after):], after) {
			return true, true
		}
	}
	return allowed, false
}

func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", "GET,POST")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}
