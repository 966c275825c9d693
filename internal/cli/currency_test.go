package cli

import (
	"strings"
	"testing"
	"time"

	iso "github.com/bojanz/currency"

	"sneakerdrop/internal/drop"
)

// TestCurrency_HasTheDecimalsOfISO4217 compares the library with list one of the standard. Cash in rials, ariary or
// ouguiya has other decimals, and so has CLDR.
func TestCurrency_HasTheDecimalsOfISO4217(t *testing.T) {
	decimals := make(map[string]int)
	for n, codes := range map[int]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
		3: "BHD IQD JOD KWD LYD OMR TND",
		4: "CLF UYW",
	} {
		for code := range strings.FieldsSeq(codes) {
			decimals[code] = n
			if !iso.IsValid(code) {
				t.Errorf("the library does not know %s", code)
			}
		}
	}
	for _, code := range iso.GetCurrencyCodes() {
		want, other := decimals[code]
		if !other {
			want = 2
		}
		if got, err := parseCurrency(code); err != nil || got != (drop.Currency{Code: code, Decimals: want}) {
			t.Errorf("%s: %+v, %v, want %d decimals", code, got, err, want)
		}
	}
	for code, want := range map[string]string{
		"":     "must be the three capital letters",
		"jpy":  "must be the three capital letters",
		"Eur":  "must be the three capital letters",
		"EURO": "must be the three capital letters",
		"EU":   "must be the three capital letters",
		"ＪＰＹ":  "must be the three capital letters",
		"€€€":  "must be the three capital letters",
		"EUX":  "is EUX, which is not a currency in use in ISO 4217",
		"DEM":  "is DEM, which is not a currency in use in ISO 4217",
		"XXX":  "is XXX, which is not a currency in use in ISO 4217",
		"BTC":  "is BTC, which is not a currency in use in ISO 4217",
	} {
		if got, err := parseCurrency(code); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v", code, got, err)
		}
	}
}

func TestSamples_HavePricesInEveryCurrency(t *testing.T) {
	for decimals, want := range map[int]string{0: "11995", 2: "119.95", 3: "119.95", 4: "119.95"} {
		_, drops := samples(time.Unix(0, 0), drop.Currency{Code: "X", Decimals: decimals})
		for _, d := range drops {
			if p := d.State.Price; p.Decimals() > decimals || !p.IsPrice() {
				t.Errorf("%s in %d decimals", p, decimals)
			}
		}
		if got := drops[1].State.Price.String(); got != want {
			t.Errorf("%d decimals: %s, want %s", decimals, got, want)
		}
	}
}
