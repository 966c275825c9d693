package histories

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"sneakerdrop/internal/testing/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// For every history of calls over HTTP, some order of the calls explains the answers. That holds for each store, with
// one server and with two, with and without faults.
//
// HISTORIES=seed runs only the histories of that seed. Its clients make the same calls again, but the servers may
// receive them in another order, so repeat it with -count.
func TestHistories_HaveAnOrderThatExplainsThem(t *testing.T) {
	sum := new(sum)
	t.Run("all", func(t *testing.T) {
		for _, s := range settings() {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				for _, seed := range seeds(t, s) {
					if !t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { newHistory(t, s, seed, sum).verify() }) {
						t.Fatalf("HISTORIES=%d go test ./internal/testing/histories -run 'Histories/all/%s'", seed, s.name)
					}
				}
			})
		}
	})
	sum.log(t)
	if n := sum.counts[undecided]; 20*n > sum.counts[histories] {
		t.Errorf("%d of %d histories are undecided: make them shorter", n, sum.counts[histories])
	}
}

// verify makes the history and checks it against everything that is promised.
func (h *history) verify() {
	m := h.run()
	if h.clockSet() {
		h.count("histories while somebody set the clock")
		return
	}
	switch h.check(m) {
	case porcupine.Illegal:
		h.t.Error("no order explains it")
	case porcupine.Unknown:
		h.count(undecided)
	case porcupine.Ok:
	}
	h.versions()
	h.explained(m)
	h.ruled(m)
	h.settled(m)
}

// settings are the kinds of histories.
func settings() []setting {
	const soon = 4 * time.Millisecond
	var all []setting
	for _, s := range []setting{
		{name: "memory", histories: 10, perClient: 30, open: in(1, "memory")},
		{name: "memory,_two_servers", histories: 10, perClient: 30, open: in(2, "memory")},
		{name: "sqlite", histories: 4, perClient: 25, open: in(1, "sqlite")},
		{name: "postgres", histories: 4, perClient: 25, open: onPostgres(1)},
		{name: "postgres,_two_servers", histories: 6, perClient: 25, open: onPostgres(2)},
	} {
		s.pause = soon
		all = append(all, s)
		s.name += ",_faults"
		s.cuts, s.faults = true, true
		all = append(all, s)
	}
	return all
}

func seeds(t *testing.T, s setting) []uint64 {
	if replay := os.Getenv("HISTORIES"); replay != "" {
		seed, err := strconv.ParseUint(replay, 10, 64)
		if err != nil {
			t.Fatalf("HISTORIES: %v", err)
		}
		return []uint64{seed}
	}
	first := uint64(time.Now().UnixNano())
	all := make([]uint64, s.histories*times)
	for i := range all {
		all[i] = first + uint64(i)
	}
	return all
}
