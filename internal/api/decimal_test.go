package api

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// TestDecimal compares with arithmetic on fractions.
func TestDecimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		literal := rapid.StringMatching(`-?(0|[1-9][0-9]{0,22})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "literal")
		scale := rapid.IntRange(0, 4).Draw(t, "scale")
		exact, ok := new(big.Rat).SetString(literal)
		if !ok {
			t.Skip("no number")
		}
		exact.Mul(exact, big.NewRat(int64(math.Pow10(scale)), 1))
		n, whole := decimal([]byte(literal), scale)
		if whole != exact.IsInt() {
			t.Fatalf("%s at scale %d: whole %t", literal, scale, whole)
		}
		if !whole {
			return
		}
		want := exact.Num()
		switch {
		case want.IsInt64() && n != want.Int64(),
			!want.IsInt64() && want.Sign() > 0 && n != math.MaxInt64,
			!want.IsInt64() && want.Sign() < 0 && n != math.MinInt64:
			t.Fatalf("%s at scale %d: %d, want %s", literal, scale, n, want)
		}
	})
}

// TestDecimalNear compares with arithmetic on fractions, at and around the bound.
func TestDecimalNear(t *testing.T) {
	within := big.NewRat(1, 1_000_000_000)
	rapid.Check(t, func(t *rapid.T) {
		scale := rapid.IntRange(0, 4).Draw(t, "scale")
		literal := rapid.OneOf(
			rapid.StringMatching(`-?(0|[1-9][0-9]{0,9})\.[0-9]{0,4}(0{3,8}|9{3,8})[0-9]{1,4}`),
			rapid.StringMatching(`-?(0|[1-9][0-9]{0,9})\.[0-9]{0,4}(0{0,9}1|9{0,10})`),
			rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?`),
			rapid.Map(rapid.Float64Range(-1e7, 1e7), func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }),
		).Draw(t, "literal")
		exact, ok := new(big.Rat).SetString(literal)
		if !ok {
			t.Skip("no number")
		}
		unit := big.NewRat(1, int64(math.Pow10(scale)))
		units := new(big.Rat).Quo(exact, unit)
		// The nearest multiple: floor(units + 1/2).
		half := new(big.Rat).Add(units, big.NewRat(1, 2))
		nearest := new(big.Int).Div(half.Num(), half.Denom())
		apart := new(big.Rat).Sub(exact, new(big.Rat).Mul(new(big.Rat).SetInt(nearest), unit))
		want := apart.Abs(apart).Cmp(within) <= 0
		n, near := decimalNear([]byte(literal), scale)
		if near != want {
			t.Fatalf("%s at scale %d: near %t, and it is %s from %s units", literal, scale, near, apart.FloatString(15), nearest)
		}
		if near && nearest.IsInt64() && n != nearest.Int64() {
			t.Fatalf("%s at scale %d: %d, want %s", literal, scale, n, nearest)
		}
	})
}

// TestDecimalNear_CostsNoMoreForHugeExponents reads numbers whose digits, written out, would fill memory.
func TestDecimalNear_CostsNoMoreForHugeExponents(t *testing.T) {
	for literal, want := range map[string]int64{
		"1e-999999999999999999999": 0, "-1e-2147483647": 0, "0e999999999": 0, "1e999999999": math.MaxInt64, "-1e99999999999999": math.MinInt64,
		"3.3000000000000003e0": 330, "330e-2": 330, "33000000000000003e-16": 330, "0.00000000033e10": 330,
	} {
		if n, ok := decimalNear([]byte(literal), 2); !ok || n != want {
			t.Errorf("%s: %d, %t; want %d", literal, n, ok, want)
		}
	}
}

func TestAppendHundredths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-1e12, 1e12).Draw(t, "n")
		text := appendHundredths(nil, n)
		if back, ok := decimal(text, 2); !ok || back != n {
			t.Fatalf("%d became %s, which reads as %d", n, text, back)
		}
		if text[len(text)-1] == '.' || fmt.Sprint(float64(n)/100) != string(text) && math.Abs(float64(n)) < 1e8 {
			t.Fatalf("%d became %s", n, text)
		}
	})
}
