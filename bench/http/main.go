// Command http measures the shop over HTTP in turns with a handler that does nothing. It runs three rounds of each
// kind of load. It prints the medians, the spread, and the ratio to the handler in the same round.
//
// It writes the figures to docs/bench.json and draws docs/bench.svg: throughput and p99 against offered load. It
// exits with 1 if an answer was wrong.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	bench "sneakerdrop/internal/load"
)

type settings struct {
	binary, database, out, only string
	rounds                      int
	long, half                  time.Duration
}

// load is one kind of load, and what it is compared with.
type load struct {
	Name string
	args []string
	// against names the load of the same round that the ratio is to; empty: none.
	against string
	// refused: what is counted are refusals, and they are no sales.
	refused bool
	// times is how many times as long as the others it takes; 0 means 1.
	times int
}

// most is the load that the server takes most of.
const most = "reserve, PostgreSQL 1024"

func loads(database string) []load {
	postgres := []string{"--database=" + database}
	with := func(args ...string) []string { return append(slices.Clone(postgres), args...) }
	noop := func(connections string) load {
		return load{Name: "no-op " + connections, args: []string{"--control", "--connections=" + connections}}
	}
	return []load{
		noop("64"),
		{Name: "reserve, PostgreSQL 64", args: with("--sign-in", "--connections=64"), against: "no-op 64"},
		noop("256"),
		{Name: "reserve, PostgreSQL 256", args: with("--sign-in", "--connections=256"), against: "no-op 256"},
		{Name: "reserve, SQLite 256", args: []string{"--sign-in", "--connections=256"}, against: "no-op 256"},
		{Name: "the same without identity, PostgreSQL 256", args: with("--connections=256"), against: "no-op 256"},
		{Name: "batching off, PostgreSQL 256", args: with("--sign-in", "--connections=256", "--serve=--max-batch=1"), against: "reserve, PostgreSQL 256"},
		{Name: "with a key each, PostgreSQL 256", args: with("--sign-in", "--keys", "--connections=256"), against: "no-op 256"},
		{Name: "sold out, no key, no limit, PostgreSQL 256", args: with("--scenario=sold-out", "--connections=256"), against: "no-op 256", refused: true},
		{Name: "list of 10 drops, PostgreSQL 256", args: with("--scenario=list", "--connections=256"), against: "no-op 256"},
		{Name: "50 hot drops, PostgreSQL 256", args: with("--sign-in", "--drops=50", "--connections=256"), against: "reserve, PostgreSQL 256"},
		{Name: "mixed life, PostgreSQL 256", args: with("--scenario=mixed", "--sign-in", "--connections=256"), against: "no-op 256"},
		{Name: "webhooks, reserve, PostgreSQL 256", args: with("--sign-in", "--webhooks", "--connections=256"), times: 6},
		{Name: "purchase, PostgreSQL 256", args: with("--scenario=purchase", "--sign-in", "--connections=256"), against: "no-op 256"},
		{Name: "webhooks, purchase, PostgreSQL 256", args: with("--scenario=purchase", "--sign-in", "--webhooks", "--connections=256"), times: 6},
		noop("1024"),
		{Name: most, args: with("--sign-in", "--connections=1024"), against: "no-op 1024"},
		{Name: "50 hot drops, PostgreSQL 1024", args: with("--sign-in", "--drops=50", "--connections=1024"), against: most},
		{Name: "reserve, SQLite 1024", args: []string{"--sign-in", "--connections=1024"}, against: "no-op 1024"},
	}
}

// result holds the fields of bench's JSON that are used here.
type result struct {
	Accepted  float64 `json:"accepted_per_second"`
	Refused   float64 `json:"refused_per_second"`
	Errors    int64   `json:"errors"`
	Late      int64   `json:"late"`
	Sent      int64   `json:"accepted"`
	Latencies []struct {
		Operation string  `json:"operation"`
		Outcome   string  `json:"outcome"`
		P50       float64 `json:"p50_ms"`
		P99       float64 `json:"p99_ms"`
	} `json:"latency"`
	Webhooks *bench.Turns `json:"webhooks"`
	CPU      *struct {
		Server   *float64 `json:"server_us"`
		Database *float64 `json:"database_us"`
		Load     *float64 `json:"load_us"`
		Idle     *float64 `json:"idle"`
	} `json:"cpu"`
}

func main() {
	var o settings
	flag.StringVar(&o.binary, "binary", "bin/sneakerdrop", "the program")
	flag.StringVar(&o.database, "database", os.Getenv("POSTGRES"), "postgres://… of a database for nothing else")
	flag.StringVar(&o.out, "out", "docs/bench", "where to write .json and .svg")
	flag.StringVar(&o.only, "only", "", "only loads whose name has this in it, and what they are compared with; writes nothing")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds")
	flag.DurationVar(&o.long, "for", 4*time.Second, "each measurement")
	flag.DurationVar(&o.half, "half", time.Minute, "the open loop at half of the most, three times")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/http:", err)
		os.Exit(1)
	}
}

