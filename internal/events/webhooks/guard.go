package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"sneakerdrop/internal/drop"
)

// maxURL is how many bytes the address of an endpoint has at most.
const maxURL = 2000

// CheckURL refuses an address that no endpoint may have, with CodeInvalid for the field url. A name may still resolve
// to an address that is not allowed: a Sender checks that each time it connects. allowPrivate also allows http, and
// addresses of this machine and of private networks.
func CheckURL(raw string, allowPrivate bool) error {
	refuse := func(rule string) error { return drop.Invalid("url", rule) }
	switch {
	case raw == "":
		return refuse("must not be empty")
	case len(raw) > maxURL:
		return refuse(fmt.Sprintf("must have at most %d bytes", maxURL))
	case !utf8.ValidString(raw) || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }):
		return refuse("must not contain spaces, control characters or backslashes")
	case strings.Contains(raw, "#"):
		return refuse("must not contain a fragment (#…)")
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" {
		return refuse("must be an address such as https://example.com/hooks")
	}
	switch {
	case u.Scheme == "http" && !allowPrivate:
		return refuse("must begin with https://; http is only allowed with --webhook-allow-private")
	case u.Scheme != "https" && u.Scheme != "http":
		return refuse("must begin with https://")
	case u.User != nil:
		return refuse("must not contain a user name or a password")
	}
	if port := u.Port(); strings.HasSuffix(u.Host, ":") || port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return refuse("must have a port from 1 to 65535, or none")
		}
	}
	if rule := checkHost(u.Hostname(), allowPrivate); rule != "" {
		return refuse(rule)
	}
	return nil
}

// checkHost returns the rule that a host breaks, or nothing.
func checkHost(host string, allowPrivate bool) (rule string) {
	if host == "" {
		return "must name a host"
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if why := refused(addr); why != "" && (!allowPrivate || addr.Zone() != "") {
			return "must not be " + why
		}
		return ""
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	labels := strings.Split(name, ".")
	last := labels[len(labels)-1]
	switch {
	case len(name) > 253 || strings.ContainsFunc(name, func(r rune) bool { return !isHostRune(r) }):
		return "must have a host of letters, digits, hyphens and dots; write other letters as xn--…"
	case isNumber(last):
		// Many resolvers read such names as IPv4 addresses: decimal, octal, hexadecimal, or with fewer than four parts.
		return "must have an IP address with four decimal numbers, or a name that does not end in a number"
	case !allowPrivate && last == "localhost":
		return "must not be this machine"
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 {
			return "must have a host whose parts have 1 to 63 characters"
		}
	}
	return ""
}

func isHostRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_'
}

// isNumber reports whether a label is a number as the IPv4 parser of browsers reads it
// (https://url.spec.whatwg.org/#ends-in-a-number-checker).
func isNumber(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		_, err := strconv.ParseUint("0"+hex, 16, 64)
		return err == nil || errors.Is(err, strconv.ErrRange)
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}

// special is a range of addresses that no message may go to.
type special struct {
	prefix netip.Prefix
	what   string
}

func ranges(what string, prefixes ...string) (all []special) {
	for _, p := range prefixes {
		all = append(all, special{netip.MustParsePrefix(p), what})
	}
	return all
}

// The special ranges are those of the IANA IPv4 and IPv6 Special-Purpose Address Registries that are not globally
// reachable, multicast (RFC 5771), and what clouds serve metadata at.
var specials = func() (all []special) {
	for _, some := range [][]special{
		ranges("a loopback address", "127.0.0.0/8", "::1/128"),
		ranges("the address of cloud metadata", "169.254.169.254/32", "168.63.129.16/32", "fd00:ec2::254/128"),
		ranges("a private address", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10"),
		ranges("a link-local address", "169.254.0.0/16", "fe80::/10"),
		ranges("a multicast address", "224.0.0.0/4", "ff00::/8"),
		ranges("a reserved address", "0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
			"203.0.113.0/24", "240.0.0.0/4", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16"),
	} {
		all = append(all, some...)
	}
	return all
}()

var (
	globalV6 = netip.MustParsePrefix("2000::/3")
	nat64    = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: the last four bytes are an IPv4 address
)

// refused says what kind of address it is that no message may go to, or nothing.
func refused(addr netip.Addr) (why string) {
	if addr.Zone() != "" {
		return "an address with a zone"
	}
	addr = addr.Unmap()
	if nat64.Contains(addr) {
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	for _, s := range specials {
		if s.prefix.Contains(addr) {
			return s.what
		}
	}
	if addr.Is6() && !globalV6.Contains(addr) {
		return "a reserved address"
	}
	return ""
}

// Resolver looks names up. A *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// refusal is the error for an address that is not allowed.
type refusal struct {
	addr netip.Addr
	why  string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s is %s", r.addr, r.why) }

// guard connects to allowed addresses only.
type guard struct {
	resolver     Resolver
	allowPrivate bool
	timeout      time.Duration // of looking a name up and connecting
}

// dialEach limits the time for one of several addresses.
const dialEach = 5 * time.Second

// dial connects to a host. It looks the name up once, and refuses it if any of its addresses is not allowed. It then
// connects to one of the addresses that it has checked, never to the name. The socket's address is checked once more.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	// A Transport takes the deadline of the request off ctx: another request may use the connection.
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	if addr, err := netip.ParseAddr(host); err == nil {
		addrs = []netip.Addr{addr}
	} else if addrs, err = g.resolver.LookupNetIP(ctx, "ip", host); err != nil {
		return nil, err
	}
	for _, addr := range addrs {
		if err := g.check(addr); err != nil {
			return nil, err
		}
	}
	err = &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
	for _, addr := range addrs {
		var conn net.Conn
		d := net.Dialer{ControlContext: g.control}
		if len(addrs) > 1 {
			d.Timeout = dialEach
		}
		if conn, err = d.DialContext(ctx, network, net.JoinHostPort(addr.Unmap().String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func (g *guard) check(addr netip.Addr) error {
	if why := refused(addr); why != "" && !g.allowPrivate {
		return &refusal{addr, why}
	}
	return nil
}

// control checks the address that a socket is about to connect to.
func (g *guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("read the address %q: %w", address, err)
	}
	return g.check(to.Addr())
}
