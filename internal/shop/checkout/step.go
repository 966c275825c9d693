package checkout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
)

// Step does what is to be done for a payment now, and returns the payment after it. It does nothing for one that is
// settled. An error says that it could not go on; the payment is due again later.
func (s *Service) Step(ctx context.Context, id drop.PaymentID) (drop.Payment, error) {
	was, found, err := s.Payment(ctx, id)
	if err != nil || !found || !was.Unsettled {
		return was, err
	}
	return s.advance(ctx, was)
}

// advance is Step for a payment that was just read and is not settled.
func (s *Service) advance(ctx context.Context, was drop.Payment) (drop.Payment, error) {
	p := was
	err := s.step(ctx, &p)
	return s.finish(ctx, was, p, err)
}

// finish stores what became of a payment, unless the batch that sold the unit has stored it.
func (s *Service) finish(ctx context.Context, was, p drop.Payment, err error) (drop.Payment, error) {
	if err == nil && was.Purchase == 0 && p.Purchase != 0 {
		s.ended(p.State)
		return p, nil
	}
	if err != nil {
		p.Tries++
		p.Reason = err.Error()
		p.DueAt = s.now().Add(pauseAfter(p.Tries))
	} else {
		p.Tries = 0
	}
	if !p.Unsettled {
		p.URL = "" // nobody can pay there now
	}
	done, failed := s.replace(ctx, was, p)
	switch {
	case failed != nil:
		return was, errors.Join(err, failed)
	case !done: // another step was faster, or a batch. It found the same, or will.
		now, _, failed := s.Payment(ctx, p.ID)
		return now, errors.Join(err, failed)
	}
	return p, err
}

// pauseAfter returns how long to wait after so many failed tries: from 1 s, doubled each time, to an hour.
func pauseAfter(tries int) time.Duration {
	return min(time.Second<<min(tries-1, 12), time.Hour)
}

// step changes p to what is true after it.
func (s *Service) step(ctx context.Context, p *drop.Payment) error {
	if p.Provider != s.provider.Name() {
		return fmt.Errorf("%w: the payment began at %s, and this server has %s", ErrProvider, p.Provider, s.provider.Name())
	}
	found, err := s.provider.Find(ctx, s.ref(p))
	if errors.Is(err, payment.ErrUnknown) {
		found, err = payment.Found{State: payment.Open}, nil // its checkout was never opened, or nobody has come there yet
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProvider, err)
	}
	over := s.now() >= p.ExpiresAt
	if found.State == payment.Open && !over {
		r, err := s.reserved(ctx, p)
		if err != nil {
			return err
		}
		over = r.Status != drop.Active || r.Payment != p.ID ||
			p.State == drop.PaymentClaimed && p.Number == "" && s.now() >= p.CreatedAt.Add(firstLook) // it was to say at once
	}
	if found.State == payment.Open && over {
		found, err = s.provider.Close(ctx, s.ref(p))
		switch {
		case errors.Is(err, payment.ErrUnknown):
			found = payment.Found{State: payment.Failed, Reason: "the provider does not know it"}
		case err != nil:
			return fmt.Errorf("%w: %w", ErrProvider, err)
		}
	}
	return s.act(ctx, p, &found)
}

// act changes p to what follows from what the provider knows of it.
func (s *Service) act(ctx context.Context, p *drop.Payment, found *payment.Found) error {
	if found.Disputed {
		s.log.Warn("a buyer's bank asks for money back; answer it at the provider", "payment", int64(p.ID), "number", p.Number)
	}
	if p.Purchase != 0 {
		return s.refunds(ctx, p, found)
	}
	if p.Number == "" {
		p.Number = found.Number
	}
	if found.Receipt != "" {
		p.Receipt = found.Receipt
	}
	switch found.State {
	case payment.Open:
		p.DueAt = s.nextLook(p)
		return nil
	case payment.Pending:
		p.State, p.DueAt = drop.PaymentPending, s.nextLook(p)
		return nil
	case payment.Authorised:
		return s.authorised(ctx, p, found)
	case payment.Captured:
		return s.captured(ctx, p, found)
	case payment.Voided:
		without(p, drop.PaymentVoided, "the money was given up")
	default:
		without(p, drop.PaymentFailed, found.Reason)
	}
	return nil
}

