package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/alecthomas/kong"
	iso "github.com/bojanz/currency"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
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

// warnOfPrices names drops whose price the shop's currency cannot write: they were made when it had another.
func (c *currency) warnOfPrices(views []*engine.View, log *slog.Logger) {
	const most = 5
	var found []string
	for _, v := range views {
		if d := &v.Drop; !d.Archived && d.Price.Decimals() > c.Decimals {
			found = append(found, fmt.Sprintf("%d (%s)", d.ID, d.Price))
		}
	}
	if len(found) == 0 {
		return
	}
	more := ""
	if len(found) > most {
		more = fmt.Sprintf(" and %d more", len(found)-most)
	}
	log.Warn("prices have more decimals than the currency has, and stay as they are; correct the price of these drops, or --currency",
		"currency", c.Code, "decimals", c.Decimals, "drops", strings.Join(found[:min(len(found), most)], ", ")+more)
}
