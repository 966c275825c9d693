package api

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics measures requests. It labels a request with its route's pattern, not with its path, so that callers cannot
// create series.
type metrics struct {
	seconds   *prometheus.HistogramVec
	inFlight  atomic.Int64
	unmatched *routeSeconds
	rehearsed *routeSeconds // calls about drops of rehearsals
}

func newMetrics() *metrics {
	m := &metrics{seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "sneakerdrop_http_request_duration_seconds", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16), // up to 16 s
		Help: "Time from a request's headers to the end of its answer, by route, method and status.",
	}, []string{"route", "method", "code"})}
	m.unmatched = m.of("none", "any") // unknown routes and CORS preflights
	m.rehearsed = m.of("rehearsal", "any")
	return m
}

func (m *metrics) register(r *prometheus.Registry) error {
	if err := r.Register(m.seconds); err != nil {
		return err
	}
	return r.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sneakerdrop_http_requests_in_flight", Help: "Requests that are being answered now.",
	}, func() float64 { return float64(m.inFlight.Load()) }))
}

// routeSeconds are the observers of one route, which are looked up once.
type routeSeconds struct {
	vec           *prometheus.HistogramVec
	route, method string
	byStatus      [600]atomic.Pointer[prometheus.Observer]
}

func (m *metrics) of(route, method string) *routeSeconds {
	return &routeSeconds{vec: m.seconds, route: route, method: method}
}

func (s *routeSeconds) observe(status int, took time.Duration) {
	o := s.byStatus[status].Load()
	if o == nil {
		made := s.vec.WithLabelValues(s.route, s.method, strconv.Itoa(status))
		o = &made
		s.byStatus[status].Store(o)
	}
	(*o).Observe(took.Seconds())
}

func (m *metrics) begin(w http.ResponseWriter) *recorder {
	m.inFlight.Add(1)
	return &recorder{ResponseWriter: w, began: time.Now(), seconds: m.unmatched}
}

func (m *metrics) end(r *recorder) {
	m.inFlight.Add(-1)
	if r.status == 0 {
		r.status = http.StatusOK // the status that net/http sends in this case
	}
	if r.rehearsal {
		r.seconds = m.rehearsed
	}
	r.seconds.observe(r.status, time.Since(r.began))
}

// showMetrics serves the metrics to Prometheus.
func (a *api) showMetrics() func(http.ResponseWriter, *http.Request) error {
	h := promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{})
	return func(w http.ResponseWriter, r *http.Request) error {
		h.ServeHTTP(w, r)
		return nil
	}
}
