package checkout

import (
	"context"
	"errors"
	"fmt"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/store"
)

// Refund refunds money of a purchase: an amount, or with 0 all that is left. The unit stays with the buyer: to take it
// back is another thing. reason is an operator's, and may be empty. A call that is repeated under its key changes
// nothing, and returns the payment of now.
//
// It refuses with CodePurchaseNotFound. It refuses an amount that is more than what was paid and not refunded with
// CodeInvalid. If the provider says no, it refuses with CodePaymentFailed. ErrProvider says that an earlier refund is
// not done yet, and that this one is not begun. If the provider does not answer after that, the payment is Unsettled,
// and the server goes on by itself.
func (s *Service) Refund(ctx context.Context, id drop.PurchaseID, amount drop.Money, reason string, retry engine.Retry) (drop.Payment, error) {
	for {
		p, err := s.of(ctx, id)
		if err != nil {
			return p, err
		}
		ordered, err := s.engine.OrderRefund(ctx, drop.OrderRefund{Purchase: id, Payment: p.ID, Amount: amount, Reason: reason}, retry)
		switch {
		case drop.CodeOf(err) == drop.CodePaymentPending: // One at a time: two at once would both pay what is missing to the larger total.
			if p, err = s.Step(ctx, p.ID); err != nil {
				return p, err
			}
			continue
		case err != nil:
			return p, err
		}
		now, err := s.Step(ctx, p.ID)
		switch {
		case errors.Is(err, ErrProvider):
			err = nil
		case err == nil && ordered != nil && now.Refunded.TenThousandths() < ordered.Refunded.TenThousandths():
			err = drop.Refuse(drop.CodePaymentFailed)
		}
		return now, err
	}
}

// of returns the payment of a purchase.
func (s *Service) of(ctx context.Context, id drop.PurchaseID) (drop.Payment, error) {
	found, err := engine.Ask(ctx, s.engine, func(st store.Records) ([]drop.Payment, error) {
		sales, err := st.SalesIn(ctx, id.Drop(), []store.Run{{First: uint32(id), Length: 1}})
		if err != nil || len(sales) == 0 {
			return nil, err
		}
		return st.PaymentsFor(ctx, []drop.ReservationID{sales[0].ReservationID})
	})
	if err != nil {
		return drop.Payment{}, err
	}
	for _, p := range found {
		if p.Purchase == id {
			return p, nil
		}
	}
	return drop.Payment{}, drop.Refuse(drop.CodePurchaseNotFound)
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

// errMissing says that a unit was sold for money that the provider does not have any more.
var errMissing = errors.New("a unit is sold without its money")
