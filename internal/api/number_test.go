package api

import (
	"fmt"
	"math"
	"math/big"
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
