package limit

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// FuzzClientAddress: nothing that a client writes into X-Forwarded-For changes its address, whether it connects
// directly or through a trusted proxy.
func FuzzClientAddress(f *testing.F) {
	for _, seed := range []string{
		"", "1.2.3.4", "1.2.3.4:80, 10.0.0.7", "[2001:db8::1]:443", "[::1]", "2001:db8::1%eth0", "::ffff:1.2.3.4", "unknown, , ,", "10.0.0.9,10.0.0.8", `"1.2.3.4"`, "[[1.2.3.4]]",
	} {
		f.Add(seed, seed, "10.0.0.1:1")
		f.Add(seed, "203.0.113.9", "192.0.2.1:1")
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, one, other, remote string) {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {one, other}}}
		got := ClientAddress(r, trusted)
		peer, err := netip.ParseAddrPort(remote)
		switch {
		case err != nil:
			if got.IsValid() {
				t.Errorf("%q has the address %s", remote, got)
			}
			return
		case got.Zone() != "" || got.Is4In6() || !got.IsValid():
			t.Errorf("%q, %q from %s: %s", one, other, remote, got)
		case !contains(trusted, plain(peer.Addr())) && got != plain(peer.Addr()):
			t.Errorf("%s is not trusted, and says %q, %q: %s", remote, one, other, got)
		}
		// The last entry that a trusted proxy added is not a trusted proxy. Then it is the client, whatever comes
		// before it.
		r.Header["X-Forwarded-For"] = []string{one, other, "203.0.113.7"}
		if contains(trusted, plain(peer.Addr())) && ClientAddress(r, trusted) != netip.MustParseAddr("203.0.113.7") {
			t.Errorf("%q, %q stand for what the proxy said: %s", one, other, ClientAddress(r, trusted))
		}
		if c := Caller(got); c.IsValid() != got.IsValid() || Caller(c) != c {
			t.Errorf("%s calls as %s", got, c)
		}
	})
}

// FuzzParseRules: accepted rules match the text and are within their bounds.
func FuzzParseRules(f *testing.F) {
	for _, seed := range []string{"off", "", "read=100/200,buy=20/40,operate=5/20", "read=0x1p4/2", "buy=1e-9/1", "read=NaN/1", "read=Inf/1", "read=1_0/1", "read=1/1,read=1/1", "read=1/+1", " buy = 1/2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := ParseRules(text)
		if err != nil {
			if rules != nil || strings.ContainsAny(err.Error(), "\n\r\x00") {
				t.Errorf("%q: %v, %v", text, rules, err)
			}
			return
		}
		for class, rate := range rules {
			if !slices.Contains([]Class{Read, Buy, Operate}, class) || !strings.Contains(text, string(class)+"=") ||
				!(rate.PerSecond >= 0.001 && rate.PerSecond <= maxRate) || rate.Burst < 1 || rate.Burst > maxRate {
				t.Errorf("%q: %s=%+v", text, class, rate)
			}
		}
		l := New[int](rules, 2)
		for class := range rules {
			if v, limited := l.Take(class, 1); !limited || !v.Allowed || v.Remaining != rules[class].Burst-1 {
				t.Errorf("%q: the first call of %s: %+v", text, class, v)
			}
		}
	})
}