// authorised claims a unit for money that is set aside, and captures it; or it gives the money up.
func (s *Service) authorised(ctx context.Context, p *drop.Payment, found *payment.Found) error {
	if why := differs(p, found); why != "" {
		return s.giveUp(ctx, p, why)
	}
	refusal, err := s.claim(ctx, p)
	if err != nil {
		return err
	}
	if refusal != "" {
		return s.giveUp(ctx, p, refusal)
	}
	p.State = drop.PaymentClaimed
	taken, err := s.provider.Capture(ctx, s.ref(p))
	if refused, ok := errors.AsType[*payment.RefusedError](err); ok {
		if err := s.releaseClaim(ctx, p); err != nil {
			return err
		}
		return s.giveUp(ctx, p, refused.Error())
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProvider, err)
	}
	if taken.State != payment.Captured {
		return fmt.Errorf("%w: a capture left the payment %s", ErrProvider, taken.State)
	}
	if taken.Receipt != "" {
		p.Receipt = taken.Receipt
	}
	return s.sell(ctx, p, &taken)
}

// captured sells the unit of money that is taken: by an earlier step, or by a provider that takes it at once.
func (s *Service) captured(ctx context.Context, p *drop.Payment, found *payment.Found) error {
	if why := differs(p, found); why != "" {
		return s.refundAll(ctx, p, found, why)
	}
	if found.Refunded != 0 { // an earlier step gave the money back, or a person did
		if err := s.releaseClaim(ctx, p); err != nil {
			return err
		}
		return s.refundAll(ctx, p, found, p.Reason)
	}
	refusal, err := s.claim(ctx, p)
	if err != nil {
		return err
	}
	if refusal != "" {
		return s.refundAll(ctx, p, found, refusal)
	}
	p.State = drop.PaymentClaimed
	return s.sell(ctx, p, found)
}

// sell makes the purchase of a claimed unit whose money is captured.
func (s *Service) sell(ctx context.Context, p *drop.Payment, found *payment.Found) error {
	_, sold, err := s.engine.CompletePayment(ctx, drop.CompletePayment{
		Reservation: p.Unit, Payment: p.ID, Number: p.Number, Receipt: p.Receipt,
	})
	if code := drop.CodeOf(err); code != "" { // the claim has ended meanwhile
		return s.refundAll(ctx, p, found, string(code))
	}
	if err == nil && sold == nil {
		err = drop.Refuse(drop.CodeDamaged) // its row is gone
	}
	if err != nil {
		return err
	}
	*p = *sold
	return nil
}

// claim asks for the unit. A refusal says why there is none for this money.
func (s *Service) claim(ctx context.Context, p *drop.Payment) (refusal string, err error) {
	if s.stands(p) {
		return "", nil
	}
	r, err := s.engine.ClaimUnit(ctx, drop.ClaimUnit{
		Reservation: p.Reservation, User: p.User, Payment: p.ID, Within: s.settings.ClaimFor,
	})
	if code := drop.CodeOf(err); code != "" {
		return string(code), nil
	}
	if err != nil {
		return "", err
	}
	p.Unit = r.Claim
	if r.Claim == r.ID {
		return "", nil
	}
	late, err := s.reservations(ctx, r.Claim) // the lane does not look at it: its claim may have ended since
	if err == nil && len(late) == 1 && late[0].Status.Unpaid() {
		refusal = string(drop.CodeReservationExpired)
	}
	return refusal, err
}

