package audit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"sneakerdrop/internal/drop"
)

// Money is what the payments of a drop moved in one currency.
type Money struct {
	Currency string `json:"currency"`
	// Captured is what was taken from buyers. Refunded is how much of it they got, or are about to get, back. Kept is
	// the rest.
	Captured Amount `json:"captured"`
	Refunded Amount `json:"refunded"`
	Kept     Amount `json:"kept"`
}

// Amount is a sum of money, in ten-thousandths of the currency.
type Amount int64

// String formats the amount like drop.Money: a decimal number without trailing zeros.
func (a Amount) String() string {
	sign, n := "", uint64(a)
	if a < 0 {
		sign, n = "-", -n
	}
	text := sign + strconv.FormatUint(n/10_000, 10)
	part := n % 10_000
	if part == 0 {
		return text
	}
	digits := fmt.Sprintf("%04d", part)
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	return text + "." + digits
}

// MarshalJSON encodes the amount as a number.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }

// add adds what a payment moved.
func (m *Money) add(captured, refunded Amount) {
	m.Captured += captured
	m.Refunded += refunded
	m.Kept = m.Captured - m.Refunded
}

// moneyIn returns the sums in a currency. It keeps the list in ascending order.
func moneyIn(all *[]Money, currency string) *Money {
	i, found := slices.BinarySearchFunc(*all, currency, func(m Money, code string) int { return cmp.Compare(m.Currency, code) })
	if !found {
		*all = slices.Insert(*all, i, Money{Currency: currency})
	}
	return &(*all)[i]
}

// payments reads the payments of the drop, after everything else. So each purchase that was read has its payment by
// now.
func (c *check) payments(ctx context.Context, b Books) error {
	if !c.rows.begun {
		return nil
	}
	err := b.PaymentsOfDrop(ctx, c.report.ID, func(p drop.Payment) error {
		c.payment(&p)
		return nil
	})
	if err == nil {
		c.closePayments()
	}
	return err
}

// payment receives a payment of the drop. It may be newer than the other rows, and have a purchase that was not read.
func (c *check) payment(p *drop.Payment) {
	c.report.Payments++
	sold := c.soldFor(p)
	newer := c.number(int64(p.Purchase)) > int64(c.state.Purchased)
	switch {
	case sold != nil && sold.paid:
		c.differf("payment %d appears twice", p.ID)
		return
	case !c.payable(p):
	case p.Purchase != 0 && sold == nil && !newer:
		c.differf("payment %d is captured for purchase %d, but that was not sold for it", p.ID, p.Purchase)
	case p.Purchase != 0 && sold != nil && (p.Purchase != sold.purchase || p.Unit != sold.id):
		c.differf("payment %d is captured for purchase %d of reservation %d, but purchase %d of reservation %d was sold for it",
			p.ID, p.Purchase, p.Unit, sold.purchase, sold.id)
	case p.Purchase == 0 && sold != nil:
		c.differf("payment %d is %s, but purchase %d was sold for it", p.ID, p.State, sold.purchase)
	case sold != nil && p.Amount != c.state.Price:
		c.differf("payment %d has the amount %s, but purchase %d has the price %s", p.ID, p.Amount, sold.purchase, c.state.Price)
	case sold != nil && p.User != sold.user:
		c.differf("payment %d is user %d's, but purchase %d is user %d's", p.ID, p.User, sold.purchase, sold.user)
	case sold != nil && p.Booked == 0 && c.ledger.refunded[uint32(p.Purchase)]:
		c.differf("the ledger says that money of purchase %d was refunded, but payment %d does not", p.Purchase, p.ID)
	case p.Purchase == 0 && p.Unit != 0:
		c.claims(p)
	}
	if sold != nil {
		sold.paid = true
	}
	switch refunded := Amount(p.Refunded.TenThousandths()); p.State {
	case drop.PaymentCaptured:
		moneyIn(&c.report.Money, p.Currency).add(Amount(p.Amount.TenThousandths()), refunded)
	case drop.PaymentRefunded: // all that was taken, which may be another amount than the price
		moneyIn(&c.report.Money, p.Currency).add(refunded, refunded)
	}
}

// payable checks a payment on its own.
func (c *check) payable(p *drop.Payment) bool {
	switch p.State {
	case drop.PaymentOpen, drop.PaymentPending, drop.PaymentClaimed:
		if !p.Unsettled {
			c.differf("payment %d is settled, but %s", p.ID, p.State)
			return false
		}
	case drop.PaymentCaptured, drop.PaymentVoided, drop.PaymentRefunded, drop.PaymentFailed:
	default:
		c.differf("payment %d has the unknown state %q", p.ID, p.State)
		return false
	}
	switch amount := p.Amount.TenThousandths(); {
	case p.State == drop.PaymentCaptured && max(p.Refunded.TenThousandths(), p.Booked.TenThousandths()) > amount:
		c.differf("payment %d has the amount %s, but %s of it is refunded", p.ID, p.Amount, p.Refunded)
	case (p.State == drop.PaymentCaptured) != (p.Purchase != 0):
		c.differf("payment %d is %s, and has purchase %d", p.ID, p.State, p.Purchase)
	default:
		return true
	}
	return false
}

// claims checks that a unit which a payment has claimed, and not bought, is claimed by no other one.
func (c *check) claims(p *drop.Payment) {
	if other, twice := c.rows.claimed[p.Unit]; twice {
		c.differf("payments %d and %d have both claimed reservation %d", min(p.ID, other), max(p.ID, other), p.Unit)
	}
	if r := c.completedAt(p.Unit); r != nil && r.payment != p.ID {
		c.differf("payment %d has claimed reservation %d, which was sold for payment %d", p.ID, p.Unit, r.payment)
	}
	if c.rows.claimed == nil {
		c.rows.claimed = make(map[drop.ReservationID]drop.PaymentID)
	}
	c.rows.claimed[p.Unit] = p.ID
}

// soldFor returns the reservation that was sold for a payment, or nil.
func (c *check) soldFor(p *drop.Payment) *completed {
	of := p.Reservation
	if claim, late := c.rows.claims[of]; late {
		of = claim
	}
	if r := c.completedAt(of); r != nil && r.payment == p.ID {
		return r
	}
	return nil
}

// completedAt returns the completed reservation with that number, or nil.
func (c *check) completedAt(id drop.ReservationID) *completed {
	i, found := slices.BinarySearchFunc(c.rows.completed, id, func(r completed, id drop.ReservationID) int { return cmp.Compare(r.id, id) })
	if !found {
		return nil
	}
	return &c.rows.completed[i]
}

// closePayments finds purchases whose payment is not there.
func (c *check) closePayments() {
	for i := range c.rows.completed {
		switch r := &c.rows.completed[i]; {
		case !r.bought || r.paid:
		case r.payment != 0:
			c.differf("purchase %d was sold for payment %d, but there is no such payment", r.purchase, r.payment)
		case c.ledger.refunded[uint32(r.purchase)]:
			c.differf("the ledger says that money of purchase %d was refunded, but it has no payment", r.purchase)
		}
	}
}
