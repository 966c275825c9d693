package api_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"sneakerdrop/internal/api"
)

// aYear is the default of serve.
const aYear = 365 * 24 * time.Hour

func TestStrictTransport_IsSaidOverTLSAlone(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	const year = "max-age=31536000"
	for _, c := range []struct {
		host, peer, proto string
		secured           bool
		maxAge            time.Duration
		trusted           []netip.Prefix
		want              string
	}{
		{host: "shop.example", secured: true, maxAge: aYear, want: year},
		{host: "shop.example:8443", secured: true, maxAge: 90 * time.Second, want: "max-age=90"},
		{host: "shop.example", secured: true},
		{host: "shop.example", maxAge: aYear},
		{host: "localhost.example", secured: true, maxAge: aYear, want: year},
		{host: "localhost", secured: true, maxAge: aYear},
		{host: "LocalHost:3000", secured: true, maxAge: aYear},
		{host: "a.localhost.:3000", secured: true, maxAge: aYear},
		{host: "127.0.0.1:3000", secured: true, maxAge: aYear},
		{host: "[::1]", secured: true, maxAge: aYear},
		{host: "[2001:db8::1]:443", secured: true, maxAge: aYear},
		{host: "", secured: true, maxAge: aYear},
		{host: "shop.example", peer: "10.1.1.1:5", proto: "https", maxAge: aYear, trusted: proxies, want: year},
		{host: "shop.example", peer: "10.1.1.1:5", proto: "HTTPS, http", maxAge: aYear, trusted: proxies, want: year},
		{host: "shop.example", peer: "10.1.1.1:5", proto: "http", maxAge: aYear, trusted: proxies},
		{host: "shop.example", peer: "10.1.1.1:5", maxAge: aYear, trusted: proxies},
		{host: "shop.example", peer: "10.1.1.1:5", proto: "https", maxAge: aYear}, // sent by a client that is not a trusted proxy
		{host: "shop.example", peer: "192.0.2.1:5", proto: "https", maxAge: aYear, trusted: proxies},
		{host: "shop.example", peer: "@", proto: "https", maxAge: aYear, trusted: proxies},
	} {
		r := httptest.NewRequest(http.MethodGet, "/nosuch", http.NoBody)
		if r.Host = c.host; c.secured {
			r.TLS = new(tls.ConnectionState)
		}
		if c.peer != "" {
			r.RemoteAddr = c.peer
		}
		if c.proto != "" {
			r.Header.Set("X-Forwarded-Proto", c.proto)
		}
		w := httptest.NewRecorder()
		api.StrictTransport(http.NotFoundHandler(), c.maxAge, c.trusted).ServeHTTP(w, r)
		if got := w.Header().Get("Strict-Transport-Security"); got != c.want || w.Code != http.StatusNotFound {
			t.Errorf("%+v: %d, %q", c, w.Code, got)
		}
	}
}
