package sse

import "github.com/prometheus/client_golang/prometheus"

var _ prometheus.Collector = (*Streams)(nil)

var descStreams = prometheus.NewDesc("sneakerdrop_event_streams", "Server-Sent Events streams open now.", nil, nil)

// Describe implements prometheus.Collector.
func (s *Streams) Describe(ch chan<- *prometheus.Desc) { ch <- descStreams }

// Collect implements prometheus.Collector.
func (s *Streams) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(descStreams, prometheus.GaugeValue, float64(s.Count()))
}
