package api

import (
	"bytes"
	"math"
	"slices"
	"strconv"
)

// maxDigits is how many digits of a number can matter. An int64 has fewer, so a cut there changes no result.
const maxDigits = 40

// decimal reads a JSON number exactly, in units of 10^-scale: 119.99 with scale 2 is 11999. A number beyond int64
// becomes the nearest int64, which no range allows. ok is false for a number with a remainder: 0.001 with scale 2.
func decimal(literal []byte, scale int) (n int64, ok bool) {
	if scale == 0 && len(literal) <= plainDigits {
		if n, ok := plain(literal); ok {
			return n, true
		}
	}
	trimmed, shift, negative := parseDecimal(literal, scale)
	if len(trimmed) == 0 {
		return 0, true
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

// parseDecimal reads a number as digits × 10^shift, in units of 10^-scale. Digits neither begins nor ends with a zero,
// and is empty for 0.
func parseDecimal(literal []byte, scale int) (digits []byte, shift int, negative bool) {
	mantissa, exponent, _ := bytes.Cut(bytes.ToLower(literal), []byte("e"))
	mantissa, negative = bytes.CutPrefix(mantissa, []byte("-"))
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	digits = append(append(make([]byte, 0, len(mantissa)), whole...), fraction...)
	significant := bytes.TrimLeft(digits, "0")
	digits = bytes.TrimRight(significant, "0")
	shift = scale - len(fraction) + len(significant) - len(digits)
	if len(exponent) > 0 {
		e, _ := strconv.Atoi(string(exponent)) // beyond int it becomes the nearest end
		shift += min(max(e, -math.MaxInt32), math.MaxInt32)
	}
	return digits, shift, negative
}

// nearDigits is how many decimals decide whether an amount is close enough to a valid one, which means within 10^-9.
const nearDigits = 9

// decimalNear is decimal for numbers that programs calculated in binary. It rounds a number to a multiple of 10^-scale
// that is at most 10^-9 away: with scale 2, 3.3000000000000003 is 3.3. Scale must be less than nearDigits.
func decimalNear(literal []byte, scale int) (n int64, ok bool) {
	if n, ok := decimal(literal, scale); ok {
		return n, true
	}
	digits, shift, negative := parseDecimal(literal, scale)
	if shift < -len(digits) { // 0.0…
		if missing := -shift - len(digits); missing > maxDigits {
			digits, shift = nil, 0 // too close to 0 to matter
		} else {
			digits = append(bytes.Repeat([]byte("0"), missing), digits...)
		}
	}
	whole, rest := digits[:len(digits)+shift], digits[len(digits)+shift:]
	n, _ = decimal(whole, 0) // digits only
	near := nearDigits - scale
	switch head, tail := rest[:min(near, len(rest))], rest[min(near, len(rest)):]; {
	case len(bytes.TrimLeft(head, "0")) == 0: // at most 10^-9 above
	case len(head) == near && len(tail) == 0 && string(bytes.TrimLeft(head, "0")) == "1" && head[near-1] == '1':
	case len(head) == near && len(bytes.TrimLeft(head, "9")) == 0 && n < math.MaxInt64:
		n++
	default:
		return 0, false
	}
	if negative {
		n = -n
	}
	return n, true
}

// plainDigits is how many digits always fit into an int64.
const plainDigits = 18

// plain is the fast path for numbers that have only digits, as nearly all have.
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
