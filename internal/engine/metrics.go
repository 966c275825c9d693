package engine

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Metrics counts what an engine does, for Prometheus. Register it as a collector. docs/reference/metrics.md
// explains each metric and when to worry.
type Metrics struct {
	commands    *prometheus.CounterVec
	reserved    prometheus.Counter // the successful reserves among commands
	gate        *prometheus.CounterVec
	batches     *prometheus.HistogramVec
	batchSize   prometheus.Histogram
	laneWait    prometheus.Histogram
	expired     prometheus.Counter
	expiryLag   prometheus.Histogram
	joins       prometheus.Counter
	offers      *prometheus.CounterVec
	storeErrors *prometheus.CounterVec
	live        *prometheus.Desc
	waiting     *prometheus.Desc
	earlyUses   *prometheus.Desc
	earlyKept   *prometheus.Desc
	queued      *prometheus.Desc
	drops       *prometheus.Desc
	skew        *prometheus.Desc
	cautions    *prometheus.Desc
	engine      *Engine // set once, before the first collection
}

var _ prometheus.Collector = (*Metrics)(nil)

// NewMetrics returns metrics for one engine.
func NewMetrics() *Metrics {
	seconds := prometheus.ExponentialBuckets(0.0005, 2, 16) // to 16 s
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	}
	m := &Metrics{
		commands: counter("sneakerdrop_commands_total",
			"Commands on drops by outcome: ok, the code of the refusal, or what kept the server from deciding.", "command", "outcome"),
		gate: counter("sneakerdrop_gate_refusals_total",
			"Reserves refused from memory, without the database, by code. sneakerdrop_commands_total counts them too.", "code"),
		batches: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sneakerdrop_batch_seconds", Buckets: seconds,
			Help: "Time of one batch in the database, including retries, by whether it changed anything.",
		}, []string{"changed"}),
		batchSize: histogram("sneakerdrop_batch_commands", "Commands in one batch.", prometheus.ExponentialBuckets(1, 2, 10)),
		laneWait: histogram("sneakerdrop_lane_wait_seconds",
			"How long the first command of a batch waited for the previous batch.", seconds),
		expired: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sneakerdrop_holds_expired_total", Help: "Holds that ended without a purchase.",
		}),
		expiryLag: histogram("sneakerdrop_hold_expiry_lag_seconds",
			"Time from a hold's end until its unit was available again.", prometheus.ExponentialBuckets(0.001, 2, 14)),
		joins: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sneakerdrop_waitlist_joins_total", Help: "Entries that joined waitlists.",
		}),
		offers: counter("sneakerdrop_waitlist_offers_total",
			"Offers to buyers from waitlists that ended: bought, declined or expired.", "outcome"),
		storeErrors: counter("sneakerdrop_store_errors_total", "Failures of the database, by what is known after them.", "class"),
		live:        prometheus.NewDesc("sneakerdrop_holds_live", "Units held now, in all drops.", nil, nil),
		waiting:     prometheus.NewDesc("sneakerdrop_waitlist_waiting", "Entries of waitlists that wait now, in all drops.", nil, nil),
		earlyUses:   prometheus.NewDesc("sneakerdrop_early_access_uses", "Uses of codes and places on lists that count now, in all drops.", nil, nil),
		earlyKept:   prometheus.NewDesc("sneakerdrop_early_access_kept", "Units kept for early access now, in all drops.", nil, nil),
		queued:      prometheus.NewDesc("sneakerdrop_commands_queued", "Commands waiting in lanes now.", nil, nil),
		drops:       prometheus.NewDesc("sneakerdrop_drops", "Drops that are not archived.", nil, nil),
		skew: prometheus.NewDesc("sneakerdrop_clock_skew_seconds",
			"How far this machine's clock is ahead of the database's; negative if it is behind.", nil, nil),
		cautions: prometheus.NewDesc("sneakerdrop_database_cautions",
			"Database settings that put sales at risk. GET /readyz names them.", nil, nil),
	}
	m.reserved = m.commands.WithLabelValues(drop.Reserve{}.Operation(), "ok")
	return m
}

func (m *Metrics) watch(e *Engine) { m.engine = e }