// stands reports whether a claim that came with the payment is certain to outlast the capture. Others release it after
// firstLook at the earliest, and it ends with the payment.
func (s *Service) stands(p *drop.Payment) bool {
	const capture = 10 * time.Second // and the difference between two servers' clocks
	return s.settings.AtOnce && p.State == drop.PaymentClaimed && p.Unit == p.Reservation &&
		s.now() < min(p.CreatedAt.Add(firstLook), p.ExpiresAt).Add(-capture)
}

// reserved returns the reservation whose buyer pays.
func (s *Service) reserved(ctx context.Context, p *drop.Payment) (drop.Reservation, error) {
	found, err := s.reservations(ctx, p.Reservation)
	if err == nil && len(found) == 0 {
		err = drop.Refuse(drop.CodeDamaged)
	}
	if err != nil {
		return drop.Reservation{}, err
	}
	return found[0], nil
}

// releaseClaim releases the unit that the payment has claimed, if it has one.
func (s *Service) releaseClaim(ctx context.Context, p *drop.Payment) error {
	unit := p.Unit
	if unit == 0 { // the step that claimed may have stopped before it was noted
		r, err := s.reserved(ctx, p)
		if err != nil {
			return err
		}
		if r.Payment != p.ID || r.Claim == 0 {
			return nil
		}
		unit = r.Claim
	}
	_, err := s.engine.ReleaseClaim(ctx, drop.ReleaseClaim{Reservation: unit, Payment: p.ID, Until: keptUntil(p)})
	if drop.CodeOf(err) == drop.CodeReservationNotFound {
		err = nil // it has claimed nothing
	}
	if err == nil {
		p.Unit = 0
	}
	return err
}

// keptUntil returns until when the buyer keeps the unit of a claim that is released; 0: it is released at once.
func keptUntil(p *drop.Payment) drop.Time {
	if p.Number == "" { // the claim came with the payment, and the provider has no money
		return p.ExpiresAt
	}
	return 0
}

// giveUp voids authorised money.
func (s *Service) giveUp(ctx context.Context, p *drop.Payment, why string) error {
	found, err := s.provider.Void(ctx, s.ref(p))
	if _, ok := errors.AsType[*payment.RefusedError](err); ok { // it is captured already
		found, err = s.provider.Find(ctx, s.ref(p))
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrProvider, err)
	case found.State == payment.Captured: // by another step, which has a unit for it, or will find none
		return s.captured(ctx, p, &found)
	case !found.State.Final():
		return fmt.Errorf("%w: the money was to be given up, but the payment is %s", ErrProvider, found.State)
	}
	without(p, drop.PaymentVoided, why)
	return nil
}

// refundAll gives captured money back that no unit was sold for.
func (s *Service) refundAll(ctx context.Context, p *drop.Payment, found *payment.Found, why string) error {
	if left := drop.MoneyOf(found.Amount.TenThousandths() - found.Refunded.TenThousandths()); left != 0 {
		back, err := s.provider.Refund(ctx, s.ref(p), payment.Refund{Key: fmt.Sprintf("%d-all", p.ID), Amount: left, Reason: why})
		if err != nil {
			return fmt.Errorf("%w: %w", ErrProvider, err)
		}
		if back.Refunded != back.Amount {
			return fmt.Errorf("%w: %s of %s were refunded, not all", ErrProvider, back.Refunded, back.Amount)
		}
	}
	p.Refunded = found.Amount
	without(p, drop.PaymentRefunded, why)
	return nil
}

// without settles a payment that nothing is sold for. When it is stored, the unit that it has claimed is released.
func without(p *drop.Payment, state, why string) {
	p.State, p.Unsettled, p.Unit, p.Reason = state, false, 0, why
}

// differs says how the money differs from what was asked, and is empty if it does not.
func differs(p *drop.Payment, found *payment.Found) string {
	if found.Amount != p.Amount || found.Currency != p.Currency {
		return fmt.Sprintf("the buyer paid %s %s, and the price is %s %s", found.Amount, found.Currency, p.Amount, p.Currency)
	}
	return ""
}
