package limit_test

import (
	"net/http"
	"net/netip"
	"testing"

	"sneakerdrop/internal/limit"
)

func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, test := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"straight", "203.0.113.9:5000", nil, "203.0.113.9"},
		{"forged, no proxy", "203.0.113.9:5000", []string{"198.51.100.1"}, "203.0.113.9"},
		{"by a proxy", "10.0.0.1:5000", []string{"198.51.100.1"}, "198.51.100.1"},
		{"forged before a proxy", "10.0.0.1:5000", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		{"by two proxies", "10.0.0.1:5000", []string{"1.1.1.1, 198.51.100.1, 10.2.2.2"}, "198.51.100.1"},
		{"in two headers", "10.0.0.1:5000", []string{"1.1.1.1", "198.51.100.1, 10.2.2.2"}, "198.51.100.1"},
		{"only proxies", "10.0.0.1:5000", []string{"10.3.3.3, 10.2.2.2"}, "10.3.3.3"},
		{"proxy without the header", "10.0.0.1:5000", nil, "10.0.0.1"},
		{"malformed", "10.0.0.1:5000", []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		{"malformed behind a proxy's", "10.0.0.1:5000", []string{"x, 10.2.2.2"}, "10.2.2.2"},
		{"with a port", "10.0.0.1:5000", []string{"198.51.100.1:1234"}, "198.51.100.1"},
		{"IPv6", "[fd00::1]:5000", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv6 in brackets with a port", "[fd00::1]:5000", []string{"[2001:db8::7]:99"}, "2001:db8::7"},
		{"IPv4 in IPv6, proxy", "[::ffff:10.0.0.1]:5000", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"zone", "[fe80::1%eth0]:5000", nil, "fe80::1"},
	} {
		r := &http.Request{RemoteAddr: test.peer, Header: http.Header{"X-Forwarded-For": test.forwarded}}
		if got := limit.ClientAddress(r, trusted); got.String() != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	if got := limit.ClientAddress(&http.Request{RemoteAddr: "@"}, trusted); got.IsValid() {
		t.Errorf("a Unix socket has the address %s", got)
	}
}

func TestCaller_IPv6CountsByItsNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "2001:db8:1:2::1": "2001:db8:1:2::", "2001:db8:1:3::1": "2001:db8:1:3::",
		"198.51.100.1": "198.51.100.1",
	} {
		if got := limit.Caller(netip.MustParseAddr(address)); got.String() != want {
			t.Errorf("%s counts as %s, want %s", address, got, want)
		}
	}
	if limit.Caller(netip.Addr{}).IsValid() {
		t.Error("no address counts as one")
	}
}
