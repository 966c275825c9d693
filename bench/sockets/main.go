// Command sockets compares package socketio with Node's socket.io server. Both serve the same clients and the same
// commands, one after the other in several rounds. The server runs alone on core 0 and the clients on core 1. It
// prints a table of medians and exits with 1 if ours misses what docs/BENCHMARKS.md promises. Everything stays on the
// loopback interface.
//
//	sockets [flags]   measure both
//	sockets serve     be our server, under the control of standard input
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// What is promised.
const (
	maxIdleKB   = 10.0
	maxCPURatio = 0.7
	minUpdates  = 500_000.0
	maxGrowthMB = 10.0
)

const (
	serverCore = 0
	clientCore = 1
)

type settings struct {
	node    string
	other   string
	clients int
	rounds  int
	drops   int
	stall   int
	count   int
	hold    int
	long    time.Duration
	only    string
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		exit(serve())
	}
	var o settings
	flag.StringVar(&o.node, "node", "bench/sockets/node/server.js", "the Node server")
	flag.StringVar(&o.other, "other", "", "a program to measure in Node's place, such as bin/zishang of bench/sockets/zishang; nothing is promised then")
	flag.IntVar(&o.clients, "clients", 5000, "clients of the idle, message and drops figures")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; medians are printed")
	flag.IntVar(&o.drops, "drops", 20, "drops that change at once")
	flag.IntVar(&o.stall, "stall", 20, "clients that never read; 0 leaves this out")
	flag.IntVar(&o.count, "broadcasts", 60_000, "broadcasts while they stall")
	flag.IntVar(&o.hold, "hold", 15_000, "idle clients to hold on ours; 0 leaves this out")
	flag.DurationVar(&o.long, "hold-for", 28*time.Second, "how long; a ping comes every 25s")
	flag.StringVar(&o.only, "only", "", "ours or node: measure one, promise nothing")
	flag.Parse()
	if err := pin(); err != nil {
		exit(err)
	}
	exit(run(o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "sockets:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// pin raises the limit of open files for this process and its children, and starts the program again on the clients'
// core.
func pin() error {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	files.Cur = files.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return fmt.Errorf("raise the limit of open files: %w", err)
	}
	if os.Getenv("BENCH_PINNED") != "" {
		return nil
	}
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := append([]string{"taskset", "-c", strconv.Itoa(clientCore), self}, os.Args[1:]...)
	return syscall.Exec(taskset, args, append(os.Environ(), "BENCH_PINNED=1")) // itself, as it was called
}

// contender is a server to be measured, and its rounds.
type contender struct {
	name    string
	command []string
	rounds  []figures
	stalled stalled
}

func (c *contender) measure(f func(*server) error) error {
	s, err := start(c.name, serverCore, c.command...)
	if err != nil {
		return err
	}
	defer s.stop()
	return f(s)
}

func (c *contender) median(of func(figures) float64) float64 {
	values := make([]float64, len(c.rounds))
	for i, f := range c.rounds {
		values[i] = of(f)
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

func run(o settings) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ours := &contender{name: "ours", command: []string{self, "serve"}}
	node := &contender{name: "node", command: []string{"node", "--expose-gc", o.node}}
	if o.other != "" {
		node = &contender{name: filepath.Base(o.other), command: []string{o.other}}
	}
	contenders := slices.DeleteFunc([]*contender{ours, node}, func(c *contender) bool { return o.only != "" && c.name != o.only })
	if len(contenders) == 0 {
		return fmt.Errorf("-only is ours or node, not %q", o.only)
	}
	if err := measureAll(o, contenders); err != nil {
		return err
	}
	report(os.Stdout, o, contenders)
	var missed []string
	if o.only == "" && o.other == "" {
		missed = verdict(o, ours, node)
	}
	if o.hold > 0 && o.only != "node" {
		if err := holdMany(os.Stdout, o, ours); err != nil {
			missed = append(missed, err.Error())
		}
	}
	if len(missed) > 0 {
		return fmt.Errorf("missed: %s", strings.Join(missed, "; "))
	}
	return nil
}

func measureAll(o settings, contenders []*contender) error {
	for i := range o.rounds {
		for _, c := range contenders {
			err := c.measure(func(s *server) error {
				f, err := round(s, o.clients, o.drops)
				c.rounds = append(c.rounds, f)
				return err
			})
			if err != nil {
				return err
			}
			f := c.rounds[i]
			fmt.Fprintf(os.Stderr, "round %d  %s  %5.1f KB idle  %5.2f µs a message  p99 %4.0f ms  %9.0f updates a core second\n",
				i+1, c.name, f.idleKB, f.messageUS, f.p99MS, f.updates)
		}
	}
	if o.stall == 0 {
		return nil
	}
	for _, c := range contenders {
		err := c.measure(func(s *server) (err error) {
			c.stalled, err = stall(s, o.stall, o.count)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func idle(f figures) float64    { return f.idleKB }
func message(f figures) float64 { return f.messageUS }
func p99(f figures) float64     { return f.p99MS }
func updates(f figures) float64 { return f.updates }

func report(w io.Writer, o settings, contenders []*contender) {
	fmt.Fprintf(w, "| %d clients, medians of %d rounds |", o.clients, o.rounds)
	for _, c := range contenders {
		fmt.Fprintf(w, " %s |", c.name)
	}
	fmt.Fprintf(w, " ratio |\n| --- |%s\n", strings.Repeat(" --: |", len(contenders)+1))
	for _, line := range []struct {
		name, format string
		of           func(figures) float64
	}{
		{"idle memory a connection, KB", "%.1f", idle},
		{"CPU a message, µs", "%.2f", message},
		{"p99 of one broadcast, ms", "%.0f", p99},
		{fmt.Sprintf("updates a second and core, %d drops at once", o.drops), "%.0f", updates},
	} {
		fmt.Fprintf(w, "| %s |", line.name)
		for _, c := range contenders {
			fmt.Fprintf(w, " "+line.format+" |", c.median(line.of))
		}
		ratio := ""
		if len(contenders) == 2 {
			ratio = fmt.Sprintf(" %.2f", contenders[0].median(line.of)/contenders[1].median(line.of))
		}
		fmt.Fprintln(w, ratio, "|")
	}
	if o.stall == 0 {
		return
	}
	fmt.Fprintf(w, "| %d clients stall, %d broadcasts: memory grows by, MB |", o.stall, o.count)
	for _, c := range contenders {
		fmt.Fprintf(w, " %.1f |", c.stalled.growthMB)
	}
	fmt.Fprint(w, " |\n| of them cut |")
	for _, c := range contenders {
		fmt.Fprintf(w, " %d |", c.stalled.cut)
	}
	fmt.Fprintf(w, " |\n| the other %d got everything |", readers)
	for _, c := range contenders {
		fmt.Fprintf(w, " %t |", c.stalled.complete)
	}
	fmt.Fprintln(w, " |")
}

// verdict names each promise that ours does not keep.
func verdict(o settings, ours, node *contender) (missed []string) {
	check := func(kept bool, format string, args ...any) {
		if !kept {
			missed = append(missed, fmt.Sprintf(format, args...))
		}
	}
	kb, ratio, rate := ours.median(idle), ours.median(message)/node.median(message), ours.median(updates)
	check(kb <= maxIdleKB, "%.1f KB a connection, not %.0f", kb, maxIdleKB)
	check(ratio <= maxCPURatio, "%.2f of Node's CPU a message, not %.1f", ratio, maxCPURatio)
	check(rate >= minUpdates, "%.0f updates a second and core, not %.0f", rate, minUpdates)
	if o.stall > 0 {
		s := ours.stalled
		check(s.growthMB <= maxGrowthMB, "stalled clients cost %.1f MB, not %.0f", s.growthMB, maxGrowthMB)
		check(s.cut == o.stall, "%d of %d stalled clients cut", s.cut, o.stall)
		check(s.complete, "a client that reads missed updates")
	}
	return missed
}

func holdMany(w io.Writer, o settings, ours *contender) error {
	return ours.measure(func(s *server) error {
		reached, kb, err := hold(s, o.hold, o.long)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "\nours held %d idle connections for %v, %.1f KB each; a broadcast then reached all\n", reached, o.long, kb)
		return nil
	})
}
