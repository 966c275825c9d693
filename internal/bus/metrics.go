package bus

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// counts are a bus's counters.
type counts struct {
	sent, merged, lost             atomic.Int64
	taken, older, foreign, invalid atomic.Int64
	disconnects                    atomic.Int64
}

var _ prometheus.Collector = (*NATS)(nil)

// Descriptions of the metrics. docs/reference/metrics.md explains each one.
var (
	descConnected = prometheus.NewDesc("sneakerdrop_bus_connected", "Whether NATS is connected: 1 or 0.", nil, nil)
	descAway      = prometheus.NewDesc("sneakerdrop_bus_disconnects_total", "How often the connection to NATS was lost.", nil, nil)
	descSent      = prometheus.NewDesc("sneakerdrop_bus_sent_total",
		"News for other replicas by outcome: sent, merged into newer news of the same drop, or lost.", []string{"outcome"}, nil)
	descReceived = prometheus.NewDesc("sneakerdrop_bus_received_total",
		"Messages of other replicas by outcome: taken, older than what is known, foreign (from another version of the program), "+
			"invalid, or missed because they came too fast.", []string{"outcome"}, nil)
)

// Describe implements prometheus.Collector.
func (n *NATS) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descConnected, descAway, descSent, descReceived} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (n *NATS) Collect(ch chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, t prometheus.ValueType, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, t, float64(v), labels...)
	}
	connected := int64(0)
	if n.Connected() {
		connected = 1
	}
	send(descConnected, prometheus.GaugeValue, connected)
	c := &n.counts
	send(descAway, prometheus.CounterValue, c.disconnects.Load())
	send(descSent, prometheus.CounterValue, c.sent.Load(), "sent")
	send(descSent, prometheus.CounterValue, c.merged.Load(), "merged")
	send(descSent, prometheus.CounterValue, c.lost.Load(), "lost")
	send(descReceived, prometheus.CounterValue, c.taken.Load(), "taken")
	send(descReceived, prometheus.CounterValue, c.older.Load(), "older")
	send(descReceived, prometheus.CounterValue, c.foreign.Load(), "foreign")
	send(descReceived, prometheus.CounterValue, c.invalid.Load(), "invalid")
	send(descReceived, prometheus.CounterValue, n.missed(), "missed")
}
