package stripe

import (
	"errors"
	"testing"

	iso "github.com/bojanz/currency"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
)

// differing are the currencies for which Stripe's decimals are not those of ISO 4217.
var differing = map[string]int{"ISK": 2, "UGX": 2, "MGA": 0}

// refused are the currencies that Stripe does not take, by decimals.
var refused = map[string]int{"IQD": 3, "LYD": 3, "CLF": 4, "UYI": 0, "UYW": 4}

// Every currency that a shop can have has Stripe's amounts, or is refused.
func TestAmounts_OfEveryCurrency(t *testing.T) {
	codes := iso.GetCurrencyCodes()
	if len(codes) < 150 {
		t.Fatalf("ISO 4217 has %d currencies: this looks in the wrong place", len(codes))
	}
	for _, code := range codes {
		digits, _ := iso.GetDigits(code)
		want := int(digits)
		if _, no := refused[code]; no {
			if _, err := toStripe(1200, code); !isRefused(err) {
				t.Errorf("%s: the error is %v", code, err)
			}
			continue
		}
		if d, ok := differing[code]; ok {
			want = d
		}
		n := int64(12) // of whole units
		for range want {
			n *= 10
		}
		if got, err := toStripe(1200, code); err != nil || got != n {
			t.Errorf("12 %s are %d, %v; want %d", code, got, err, n)
		}
		if back, err := fromStripe(n, code); err != nil || back != 1200 {
			t.Errorf("%d of %s are %s, %v; want 12", n, code, back, err)
		}
		smallest(t, code, want)
	}
}

// smallest checks the steps of a currency's amounts.
func smallest(t *testing.T, code string, decimals int) {
	t.Helper()
	step := int64(10_000) // in ten-thousandths
	for range decimals {
		step /= 10
	}
	switch code {
	case "ISK", "UGX":
		step *= 100
	case "BHD", "JOD", "KWD", "OMR", "TND":
		step *= 10
	}
	for k := range int64(300) {
		in := drop.MoneyOf((k + 1) * step)
		n, err := toStripe(in, code)
		if err != nil {
			t.Fatalf("%s %s: %v", in, code, err)
		}
		if back, err := fromStripe(n, code); err != nil || back != in {
			t.Fatalf("%s %s became %d, and that %s, %v", in, code, n, back, err)
		}
		for _, more := range []int64{1, step / 10, step / 2} {
			if between := drop.MoneyOf(k*step + more); between != drop.MoneyOf(k*step) {
				if _, err := toStripe(between, code); !isRefused(err) {
					t.Fatalf("%s %s: the error is %v", between, code, err)
				}
			}
		}
	}
}

func isRefused(err error) bool {
	r, ok := errors.AsType[*payment.RefusedError](err)
	return ok && r.Code != "" && r.Reason != ""
}

func TestAmounts_AtTheEdges(t *testing.T) {
	for _, c := range []struct {
		amount drop.Money
		code   string
		want   int64 // 0: refused
	}{
		{11999, "EUR", 11999},
		{1, "EUR", 1},
		{0, "EUR", 0},
		{-100, "EUR", 0},
		{drop.MoneyOf(119_995), "EUR", 0}, // 11.9995
		{12000, "JPY", 120},
		{12050, "JPY", 0},
		{500, "ISK", 500},
		{550, "ISK", 0},
		{drop.MoneyOf(51_240), "KWD", 0}, // 5.124
		{512, "KWD", 5120},
		{drop.MaxPrice, "USD", 9_999_999_999},
		{100, "", 0},
		{100, "EURO", 0},
	} {
		got, err := toStripe(c.amount, c.code)
		if got != c.want || (c.want == 0) != isRefused(err) {
			t.Errorf("%s %s: %d, %v; want %d", c.amount, c.code, got, err, c.want)
		}
	}
	for _, c := range []struct {
		amount int64
		code   string
	}{{-1, "EUR"}, {10_000_000_000, "EUR"}, {100_000_000, "JPY"}, {1 << 62, "USD"}, {1, "CLF"}, {1, ""}} {
		if got, err := fromStripe(c.amount, c.code); err == nil {
			t.Errorf("%d of %s: %s", c.amount, c.code, got)
		}
	}
}
