package payment

import (
	"strings"

	"sneakerdrop/internal/drop"
)

// Decimal writes an amount as payment providers do: with all decimals of its currency, such as 120.00 in EUR and 12000
// in JPY. An amount that was stored under another currency may have more.
func Decimal(m drop.Money, c drop.Currency) string {
	text := m.String()
	if missing := c.Decimals - m.Decimals(); missing > 0 {
		if m.Decimals() == 0 {
			text += "."
		}
		text += strings.Repeat("0", missing)
	}
	return text
}
