package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

type (
	figuresAnswer struct {
		At       instant         `json:"at" doc:"Current time on the clock that decides holds and start times"`
		Drops    []figureAnswer  `json:"drops" nullable:"false" doc:"All drops, including hidden and archived ones, in ascending order of id"`
		Warnings []string        `json:"warnings,omitempty" doc:"Why the database may lose confirmed sales, and which setting causes it"`
		Service  *serviceFigures `json:"service,omitzero" doc:"Figures of this process since it started, over all drops. Absent if only --metrics-addr shows them"`
	}
	figureAnswer struct {
		ID           drop.ID            `json:"id"`
		Name         string             `json:"name"`
		Price        price              `json:"price"`
		StartTime    instant            `json:"start_time"`
		ImageURL     *string            `json:"image_url"`
		LimitPerUser *int               `json:"limit_per_user"`
		MaxExpired   *int               `json:"max_expired_holds"`
		Paused       bool               `json:"paused"`
		Hidden       bool               `json:"hidden"`
		Archived     bool               `json:"archived"`
		Rehearsal    bool               `json:"rehearsal" doc:"true: the hidden copy that a rehearsal made. The service's figures leave its requests out"`
		Version      int64              `json:"version"`
		Total        int64              `json:"total" doc:"available + held + sold"`
		Available    int64              `json:"available"`
		Held         int64              `json:"held" doc:"Units in active reservations"`
		Sold         int64              `json:"sold" doc:"Units that buyers have"`
		Returned     int64              `json:"returned" doc:"Sold units that the shop took back. sold + returned is the number of purchases"`
		Waitlist     bool               `json:"waitlist" doc:"true: buyers can wait for units that come free"`
		OfferFor     int                `json:"offer_for" doc:"Seconds that an offer lasts"`
		MaxWaiting   int                `json:"max_waiting" doc:"Entries that may wait at a time, in all sizes"`
		OffersCount  bool               `json:"offers_count" doc:"true: an offer that its buyer let pass counts toward max_expired_holds"`
		Waiting      int64              `json:"waiting" doc:"Entries that wait now, in all sizes"`
		Draw         *drawTerms         `json:"draw,omitzero" doc:"Absent for a drop without a draw"`
		Sizes        []sizeFigureAnswer `json:"sizes" nullable:"false" doc:"Empty for a drop without sizes"`
	}
	sizeFigureAnswer struct {
		Size      string `json:"size"`
		Total     int64  `json:"total"`
		Available int64  `json:"available"`
		Held      int64  `json:"held"`
		Sold      int64  `json:"sold"`
		Waiting   int64  `json:"waiting" doc:"Entries that wait for the size"`
	}
	serviceFigures struct {
		Watchers watchersAnswer  `json:"watchers" doc:"Watchers connected now"`
		Queued   int64           `json:"queued" doc:"Commands waiting in lanes now"`
		Refusals []refusalAnswer `json:"refusals" nullable:"false" doc:"Refused reserve calls by code"`
		Holds    endedHolds      `json:"holds" doc:"How holds ended"`
		Timings  []timingAnswer  `json:"timings" nullable:"false" doc:"Latency by kind of call"`
	}
	endedHolds struct {
		Paid     int64 `json:"paid"`
		Released int64 `json:"released"`
		Expired  int64 `json:"expired"`
	}
	watchersAnswer struct {
		WebSocket int64 `json:"websocket"`
		Polling   int64 `json:"polling"`
		Streams   int64 `json:"streams" doc:"Server-Sent Events"`
	}
	refusalAnswer struct {
		Code  string `json:"code"`
		Count int64  `json:"count"`
	}
	timingAnswer struct {
		Of      string    `json:"of" enum:"reserve,purchase,list,hold_return" doc:"The call. hold_return: from the end of a hold until its unit was available again"`
		Count   int64     `json:"count"`
		Seconds []float64 `json:"seconds" nullable:"false" doc:"Upper bounds, ascending"`
		Within  []int64   `json:"within" nullable:"false" doc:"Number of calls within each bound"`
	}
)

// showFigures answers from memory, so that a page may ask every second. Like metrics, it is not in the operators'
// log.
func (a *api) showFigures(w http.ResponseWriter, _ *http.Request) error {
	answer := figuresAnswer{At: instant(a.engine.Now()), Drops: []figureAnswer{}}
	for _, c := range a.engine.Cautions() {
		answer.Warnings = append(answer.Warnings, c.What+" ("+c.Source+")")
	}
	for _, v := range a.engine.AllViews() {
		f := figuresOf(v)
		if v.Drop.HasDraw() {
			f.Draw = answerTerms(&v.Drop, drop.Time(answer.At))
		}
		answer.Drops = append(answer.Drops, f)
	}
	if !a.metricsElsewhere || a.identity != nil {
		answer.Service = a.service()
	}
	writeJSON(w, &answer)
	return nil
}

