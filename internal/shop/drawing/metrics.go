package drawing

import "github.com/prometheus/client_golang/prometheus"

// Metrics count draws. It is a collector.
type Metrics struct {
	draws   *prometheus.CounterVec
	waiting *prometheus.GaugeVec
}

// What a draw can wait for.
const (
	forSeed   = "seed"
	forBeacon = "beacon"
)

// NewMetrics returns counts of 0.
func NewMetrics() *Metrics {
	m := &Metrics{
		draws: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sneakerdrop_draws_total", Help: "Draws that this server finished, and attempts that failed, by result.",
		}, []string{"result"}),
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "sneakerdrop_draws_waiting", Help: "Closed draws that wait for their seed or for the round of their beacon.",
		}, []string{"for"}),
	}
	for _, result := range []string{"done", "failed"} {
		m.draws.WithLabelValues(result)
	}
	for _, what := range []string{forSeed, forBeacon} {
		m.waiting.WithLabelValues(what)
	}
	return m
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	m.draws.Describe(to)
	m.waiting.Describe(to)
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	m.draws.Collect(to)
	m.waiting.Collect(to)
}
