package drop_test

import (
	"testing"

	"sneakerdrop/internal/drop"
)

func TestMoney_InACurrencyHasItsDecimals(t *testing.T) {
	for _, c := range []struct {
		amount   drop.Money
		decimals int
		want     string
	}{
		{120_00, 2, "120.00"},
		{119_90, 2, "119.90"},
		{119_95, 2, "119.95"},
		{5, 2, "0.05"},
		{0, 2, "0.00"},
		{12_000_00, 0, "12000"},
		{119_95, 0, "119.95"}, // stored under another currency
		{119_90, 3, "119.900"},
		{drop.MoneyOf(1_199_950), 3, "119.995"},
		{drop.MoneyOf(1_199_951), 2, "119.9951"},
		{drop.MaxPrice, 4, "99999999.9900"},
	} {
		if got := c.amount.In(drop.Currency{Code: "XXX", Decimals: c.decimals}); got != c.want {
			t.Errorf("%s with %d decimals is %s, want %s", c.amount, c.decimals, got, c.want)
		}
	}
}
