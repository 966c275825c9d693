package cli

import (
	"errors"
	"fmt"
	"strings"

	iso "github.com/bojanz/currency"

	"sneakerdrop/internal/drop"
)

// parseCurrency reads an ISO 4217 currency, with the number of decimals from that standard. Intl in browsers has
// other numbers for some currencies, because it follows how people pay in cash.
func parseCurrency(s string) (drop.Currency, error) {
	if len(s) != 3 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return drop.Currency{}, errors.New("must be the three capital letters of a currency, such as EUR")
	}
	digits, ok := iso.GetDigits(s)
	if !ok {
		return drop.Currency{}, fmt.Errorf("is %s, which is not a currency in use in ISO 4217; give one that is, such as EUR", s)
	}
	return drop.Currency{Code: s, Decimals: int(digits)}, nil
}