// report holds the figures that are kept of a run.
type report struct {
	Date   string  `json:"date"`
	Rounds int     `json:"rounds"`
	Loads  []row   `json:"loads"`
	Open   []point `json:"open_loop"`
	Half   []half  `json:"half_load,omitempty"`
}

// row is one kind of load over all rounds.
type row struct {
	Name      string    `json:"name"`
	PerSecond []float64 `json:"per_second"`
	Against   string    `json:"against,omitempty"`
	Ratio     []float64 `json:"ratio,omitempty"`
	P99       float64   `json:"p99_ms"`
	Server    float64   `json:"server_us"`
	Database  float64   `json:"database_us"`
	Load      float64   `json:"load_us"`
	Idle      float64   `json:"idle"`
}

// point is one rate of the open loop.
type point struct {
	Offered  float64 `json:"offered"`
	Accepted float64 `json:"accepted"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Late     float64 `json:"late"` // a part of all
	Errors   int64   `json:"errors"`
}

// half is half of the most, with its controls.
type half struct {
	point

	Noop point `json:"noop"`
	Disk disk  `json:"disk"`
}

func run(ctx context.Context, o settings) error {
	if o.database == "" {
		return errors.New("needs --database, such as make bench-http gives it")
	}
	all := chosen(loads(o.database), o.only)
	got := make(map[string][]result)
	for round := range o.rounds {
		for _, l := range all {
			r, err := closedLoop(ctx, o, l)
			if err != nil {
				return err
			}
			got[l.Name] = append(got[l.Name], r)
			fmt.Fprintf(os.Stderr, "round %d  %-45s %8.0f a second\n", round+1, l.Name, r.rate(l))
		}
	}
	out := report{Date: time.Now().UTC().Format(time.DateOnly), Rounds: o.rounds}
	byName := make(map[string]load)
	for _, l := range all {
		byName[l.Name] = l
	}
	var taken float64 // of most
	for _, l := range all {
		r := rowOf(l, got, byName)
		if out.Loads = append(out.Loads, r); l.Name == most {
			taken = bench.Median(r.PerSecond)
		}
	}
	if o.only != "" {
		return show(&out)
	}
	if err := openLoop(ctx, o, taken, &out); err != nil {
		return err
	}
	if err := halfLoad(ctx, o, byName[most], &out); err != nil {
		return err
	}
	if err := show(&out); err != nil {
		return err
	}
	text, err := json.MarshalIndent(&out, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(o.out+".json", append(text, '\n'), 0o644), os.WriteFile(o.out+".svg", plot(out.Open), 0o644))
}

// chosen returns the loads whose names contain only, and the loads that they are compared with. Those come earlier in
// the list.
func chosen(all []load, only string) []load {
	needed := make(map[string]bool)
	for _, l := range slices.Backward(all) {
		if needed[l.Name] || strings.Contains(l.Name, only) {
			needed[l.Name], needed[l.against] = true, true
		}
	}
	return slices.DeleteFunc(all, func(l load) bool { return !needed[l.Name] })
}

func closedLoop(ctx context.Context, o settings, l load) (result, error) {
	long := o.long * time.Duration(max(l.times, 1))
	r, err := measure(ctx, o, append([]string{"--duration=" + long.String()}, l.args...))
	if err != nil {
		err = fmt.Errorf("%s: %w", l.Name, err)
	}
	return r, err
}

func measure(ctx context.Context, o settings, args []string) (r result, err error) {
	cmd := exec.CommandContext(ctx, o.binary, append([]string{"bench", "--json"}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("%w: %s", err, stderr.String())
	}
	return r, json.Unmarshal(text, &r)
}

func (r *result) rate(l load) float64 {
	if r.Webhooks != nil {
		return r.Webhooks.With
	}
	if l.refused {
		return r.Refused
	}
	return r.Accepted
}

func (r *result) latency() (p50, p99 float64) {
	if len(r.Latencies) == 0 {
		return 0, 0
	}
	return r.Latencies[0].P50, r.Latencies[0].P99
}

func rowOf(l load, got map[string][]result, byName map[string]load) row {
	out := row{Name: l.Name, Against: l.against}
	var p99, server, database, load, idle []float64
	for i := range got[l.Name] {
		r := &got[l.Name][i]
		out.PerSecond = append(out.PerSecond, r.rate(l))
		if r.Webhooks != nil {
			out.Against, out.Ratio = "the same run without", append(out.Ratio, r.Webhooks.Ratios...)
		}
		if l.against != "" {
			other := got[l.against][i]
			out.Ratio = append(out.Ratio, r.rate(l)/other.rate(byName[l.against]))
		}
		_, p := r.latency()
		p99 = append(p99, p)
		if r.CPU != nil {
			server, database = append(server, value(r.CPU.Server)), append(database, value(r.CPU.Database))
			load, idle = append(load, value(r.CPU.Load)), append(idle, value(r.CPU.Idle))
		}
	}
	out.P99, out.Server, out.Database, out.Load, out.Idle = bench.Median(p99), bench.Median(server), bench.Median(database), bench.Median(load), bench.Median(idle)
	return out
}

func value(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

// openLoop offers a tenth to all of what the closed loop took of the load that it takes most of, over 256 connections.
func openLoop(ctx context.Context, o settings, taken float64, out *report) error {
	for _, share := range []float64{0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1} {
		p, err := offer(ctx, o, share*taken, o.long, "--sign-in", "--database="+o.database)
		if err != nil {
			return err
		}
		out.Open = append(out.Open, p)
	}
	return nil
}

// halfLoad offers, three times, half of what the machine takes right before, for a minute: it is not as fast at all
// times. Beside it are the handler that does nothing at the same rate, and the disk in that minute.
func halfLoad(ctx context.Context, o settings, l load, out *report) error {
	for range 3 {
		closed, err := closedLoop(ctx, o, l)
		if err != nil {
			return err
		}
		rate := closed.Accepted / 2
		var h half
		if h.Noop, err = offer(ctx, o, rate, o.long, "--control"); err != nil {
			return err
		}
		if err := checkpoint(ctx, o.database); err != nil {
			return err
		}
		end, ended := make(chan struct{}), make(chan error, 1)
		go func() {
			var err error
			h.Disk, err = probe(end)
			ended <- err
		}()
		h.point, err = offer(ctx, o, rate, o.half, "--sign-in", "--database="+o.database)
		close(end)
		if err := errors.Join(err, <-ended); err != nil {
			return err
		}
		out.Half = append(out.Half, h)
	}
	return nil
}

// checkpoint has PostgreSQL reuse the files of its log, as a server does that has run for a while. Creating a file of
// 16 MB takes 10 ms, in which no COMMIT ends.
func checkpoint(ctx context.Context, database string) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CHECKPOINT")
	return errors.Join(err, conn.Close(ctx))
}

// offer is the open loop at a rate, over 256 connections.
func offer(ctx context.Context, o settings, rate float64, long time.Duration, args ...string) (point, error) {
	rate = float64(int(rate))
	r, err := measure(ctx, o, append(args, "--connections=256", "--rate="+strconv.FormatFloat(rate, 'f', 0, 64), "--duration="+long.String()))
	p := point{Offered: rate, Accepted: r.Accepted, Late: float64(r.Late) / max(float64(r.Sent), 1), Errors: r.Errors}
	p.P50, p.P99 = r.latency()
	fmt.Fprintf(os.Stderr, "open loop  %8.0f offered %8.0f accepted  p50 %.1f ms  p99 %.1f ms\n", p.Offered, p.Accepted, p.P50, p.P99)
	return p, err
}

func show(r *report) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "load\ta second, median (least – most)\tratio, median (least – most)\tto\tp99 ms\tserver µs\tdatabase µs\tload µs\tidle")
	for _, l := range r.Loads {
		ratio := ""
		if len(l.Ratio) > 0 {
			ratio = fmt.Sprintf("%.2f (%.2f – %.2f)", bench.Median(l.Ratio), slices.Min(l.Ratio), slices.Max(l.Ratio))
		}
		fmt.Fprintf(w, "%s\t%.0f (%.0f – %.0f)\t%s\t%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.2f\n", l.Name, bench.Median(l.PerSecond), slices.Min(l.PerSecond),
			slices.Max(l.PerSecond), ratio, l.Against, l.P99, l.Server, l.Database, l.Load, l.Idle)
	}
	for _, p := range r.Half {
		fmt.Fprintf(w, "open loop at half of the most\t%.0f offered\t%.0f accepted\tp50 %.2f ms\tp99 %.2f ms\tlate %.2f %%\terrors %d\n",
			p.Offered, p.Accepted, p.P50, p.P99, 100*p.Late, p.Errors)
		fmt.Fprintf(w, "  no-op at that rate; a sync of the disk meanwhile\t\t\tp50 %.2f ms\tp99 %.2f ms\tdisk p50 %.2f ms\tp99 %.2f ms\tmax %.1f ms\n",
			p.Noop.P50, p.Noop.P99, p.Disk.P50, p.Disk.P99, p.Disk.Max)
	}
	return w.Flush()
}