func (m *Metrics) parts() []prometheus.Collector {
	return []prometheus.Collector{
		m.commands, m.gate, m.batches, m.batchSize, m.laneWait, m.expired, m.expiryLag, m.joins, m.offers,
		m.storeErrors,
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, p := range m.parts() {
		p.Describe(ch)
	}
	ch <- m.live
	ch <- m.waiting
	ch <- m.earlyUses
	ch <- m.earlyKept
	ch <- m.queued
	ch <- m.drops
	ch <- m.skew
	ch <- m.cautions
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, p := range m.parts() {
		p.Collect(ch)
	}
	if m.engine == nil {
		return
	}
	var held, waiting, uses, kept, queued, drops float64
	m.engine.mu.RLock()
	for _, l := range m.engine.lanes {
		v := l.view.Load()
		held += float64(v.Drop.Stock().Held)
		waiting += float64(v.Drop.Waiting())
		for i := range v.Drop.Accesses {
			uses += float64(v.Drop.Accesses[i].Used)
		}
		for size := range v.Drop.Sizes {
			kept += float64(v.Drop.KeptOf(size))
		}
		if !v.Drop.Archived {
			drops++
		}
		l.mu.Lock()
		queued += float64(len(l.queue))
		l.mu.Unlock()
	}
	m.engine.mu.RUnlock()
	ch <- prometheus.MustNewConstMetric(m.live, prometheus.GaugeValue, held)
	ch <- prometheus.MustNewConstMetric(m.waiting, prometheus.GaugeValue, waiting)
	ch <- prometheus.MustNewConstMetric(m.earlyUses, prometheus.GaugeValue, uses)
	ch <- prometheus.MustNewConstMetric(m.earlyKept, prometheus.GaugeValue, kept)
	ch <- prometheus.MustNewConstMetric(m.queued, prometheus.GaugeValue, queued)
	ch <- prometheus.MustNewConstMetric(m.drops, prometheus.GaugeValue, drops)
	ch <- prometheus.MustNewConstMetric(m.skew, prometheus.GaugeValue, m.engine.skew.get().Seconds())
	ch <- prometheus.MustNewConstMetric(m.cautions, prometheus.GaugeValue, float64(len(m.engine.Cautions())))
}

func (m *Metrics) done(c drop.Command) {
	if name := c.Operation(); name != "reserve" {
		m.commands.WithLabelValues(name, "ok").Inc()
		return
	}
	m.reserved.Inc()
}

func (m *Metrics) refused(c drop.Command, refusal *drop.Error, atGate bool) {
	m.commands.WithLabelValues(c.Operation(), string(refusal.Code)).Inc()
	if atGate {
		m.gate.WithLabelValues(string(refusal.Code)).Inc()
	}
}

func (m *Metrics) failed(c drop.Command, err error) {
	outcome := "failed"
	switch {
	case drop.CodeOf(err) != "":
		outcome = string(drop.CodeOf(err))
	case errors.Is(err, ErrOverloaded):
		outcome = "overloaded"
	case errors.Is(err, ErrOutcomeUnknown):
		outcome = "outcome_unknown"
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrStopping):
		outcome = "unavailable"
	}
	m.commands.WithLabelValues(c.Operation(), outcome).Inc()
}

func (m *Metrics) storeError(err error) {
	m.storeErrors.WithLabelValues(store.ClassOf(err).String()).Inc()
}

// batch counts a batch that succeeded.
func (m *Metrics) batch(b *batch, calls []*call) {
	if len(calls) == 0 && b.changes == nil { // it began empty and nothing came
		return
	}
	changed := "no"
	if b.changes != nil {
		changed = "yes"
	}
	m.batches.WithLabelValues(changed).Observe(time.Since(b.began).Seconds())
	m.batchSize.Observe(float64(len(calls)))
	if len(calls) > 0 {
		m.laneWait.Observe(max(0, b.began.Sub(calls[0].since).Seconds()))
	}
	if b.changes == nil {
		return
	}
	for _, r := range b.changes.Ended {
		if r.Status == drop.Expired {
			m.expired.Inc()
			m.expiryLag.Observe(r.EndedAt.Sub(r.ExpiresAt).Seconds())
		}
		m.offerEnded(r)
	}
	if len(b.changes.Joined)+len(b.changes.Left) == 0 {
		return
	}
	m.joins.Add(float64(len(b.changes.Joined)))
	for _, r := range b.changes.Made { // an offer may end in the batch that made it
		m.offerEnded(r)
	}
}

// offerEnded counts how an offer ended. Other reservations do not count, nor does an offer that lasts.
func (m *Metrics) offerEnded(r *drop.Reservation) {
	if !r.Offer {
		return
	}
	switch r.Status {
	case drop.Completed:
		m.offers.WithLabelValues("bought").Inc()
	case drop.Cancelled:
		m.offers.WithLabelValues("declined").Inc()
	case drop.Expired:
		m.offers.WithLabelValues("expired").Inc()
	case drop.Active:
	}
}
