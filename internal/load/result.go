package load

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"sneakerdrop/internal/drop"
)

// operation is a kind of request.
type operation string

const (
	opReserve  operation = "reserve"
	opPurchase operation = "purchase"
	opPay      operation = "checkout"
	opList     operation = "list"
)

// Result is the result of a run. Rates are per second and latencies in milliseconds. In the open loop, latencies
// count from the moment when the request was due.
type Result struct {
	Scenario    Scenario `json:"scenario"`
	Connections int      `json:"connections"`
	Rate        float64  `json:"rate,omitempty"` // units of work offered per second; absent in the closed loop
	Seconds     float64  `json:"seconds"`

	// Numbers of requests. Accepted ones have a 200, refused ones a reasoned refusal, errors a status from 500 or no
	// answer. Late ones started more than 10 ms after they were due.
	Accepted          int64   `json:"accepted"`
	AcceptedPerSecond float64 `json:"accepted_per_second"`
	Refused           int64   `json:"refused"`
	RefusedPerSecond  float64 `json:"refused_per_second"`
	Errors            int64   `json:"errors"`
	Late              int64   `json:"late"`
	// Codes counts refusals and errors by code.
	Codes      map[string]int64 `json:"codes,omitempty"`
	FirstError string           `json:"first_error,omitempty"`
	// Reservations and Purchases that were acknowledged. A refusal is not a sale.
	Reservations int64 `json:"reservations"`
	Purchases    int64 `json:"purchases"`
	// Servers has the acknowledged reservations of each server, if there were several.
	Servers []int64 `json:"servers,omitempty"`

	Latency []Latency `json:"latency"`
	CPU     *CPU      `json:"cpu,omitempty"`
	Audit   *Audit    `json:"audit,omitempty"`
	// Webhooks compares the turns with endpoints with those without. It is absent without Config.Webhooks.
	Webhooks *Turns `json:"webhooks,omitempty"`

	// Drops are the drops under load.
	Drops []drop.ID `json:"drops"`

	acknowledged []Acknowledged
	stock        int64
}

// Latency is that of one kind of request with one outcome.
type Latency struct {
	Operation operation `json:"operation"`
	Outcome   string    `json:"outcome"` // accepted or refused
	Count     int64     `json:"count"`
	P50       float64   `json:"p50_ms"`
	P90       float64   `json:"p90_ms"`
	P99       float64   `json:"p99_ms"`
	P999      float64   `json:"p999_ms"`
	Max       float64   `json:"max_ms"`
}

// CPU is processor time in microseconds per accepted request. In a scenario without those, it is per refused request.
type CPU struct {
	Server   *float64 `json:"server_us"`   // null if not on this machine, or unknown
	Database *float64 `json:"database_us"` // the same
	Load     *float64 `json:"load_us"`     // of the load generator
	// Idle is the unused share of the machine.
	Idle *float64 `json:"idle"`
}

// Audit reports whether the answers were true.
type Audit struct {
	Checked string   `json:"checked"`          // what was compared
	Faults  []string `json:"faults,omitempty"` // at most 20; if there are none, nothing was oversold or lost
}

// histograms has one for each kind of request and outcome. There are a few copies of each, so that workers rarely
// wait for each other.
type histograms struct {
	shards [8]histogramShard
}

type histogramShard struct {
	mu sync.Mutex
	of map[histogramKey]*hdrhistogram.Histogram
}

type histogramKey struct {
	op       operation
	accepted bool
}

// The histograms record microseconds up to a minute, with three significant digits.
const maxLatency = time.Minute

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, maxLatency.Microseconds(), 3)
}

func newHistograms() *histograms {
	h := &histograms{}
	for i := range h.shards {
		h.shards[i].of = make(map[histogramKey]*hdrhistogram.Histogram)
	}
	return h
}

func (h *histograms) record(op operation, accepted bool, took time.Duration) {
	us := min(max(took.Microseconds(), 1), maxLatency.Microseconds())
	s := &h.shards[us%int64(len(h.shards))] // the last digits of a time are as good as random
	s.mu.Lock()
	defer s.mu.Unlock()
	key := histogramKey{op, accepted}
	if s.of[key] == nil {
		s.of[key] = newHistogram()
	}
	_ = s.of[key].RecordValue(us) // within its range
}

func (h *histograms) latencies() []Latency {
	sum := make(map[histogramKey]*hdrhistogram.Histogram)
	for i := range h.shards {
		for key, one := range h.shards[i].of {
			if sum[key] == nil {
				sum[key] = newHistogram()
			}
			sum[key].Merge(one)
		}
	}
	var all []Latency
	for key, one := range sum {
		ms := func(us int64) float64 { return float64(us) / 1000 }
		l := Latency{
			Operation: key.op, Outcome: "refused", Count: one.TotalCount(), P50: ms(one.ValueAtQuantile(50)), P90: ms(one.ValueAtQuantile(90)),
			P99: ms(one.ValueAtQuantile(99)), P999: ms(one.ValueAtQuantile(99.9)), Max: ms(one.Max()),
		}
		if key.accepted {
			l.Outcome = "accepted"
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b Latency) int { return int(b.Count - a.Count) })
	return all
}

