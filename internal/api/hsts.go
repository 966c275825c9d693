package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"sneakerdrop/internal/limit"
)

// StrictTransport adds Strict-Transport-Security (RFC 6797) to all answers that go over TLS. The TLS may be that of
// this process, or that of a trusted proxy that sets X-Forwarded-Proto. The header leaves out subdomains, which may
// belong to other servers. It is not sent to localhost, because all programs on that machine share the name. If
// maxAge is 0, StrictTransport adds nothing.
func StrictTransport(h http.Handler, maxAge time.Duration, trusted []netip.Prefix) http.Handler {
	if maxAge <= 0 {
		return h
	}
	value := []string{fmt.Sprintf("max-age=%d", int64(maxAge/time.Second))} // shared, so nothing may write into it
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (r.TLS != nil || len(trusted) > 0 && limit.ForwardedTLS(r, trusted)) && !onLocalhost(r.Host) {
			w.Header()["Strict-Transport-Security"] = value
		}
		h.ServeHTTP(w, r)
	})
}

// onLocalhost reports whether a Host header names this machine or an IP address, for which browsers ignore the
// header.
func onLocalhost(host string) bool {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	_, err := netip.ParseAddr(host)
	name := host[strings.LastIndexByte(host, '.')+1:]
	return err == nil || host == "" || strings.EqualFold(name, "localhost")
}
