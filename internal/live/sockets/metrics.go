package sockets

import "github.com/prometheus/client_golang/prometheus"

var _ prometheus.Collector = (*Sockets)(nil)

// Descriptions of the metrics. docs/reference/metrics.md explains each one.
var (
	descConnections = prometheus.NewDesc("sneakerdrop_sockets", "Socket.IO clients connected now.", []string{"transport"}, nil)
	descHandshakes  = prometheus.NewDesc("sneakerdrop_socket_handshakes_total", "Socket.IO sessions opened.", nil, nil)
	descRefused     = prometheus.NewDesc("sneakerdrop_socket_refusals_total", "Socket.IO requests refused.", []string{"reason"}, nil)
	descClosed      = prometheus.NewDesc("sneakerdrop_sockets_closed_total", "Socket.IO sessions that ended.", []string{"reason"}, nil)
	descPackets     = prometheus.NewDesc("sneakerdrop_socket_packets_total", "Packets to and from Socket.IO clients.", []string{"direction"}, nil)
	descReplaced    = prometheus.NewDesc("sneakerdrop_socket_replaced_total",
		"Packets that were never sent because a newer one replaced them.", nil, nil)
)

// Describe implements prometheus.Collector.
func (s *Sockets) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descConnections, descHandshakes, descRefused, descClosed, descPackets, descReplaced,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *Sockets) Collect(ch chan<- prometheus.Metric) {
	st := s.Stats()
	send := func(d *prometheus.Desc, t prometheus.ValueType, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, t, float64(v), labels...)
	}
	send(descConnections, prometheus.GaugeValue, st.Polling, "polling")
	send(descConnections, prometheus.GaugeValue, st.WebSocket, "websocket")
	send(descHandshakes, prometheus.CounterValue, st.Handshakes)
	send(descPackets, prometheus.CounterValue, st.PacketsIn, "in")
	send(descPackets, prometheus.CounterValue, st.PacketsOut, "out")
	send(descReplaced, prometheus.CounterValue, st.Replaced)
	for reason, n := range st.Refused {
		send(descRefused, prometheus.CounterValue, n, reason)
	}
	for reason, n := range st.Closed {
		send(descClosed, prometheus.CounterValue, n, string(reason))
	}
}
