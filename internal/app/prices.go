package app

import (
	"fmt"
	"log/slog"
	"strings"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

// warnOfPrices names drops whose price has more decimals than the shop's currency. They were made when the shop had
// another one.
func warnOfPrices(c drop.Currency, views []*engine.View, log *slog.Logger) {
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
	log.Warn("prices have more decimals than the currency; correct the price of these drops, or --currency",
		"currency", c.Code, "decimals", c.Decimals, "drops", strings.Join(found[:min(len(found), most)], ", ")+more)
}
