package cli

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"sneakerdrop/internal/limit"
)

// faultError is a setting that breaks a rule; rule completes the sentence "<setting> …". It never quotes a value that
// may hold a password.
type faultError struct{ flag, rule string }

func (e *faultError) Error() string { return "--" + e.flag + " " + e.rule }

// decode reads one setting's text and hands it to parse; what parse returns is the rule that the text breaks.
func decode(ctx *kong.DecodeContext, parse func(string) error) error {
	var text string
	if err := ctx.Scan.PopValueInto("value", &text); err != nil {
		return err
	}
	if err := parse(text); err != nil {
		return &faultError{flag: ctx.Value.Name, rule: err.Error()}
	}
	return nil
}

// bound is a number of things that there may be at once.
type bound int

// Decode implements kong.MapperValue.
func (b *bound) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 10_000_000 {
			return fmt.Errorf("must be a whole number from 1 to 10000000, and is %q", s)
		}
		*b = bound(n)
		return nil
	})
}

// origins are the web origins that browsers may call from; * is every one.
type origins []string

// Decode implements kong.MapperValue. A repeated flag adds to the list.
func (o *origins) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		for origin := range strings.SplitSeq(s, ",") {
			origin = strings.TrimSpace(origin)
			u, err := url.Parse(origin)
			bare := err == nil && u.Scheme != "" && u.Host != "" && origin == u.Scheme+"://"+u.Host
			if origin != "*" && !bare {
				return fmt.Errorf("must be an origin such as https://shop.example, or *, and is %q", origin)
			}
			*o = append(*o, origin)
		}
		return nil
	})
}

// IsCumulative tells kong to keep the values of earlier flags.
func (o *origins) IsCumulative() bool { return true }

// limits are the rates that one caller is kept to.
type limits struct{ limit.Rules }

// Decode implements kong.MapperValue.
func (l *limits) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) (err error) {
		l.Rules, err = limit.ParseRules(s)
		return err
	})
}

// hostNames are names or addresses of this server, without a port.
type hostNames []string

// Decode implements kong.MapperValue. A repeated flag adds to the list.
func (h *hostNames) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		for host := range strings.SplitSeq(s, ",") {
			host = strings.Trim(strings.TrimSpace(host), "[]")
			_, err := netip.ParseAddr(host)
			if host == "" || err != nil && strings.ContainsAny(host, ":/*@ ") {
				return fmt.Errorf("must be the name or address of a host without a port, such as shop.example, and is %q", s)
			}
			*h = append(*h, host)
		}
		return nil
	})
}

// IsCumulative tells kong to keep the values of earlier flags.
func (h *hostNames) IsCumulative() bool { return true }

// networks are addresses, alone or as networks such as 10.0.0.0/8.
type networks []netip.Prefix

// Decode implements kong.MapperValue. A repeated flag adds to the list.
func (n *networks) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		for text := range strings.SplitSeq(s, ",") {
			text = strings.TrimSpace(text)
			prefix, err := netip.ParsePrefix(text)
			if a, aErr := netip.ParseAddr(text); aErr == nil {
				prefix, err = netip.PrefixFrom(a.WithZone(""), a.BitLen()), nil
			}
			if err != nil {
				return fmt.Errorf("must be an address or a network, such as 10.0.0.0/8, and is %q", text)
			}
			*n = append(*n, prefix.Masked())
		}
		return nil
	})
}

// IsCumulative tells kong to keep the values of earlier flags.
func (n *networks) IsCumulative() bool { return true }

type logLevel slog.Level

// Decode implements kong.MapperValue.
func (l *logLevel) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		names := []string{"debug", "info", "warn", "error"}
		if !slices.Contains(names, s) {
			return fmt.Errorf("must be debug, info, warn or error, and is %q", s)
		}
		return (*slog.Level)(l).UnmarshalText([]byte(s))
	})
}

type logFormat string

// Decode implements kong.MapperValue.
func (f *logFormat) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		if s != "text" && s != "json" {
			return fmt.Errorf("must be text or json, and is %q", s)
		}
		*f = logFormat(s)
		return nil
	})
}
