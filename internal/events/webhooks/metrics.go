package webhooks

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"sneakerdrop/internal/store"
)

// Metrics counts what a deliverer does, for Prometheus. Register it as a collector. docs/reference/metrics.md explains
// each metric.
type Metrics struct {
	attempts   *prometheus.CounterVec
	disabled   *prometheus.CounterVec
	delivery   prometheus.Histogram
	lagEvents  *prometheus.GaugeVec
	lagSeconds *prometheus.GaugeVec
	endpoints  *prometheus.GaugeVec
}

var _ prometheus.Collector = (*Metrics)(nil)

// NewMetrics returns metrics for one deliverer.
func NewMetrics() *Metrics {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	return &Metrics{
		attempts: counter("sneakerdrop_webhook_attempts_total", "Attempts to deliver a message to a webhook, by outcome.", "outcome"),
		disabled: counter("sneakerdrop_webhook_disabled_total", "Webhooks that the server disabled: gone (the receiver answered 410), "+
			"or failed (an event could not be delivered for 5 days).", "reason"),
		delivery: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sneakerdrop_webhook_delivery_seconds", Help: "Time from an event until a webhook's receiver had accepted it.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 16), // to 164 s
		}),
		lagEvents: gauge("sneakerdrop_webhook_lag_events", "Events that wait for a webhook that this server delivers to.", "webhook"),
		lagSeconds: gauge("sneakerdrop_webhook_lag_seconds", "How long the oldest event has waited for a webhook that this server delivers to.",
			"webhook"),
		endpoints: gauge("sneakerdrop_webhooks", "Webhooks by state: active or disabled.", "state"),
	}
}

func (m *Metrics) parts() []prometheus.Collector {
	return []prometheus.Collector{m.attempts, m.disabled, m.delivery, m.lagEvents, m.lagSeconds, m.endpoints}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, p := range m.parts() {
		p.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, p := range m.parts() {
		p.Collect(ch)
	}
}

func label(id store.WebhookID) string { return strconv.FormatInt(int64(id), 10) }

func (m *Metrics) lag(id store.WebhookID, events, ms int64) {
	m.lagEvents.WithLabelValues(label(id)).Set(float64(events))
	m.lagSeconds.WithLabelValues(label(id)).Set(float64(ms) / 1000)
}

// forget removes the gauges of an endpoint that this server no longer delivers to.
func (m *Metrics) forget(id store.WebhookID) {
	m.lagEvents.DeleteLabelValues(label(id))
	m.lagSeconds.DeleteLabelValues(label(id))
}

func (m *Metrics) count(hooks []store.Webhook) {
	off := 0
	for i := range hooks {
		if hooks[i].Disabled != "" {
			off++
		}
	}
	m.endpoints.WithLabelValues("active").Set(float64(len(hooks) - off))
	m.endpoints.WithLabelValues("disabled").Set(float64(off))
}
