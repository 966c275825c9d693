package main

import (
	"math"
	"slices"
	"strings"
)

// The crowd that docs/SCALING.md plans for.
const (
	buyers      = 10_000_000
	dropsOnSale = 50
	pairs       = 5_000 // of each drop
	rush        = 10.0  // seconds
	before      = 300.0 // seconds within which all have opened the page
	freshness   = 1.0   // seconds that a watcher may be behind
	busy        = 0.6   // of a core that is planned with, so that there is room for what was not foreseen
)

func base() scenario {
	return scenario{
		Name: "5,000 pairs of each", Buyers: buyers, Drops: dropsOnSale, Units: pairs, Popular: 1, Within: rush,
		Replicas: 10, Primaries: 1, DBCores: 16, Commit: commitAlone, Database: 1, Server: 1,
	}
}

// with is the base with changes.
func with(name string, change func(*scenario)) scenario {
	s := base()
	s.Name = name
	change(&s)
	return s
}

func everybody(s *scenario) { s.Units = buyers }

func noGate(s *scenario) { s.NoGate = true }

func report(b bench, c costs) string {
	return strings.Join([]string{
		"<!-- costs -->\n" + costTable(b, c), "<!-- crowds -->\n" + crowdTable(c, crowds()), "<!-- machines -->\n" + machineTable(c),
		"<!-- breaks -->\n" + breakTable(c), "<!-- sensitivity -->\n" + crowdTable(c, sensitivity()),
	}, "\n")
}

// costTable compares the lines that were fitted with what was measured.
func costTable(b bench, c costs) string {
	t := newTable("Load", "commands in a batch", "server, µs: line / measured", "database, µs: line / measured", "reserves a second: line / measured")
	for i := range b.Loads {
		l := &b.Loads[i]
		if batch, ok := measured[l.Name]; ok {
			server, database := c.Request+c.Turn/batch, c.Command+c.Batch/batch
			t.row(l.Name, short(batch), short(server)+" / "+short(l.Server), short(database)+" / "+short(l.Database),
				short(c.perSecond(l, batch))+" / "+short(l.median()))
		}
	}
	return t.String()
}

// perSecond is what two cores should do of a load whose batches are so large.
func (c costs) perSecond(l *load, batch float64) float64 {
	return 2 * micro * (1 - l.Idle) / (c.Request + c.Command + (c.Turn+c.Batch)/batch + l.Load)
}

func crowds() []scenario {
	return []scenario{
		base(),
		with("the same, `limit_per_user` 1: every refusal goes to the lanes", noGate),
		with("a pair for everybody", everybody),
		with("a pair for everybody, 5 primaries of 16 cores", func(s *scenario) { everybody(s); s.Primaries = 5 }),
		with("a pair for everybody, all drops alike, 1 primary", func(s *scenario) { everybody(s); s.Popular = 0 }),
	}
}

func sensitivity() []scenario {
	return []scenario{
		base(),
		with("database costs twice as much", func(s *scenario) { s.Database = 2 }),
		with("server costs half as much again", func(s *scenario) { s.Server = 1.5 }),
		with("a commit waits for a standby (+0.5 ms)", func(s *scenario) { s.Commit += 500 }),
		with("a commit waits for another place (+20 ms)", func(s *scenario) { s.Commit += 20_000 }),
		with("all within 2 s", func(s *scenario) { s.Within = 2 }),
		with("all within 60 s", func(s *scenario) { s.Within = 60 }),
		with("one drop has nearly all (exponent 2)", func(s *scenario) { s.Popular = 2 }),
		with("`limit_per_user` 1, database costs twice as much", func(s *scenario) { noGate(s); s.Database = 2 }),
		with("`limit_per_user` 1, 5 primaries", func(s *scenario) { noGate(s); s.Primaries = 5 }),
		with("a pair for everybody, a commit waits for a standby", func(s *scenario) { everybody(s); s.Commit += 500 }),
		with("a pair for everybody, database costs twice as much", func(s *scenario) { everybody(s); s.Database = 2 }),
	}
}

func crowdTable(c costs, all []scenario) string {
	t := newTable("Crowd", "requests a second", "answered by lanes a second", "commits a second, of the hottest drop",
		"cores of the busiest primary: used, needed", "cores of the replicas", "longest wait for a lane", "answered 503", "sold out in")
	for _, s := range all {
		o := simulate(c, s)
		sold := "–"
		if o.Sold > 0 {
			sold = seconds(o.Sold)
		}
		t.row(s.Name, short(o.Requests), short(o.Commands), short(o.Commits)+", "+short(o.Hottest), short(o.DBCores)+", "+short(o.DBLeast), short(o.ServerCores),
			seconds(o.Wait), short(o.Overloaded), sold)
	}
	return t.String()
}

