package checkout

import (
	"context"
	"fmt"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
)

// Report is what Reconcile found.
type Report struct {
	Checked int // payments that the provider listed
	Mended  int // payments that the server had settled otherwise, or had not settled
	// Open are the payments that are still not settled after it, and wait for their buyer or for another try.
	Open int
	// Sentences are about what needs a person.
	Sentences []string
}

// Reconcile compares the payments that the provider has had since a moment with those of the server, and mends what
// differs. Money without a unit is voided or refunded, and units whose money is there are sold. What it cannot mend is
// in the report. An error ends it early; what it did stays.
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
	p, known, err := s.read(ctx, found.ID)
	switch {
	case err != nil:
		return err
	case !known || p.Provider != s.provider.Name():
		if found.State == payment.Captured && found.Refunded != found.Amount || found.State == payment.Authorised {
			r.Sentences = append(r.Sentences, fmt.Sprintf("the provider's payment %s of %s %s (%s) is none of this shop's: look at it there",
				found.Number, found.Amount, found.Currency, found.State))
		}
		return nil
	case !p.Unsettled && agrees(p.State, p.Refunded, found):
		return nil
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
	default:
		r.Mended++
	}
	return nil
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
