package api

import (
	"bytes"
	"math"
	"slices"
	"strconv"
)

// maxDigits is how many digits of a number may matter: more than an int64 has, so that cutting there changes no decision.
const maxDigits = 40

// decimal reads a JSON number exactly, in units of 10^-scale: 119.99 with scale 2 is 11999. What is beyond int64 becomes
// its nearest end, which no range admits. ok is false for a number with a remainder: 0.001 with scale 2.
func decimal(literal []byte, scale int) (n int64, ok bool) {
	if scale == 0 && len(literal) <= plainDigits {
		if n, ok := plain(literal); ok {
			return n, true
		}
	}
	mantissa, exponent, _ := bytes.Cut(bytes.ToLower(literal), []byte("e"))
	mantissa, negative := bytes.CutPrefix(mantissa, []byte("-"))
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	digits := append(append(make([]byte, 0, len(mantissa)), whole...), fraction...)

	significant := bytes.TrimLeft(digits, "0")
	if len(significant) == 0 {
		return 0, true
	}
	trimmed := bytes.TrimRight(significant, "0")
	// The value is trimmed × 10^shift units.
	shift := scale - len(fraction) + len(significant) - len(trimmed)
	if len(exponent) > 0 {
		e, _ := strconv.Atoi(string(exponent)) // beyond int it becomes the nearest end
		shift += min(max(e, -math.MaxInt32), math.MaxInt32)
	}
	if shift < 0 {
		return 0, false
	}
	if len(trimmed)+shift > maxDigits {
		return nearestEnd(negative), true
	}
	all := slices.Concat(trimmed, bytes.Repeat([]byte("0"), shift))
	n, err := strconv.ParseInt(string(all), 10, 64)
	if err != nil {
		return nearestEnd(negative), true
	}
	if negative {
		n = -n
	}
	return n, true
}

// plainDigits never overflow an int64.
const plainDigits = 18

// plain reads digits and nothing else, which is what nearly all numbers are.
func plain(literal []byte) (n int64, ok bool) {
	for _, c := range literal {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

func nearestEnd(negative bool) int64 {
	if negative {
		return math.MinInt64
	}
	return math.MaxInt64
}

// appendHundredths writes n/100 without trailing zeros: 10, 9.5, -0.25.
func appendHundredths(b []byte, n int64) []byte {
	if n < 0 {
		b = append(b, '-')
		n = -n
	}
	b = strconv.AppendInt(b, n/100, 10)
	if n%100 == 0 {
		return b
	}
	b = append(b, '.', byte('0'+n%100/10))
	if n%10 != 0 {
		b = append(b, byte('0'+n%10))
	}
	return b
}
