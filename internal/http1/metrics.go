package http1

import "github.com/prometheus/client_golang/prometheus"

var _ prometheus.Collector = (*Server)(nil)

var (
	descOpen    = prometheus.NewDesc("sneakerdrop_connections", "Connections open now.", nil, nil)
	descRefused = prometheus.NewDesc("sneakerdrop_connections_refused_total",
		"Connections closed at once because their address already had the most working ones.", nil, nil)
	descCut = prometheus.NewDesc("sneakerdrop_connections_cut_total",
		"Connections that the server ended, by reason: room (quiet when a new one came), stalled (read nothing of its answer in time), unread (the "+
			"unread answers together held too much).", []string{"reason"}, nil)
	descUnread = prometheus.NewDesc("sneakerdrop_unread_bytes", "Memory held by answers that wait for their readers.", nil, nil)
)

// Describe implements prometheus.Collector.
func (s *Server) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descOpen, descRefused, descCut, descUnread} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *Server) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(descOpen, prometheus.GaugeValue, float64(s.counts.open.Load()))
	ch <- prometheus.MustNewConstMetric(descRefused, prometheus.CounterValue, float64(s.counts.refused.Load()))
	ch <- prometheus.MustNewConstMetric(descCut, prometheus.CounterValue, float64(s.counts.made.Load()), "room")
	ch <- prometheus.MustNewConstMetric(descCut, prometheus.CounterValue, float64(s.unread.stalled.Load()), "stalled")
	ch <- prometheus.MustNewConstMetric(descCut, prometheus.CounterValue, float64(s.unread.cut.Load()), "unread")
	ch <- prometheus.MustNewConstMetric(descUnread, prometheus.GaugeValue, float64(s.unread.bytes()))
}
