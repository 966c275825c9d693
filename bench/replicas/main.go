// Command replicas measures three servers of one shop, on one PostgreSQL and one NATS, in turns with one server
// alone. It measures what they sell of one hot drop, and how they share the sales. It also measures how soon a
// watcher at one server sees another's sales, and what an outage of NATS costs. It exits with 1 if a figure misses
// what docs/BENCHMARKS.md promises.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sneakerdrop/internal/load"
)

// What is promised.
const (
	servers     = 3
	minRatio    = 0.8 // of what one server alone sells
	maxUneven   = 0.2 // of a third that each server sells
	maxSeenMS   = 100 // from the answer at one to the watcher at another, p99
	maxCatchUp  = 1500 * time.Millisecond
	seenSamples = 2000
)

type settings struct {
	binary, database string
	connections      int
	rounds           int
	long, outage     time.Duration
}

func main() {
	var o settings
	flag.StringVar(&o.binary, "binary", "bin/sneakerdrop", "the program")
	flag.StringVar(&o.database, "database", os.Getenv("POSTGRES"), "postgres://… of a database for nothing else")
	flag.IntVar(&o.connections, "connections", 1024, "connections that reserve, over all servers")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds, of which medians are compared; 0: only what watchers see")
	flag.DurationVar(&o.long, "for", 4*time.Second, "each measurement")
	flag.DurationVar(&o.outage, "outage", 10*time.Second, "how long NATS is away; 0: only what is sold")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "replicas:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o settings) (err error) {
	if o.database == "" {
		return errors.New("needs --database, such as make bench-replicas gives it")
	}
	if o.binary, err = filepath.Abs(o.binary); err != nil {
		return err
	}
	var alone, together, uneven []float64
	for round := range o.rounds {
		one, err := o.sell(ctx, 1)
		if err != nil {
			return err
		}
		three, err := o.sell(ctx, servers)
		if err != nil {
			return err
		}
		alone, together = append(alone, one.Accepted), append(together, three.Accepted)
		uneven = append(uneven, three.uneven())
		fmt.Fprintf(os.Stderr, "round %d  one %6.0f a second, p99 %5.1f ms  three %6.0f a second, p99 %5.1f ms, shares %v\n",
			round+1, one.Accepted, one.p99(), three.Accepted, three.p99(), three.Servers)
	}
	var seen latencies
	var back outage
	if o.outage > 0 {
		if seen, back, err = o.watch(ctx); err != nil {
			return err
		}
	}
	return o.report(alone, together, uneven, seen, back)
}

func (o settings) report(alone, together, uneven []float64, seen latencies, back outage) error {
	var missed []string
	row := func(name, value, goal string, kept bool) {
		fmt.Printf("| %s | %s | %s |\n", name, value, goal)
		if !kept {
			missed = append(missed, fmt.Sprintf("%s: %s, not %s", name, value, goal))
		}
	}
	fmt.Printf("| three servers, one PostgreSQL, one NATS, %d connections, medians of %d rounds | | promised |\n| --- | --: | --: |\n", o.connections, o.rounds)
	if len(alone) > 0 {
		ratio, most := load.Median(together)/load.Median(alone), slices.Max(uneven)
		row("reserves of one drop a second, one server", fmt.Sprintf("%.0f", load.Median(alone)), "", true)
		row("three servers", fmt.Sprintf("%.0f", load.Median(together)), "", true)
		row("ratio", fmt.Sprintf("%.2f", ratio), "≥ 0.8", ratio >= minRatio)
		row("a server's sales are off a third by, at most", fmt.Sprintf("%.1f %%", 100*most), "≤ 20 %", most <= maxUneven)
	}
	if len(seen) > 0 {
		row("from the answer at one server to the watcher at another, median, ms", fmt.Sprintf("%.1f", seen.quantile(0.5)), "", true)
		row("the same, p99", fmt.Sprintf("%.1f", seen.quantile(0.99)), "≤ 100", seen.quantile(0.99) <= maxSeenMS)
		row(fmt.Sprintf("NATS away for %s: calls that failed, of %d", o.outage, back.calls), strconv.Itoa(back.failed), "0", back.failed == 0)
		row("behind while it was away, at most, ms", strconv.FormatInt(back.behind.Milliseconds(), 10), "", true)
		row("from its return until all watchers had the last state, ms", strconv.FormatInt(back.caughtUp.Milliseconds(), 10), "≤ 1500", back.caughtUp <= maxCatchUp)
	}
	if len(missed) > 0 {
		return fmt.Errorf("missed: %s", strings.Join(missed, "; "))
	}
	return nil
}