func (r *run) result(took time.Duration) *Result {
	out := &Result{
		Scenario: r.Scenario, Connections: r.Connections, Rate: r.Rate, Seconds: round(took.Seconds()), Accepted: r.accepted.Load(),
		Refused: r.refused.Load(), Errors: r.errors.Load(), Late: r.late.Load(), Codes: r.codes, FirstError: r.firstErr,
		Latency: r.hist.latencies(), Servers: r.perServer(), Drops: r.drops, stock: r.stock, acknowledged: slices.Concat(r.books...),
		Webhooks: r.turns,
	}
	out.AcceptedPerSecond = round(float64(out.Accepted) / took.Seconds())
	out.RefusedPerSecond = round(float64(out.Refused) / took.Seconds())
	for i := range out.acknowledged {
		out.Reservations++
		if a := &out.acknowledged[i]; a.Purchase != 0 || a.Paid {
			out.Purchases++
		}
	}
	return out
}

// perServer counts what each server has acknowledged. It returns nil for a single server.
func (r *run) perServer() []int64 {
	if len(r.clients) < 2 {
		return nil
	}
	sums := make([]int64, len(r.clients))
	for worker, book := range r.books {
		sums[worker%len(sums)] += int64(len(book))
	}
	return sums
}

func round(f float64) float64 { return math.Round(f*10) / 10 }

// WriteTo writes the result as text for people.
func (r *Result) WriteTo(w io.Writer) (int64, error) {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	loop := fmt.Sprintf("closed loop, %d connections", r.Connections)
	if r.Rate > 0 {
		loop = fmt.Sprintf("open loop, %g per second, at most %d connections", r.Rate, r.Connections)
	}
	fmt.Fprintf(out, "%s for %.1f s: %s\n", r.Scenario, r.Seconds, loop)
	fmt.Fprintf(out, "accepted\t%d\t%.0f per second\n", r.Accepted, r.AcceptedPerSecond)
	fmt.Fprintf(out, "refused\t%d\t%.0f per second\n", r.Refused, r.RefusedPerSecond)
	fmt.Fprintf(out, "errors\t%d\t%s\n", r.Errors, r.FirstError)
	if r.Rate > 0 {
		fmt.Fprintf(out, "started late\t%d\n", r.Late)
	}
	for _, code := range slices.Sorted(maps.Keys(r.Codes)) {
		fmt.Fprintf(out, "  %s\t%d\n", code, r.Codes[code])
	}
	fmt.Fprintf(out, "sold\t%d reservations\t%d purchases\n", r.Reservations, r.Purchases)
	for i, n := range r.Servers {
		fmt.Fprintf(out, "  server %d\t%d reservations\t%.1f %%\n", i+1, n, 100*float64(n)/float64(max(r.Reservations, 1)))
	}
	for _, l := range r.Latency {
		fmt.Fprintf(out, "%s, %s\tp50 %.2f ms\tp90 %.2f\tp99 %.2f\tp99.9 %.2f\tmax %.2f\n", l.Operation, l.Outcome, l.P50, l.P90, l.P99, l.P999, l.Max)
	}
	if t := r.Webhooks; t != nil && len(t.Ratios) > 0 {
		fmt.Fprintf(out, "with webhooks\t%.0f per second\t%.0f without\tratio %.2f (%.2f to %.2f in %d turns)\n",
			t.With, t.Without, t.Ratio(), t.Ratios[0], t.Ratios[len(t.Ratios)-1], len(t.Ratios))
	}
	if r.CPU != nil {
		fmt.Fprintf(out, "CPU per request\tserver %s\tdatabase %s\tload %s\tidle %s\n",
			known(r.CPU.Server, "%.1f µs"), known(r.CPU.Database, "%.1f µs"), known(r.CPU.Load, "%.1f µs"), known(r.CPU.Idle, "%.2f"))
	}
	if r.Audit != nil {
		verdict := "clean"
		if len(r.Audit.Faults) > 0 {
			verdict = "DAMAGED"
		}
		fmt.Fprintf(out, "audit\t%s\t%s\n", verdict, r.Audit.Checked)
		for _, fault := range r.Audit.Faults {
			fmt.Fprintf(out, "  %s\n", fault)
		}
	}
	return 0, out.Flush()
}

func known(v *float64, format string) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf(format, *v)
}
