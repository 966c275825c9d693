package checkout

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/store"
)

// ErrNoNotifications says that the provider sends no notifications.
var ErrNoNotifications = errors.New("the payment provider sends no notifications")

// Provider is the name of the provider.
func (s *Service) Provider() string { return s.provider.Name() }

// Notify takes a notification of the provider. When it returns, what the notification asks for is stored: the payments
// that it is about are due, and Serve works on them. It fails with payment.ErrForged, payment.ErrMalformed,
// ErrNoNotifications, an error of the store, or ErrProvider if the provider has to say which payment is meant, and does
// not.
func (s *Service) Notify(ctx context.Context, header http.Header, body []byte) error {
	reader, ok := s.provider.(payment.Notified)
	if !ok {
		return ErrNoNotifications
	}
	notice, err := reader.Read(header, body, s.now().Time())
	if err != nil {
		return err
	}
	for _, ref := range notice.Refs {
		if ref.ID == 0 { // a dispute, or what a person did at the provider, has only the provider's number
			found, err := s.provider.Find(ctx, ref)
			switch {
			case errors.Is(err, payment.ErrUnknown):
				continue
			case err != nil:
				return fmt.Errorf("%w: %w", ErrProvider, err)
			}
			ref.ID = found.ID
		}
		if err := s.makeDue(ctx, ref.ID); err != nil {
			return err
		}
	}
	s.wake()
	return nil
}

// makeDue makes a payment due now, also one that is settled. One that this server does not know is none of its own.
func (s *Service) makeDue(ctx context.Context, id drop.PaymentID) error {
	for {
		p, found, err := s.Payment(ctx, id)
		if err != nil || !found || p.Provider != s.provider.Name() {
			return err
		}
		to := p
		to.Unsettled, to.DueAt = true, min(p.DueAt, s.now())
		if done, err := s.replace(ctx, p, to); done || err != nil {
			return err
		}
	}
}

// wake makes Serve run at once.
func (s *Service) wake() {
	select {
	case s.woken <- struct{}{}:
	default: // it will run anyway
	}
}

// Look returns a payment after its next step: what a buyer who comes back from the provider wants to know. All buyers
// together cause at most 20 questions a second to the provider. Those beyond get the payment as it was last seen, and
// so does everybody if the provider does not answer.
func (s *Service) Look(ctx context.Context, id drop.PaymentID) (p drop.Payment, found bool, err error) {
	if p, found, err = s.Payment(ctx, id); err != nil || !found || !p.Unsettled || !s.looks.Allow() {
		return p, found, err
	}
	if p, err = s.advance(ctx, p); errors.Is(err, ErrProvider) {
		err = nil
	}
	return p, true, err
}

// Newest returns at most limit payments before that one, newest first. With before 0 it starts at the newest.
func (s *Service) Newest(ctx context.Context, before drop.PaymentID, limit int) ([]drop.Payment, error) {
	return engine.Ask(ctx, s.engine, func(st store.Records) ([]drop.Payment, error) { return st.NewestPayments(ctx, before, limit) })
}

// Unsettled returns at most limit payments after that one that the server still has to do something for, in ascending
// order of their numbers. One with Tries above 0 is stuck, and Reason says why.
func (s *Service) Unsettled(ctx context.Context, after drop.PaymentID, limit int) ([]drop.Payment, error) {
	return engine.Ask(ctx, s.engine, func(st store.Records) ([]drop.Payment, error) { return st.UnsettledPayments(ctx, after, limit) })
}

// ForSales returns the payments of sold units, by the reservations of the sales.
func (s *Service) ForSales(ctx context.Context, units []drop.ReservationID) (map[drop.ReservationID]drop.Payment, error) {
	found, err := engine.Ask(ctx, s.engine, func(st store.Records) ([]drop.Payment, error) { return st.PaymentsFor(ctx, units) })
	if err != nil {
		return nil, err
	}
	of := make(map[drop.ReservationID]drop.Payment, len(found))
	for _, p := range found {
		of[p.Unit] = p
	}
	return of, nil
}
