package drop_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"sneakerdrop/internal/drop"
)

func TestMoney_String(t *testing.T) {
	for m, want := range map[drop.Money]string{
		0: "0", 1: "0.01", 9: "0.09", 10: "0.1", 99: "0.99", 100: "1", 101: "1.01", 110: "1.1", 12_000: "120", 11_990: "119.9",
		11_999: "119.99", drop.MaxPrice: "99999999.99", -1: "-0.01", -150: "-1.5",
		math.MinInt64: "-92233720368547758.08", // a damaged database may hold this
	} {
		if got := m.String(); got != want {
			t.Errorf("Money(%d): %q, want %q", int64(m), got, want)
		}
	}
}

// Every amount has exactly one encoding, and decodes to the same amount. Amounts in hundredths are stored as they
// always were.
func TestMoney_HasOneSpellingForEachAmount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := drop.MaxPrice.TenThousandths()
		n := rapid.OneOf(rapid.Int64Range(0, most), rapid.Int64Range(0, 20_000), rapid.Int64Range(most-200, most)).Draw(t, "n")
		m := drop.MoneyOf(n)
		if n%100 == 0 && int64(m) != n/100 {
			t.Fatalf("%d ten-thousandths are kept as %d", n, int64(m))
		}
		want := big.NewRat(n, 10_000)
		if got, ok := new(big.Rat).SetString(m.String()); !ok || got.Cmp(want) != 0 {
			t.Fatalf("%d ten-thousandths read as %s", n, m)
		}
		if m.TenThousandths() != n || !m.IsPrice() || drop.MoneyOf(m.TenThousandths()) != m {
			t.Fatalf("%d ten-thousandths: %d, %t", n, m.TenThousandths(), m.IsPrice())
		}
		if d := m.Decimals(); want.FloatString(d) != m.String() || d > 0 && m.String()[len(m.String())-1] == '0' {
			t.Fatalf("%s has %d decimals", m, d)
		}
	})
}

func TestMoney_IsPrice(t *testing.T) {
	for m, want := range map[drop.Money]bool{
		0: true, 1: true, drop.MaxPrice: true, drop.MoneyOf(1): true, drop.MoneyOf(1_199_950): true, drop.MoneyOf(999_999_999_899): true,
		-1: false, drop.MaxPrice + 1: false, drop.MoneyOf(999_999_999_901): false, math.MinInt64: false, math.MaxInt64: false,
		1_000_000_000_000: false, 1_000_001_199_900: false, 2_000_000_000_000: false, // encodings that no amount has
	} {
		if got := m.IsPrice(); got != want {
			t.Errorf("%d is a price: %t", int64(m), got)
		}
	}
}
