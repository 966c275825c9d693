package cli

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"sneakerdrop/internal/limit"
)

// faultError is a setting that breaks a rule. rule completes the sentence "<setting> …", and never quotes a value
// that may contain a password.
type faultError struct{ flag, rule string }

func (e *faultError) Error() string { return "--" + e.flag + " " + e.rule }

// kinds lists the types of settings that kong cannot read by itself, each with the function that parses its text.
// That function's error is the rule that the text breaks.
func kinds() []kong.Option {
	return []kong.Option{
		reads(parseDatabase), reads(parseOriginal), reads(parseAddress), reads(parseBound), reads(parseLimits), reads(parseScenario),
		reads(parseLogLevel), reads(parseLogFormat), reads(parseRole), reads(parseNameStyle), reads(parseSubject), reads(parseShopName), reads(parseTheme),
		reads(parseSignIn), reads(parsePublicURL), reads(parseBeaconURL), reads(parseCurrency),
		lists[origins](parseOrigin), lists[hostNames](parseHostName), lists[networks](parseNetwork), lists[natsURLs](parseNATSURL),
		lists[eventTypes](parseEventType), lists[dropIDs](parseDropID),
		reads(parseHold), reads(parseHSTS), reads(parseLife), reads(parsePayments), reads(parsePayTime), reads(parseLookBack),
		reads(timeFrom[wait](time.Second, time.Hour, "from 1s to 1h, such as 10s")),
		reads(timeFrom[idle](time.Second, 24*time.Hour, "from 1s to 24h, such as 61m")),
		reads(timeFrom[patience](0, 24*time.Hour, "from 0s to 24h, such as 5m")),
		reads(timeFrom[pause](0, 10*time.Minute, "from 0s to 10m, such as 5s")),
	}
}

// reads makes kong parse the settings of a type with parse.
func reads[T any](parse func(string) (T, error)) kong.Option {
	return mapper(func(text string, to *T) (err error) {
		*to, err = parse(text)
		return err
	})
}

// lists makes kong parse the settings of a list type, with commas between its items. A repeated flag adds to the
// list.
func lists[L ~[]T, T any](parse func(string) (T, error)) kong.Option {
	return mapper(func(text string, to *L) error {
		for item := range strings.SplitSeq(text, ",") {
			v, err := parse(strings.TrimSpace(item))
			if err != nil {
				return err
			}
			*to = append(*to, v)
		}
		return nil
	})
}

func mapper[T any](read func(text string, to *T) error) kong.Option {
	return kong.TypeMapper(reflect.TypeFor[T](), kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto("value", &text); err != nil {
			return err
		}
		if err := read(text, target.Addr().Interface().(*T)); err != nil {
			return &faultError{flag: ctx.Value.Name, rule: err.Error()}
		}
		return nil
	}))
}

// bound is a limit on a number of things.
type bound int

func parseBound(s string) (bound, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 10_000_000 {
		return 0, fmt.Errorf("must be a whole number from 1 to 10000000, not %q", s)
	}
	return bound(n), nil
}

// origins are the web origins whose pages may call; * means every origin.
type origins []string

func parseOrigin(s string) (string, error) {
	u, err := url.Parse(s)
	bare := err == nil && u.Scheme != "" && u.Host != "" && s == u.Scheme+"://"+u.Host
	if s != "*" && !bare {
		return "", fmt.Errorf("must be an origin such as https://shop.example, or *, not %q", s)
	}
	return s, nil
}

// limits are the rates allowed for one caller.
type limits struct{ limit.Rules }

func parseLimits(s string) (limits, error) {
	rules, err := limit.ParseRules(s)
	return limits{rules}, err
}

// hostNames are names or addresses of this server, without a port.
type hostNames []string

func parseHostName(s string) (string, error) {
	host := strings.Trim(s, "[]")
	_, err := netip.ParseAddr(host)
	if host == "" || err != nil && strings.ContainsAny(host, ":/*@ ") {
		return "", fmt.Errorf("must be the name or address of a host without a port, such as shop.example, not %q", s)
	}
	return host, nil
}

// networks are single addresses, or networks such as 10.0.0.0/8.
type networks []netip.Prefix

func parseNetwork(s string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(s)
	if a, aErr := netip.ParseAddr(s); aErr == nil {
		prefix, err = netip.PrefixFrom(a.WithZone(""), a.BitLen()), nil
	}
	if err != nil {
		return prefix, fmt.Errorf("must be an address or a network, such as 10.0.0.0/8, not %q", s)
	}
	return prefix.Masked(), nil
}

func parseLogLevel(s string) (l slog.Level, err error) {
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, s) {
		return l, fmt.Errorf("must be debug, info, warn or error, not %q", s)
	}
	return l, l.UnmarshalText([]byte(s))
}

type logFormat string

func parseLogFormat(s string) (logFormat, error) {
	if s != "text" && s != "json" {
		return "", fmt.Errorf("must be text or json, not %q", s)
	}
	return logFormat(s), nil
}
