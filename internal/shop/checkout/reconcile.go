package checkout

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/store"
)

// Report is what Reconcile found.
type Report struct {
	Checked int // payments that the provider listed
	Mended  int // payments that the server had settled otherwise, or had not settled
	// Released are units that payments still claimed which were settled without a unit.
	Released int
	// Open are the payments that are still not settled after it, and wait for their buyer or for another try.
	Open int
	// Sentences are about what needs a person.
	Sentences []string
}

// Reconcile compares the payments that the provider has had since a moment with those of the server, and mends what
// differs. Money without a unit is voided or refunded, and units whose money is there are sold. A unit that is claimed
// for money which is gone is released. What it cannot mend is in the report. An error ends it early; what it did stays.
func (s *Service) Reconcile(ctx context.Context, from time.Time) (Report, error) {
	var r Report
	for found, err := range s.provider.Since(ctx, from) {
		if err != nil {
			return r, fmt.Errorf("%w: %w", ErrProvider, err)
		}
		r.Checked++
		if err := s.compare(ctx, &r, &found); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (s *Service) compare(ctx context.Context, r *Report, found *payment.Found) error {
	p, known, err := s.Payment(ctx, found.ID)
	switch {
	case err != nil:
		return err
	case !known || p.Provider != s.provider.Name():
		if found.State == payment.Captured && found.Refunded != found.Amount || found.State == payment.Authorised {
			r.Sentences = append(r.Sentences, fmt.Sprintf("the provider's payment %s of %s %s (%s) is none of this shop's: look at it there",
				found.Number, found.Amount, found.Currency, found.State))
		}
		return nil
	}
	if found.Disputed {
		r.Sentences = append(r.Sentences, fmt.Sprintf("the buyer's bank asks for the money of payment %d (%s) back: answer it at the provider", p.ID, found.Number))
	}
	keeps := false
	if !p.Unsettled && agrees(p.State, p.Refunded, found) {
		if keeps, err = s.keeps(ctx, &p); err != nil || !keeps {
			return err
		}
	}
	now, err := s.again(ctx, p.ID)
	switch {
	case err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		r.Open++
		r.Sentences = append(r.Sentences, fmt.Sprintf("payment %d (%s) could not go on: %s", p.ID, now.State, err))
	case now.Unsettled:
		r.Open++
	case keeps:
		r.Released++
	default:
		r.Mended++
	}
	return nil
}

// keeps reports whether a settled payment that nothing was sold for still claims a unit. Servers before this release
// could settle a payment while a claim of it was under way.
func (s *Service) keeps(ctx context.Context, p *drop.Payment) (bool, error) {
	if p.Purchase != 0 {
		return false, nil
	}
	r, err := s.reserved(ctx, p)
	if err != nil || r.Payment != p.ID || r.Claim == 0 {
		return false, err
	}
	unit, err := s.reservations(ctx, r.Claim)
	return err == nil && len(unit) == 1 && unit[0].Status == drop.Active, err
}

// agrees reports whether a settled payment is what the provider says.
func agrees(state string, refunded drop.Money, found *payment.Found) bool {
	switch state {
	case drop.PaymentCaptured:
		return found.State == payment.Captured && found.Refunded == refunded
	case drop.PaymentRefunded:
		return found.State == payment.Captured && found.Refunded == found.Amount
	default:
		return found.State == payment.Voided || found.State == payment.Failed
	}
}

// Unpaid returns the purchases since a moment that no payment was made for, newest first in each drop: those that an
// operator recorded, and those of a time without payments. A rehearsal's are left out.
func (s *Service) Unpaid(ctx context.Context, from time.Time) ([]drop.PurchaseID, error) {
	var unpaid []drop.PurchaseID
	for _, v := range s.engine.AllViews() {
		if v.Drop.Rehearsal() {
			continue
		}
		for before := drop.PurchaseID(0); ; {
			page, err := engine.Ask(ctx, s.engine, func(st store.Records) ([]store.Sale, error) {
				return st.NewestPurchases(ctx, v.Drop.ID, before, pageOfSales)
			})
			if err != nil {
				return nil, err
			}
			last := len(page) < pageOfSales
			if i := slices.IndexFunc(page, func(sale store.Sale) bool { return sale.CreatedAt < drop.TimeOf(from) }); i >= 0 {
				page, last = page[:i], true
			}
			units := make([]drop.ReservationID, len(page))
			for i := range page {
				units[i] = page[i].ReservationID
			}
			paid, err := s.ForSales(ctx, units)
			if err != nil {
				return nil, err
			}
			for i := range page {
				before = page[i].ID
				if _, ok := paid[page[i].ReservationID]; !ok {
					unpaid = append(unpaid, before)
				}
			}
			if last {
				break
			}
		}
	}
	return unpaid, nil
}

// pageOfSales is how many purchases are read at a time.
const pageOfSales = 1000
