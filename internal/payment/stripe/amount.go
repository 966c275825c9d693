package stripe

import (
	"fmt"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
)

// unit is how Stripe counts the amounts of a currency. It differs from ISO 4217 for some: see
// https://docs.stripe.com/currencies, "Zero-decimal currencies", "Three-decimal currencies" and "Special cases".
type unit struct {
	decimals int   // of the unit in which Stripe counts
	step     int64 // each amount is a multiple of it
}

// unitOf returns the unit of a currency's amounts. It returns false if Stripe has no rule for the currency.
func unitOf(code string) (unit, bool) {
	switch code {
	case "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF":
		return unit{decimals: 0, step: 1}, true
	case "ISK", "UGX": // no decimals, but counted in hundredths, as they were before
		return unit{decimals: 2, step: 100}, true
	case "BHD", "JOD", "KWD", "OMR", "TND": // the last digit must be 0
		return unit{decimals: 3, step: 10}, true
	case "CLF", "IQD", "LYD", "UYI", "UYW": // they have other than two decimals, and Stripe does not list them
		return unit{}, false
	}
	return unit{decimals: 2, step: 1}, len(code) == 3
}

// tenThousandths returns how many ten-thousandths the unit has.
func (u unit) tenThousandths() int64 {
	n := int64(1)
	for range drop.MaxDecimals - u.decimals {
		n *= 10
	}
	return n
}

// codeAmount is the code of a refusal because of an amount. Stripe uses it too.
const codeAmount = "invalid_charge_amount"

// toStripe converts an amount above 0 to what Stripe's API takes. It returns a *payment.RefusedError if Stripe cannot
// take it.
func toStripe(amount drop.Money, code string) (int64, error) {
	u, ok := unitOf(code)
	if !ok {
		return 0, &payment.RefusedError{Code: "invalid_currency", Reason: fmt.Sprintf("Stripe takes no payments in %q", code)}
	}
	in := amount.TenThousandths()
	if in <= 0 {
		return 0, &payment.RefusedError{Code: codeAmount, Reason: fmt.Sprintf("the amount is %s %s, which is not above 0", amount, code)}
	}
	if step := u.step * u.tenThousandths(); in%step != 0 {
		return 0, &payment.RefusedError{
			Code:   codeAmount,
			Reason: fmt.Sprintf("the amount is %s %s, and Stripe takes only multiples of %s", amount, code, drop.MoneyOf(step)),
		}
	}
	return in / u.tenThousandths(), nil
}

// fromStripe converts an amount of Stripe's API. It returns an error if a drop.Money cannot have it.
func fromStripe(amount int64, code string) (drop.Money, error) {
	u, ok := unitOf(code)
	if !ok || amount < 0 || amount > drop.MaxPrice.TenThousandths()/u.tenThousandths() {
		return 0, fmt.Errorf("stripe tells an amount of %d in the currency %q, which is no amount of a shop", amount, code)
	}
	return drop.MoneyOf(amount * u.tenThousandths()), nil
}
