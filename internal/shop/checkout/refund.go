package checkout

import (
	"context"
	"errors"
	"fmt"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
)

// Refund refunds money of a purchase. The unit stays with the buyer: to take it back is another thing. A call that is
// repeated under its key changes nothing, and returns the payment of now.
//
// It refuses what drop.OrderRefund refuses, except that it waits for an earlier refund. If the provider says no, it
// refuses with CodePaymentFailed. ErrProvider says that an earlier refund is not done yet, and that this one is not
// begun. If the provider does not answer after that, the payment is Unsettled, and the server tries again.
func (s *Service) Refund(ctx context.Context, order drop.OrderRefund, retry engine.Retry) (drop.Payment, error) {
	for {
		ordered, err := s.engine.OrderRefund(ctx, order, retry)
		if err != nil && drop.CodeOf(err) != drop.CodePaymentPending {
			return drop.Payment{}, err
		}
		p, failed := s.Step(ctx, order.Payment)
		switch {
		case err != nil && failed == nil: // One at a time: two at once would both pay what is missing to the larger total.
			continue
		case err == nil && errors.Is(failed, ErrProvider):
			failed = nil
		case failed == nil && ordered != nil && p.Refunded.TenThousandths() < ordered.Refunded.TenThousandths():
			failed = drop.Refuse(drop.CodePaymentFailed)
		}
		return p, failed
	}
}

// refunds brings what is refunded of a sold unit in line with what an operator asked for, or with what a person did at
// the provider.
func (s *Service) refunds(ctx context.Context, p *drop.Payment, found *payment.Found) error {
	if found.State != payment.Captured {
		return fmt.Errorf("%w: the money of purchase %d is %s", errMissing, p.Purchase, found.State)
	}
	done := drop.BookRefund{Purchase: p.Purchase, Payment: p.ID, Was: p.Refunded, Refunded: p.Refunded}
	switch missing := p.Refunded.TenThousandths() - found.Refunded.TenThousandths(); {
	case missing < 0:
		done.Refunded = found.Refunded
	case missing > 0:
		_, err := s.provider.Refund(ctx, s.ref(p), payment.Refund{
			Key: fmt.Sprintf("%d-%s", p.ID, p.Refunded), Amount: drop.MoneyOf(missing),
		})
		if refused, no := errors.AsType[*payment.RefusedError](err); no {
			done.Refunded, done.Reason = found.Refunded, refused.Error()
		} else if err != nil {
			return fmt.Errorf("%w: %w", ErrProvider, err)
		}
	}
	booked, err := s.engine.BookRefund(ctx, done)
	if err == nil {
		*p = *booked
	}
	return err
}

// errMissing says that a unit was sold for money that the provider no longer has.
var errMissing = errors.New("a unit is sold without its money")
