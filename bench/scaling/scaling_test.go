package main

import (
	"math"
	"os"
	"strings"
	"testing"
)

func inputs(t *testing.T) (bench, costs) {
	t.Helper()
	b, err := readBench("../../docs/bench.json")
	if err != nil {
		t.Fatal(err)
	}
	c, err := costsOf(b)
	if err != nil {
		t.Fatal(err)
	}
	return b, c
}

// The two lines give what was measured within 7 %.
func TestCosts_GiveWhatWasMeasured(t *testing.T) {
	b, c := inputs(t)
	for i := range b.Loads {
		l := &b.Loads[i]
		batch, ok := measured[l.Name]
		if !ok {
			continue
		}
		if ratio := c.perSecond(l, batch) / l.median(); math.Abs(ratio-1) > 0.07 {
			t.Errorf("%s: %.0f a second, measured were %.0f", l.Name, c.perSecond(l, batch), l.median())
		}
	}
}

// The simulation of one machine that server, database and load share takes what that machine took of each stream,
// within 8 %. At its limit it takes more than the machine did, because all of its batches are full then: by no more
// than 15 %.
func TestSimulate_GivesTheMeasuredMachine(t *testing.T) {
	b, c := inputs(t)
	if len(b.Open) < 5 {
		t.Fatalf("only %d streams in bench.json", len(b.Open))
	}
	stream := func(offered float64) float64 {
		o := simulate(c, scenario{
			Drops: 1, Units: 1e12, Within: 1, Replicas: 1, Primaries: 1, DBCores: 2, Shared: true, Offered: offered, Commit: commitAlone,
			Database: 1, Server: 1,
		})
		return o.Reserved / steady
	}
	most := 0.0
	for _, o := range b.Open {
		most = math.Max(most, o.Accepted)
		if got := stream(o.Offered); math.Abs(got/o.Accepted-1) > 0.08 {
			t.Errorf("of %.0f a second %.0f are taken, measured were %.0f", o.Offered, got, o.Accepted)
		}
	}
	if limit := stream(1e6); limit < 0.9*most || limit > 1.15*most {
		t.Errorf("at its limit %.0f a second are taken, measured were %.0f", limit, most)
	}
}

// Whatever comes is answered, and nobody gets a pair that is not there.
func TestSimulate_SellsWhatThereIs(t *testing.T) {
	_, c := inputs(t)
	for _, s := range append(crowds(), sensitivity()...) {
		o := simulate(c, s)
		all := s.Units * float64(s.Drops)
		if o.Reserved > all*(1+1e-9) || o.Reserved > s.Buyers*(1+1e-9) {
			t.Errorf("%s: %.0f of %.0f pairs were reserved", s.Name, o.Reserved, all)
		}
		if o.Sold > 0 && math.Abs(o.Reserved/all-1) > 1e-6 {
			t.Errorf("%s: all are sold, and %.0f of %.0f were reserved", s.Name, o.Reserved, all)
		}
		if o.DBCores > s.DBCores*1.001 || o.DBLeast > o.DBCores*1.001 {
			t.Errorf("%s: a primary of %.0f cores uses %.1f and needs %.1f", s.Name, s.DBCores, o.DBCores, o.DBLeast)
		}
		if o.Hottest > 1.001*micro/s.Commit {
			t.Errorf("%s: %.0f commits a second of one drop, each of which takes %.0f µs", s.Name, o.Hottest, s.Commit)
		}
	}
	if o, again := simulate(c, base()), simulate(c, base()); again != o {
		t.Errorf("%+v, then %+v", o, again)
	}
}

// More of what is short must not make things worse.
func TestSimulate_MoreHelps(t *testing.T) {
	_, c := inputs(t)
	few := simulate(c, with("", func(s *scenario) { everybody(s); s.DBCores = 4 }))
	many := simulate(c, with("", func(s *scenario) { everybody(s); s.DBCores = 4; s.Primaries = 8 }))
	if many.Wait >= few.Wait || many.Reserved <= few.Reserved {
		t.Errorf("8 primaries in place of 1: wait %.2f s, before %.2f s; reserved %.0f, before %.0f", many.Wait, few.Wait, many.Reserved, few.Reserved)
	}
	slow := simulate(c, with("", func(s *scenario) { everybody(s); s.Commit += 20_000 }))
	quick := simulate(c, with("", everybody))
	if slow.Wait <= quick.Wait {
		t.Errorf("commits that take 20 ms more: wait %.2f s, before %.2f s", slow.Wait, quick.Wait)
	}
}

// The tables of the document are what the program says.
func TestScaling_TheDocumentHasItsTables(t *testing.T) {
	b, c := inputs(t)
	text, err := os.ReadFile("../../docs/SCALING.md")
	if err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(report(b, c), "\n\n") {
		name, _, _ := strings.Cut(part, "\n")
		if !strings.Contains(string(text), strings.TrimSpace(part)+"\n") {
			t.Errorf("the table %s of docs/SCALING.md is not what make scaling prints:\n%s", name, part)
		}
	}
}

func TestShort_RoundsToWhatANumberIsWorth(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.0424: "0.042", 0.25: "0.2", 5.94: "5.9", 9.97: "10", 57.6: "58", 999.7: "1,000", 1652: "1,650", 26_996: "27,000", 1_613_154: "1,610,000",
		343_000_000: "343,000,000",
	} {
		if got := short(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}
