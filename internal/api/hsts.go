package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"sneakerdrop/internal/limit"
)

// StrictTransport adds Strict-Transport-Security (RFC 6797) to whatever h answers over TLS: TLS of this process, or
// that of a trusted proxy which says so by X-Forwarded-Proto. Subdomains are not this server's to speak for. A
// browser on localhost is left alone: every other program on that machine has the same name. With maxAge 0 nothing is
// added.
func StrictTransport(h http.Handler, maxAge time.Duration, trusted []netip.Prefix) http.Handler {
	if maxAge <= 0 {
		return h
	}
	value := []string{fmt.Sprintf("max-age=%d", int64(maxAge/time.Second))} // shared: nothing ever writes into it
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (r.TLS != nil || len(trusted) > 0 && limit.ForwardedTLS(r, trusted)) && !onLocalhost(r.Host) {
			w.Header()["Strict-Transport-Security"] = value
		}
		h.ServeHTTP(w, r)
	})
}

// onLocalhost reports whether a Host header names this machine, or an address, for which browsers remember nothing
// anyway.
func onLocalhost(host string) bool {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	_, err := netip.ParseAddr(host)
	name := host[strings.LastIndexByte(host, '.')+1:]
	return err == nil || host == "" || strings.EqualFold(name, "localhost")
}
