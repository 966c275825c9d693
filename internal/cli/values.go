package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"sneakerdrop/internal/app"
	"sneakerdrop/internal/limit"
	"sneakerdrop/internal/store/postgres"
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

// address is where to listen.
type address struct {
	app.Address

	given bool // :0 is an address too: any free port, everywhere
}

// Decode implements kong.MapperValue.
func (a *address) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		host, port, err := net.SplitHostPort(s)
		if err != nil {
			return fmt.Errorf("must be HOST:PORT, such as localhost:3000, and is %q", s)
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return fmt.Errorf("must end in a port from 0 to 65535, and is %q", s)
		}
		*a = address{Address: app.Address{Host: host, Port: uint16(n)}, given: true}
		return nil
	})
}

// database says which store to open: the file of the embedded one, or the URL of PostgreSQL.
type database struct {
	file, url string
	// Of PostgreSQL, for people: its hosts, its name, and the parameters of the URL that mean nothing here.
	hosts, name, ignored string
}

var errDatabase = errors.New("must be sqlite:FILE, such as sqlite:sneakerdrop.db, or a URL of PostgreSQL, such as postgres://user:password@localhost:5432/shop")

// Decode implements kong.MapperValue.
func (d *database) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		if file, ok := strings.CutPrefix(strings.TrimSpace(s), "sqlite:"); ok {
			if file = strings.TrimPrefix(file, "//"); file == "" {
				return errDatabase
			}
			*d = database{file: file}
			return nil
		}
		if !postgres.IsAddress(s) {
			return errDatabase
		}
		return d.read(s, false)
	})
}

// read takes the address of a PostgreSQL database; foreign: not of ours.
func (d *database) read(s string, foreign bool) error {
	a, err := postgres.ReadAddress(s, foreign)
	if err != nil {
		return err
	}
	*d = database{url: a.URL, hosts: a.Hosts, name: a.Database, ignored: a.Ignored}
	return nil
}

// String names the database without its password.
func (d database) String() string {
	if d.file != "" {
		return "the file " + d.file
	}
	return fmt.Sprintf("PostgreSQL at %s, database %s", d.hosts, d.name)
}

const (
	minHold = 100 * time.Millisecond
	maxHold = 24 * time.Hour
)

// holdTime is how long a reservation keeps its unit.
type holdTime time.Duration

// Decode implements kong.MapperValue.
func (h *holdTime) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < minHold || d > maxHold || d%time.Millisecond != 0 {
			return fmt.Errorf("must be a time from 100ms to 24h in whole milliseconds, such as 60s, and is %q", s)
		}
		*h = holdTime(d)
		return nil
	})
}

// wait is a bound on waiting.
type wait time.Duration

// Decode implements kong.MapperValue.
func (w *wait) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < time.Second || d > time.Hour {
			return fmt.Errorf("must be a time from 1s to 1h, such as 10s, and is %q", s)
		}
		*w = wait(d)
		return nil
	})
}

// idle is how long a connection is kept for its next request.
type idle time.Duration

// Decode implements kong.MapperValue.
func (i *idle) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < time.Second || d > 24*time.Hour {
			return fmt.Errorf("must be a time from 1s to 24h, such as 61m, and is %q", s)
		}
		*i = idle(d)
		return nil
	})
}

// patience is a bound on waiting for what may take its time.
type patience time.Duration

// Decode implements kong.MapperValue.
func (p *patience) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 || d > 24*time.Hour {
			return fmt.Errorf("must be a time from 0s to 24h, such as 5m, and is %q", s)
		}
		*p = patience(d)
		return nil
	})
}

// hsts is for how long browsers are told to come over TLS alone; 0: they are not told.
type hsts time.Duration

// Decode implements kong.MapperValue.
func (h *hsts) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		if s == "off" || s == "0" {
			*h = 0
			return nil
		}
		d, err := withDays(s)
		if err != nil || d < 0 || d > maxLife {
			return fmt.Errorf("must be a time from 0s to 3650d, such as 24h or 365d, or off, and is %q", s)
		}
		*h = hsts(d)
		return nil
	})
}

// withDays reads a time that may also be a number of days.
func withDays(s string) (time.Duration, error) {
	days, ok := strings.CutSuffix(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	const most = 4000 // more than any bound on such a time
	n, err := strconv.Atoi(days)
	return time.Duration(min(max(n, -1), most)) * 24 * time.Hour, err
}

// pause is a time that may be none.
type pause time.Duration

// Decode implements kong.MapperValue.
func (p *pause) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 || d > 10*time.Minute {
			return fmt.Errorf("must be a time from 0s to 10m, such as 5s, and is %q", s)
		}
		*p = pause(d)
		return nil
	})
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
