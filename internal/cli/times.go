package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The kinds of times that are settings.
type (
	holdTime time.Duration // how long a reservation keeps its unit
	wait     time.Duration // a bound on waiting
	idle     time.Duration // how long a connection is kept for its next request
	patience time.Duration // a bound on waiting for what may take its time
	pause    time.Duration // a time that may be none
	hsts     time.Duration // for how long browsers are told to come over TLS alone; 0: they are not told
	life     time.Duration // how long a token is good; 0: for ever
)

// timeFrom returns what reads a time from least to most, which rule says in words.
func timeFrom[T ~int64](least, most time.Duration, rule string) func(string) (T, error) {
	return func(s string) (T, error) {
		d, err := time.ParseDuration(s)
		if err != nil || d < least || d > most {
			return 0, fmt.Errorf("must be a time %s, and is %q", rule, s)
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
		return 0, fmt.Errorf("must be a time from 100ms to 24h in whole milliseconds, such as 60s, and is %q", s)
	}
	return holdTime(d), nil
}

func parseHSTS(s string) (hsts, error) {
	if s == "off" || s == "0" {
		return 0, nil
	}
	d, err := withDays(s)
	if err != nil || d < 0 || d > maxLife {
		return 0, fmt.Errorf("must be a time from 0s to 3650d, such as 24h or 365d, or off, and is %q", s)
	}
	return hsts(d), nil
}

func parseLife(s string) (life, error) {
	if s == "never" {
		return 0, nil
	}
	d, err := withDays(s)
	if err != nil || d < time.Minute || d > maxLife {
		return 0, fmt.Errorf("must be a time from 1m to 3650d, such as 12h or 90d, or never, and is %q", s)
	}
	return life(d), nil
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
