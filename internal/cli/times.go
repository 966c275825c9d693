package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The kinds of durations that are settings.
type (
	holdTime time.Duration // how long a reservation keeps its unit
	wait     time.Duration // a limit on a wait
	idle     time.Duration // how long a connection is kept for its next request
	patience time.Duration // a limit on a wait that may take long
	pause    time.Duration // a duration that may be zero
	hsts     time.Duration // how long browsers must use TLS; 0 leaves the header out
	life     time.Duration // how long a token is valid; 0 means forever
	payTime  time.Duration // how long a buyer who pays keeps the unit
	lookBack time.Duration // how far to look back
)

// timeFrom returns a parser for durations from least to most. rule describes that range in words.
func timeFrom[T ~int64](least, most time.Duration, rule string) func(string) (T, error) {
	return func(s string) (T, error) {
		d, err := time.ParseDuration(s)
		if err != nil || d < least || d > most {
			return 0, fmt.Errorf("must be a time %s, not %q", rule, s)
		}
		return T(d), nil
	}
}

const (
	minHold = 100 * time.Millisecond
	maxHold = 24 * time.Hour
	maxLife = 3650 * 24 * time.Hour
)

func parseHold(s string) (holdTime, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < minHold || d > maxHold || d%time.Millisecond != 0 {
		return 0, fmt.Errorf("must be a time from 100ms to 24h in whole milliseconds, such as 60s, not %q", s)
	}
	return holdTime(d), nil
}

func parsePayTime(s string) (payTime, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second || d > 12*time.Hour || d%time.Millisecond != 0 {
		return 0, fmt.Errorf("must be a time from 1s to 12h in whole milliseconds, such as 10m, not %q", s)
	}
	return payTime(d), nil
}

func parseHSTS(s string) (hsts, error) {
	if s == "off" || s == "0" {
		return 0, nil
	}
	d, err := withDays(s)
	if err != nil || d < 0 || d > maxLife {
		return 0, fmt.Errorf("must be a time from 0s to 3650d, such as 24h or 365d, or off, not %q", s)
	}
	return hsts(d), nil
}

func parseLife(s string) (life, error) {
	if s == "never" {
		return 0, nil
	}
	d, err := withDays(s)
	if err != nil || d < time.Minute || d > maxLife {
		return 0, fmt.Errorf("must be a time from 1m to 3650d, such as 12h or 90d, or never, not %q", s)
	}
	return life(d), nil
}

func parseLookBack(s string) (lookBack, error) {
	d, err := withDays(s)
	if err != nil || d < time.Minute || d > maxLife {
		return 0, fmt.Errorf("must be a time from 1m to 3650d, such as 24h or 7d, not %q", s)
	}
	return lookBack(d), nil
}

// withDays reads a duration that may also be a number of days.
func withDays(s string) (time.Duration, error) {
	days, ok := strings.CutSuffix(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	const most = 4000 // more than any limit on such a duration
	n, err := strconv.Atoi(days)
	return time.Duration(min(max(n, -1), most)) * 24 * time.Hour, err
}
