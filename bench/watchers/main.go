// Command watchers measures the shop while people watch it. It starts the built program as a child. Buyers reserve
// over HTTP and Socket.IO clients follow, on one machine, over its loopback interface. Each measurement has a fresh
// server. Measurements that are compared run in turns, and medians are printed. It exits with 1 if the shop misses
// what docs/BENCHMARKS.md promises.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// What is promised.
const (
	minRatio     = 0.8  // of the reserves a second without watchers
	maxMessages  = 40   // stock messages of a drop a second and watcher
	maxToldMS    = 40.0 // from a commit to the watcher, median
	maxP99Ratio  = 2.0  // a reserve's p99 among flooders
	maxSurviveMS = 2000.0
)

type settings struct {
	binary      string
	database    string
	watchers    int
	connections int
	drops       int
	flooders    int
	pace        int
	rounds      int
	warm, long  time.Duration
	quiet       float64
	only        string
}

func main() {
	var o settings
	flag.StringVar(&o.binary, "binary", "bin/sneakerdrop", "the program")
	flag.StringVar(&o.database, "database", "", "postgres://… of an empty database; none: a fresh SQLite file for each measurement")
	flag.IntVar(&o.watchers, "watchers", 1000, "Socket.IO clients")
	flag.IntVar(&o.connections, "connections", 64, "connections that reserve")
	flag.IntVar(&o.drops, "drops", 20, "drops that change at once")
	flag.IntVar(&o.flooders, "flooders", 20, "clients that say \"watch\" 1,000 times a second")
	flag.IntVar(&o.pace, "pace", 2000, "reserves a second while they do")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds; medians are printed")
	flag.DurationVar(&o.warm, "warm", time.Second, "load before each measurement")
	flag.DurationVar(&o.long, "for", 4*time.Second, "each measurement")
	flag.Float64Var(&o.quiet, "quiet", 0.1, "cores that other programs may take during a measurement before it is made again; 0: any")
	flag.StringVar(&o.only, "only", "", "measure only those whose names have this in them, and promise nothing")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "watchers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o settings) (err error) {
	if o.binary, err = filepath.Abs(o.binary); err != nil {
		return err
	}
	pace := time.Second * time.Duration(o.connections) / time.Duration(o.pace)
	measurements := []*series{
		{name: "no watchers", shop: shop{drops: 1}},
		{name: "watched", shop: shop{drops: 1, watchers: o.watchers}},
		{name: "many drops", shop: shop{drops: o.drops, watchers: o.watchers}},
		{name: "paced", shop: shop{drops: 1, watchers: o.watchers, pace: pace}},
		{name: "flooded", shop: shop{drops: 1, watchers: o.watchers, pace: pace, flooders: o.flooders}},
	}
	for i := range o.rounds {
		for _, m := range measurements {
			if !strings.Contains(m.name, o.only) {
				continue
			}
			f, err := o.quietly(ctx, m.shop)
			if err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			m.rounds = append(m.rounds, f)
			fmt.Fprintf(os.Stderr, "round %d  %-11s  %6.0f reserves/s  p50 %5.1f p99 %5.1f ms  told %5.1f p99 %5.1f ms  %7.0f updates/s  %.2f + %.2f + %.2f cores\n",
				i+1, m.name, f.rate, f.p50, f.p99, f.told[0], f.told[1], f.updates, f.cores, f.ours, f.others)
		}
	}
	if o.only != "" {
		return nil
	}
	return o.report(measurements)
}

// series is one kind of measurement and its rounds.
type series struct {
	name string
	shop
	rounds []figures
}

func (s *series) median(of func(figures) float64) float64 {
	values := make([]float64, len(s.rounds))
	for i, f := range s.rounds {
		values[i] = of(f)
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

func (s *series) most(of func(figures) float64) float64 {
	worst := of(s.rounds[0])
	for _, f := range s.rounds {
		worst = max(worst, of(f))
	}
	return worst
}

func (o settings) report(m []*series) error {
	alone, watched, many, paced, flooded := m[0], m[1], m[2], m[3], m[4]
	rate := func(f figures) float64 { return f.rate }
	p99 := func(f figures) float64 { return f.p99 }
	cores := func(f figures) float64 { return f.cores }
	updates := func(f figures) float64 { return f.updates }
	most := func(f figures) float64 { return float64(f.most) }
	told := func(f figures) float64 { return f.told[0] }
	cut := func(f figures) float64 { return float64(f.cut) }
	survived := func(f figures) float64 { return f.survived }
	ratio := watched.median(rate) / alone.median(rate)
	p99Ratio := flooded.median(p99) / paced.median(p99)

	var missed []string
	row := func(name, format string, value float64, goal string, kept bool) {
		fmt.Printf("| %s | "+format+" | %s |\n", name, value, goal)
		if !kept {
			missed = append(missed, fmt.Sprintf("%s: "+format+", not %s", name, value, goal))
		}
	}
	fmt.Printf("| %d connections reserve, %d watchers, medians of %d rounds | | promised |\n| --- | --: | --: |\n",
		o.connections, o.watchers, o.rounds)
	row("reserves a second, nobody watches", "%.0f", alone.median(rate), "", true)
	row("reserves a second, watched", "%.0f", watched.median(rate), "", true)
	row("ratio", "%.2f", ratio, "≥ 0.8", ratio >= minRatio)
	row("server's cores, nobody watches", "%.2f", alone.median(cores), "", true)
	row("server's cores, watched", "%.2f", watched.median(cores), "", true)
	row("updates delivered a second, one drop", "%.0f", watched.median(updates), "", true)
	worst := max(watched.most(most), many.most(most))
	row("updates of a drop a second and watcher, at most", "%.0f", worst, "≤ 40", worst <= maxMessages)
	row("from the reserve's answer to the watcher, median, ms", "%.1f", watched.median(told), "< 40", watched.median(told) < maxToldMS)
	row("the same, p99", "%.1f", watched.median(func(f figures) float64 { return f.told[1] }), "", true)
	row("from the reserve's sending to the watcher, median, ms", "%.1f",
		watched.median(func(f figures) float64 { return f.toldLate[0] }), "", true)
	row(fmt.Sprintf("updates delivered a second, %d drops", o.drops), "%.0f", many.median(updates), "", true)
	row("reserves a second meanwhile", "%.0f", many.median(rate), "", true)
	row("server's cores meanwhile", "%.2f", many.median(cores), "", true)
	row(fmt.Sprintf("reserve's p99 at %d a second, ms", o.pace), "%.1f", paced.median(p99), "", true)
	row(fmt.Sprintf("the same while %d flood, ms", o.flooders), "%.1f", flooded.median(p99), "", true)
	row("ratio of p99", "%.2f", p99Ratio, "≤ 2", p99Ratio <= maxP99Ratio)
	row("flooding connections cut, a round", "%.0f", flooded.median(cut), "all", flooded.median(cut) > 0)
	row("longest that one lasted, ms", "%.0f", flooded.most(survived), "≤ 2000", flooded.most(survived) <= maxSurviveMS)
	if len(missed) > 0 {
		return fmt.Errorf("missed: %s", strings.Join(missed, "; "))
	}
	return nil
}
