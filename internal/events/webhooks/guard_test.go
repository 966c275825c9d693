package webhooks

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"sneakerdrop/internal/drop"
)

// forbidden are hosts that no message may go to, in the spellings that attackers use.
var forbidden = []string{
	"127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "168.63.129.16",
	"100.64.0.1", "100.100.100.200", "0.0.0.0", "0.1.2.3", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
	"192.88.99.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
	"[::1]", "[::]", "[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]",
	"[4000::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]",
	"[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2002:7f00:1::1]", "[2001:0:7f00:1::1]", "[5f00::1]",
}

// spellings are hosts that some resolvers read as 127.0.0.1 or another address, and names of this machine.
var spellings = []string{
	"2130706433", "017700000001", "0x7f000001", "0X7F000001", "0177.0.0.1", "0x7f.0.0.1", "0x7f.1", "127.1", "127.0.1", "127.0.0.01",
	"0", "0x", "127.0.0.1.", "2130706433.", "127.0.0.0x1", "１２７.０.０.１", "127。0。0。1", "①②⑦.0.0.1", "%31%32%37.0.0.1", "[fe80::1%25eth0]", "[::1%25lo]",
	"localhost", "LOCALHOST", "localhost.", "a.localhost", "a.LocalHost.", "ｌocalhost", "a..b", ".", "999999999999",
}

func TestCheckURL_RefusesHostsOfThisMachineAndPrivateNetworks(t *testing.T) {
	for _, host := range append(append([]string(nil), forbidden...), spellings...) {
		err := CheckURL("https://"+host+"/hooks", false)
		if e, ok := errors.AsType[*drop.Error](err); !ok || e.Code != drop.CodeInvalid || e.Field != "url" || e.Rule == "" {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestCheckURL_RefusesAddressesOfOtherForms(t *testing.T) {
	for _, raw := range []string{
		"", "/hooks", "//example.com/", "example.com/hooks", "mailto:a@example.com", "https:example.com", "https://", "https:///hooks", "https://:443/",
		"http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "https://a@example.com/", "https://a:b@example.com/",
		"https://@example.com/", "https://example.com/#", "https://example.com/#a", "https://example.com/\n", "https://exam ple.com/", "https://example.com/\x00",
		"https://example.com/\x7f", "https://example.com\\@127.0.0.1/", "https://example.com/\xff", "https://example.com:0/", "https://example.com:/",
		"https://example.com:65536/", "https://example.com:-1/", "https://[::1/", "https://" + strings.Repeat("a", 64) + ".com/",
		"https://example.com/" + strings.Repeat("a", 2000),
	} {
		if err := CheckURL(raw, false); drop.CodeOf(err) != drop.CodeInvalid {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestCheckURL_AcceptsPublicHosts(t *testing.T) {
	for _, raw := range []string{
		"https://example.com", "https://example.com:8443/hooks?a=b", "https://xn--bcher-kva.example/", "https://8.8.8.8/", "https://[2606:4700::1111]/",
		"https://[::ffff:8.8.8.8]/", "https://[64:ff9b::808:808]/", "https://1.example.com/", "HTTPS://Example.com./", "https://172.32.0.1/", "https://localhost.example.com/",
	} {
		if err := CheckURL(raw, false); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	for _, raw := range []string{"http://127.0.0.1:8080/", "http://localhost/", "https://10.0.0.1/", "http://[::1]:80/"} {
		if err := CheckURL(raw, true); err != nil {
			t.Errorf("%s, with private networks allowed: %v", raw, err)
		}
	}
}

// names resolves every name with a function.
type names func() []string

func (n names) LookupNetIP(context.Context, string, string) (all []netip.Addr, err error) {
	for _, a := range n() {
		all = append(all, netip.MustParseAddr(a))
	}
	return all, nil
}

// listen is a receiver on this machine that counts connections.
func listen(t *testing.T) (port string, accepted *atomic.Int64) {
	accepted = new(atomic.Int64)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			accepted.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port(), accepted
}

func TestGuard_ConnectsToNoForbiddenAddressThatANameResolvesTo(t *testing.T) {
	port, accepted := listen(t)
	for _, host := range forbidden {
		addr := strings.Trim(host, "[]")
		for _, all := range [][]string{{addr}, {"8.8.8.8", addr}, {addr, "8.8.8.8"}} { // one bad address is enough
			s := NewSender(SenderOptions{Resolver: names(func() []string { return all })})
			a := s.Send(t.Context(), "https://hooks.example.com:"+port+"/", message)
			s.Close()
			if a.Outcome != Refused || a.Status != 0 || !strings.Contains(a.Error, "not allowed") {
				t.Errorf("a name that resolves to %v: %+v", all, a)
			}
		}
	}
	if n := accepted.Load(); n != 0 {
		t.Errorf("%d connections reached this machine", n)
	}
}

func TestGuard_ConnectsToTheAddressThatItChecked(t *testing.T) {
	port, accepted := listen(t)
	lookups := 0
	g := guard{timeout: defaultTimeout, resolver: names(func() []string {
		if lookups++; lookups > 1 {
			return []string{"127.0.0.1"}
		}
		return []string{"8.8.8.8"}
	})}
	// The first look-up is good. The dial is cut off, so no test reaches another machine.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if conn, err := g.dial(ctx, "tcp", "hooks.example.com:"+port); err == nil {
		conn.Close()
		t.Error("a dial that was cut off connected")
	}
	if lookups != 1 {
		t.Errorf("one dial looked the name up %d times", lookups)
	}
	// The next connection looks the name up anew, and it has changed.
	if _, err := g.dial(t.Context(), "tcp", "hooks.example.com:"+port); err == nil {
		t.Error("connected to a name that changed to 127.0.0.1")
	} else if _, ok := errors.AsType[*refusal](err); !ok {
		t.Errorf("refused with %v", err)
	}
	// The last check is at the socket, whatever was looked up before.
	d := net.Dialer{ControlContext: g.control}
	if _, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:"+port); err == nil {
		t.Error("a socket connected to 127.0.0.1")
	}
	if n := accepted.Load(); n != 0 {
		t.Errorf("%d connections reached this machine", n)
	}
}
