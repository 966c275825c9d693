package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// decodeTime reads a time from least to most, which rule says in words.
func decodeTime(ctx *kong.DecodeContext, t *time.Duration, least, most time.Duration, rule string) error {
	return decode(ctx, func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < least || d > most {
			return fmt.Errorf("must be a time %s, and is %q", rule, s)
		}
		*t = d
		return nil
	})
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
	return decodeTime(ctx, (*time.Duration)(w), time.Second, time.Hour, "from 1s to 1h, such as 10s")
}

// idle is how long a connection is kept for its next request.
type idle time.Duration

// Decode implements kong.MapperValue.
func (i *idle) Decode(ctx *kong.DecodeContext) error {
	return decodeTime(ctx, (*time.Duration)(i), time.Second, 24*time.Hour, "from 1s to 24h, such as 61m")
}

// patience is a bound on waiting for what may take its time.
type patience time.Duration

// Decode implements kong.MapperValue.
func (p *patience) Decode(ctx *kong.DecodeContext) error {
	return decodeTime(ctx, (*time.Duration)(p), 0, 24*time.Hour, "from 0s to 24h, such as 5m")
}

// pause is a time that may be none.
type pause time.Duration

// Decode implements kong.MapperValue.
func (p *pause) Decode(ctx *kong.DecodeContext) error {
	return decodeTime(ctx, (*time.Duration)(p), 0, 10*time.Minute, "from 0s to 10m, such as 5s")
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
