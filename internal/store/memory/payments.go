package memory

import (
	"fmt"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store/records"
)

// loadPayments loads what a batch needs of payments.
func (c cold) loadPayments(s *drop.State, ids []drop.PaymentID) {
	for _, id := range ids {
		if row := c.find(records.Payments, int64(id)); row != nil {
			s.LoadPayment(*row.(*drop.Payment))
		}
	}
}

// checkPayments refuses what a database's constraints refuse, before anything is written.
func (c cold) checkPayments(changes *drop.Changes) error {
	seen := make(map[drop.PaymentID]bool)
	for _, p := range changes.Begun {
		if seen[p.ID] || c.find(records.Payments, int64(p.ID)) != nil {
			return fmt.Errorf("payment %d already exists", p.ID)
		}
		seen[p.ID] = true
	}
	for _, p := range changes.Paid {
		if c.find(records.Payments, int64(p.ID)) == nil {
			return fmt.Errorf("there is no payment %d", p.ID)
		}
	}
	return nil
}

// writePayments stores what checkPayments has accepted.
func (c cold) writePayments(changes *drop.Changes) {
	for _, p := range changes.Begun {
		if err := c.add(records.Payments, new(*p)); err != nil {
			panic(err) // cannot happen: checkPayments has accepted it
		}
	}
	for _, p := range changes.Paid {
		*c.find(records.Payments, int64(p.ID)).(*drop.Payment) = *p
	}
}
