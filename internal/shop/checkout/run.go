package checkout

import (
	"context"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
)

// stepsAtOnce is how many payments one server works on at a time.
const stepsAtOnce = 8

// Times between two runs of Serve, and what it looks back over.
const (
	runEvery       = time.Second
	reconcileEvery = 10 * time.Minute
	reconcileLast  = time.Hour
)

// Serve calls Run each second, and right after a notification. Every ten minutes it reconciles the payments of the
// last hour. It returns when ctx ends.
func (s *Service) Serve(ctx context.Context) {
	tick := time.NewTicker(runEvery)
	defer tick.Stop()
	reconcile := time.NewTicker(reconcileEvery)
	defer reconcile.Stop()
	failing := false
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			err = s.Run(ctx)
		case <-s.woken:
			err = s.Run(ctx)
		case <-reconcile.C:
			err = s.reconcileLogged(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			s.log.Warn("payments cannot go on; they are tried again each second", "err", err)
		case err == nil && failing:
			s.log.Info("payments go on")
		}
		failing = err != nil
	}
}

func (s *Service) reconcileLogged(ctx context.Context) error {
	report, err := s.Reconcile(ctx, s.now().Time().Add(-reconcileLast))
	if report.Released > 0 {
		s.log.Info("units were released that settled payments still claimed", "units", report.Released)
	}
	for _, sentence := range report.Sentences {
		s.log.Warn("a payment needs a person", "what", sentence)
	}
	return err
}

// Run does the steps of all payments that are due. Call it again and again. Several servers may run it at once: a step
// that two of them do has its effect once.
func (s *Service) Run(ctx context.Context) error {
	var steps sync.WaitGroup
	defer steps.Wait()
	free := make(chan struct{}, stepsAtOnce)
	for p, err := range store.AllPayments(ctx, s.due) {
		if err != nil {
			return err
		}
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		steps.Go(func() {
			defer func() { <-free }()
			s.stepLogged(ctx, p.ID)
		})
	}
	return nil
}

func (s *Service) due(ctx context.Context, after drop.PaymentID, limit int) ([]drop.Payment, error) {
	return engine.Ask(ctx, s.engine, func(st store.Records) ([]drop.Payment, error) { return st.DuePayments(ctx, s.now(), after, limit) })
}

func (s *Service) stepLogged(ctx context.Context, id drop.PaymentID) {
	if p, err := s.Step(ctx, id); err != nil && ctx.Err() == nil {
		s.log.Warn("a payment could not go on; it is tried again", "payment", int64(id), "state", p.State, "tries", p.Tries, "err", err)
	}
}
