package drop

import "strconv"

// Currency is what a shop's amounts are in, as ISO 4217 has it. The zero value is no currency.
type Currency struct {
	Code     string // such as EUR
	Decimals int    // of its amounts, from 0 (JPY) to MaxDecimals
}

// MaxDecimals is the most that any currency has (CLF, UYW).
const MaxDecimals = 4

// Money is an amount of the shop's one currency, as databases and replicas keep it. It has one spelling for each
// amount, so that == compares, and the same for every currency, so that a row means what it meant whatever currency
// the shop has today:
//
//   - in hundredths: 11999 is 119.99, 1200000 is 12000
//   - an amount that is no whole number of hundredths in ten-thousandths, with finer added: 1000001199950 is 119.995
//
// Arithmetic and order are those of TenThousandths.
type Money int64

// finer is above every price in hundredths, and above every price in ten-thousandths.
const finer Money = 1_000_000_000_000

// MaxPrice is 99,999,999.99, what the original's DECIMAL(10,2) column holds.
const MaxPrice Money = 9_999_999_999

const (
	hundredth   = 100 // in ten-thousandths
	tenthousand = 10_000
)

// MoneyOf returns the amount of so many ten-thousandths, from 0 to those of MaxPrice.
func MoneyOf(tenThousandths int64) Money {
	if tenThousandths%hundredth == 0 {
		return Money(tenThousandths / hundredth)
	}
	return finer + Money(tenThousandths)
}

// TenThousandths returns the amount that MoneyOf made m of.
func (m Money) TenThousandths() int64 {
	if m.fine() {
		return int64(m - finer)
	}
	return int64(m) * hundredth
}

// fine says whether m is in ten-thousandths. What no MoneyOf has made is in hundredths.
func (m Money) fine() bool { return m > finer && m < 2*finer && (m-finer)%hundredth != 0 }

// IsPrice says whether m is from 0 to MaxPrice.
func (m Money) IsPrice() bool {
	if m.fine() {
		return m.TenThousandths() <= MaxPrice.TenThousandths()
	}
	return m >= 0 && m <= MaxPrice
}

// Decimals returns how many decimals it takes to write m: 0 for 120, 1 for 119.9, 3 for 119.995.
func (m Money) Decimals() int {
	_, part, most := m.split()
	for ; most > 0 && part%10 == 0; most-- {
		part /= 10
	}
	return most
}

// split returns the whole part of |m| and the rest, in units of 10^-decimals.
func (m Money) split() (whole, part uint64, decimals int) {
	if m.fine() {
		n := uint64(m - finer)
		return n / tenthousand, n % tenthousand, MaxDecimals
	}
	n := uint64(m) // two's complement: its least value has no positive one
	if m < 0 {
		n = -n
	}
	return n / hundredth, n % hundredth, 2
}

// Append appends String's form to b.
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

// String writes the amount as a decimal number without trailing zeros: 120, 119.9, 119.99, 119.995.
func (m Money) String() string { return string(m.Append(nil)) }
