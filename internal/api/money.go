package api

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"sneakerdrop/internal/drop"
)

// defaultCurrency is the currency of a shop that does not set one.
var defaultCurrency = drop.Currency{Code: "USD", Decimals: 2}

type (
	// price is an amount in an answer. If it was stored when the shop had another currency, it may have more decimals
	// than the current one; it is shown unchanged.
	price drop.Money
	// amount is an amount in a request, as it was written. The shop's currency decides what is valid: see api.money.
	amount string
)

func (a *amount) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	literal, err := d.ReadValue()
	*a = amount(literal)
	return err
}

func (p price) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteValue(drop.Money(p).Append(e.AvailableBuffer()))
}

// Schema implements huma.SchemaProvider.
func (price) Schema(huma.Registry) *huma.Schema {
	least, most := 0.0, float64(drop.MaxPrice)/100
	return &huma.Schema{Type: huma.TypeNumber, Minimum: &least, Maximum: &most}
}

// Schema implements huma.SchemaProvider.
func (amount) Schema(r huma.Registry) *huma.Schema { return price(0).Schema(r) }

// money reads an amount in the shop's currency. Programs that calculate in binary send numbers such as
// 3.3000000000000003; money rounds an error of up to 10^-9.
func (a *api) money(field string, literal amount) (drop.Money, error) {
	return moneyIn(&a.currency, field, literal)
}

func moneyIn(c *drop.Currency, field string, literal amount) (drop.Money, error) {
	if first := literal[0]; first != '-' && (first < '0' || first > '9') { // not a number
		return 0, drop.Invalid(field, decimalsRule(c))
	}
	n, ok := decimalNear([]byte(literal), c.Decimals)
	if !ok {
		return 0, drop.Invalid(field, decimalsRule(c))
	}
	most := mostIn(c)
	unit := unitOf(c)
	if n < 0 || n > most.TenThousandths()/unit {
		return 0, drop.Invalid(field, fmt.Sprintf("must be from 0 to %s", most))
	}
	return drop.MoneyOf(n * unit), nil
}

// unitOf returns the currency's smallest amount, in ten-thousandths.
func unitOf(c *drop.Currency) int64 {
	unit := int64(1)
	for range drop.MaxDecimals - c.Decimals {
		unit *= 10
	}
	return unit
}

// mostIn returns the highest price that can be written in the currency.
func mostIn(c *drop.Currency) drop.Money {
	most := drop.MaxPrice.TenThousandths()
	return drop.MoneyOf(most - most%unitOf(c))
}

func decimalsRule(c *drop.Currency) string {
	if c.Decimals == 0 {
		return fmt.Sprintf("must be a whole number, as %s has no decimals", c.Code)
	}
	return "must be a number with " + decimalsOf(c)
}

// decimalsOf describes how many decimals an amount may have.
func decimalsOf(c *drop.Currency) string {
	if c.Decimals == 0 {
		return "no decimals"
	}
	return fmt.Sprintf("at most %s decimals", [...]string{1: "one", 2: "two", 3: "three", 4: "four"}[c.Decimals])
}

// priced adds the shop's currency to the descriptions of prices in the document.
func priced(schemas huma.Registry, c *drop.Currency) {
	for name, s := range schemas.Map() {
		p := s.Properties["price"]
		if p == nil {
			continue
		}
		own := *p
		s.Properties["price"] = &own
		if name != "CreateRequest" && name != "EditRequest" {
			own.Description = "In " + c.Code
			continue
		}
		own.Description = joinSentences(fmt.Sprintf("In %s, %s", c.Code, decimalsOf(c)), own.Description)
		most := float64(mostIn(c).TenThousandths()) / 10_000
		own.Maximum = &most
		if c.Decimals == 0 { // only without decimals: validators that calculate in binary would refuse 119.99
			one := 1.0
			own.MultipleOf = &one
		}
	}
}

var pricesWithDecimals = regexp.MustCompile(`("price":\d+)\.\d+`)

// price adapts the prices in a route's examples, which are written with two decimals, to the currency.
func (rt *route) price(c *drop.Currency) {
	if c.Decimals >= 2 { // no currency has one decimal
		return
	}
	const whole = "$1"
	rt.answerExample = pricesWithDecimals.ReplaceAllString(rt.answerExample, whole)
	rt.examples = slices.Clone(rt.examples)
	for i := range rt.examples {
		rt.examples[i].body = pricesWithDecimals.ReplaceAllString(rt.examples[i].body, whole)
	}
}

func joinSentences(a, b string) string {
	if b == "" {
		return a
	}
	return a + ". " + b
}
