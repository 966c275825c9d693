package drop

import "strings"

import "strconv"

// Currency is the currency of a shop's amounts, as defined by ISO 4217. The zero value means no currency.
type Currency struct {
	Code     string // for example EUR
	Decimals int    // decimals of an amount, from 0 (JPY) to MaxDecimals
}

// MaxDecimals is the most decimals that any currency has (CLF, UYW).
const MaxDecimals = 4

// Money is an amount in the shop's currency, as stored and as sent between replicas. Each amount has exactly one
// encoding, so == compares amounts. The encoding does not depend on the currency, so old rows keep their meaning when
// the shop's currency changes:
//
//   - Whole hundredths are stored as such: 11999 is 119.99, and 1200000 is 12000.
//   - Any other amount is stored in ten-thousandths plus finer: 1000001199950 is 119.995.
//
// Use TenThousandths for arithmetic and order.
type Money int64

// finer is larger than every price, whether in hundredths or in ten-thousandths.
const finer Money = 1_000_000_000_000

// MaxPrice is 99,999,999.99, the largest value of the original's DECIMAL(10,2) column.
const MaxPrice Money = 9_999_999_999

const (
	hundredth   = 100 // in ten-thousandths
	tenthousand = 10_000
)

// MoneyOf converts an amount in ten-thousandths, from 0 to that of MaxPrice.
func MoneyOf(tenThousandths int64) Money {
	if tenThousandths%hundredth == 0 {
		return Money(tenThousandths / hundredth)
	}
	return finer + Money(tenThousandths)
}

// TenThousandths converts the amount back: it is the inverse of MoneyOf.
func (m Money) TenThousandths() int64 {
	if m.fine() {
		return int64(m - finer)
	}
	return int64(m) * hundredth
}

// fine reports whether m is in ten-thousandths. A value that MoneyOf cannot have made is in hundredths.
func (m Money) fine() bool { return m > finer && m < 2*finer && (m-finer)%hundredth != 0 }

// IsPrice reports whether m is from 0 to MaxPrice.
func (m Money) IsPrice() bool {
	if m.fine() {
		return m.TenThousandths() <= MaxPrice.TenThousandths()
	}
	return m >= 0 && m <= MaxPrice
}

// Decimals returns how many decimals m needs: 0 for 120, 1 for 119.9, 3 for 119.995.
func (m Money) Decimals() int {
	_, part, most := m.split()
	for ; most > 0 && part%10 == 0; most-- {
		part /= 10
	}
	return most
}

// In writes an amount as payment providers do: with all decimals of its currency, such as 120.00 in EUR and 12000 in
// JPY. An amount that was stored under another currency may have more.
func (m Money) In(c Currency) string {
	text := m.String()
	if missing := c.Decimals - m.Decimals(); missing > 0 {
		if m.Decimals() == 0 {
			text += "."
		}
		text += strings.Repeat("0", missing)
	}
	return text
}

// split returns the whole part of |m|, and the rest in units of 10^-decimals.
func (m Money) split() (whole, part uint64, decimals int) {
	if m.fine() {
		n := uint64(m - finer)
		return n / tenthousand, n % tenthousand, MaxDecimals
	}
	n := uint64(m) // two's complement: the least int64 has no positive counterpart
	if m < 0 {
		n = -n
	}
	return n / hundredth, n % hundredth, 2
}

// Append appends the same text as String to b.
func (m Money) Append(b []byte) []byte {
	whole, part, decimals := m.split()
	if m < 0 {
		b = append(b, '-')
	}
	b = strconv.AppendUint(b, whole, 10)
	if part == 0 {
		return b
	}
	b = append(b, '.')
	for unit := pow10[decimals-1]; part > 0; unit /= 10 {
		b = append(b, byte('0'+part/unit))
		part %= unit
	}
	return b
}

var pow10 = [...]uint64{1, 10, 100, 1000}

// String formats the amount as a decimal number without trailing zeros: 120, 119.9, 119.99, 119.995.
func (m Money) String() string { return string(m.Append(nil)) }
