//go:build linux

package cluster

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"time"
)

// step is one fault of a plan.
type step struct {
	kind
	last time.Duration
	seed uint64 // decides everything that is drawn when the fault strikes
}

// newPlan draws n faults of the kinds whose names match; the same seed draws the same plan. Each group occurs once in
// a fixed number of faults, and the kinds of a group take turns.
func newPlan(seed uint64, n int, cables bool, only *regexp.Regexp) []step {
	rnd := rand.New(rand.NewPCG(seed, 0))
	var groups []string
	decks, left := make(map[string][]kind), make(map[string][]kind)
	for _, k := range kinds() {
		if k.cable && !cables || !only.MatchString(k.name) {
			continue
		}
		if decks[k.group] == nil {
			groups = append(groups, k.group)
		}
		decks[k.group] = append(decks[k.group], k)
	}
	var plan []step
	for len(groups) > 0 && len(plan) < n {
		rnd.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
		for _, group := range groups[:min(len(groups), n-len(plan))] {
			if len(left[group]) == 0 {
				left[group] = slices.Clone(decks[group])
				rnd.Shuffle(len(left[group]), func(i, j int) { left[group][i], left[group][j] = left[group][j], left[group][i] })
			}
			k := left[group][0]
			left[group] = left[group][1:]
			s := step{kind: k, last: k.last[0], seed: rnd.Uint64()}
			if more := k.last[1] - k.last[0]; more > 0 {
				s.last += time.Duration(rnd.Int64N(int64(more))).Round(time.Millisecond)
			}
			plan = append(plan, s)
		}
	}
	return plan
}

// A seed stands for one plan, in which every group occurs, and later every kind.
func TestPlan_IsItsSeeds(t *testing.T) {
	all := regexp.MustCompile("")
	for seed := range uint64(20) {
		plan, again := newPlan(seed, 100, true, all), newPlan(seed, 100, true, all)
		groups, names := make(map[string]bool), make(map[string]bool)
		for i, s := range plan {
			if s.name != again[i].name || s.last != again[i].last || s.seed != again[i].seed {
				t.Fatalf("seed %d: step %d is %s of %s, and again %s of %s", seed, i, s.name, s.last, again[i].name, again[i].last)
			}
			if i < 10 {
				groups[s.group] = true
			}
			names[s.name] = true
		}
		if len(plan) != 100 || len(groups) != 10 || len(names) != len(kinds()) {
			t.Errorf("seed %d: %d steps, %d groups in the first ten, %d of %d kinds", seed, len(plan), len(groups), len(names), len(kinds()))
		}
	}
	if slices.ContainsFunc(newPlan(1, 100, false, all), func(s step) bool { return s.cable }) {
		t.Error("a cable is pulled where there are none")
	}
	if newPlan(1, 10, true, all)[3].last == newPlan(2, 10, true, all)[3].last {
		t.Error("two seeds, one plan")
	}
}
