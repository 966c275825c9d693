package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
	iso "github.com/bojanz/currency"

	"sneakerdrop/internal/drop"
)

// currency is a currency of ISO 4217, with the decimals that it has there. Others count them differently: the pages' Intl by
// how people pay in cash.
type currency drop.Currency

// Decode implements kong.MapperValue.
func (c *currency) Decode(ctx *kong.DecodeContext) error {
	return decode(ctx, func(s string) error {
		if len(s) != 3 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return errors.New("must be the three capital letters of a currency, such as EUR")
		}
		digits, ok := iso.GetDigits(s)
		if !ok {
			return fmt.Errorf("is %s, which is no currency in use by ISO 4217; give one that is, such as EUR", s)
		}
		*c = currency{Code: s, Decimals: int(digits)}
		return nil
	})
}
