package app

import (
	"context"
	"net/http"
	"strings"
	"time"

	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/payment/demo"
	"sneakerdrop/internal/shop/checkout"
	"sneakerdrop/internal/store"
)

// Payments says how buyers pay.
type Payments struct {
	checkout.Settings

	// Provider takes the money. Nil means the demo provider, which takes none.
	Provider payment.Provider
	// AtOnce makes the demo provider authorise each payment without its page.
	AtOnce bool
}

// demoPage is where the demo provider's page is, below the server's own pages.
const demoPage = "/demo-payment/"

// paid has what a server that takes payments has more than others.
type paid struct {
	*checkout.Service

	metrics *payment.Metrics
	page    http.Handler // of the demo provider; nil for others
}

// makePayments makes what takes payments, after the engine. Without payments it makes nothing.
func (s *server) makePayments() {
	if s.Payments == nil {
		return
	}
	s.paid = &paid{metrics: payment.NewMetrics()}
	provider := s.Payments.Provider
	if provider == nil {
		cards := demo.New(demo.Options{URL: demoPage, AtOnce: s.Payments.AtOnce, Changed: s.paid.changed})
		provider, s.paid.page = cards, cards.Handler()
	}
	settings := s.Payments.Settings
	settings.AtOnce = s.Payments.AtOnce
	settings.Ended = s.paid.metrics.Ended
	s.paid.Service = checkout.New(settings, s.engine, payment.Measure(provider, s.paid.metrics), s.Log, s.engine.Now)
}

// sellWithin limits what a buyer of the demo provider waits for on the way back to the shop.
const sellWithin = 5 * time.Second

// changed sells the unit, or whatever follows, before the demo provider sends the browser back.
func (p *paid) changed(ref payment.Ref) {
	ctx, cancel := context.WithTimeout(context.Background(), sellWithin)
	defer cancel()
	_, _ = p.Step(ctx, ref.ID) // Serve tries again
}

// around serves the demo provider's page before everything else.
func (p *paid) around(next http.Handler) http.Handler {
	if p == nil || p.page == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, demoPage) {
			p.page.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// warnOfPayments names payments that wait for another provider than this server's. Nobody works on them.
func (s *server) warnOfPayments(ctx context.Context) (end stop, err error) {
	name := ""
	if s.paid != nil {
		name = s.paid.Provider()
	}
	waiting := make(map[string]int)
	for p, err := range store.AllPayments(ctx, s.store.UnsettledPayments) {
		if err != nil {
			return end, ofDatabase(err)
		}
		if p.Provider != name {
			waiting[p.Provider]++
		}
	}
	for provider, n := range waiting {
		s.Log.Warn("payments wait for a provider that this server does not have; set --payments to it until they are settled", "provider", provider, "payments", n)
	}
	return end, nil
}

// startPayments works on payments until the server stops: while the engine runs, and after the last caller.
func (s *server) startPayments(ctx context.Context) (end stop, err error) {
	if s.paid == nil {
		return end, nil
	}
	if s.paid.page != nil {
		s.Log.Info("payments are a demo: no money moves, and a restart forgets them")
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.paid.Serve(ctx)
	}()
	watching := startJobs(ctx, s.Log, job{name: "count unsettled payments", every: watchEvery, timeout: time.Minute, run: s.paid.watch})
	return ends(func() {
		cancel()
		<-done
		watching.stop()
	}), nil
}

// watchEvery is how often the payments that wait are counted.
const watchEvery = 15 * time.Second

// watch counts the payments that wait, and finds the oldest of those whose last step failed.
func (p *paid) watch(ctx context.Context) error {
	var waiting payment.Waiting
	for one, err := range store.AllPayments(ctx, p.Unsettled) {
		if err != nil {
			return err
		}
		waiting.Add(one.CreatedAt.Time(), one.Tries > 0)
	}
	p.metrics.Waits(waiting, time.Now())
	return nil
}
