package payment

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what a provider does, for Prometheus. Register it as a collector. docs/reference/metrics.md explains
// each metric.
type Metrics struct {
	calls   *prometheus.HistogramVec
	ended   *prometheus.CounterVec
	waiting prometheus.Gauge
	stuck   prometheus.Gauge
	oldest  prometheus.Gauge
}

var _ prometheus.Collector = (*Metrics)(nil)

// NewMetrics returns metrics for one provider.
func NewMetrics() *Metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	return &Metrics{
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sneakerdrop_payment_call_seconds", Help: "Calls to the payment provider, and notifications of it (read), by operation and outcome: ok, " +
				"refused, unknown, forged, malformed or failed.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2, 12), // to 20 s
		}, []string{"operation", "outcome"}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sneakerdrop_payments_ended_total", Help: "Payments that ended, by state: captured (sold), voided, refunded or failed.",
		}, []string{"state"}),
		waiting: gauge("sneakerdrop_payments_unsettled", "Payments that the server still has to do something for, or whose buyers can still pay."),
		stuck:   gauge("sneakerdrop_payments_stuck", "Those of them whose last step failed."),
		oldest:  gauge("sneakerdrop_payments_stuck_seconds", "How long ago the oldest stuck payment began; 0: none is stuck."),
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, part := range m.parts() {
		part.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, part := range m.parts() {
		part.Collect(ch)
	}
}

func (m *Metrics) parts() []prometheus.Collector {
	return []prometheus.Collector{m.calls, m.ended, m.waiting, m.stuck, m.oldest}
}

// Ended counts a payment that ended in a state.
func (m *Metrics) Ended(state string) { m.ended.WithLabelValues(state).Inc() }

// Waiting counts payments that are not settled. The zero value has none.
type Waiting struct {
	all, stuck int
	oldest     time.Time // of those that are stuck
}

// Add counts a payment. stuck says that its last step failed.
func (w *Waiting) Add(began time.Time, stuck bool) {
	w.all++
	if !stuck {
		return
	}
	if w.stuck++; w.stuck == 1 || began.Before(w.oldest) {
		w.oldest = began
	}
}

// Waits shows what was counted.
func (m *Metrics) Waits(w Waiting, now time.Time) {
	m.waiting.Set(float64(w.all))
	m.stuck.Set(float64(w.stuck))
	m.oldest.Set(0)
	if w.stuck > 0 {
		m.oldest.Set(now.Sub(w.oldest).Seconds())
	}
}

// Measure returns a provider that counts and times the calls of another one. It is Notified if that one is.
func Measure(p Provider, m *Metrics) Provider {
	to := &measured{p, m}
	if reader, ok := p.(Notified); ok {
		return &measuredNotified{to, reader}
	}
	return to
}

type measured struct {
	Provider

	metrics *Metrics
}

type measuredNotified struct {
	*measured

	reader Notified
}

// count counts a call that began at a moment.
func (m *Metrics) count(operation string, began time.Time, err error) {
	m.calls.WithLabelValues(operation, outcomeOf(err)).Observe(time.Since(began).Seconds())
}

func outcomeOf(err error) string {
	if err == nil {
		return "ok"
	}
	if _, ok := errors.AsType[*RefusedError](err); ok {
		return "refused"
	}
	switch {
	case errors.Is(err, ErrUnknown):
		return "unknown"
	case errors.Is(err, ErrForged):
		return "forged"
	case errors.Is(err, ErrMalformed):
		return "malformed"
	default:
		return "failed"
	}
}

// Start implements Provider.
func (p *measured) Start(ctx context.Context, order Order) (Checkout, error) {
	began := time.Now()
	made, err := p.Provider.Start(ctx, order)
	p.metrics.count("start", began, err)
	return made, err
}

// Find implements Provider.
func (p *measured) Find(ctx context.Context, ref Ref) (Found, error) {
	return p.one("find", func() (Found, error) { return p.Provider.Find(ctx, ref) })
}

// Close implements Provider.
func (p *measured) Close(ctx context.Context, ref Ref) (Found, error) {
	return p.one("close", func() (Found, error) { return p.Provider.Close(ctx, ref) })
}

// Capture implements Provider.
func (p *measured) Capture(ctx context.Context, ref Ref) (Found, error) {
	return p.one("capture", func() (Found, error) { return p.Provider.Capture(ctx, ref) })
}

// Void implements Provider.
func (p *measured) Void(ctx context.Context, ref Ref) (Found, error) {
	return p.one("void", func() (Found, error) { return p.Provider.Void(ctx, ref) })
}

// Refund implements Provider.
func (p *measured) Refund(ctx context.Context, ref Ref, refund Refund) (Found, error) {
	return p.one("refund", func() (Found, error) { return p.Provider.Refund(ctx, ref, refund) })
}

func (p *measured) one(operation string, call func() (Found, error)) (Found, error) {
	began := time.Now()
	found, err := call()
	p.metrics.count(operation, began, err)
	return found, err
}

// Since implements Provider. The whole list counts as one call, with the time that its reader takes.
func (p *measured) Since(ctx context.Context, from time.Time) iter.Seq2[Found, error] {
	return func(yield func(Found, error) bool) {
		began := time.Now()
		var failed error
		defer func() { p.metrics.count("since", began, failed) }()
		for found, err := range p.Provider.Since(ctx, from) {
			failed = err
			if !yield(found, err) {
				return
			}
		}
	}
}

// Read implements Notified.
func (p *measuredNotified) Read(header http.Header, body []byte, now time.Time) (Notice, error) {
	began := time.Now()
	notice, err := p.reader.Read(header, body, now)
	p.metrics.count("read", began, err)
	return notice, err
}