// machineTable shows what crowds of several sizes need.
func machineTable(c costs) string {
	crowdsOf := []float64{10_000, 100_000, 1_000_000, buyers}
	t := newTable("What it takes", "10,000 buyers", "100,000", "1,000,000", "10,000,000")
	var outcomes []outcome
	for _, n := range crowdsOf {
		outcomes = append(outcomes, simulate(c, with("", func(s *scenario) { s.Buyers = n })))
	}
	line := func(name string, amount func(n float64, o outcome) float64) {
		cells := []string{name}
		for i, n := range crowdsOf {
			cells = append(cells, short(amount(n, outcomes[i])))
		}
		t.row(cells...)
	}
	line("connections opened a second, in the five minutes before", func(n float64, _ outcome) float64 { return n / before })
	line("proxies' cores for their handshakes (TLS)", func(n float64, _ outcome) float64 { return n / before * connectTLS / micro / busy })
	line("of that without TLS", func(n float64, _ outcome) float64 { return n / before * connectPlain / micro / busy })
	line("addresses of proxies × replicas, for their ports", func(n float64, _ outcome) float64 { return math.Ceil(n / proxyPorts) })
	line("memory for sockets, GB", func(n float64, _ outcome) float64 { return n * (socketMemory + socketKernel) / 1e6 })
	line("replicas' cores to update watchers every second", func(n float64, _ outcome) float64 { return n * writeToSocket / micro / fanOutShare / freshness })
	line("replicas' cores for requests", func(_ float64, o outcome) float64 { return o.ServerCores / busy })
	line("requests a second, at most", func(_ float64, o outcome) float64 { return o.Requests })
	line("commits a second, at most", func(_ float64, o outcome) float64 { return o.Commits })
	line("primary's cores", func(_ float64, o outcome) float64 { return o.DBLeast / busy })
	return t.String()
}

// bound is where something ends.
type bound struct {
	what, then string
	buyers     float64
}

// breakTable says of two set-ups how many buyers each part of them can take: what breaks first is the first line.
func breakTable(c costs) string {
	full := c.Request + c.Turn/maxBatch
	var hottest float64
	for _, h := range crowd(base()) {
		hottest = math.Max(hottest, h.share)
	}
	bounds := func(replicas, cores, memory, proxies, proxyCores, dbCores float64) []bound {
		return []bound{
			{"`--max-sockets` by default (20,000)", "raise it, and `nofile`", replicas * 20_000},
			{"fan-out: an update for watchers every second", "more replicas, or less frequent updates", replicas * cores * fanOutShare * freshness / writeToSocket * micro},
			{"ports between a proxy and a replica", "more addresses, or a wider `ip_local_port_range`", proxies * replicas * proxyPorts},
			{"requests", "more replicas", replicas * cores * micro / full * rush},
			{"TLS handshakes", "more proxies; session resumption", proxyCores * micro / connectTLS * before},
			{"connections taken, without TLS", "more proxies", proxyCores * micro / connectPlain * before},
			{"memory for sockets", "more of it", replicas * memory * 1e6 / (socketMemory + socketKernel)},
			{"the hottest drop's lane, while it has pairs", "nothing: let it open in two parts", maxBatch / (commitAlone + (maxBatch-1)*commandInLane) * micro / hottest * rush},
			{"the primary's cores, while there are pairs", "a larger machine, then more primaries", dbCores * micro / (c.Command + c.Batch/maxBatch) * rush},
		}
	}
	t := newTable("Set-up", "at so many buyers", "breaks", "then")
	for _, setup := range []struct {
		name  string
		parts []bound
	}{
		{"one machine, 2 cores, 24 GB, a core each for server and PostgreSQL; no proxy", bounds(1, 1, 12, 0, 1, 1)},
		{"3 replicas (8 cores, 16 GB), 2 proxies (8 cores), 1 primary (16 cores)", bounds(3, 8, 16, 2, 16, 16)},
		{"150 replicas (8 cores, 16 GB), 6 proxies (8 cores), 1 primary (16 cores)", bounds(150, 8, 16, 6, 48, 16)},
	} {
		setup.parts = slices.DeleteFunc(setup.parts, func(p bound) bool { return p.buyers == 0 }) // without a proxy
		slices.SortStableFunc(setup.parts, func(x, y bound) int { return int(math.Copysign(1, x.buyers-y.buyers)) })
		for i, p := range setup.parts {
			if i > 0 {
				setup.name = ""
			}
			t.row(setup.name, short(p.buyers), p.what, p.then)
		}
	}
	return t.String()
}