func figuresOf(v *engine.View) figureAnswer {
	d, stock := &v.Drop, v.Drop.Stock()
	purchases, _ := v.Purchased()
	f := figureAnswer{
		ID: d.ID, Name: d.Name, Price: price(d.Price), StartTime: instant(d.StartTime), Paused: d.Paused, Hidden: d.Hidden,
		Archived: d.Archived, Rehearsal: d.Rehearsal(), Version: d.Version, Total: stock.Total, Available: stock.Available, Held: stock.Held, Sold: stock.Sold,
		Returned: int64(purchases) - stock.Sold, Waitlist: d.Waitlist, OfferFor: d.OfferFor, MaxWaiting: d.MaxWaiting, OffersCount: d.OffersCount, Waiting: d.Waiting(),
		Sizes: []sizeFigureAnswer{}, ImageURL: unlessZero(&d.ImageURL), LimitPerUser: unlessZero(&d.LimitPerUser),
		MaxExpired: unlessZero(&d.MaxExpiredHolds),
	}
	if d.Sized() {
		for i := range d.Sizes {
			s := &d.Sizes[i]
			f.Sizes = append(f.Sizes, sizeFigureAnswer{s.Label, s.Stock.Total, s.Stock.Available, s.Stock.Held, s.Stock.Sold, s.Waiting})
		}
	}
	return f
}

// service returns the figures that operators watch while a drop sells.
func (a *api) service() *serviceFigures {
	s := &serviceFigures{
		Queued: int64(a.engine.Queued()), Refusals: []refusalAnswer{},
		Timings: []timingAnswer{timingOf("hold_return", measured(a.engine.Metrics.HoldReturns()))},
	}
	if a.sockets != nil {
		now := a.sockets.Stats()
		s.Watchers.WebSocket, s.Watchers.Polling = now.WebSocket, now.Polling
	}
	if a.streams != nil {
		s.Watchers.Streams = int64(a.streams.Count())
	}
	for _, m := range measured(a.engine.Metrics.Commands()) {
		code, n := labelOf(m, "outcome"), int64(m.GetCounter().GetValue())
		switch command := labelOf(m, "command"); {
		case command == "reserve" && code != "ok":
			s.Refusals = append(s.Refusals, refusalAnswer{code, n})
		case command == "purchase" && code == "ok":
			s.Holds.Paid = n
		case command == "cancel" && code == "ok":
			s.Holds.Released = n
		}
	}
	for _, m := range measured(a.engine.Metrics.Expired()) {
		s.Holds.Expired = int64(m.GetCounter().GetValue())
	}
	requests := measured(a.metrics.seconds)
	for _, call := range []struct{ of, method, route string }{
		{"reserve", http.MethodPost, dropsPath + "/reserve"}, {"purchase", http.MethodPost, dropsPath + "/purchase"}, {"list", http.MethodGet, dropsPath},
	} {
		ours := slices.DeleteFunc(slices.Clone(requests), func(m *dto.Metric) bool {
			return labelOf(m, "route") != call.route || labelOf(m, "method") != call.method
		})
		if len(ours) > 0 {
			s.Timings = append(s.Timings, timingOf(call.of, ours))
		}
	}
	slices.SortFunc(s.Refusals, func(x, y refusalAnswer) int { return strings.Compare(x.Code, y.Code) })
	slices.SortFunc(s.Timings, func(x, y timingAnswer) int { return strings.Compare(x.Of, y.Of) })
	return s
}

// measured are the values of one metric, one for each set of labels.
func measured(c prometheus.Collector) (values []*dto.Metric) {
	all := make(chan prometheus.Metric)
	go func() {
		defer close(all)
		c.Collect(all)
	}()
	for m := range all {
		value := new(dto.Metric)
		if m.Write(value) == nil { // our metrics have no labels that cannot be written
			values = append(values, value)
		}
	}
	return values
}

func labelOf(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// timingOf adds up histograms, which all have the same bounds.
func timingOf(of string, metrics []*dto.Metric) timingAnswer {
	t := timingAnswer{Of: of, Seconds: []float64{}, Within: []int64{}}
	for i, m := range metrics {
		t.Count += int64(m.GetHistogram().GetSampleCount())
		for j, b := range m.GetHistogram().GetBucket() {
			if i == 0 {
				t.Seconds, t.Within = append(t.Seconds, b.GetUpperBound()), append(t.Within, 0)
			}
			t.Within[j] += int64(b.GetCumulativeCount())
		}
	}
	return t
}
