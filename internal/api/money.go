package api

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"sneakerdrop/internal/drop"
)

// defaultCurrency is that of a shop that says nothing.
var defaultCurrency = drop.Currency{Code: "USD", Decimals: 2}

type (
	// price is an amount in an answer. One that was stored when the shop had another currency may have more decimals
	// than the currency has: it is what it was.
	price drop.Money
	// amount is one in a request as it was written: what it may be depends on the shop's currency, see api.money.
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

// money reads an amount of the shop's currency. What a program has calculated in binary, such as 3.3000000000000003,
// is the amount that it is within 10^-9 of.
func (a *api) money(field string, literal amount) (drop.Money, error) {
	c := &a.currency
	if first := literal[0]; first != '-' && (first < '0' || first > '9') { // no number at all
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

// unitOf is the currency's smallest amount, in ten-thousandths.
func unitOf(c *drop.Currency) int64 {
	unit := int64(1)
	for range drop.MaxDecimals - c.Decimals {
		unit *= 10
	}
	return unit
}

// mostIn is the highest price that the currency can write.
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

// decimalsOf says how many decimals an amount may have.
func decimalsOf(c *drop.Currency) string {
	if c.Decimals == 0 {
		return "no decimals"
	}
	return fmt.Sprintf("at most %s decimals", [...]string{1: "one", 2: "two", 3: "three", 4: "four"}[c.Decimals])
}

// priced has the document say what the shop's prices are.
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
		if c.Decimals == 0 { // with decimals there is none: validators that calculate in binary would refuse 119.99
			one := 1.0
			own.MultipleOf = &one
		}
	}
}

var pricesWithDecimals = regexp.MustCompile(`("price":\d+)\.\d+`)

// price has a route's examples work in the currency: as they are written, prices have two decimals.
func (rt *route) price(c *drop.Currency) {
	if c.Decimals >= 2 { // there is none with one
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
