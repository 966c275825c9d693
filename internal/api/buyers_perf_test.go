//go:build perf

package api_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"sneakerdrop/internal/testing/stores"
)

// The server refuses another buyer's reservation in the same time as one that does not exist.
func TestIDOR_TakesAsLongForOthersAsForNone(t *testing.T) {
	for _, name := range stores.Engines {
		t.Run(name, func(t *testing.T) {
			g, middle := amongMany(t, name)
			paths := []string{"/api/drops/purchase", "/api/drops/cancel"}
			for attempt := range 3 { // other programs may disturb one try, but a real difference would stay
				ratio := g.refusalTimes(paths, middle, middle+100_000)
				if ratio < 1.25 && ratio > 1/1.25 {
					break
				}
				if attempt == 2 {
					t.Errorf("another's reservation takes %.2f times as long as none", ratio)
				}
			}
		})
	}
}

// refusalTimes asks alternately for another buyer's reservations and for missing ones, and returns the ratio of the
// median times.
func (g *guarded) refusalTimes(paths []string, others, nobodys int64) float64 {
	g.Helper()
	var there, none []time.Duration
	took := func(path string, id int64) time.Duration {
		began := time.Now()
		g.as(g.bob, "POST", path, fmt.Sprintf(`{"reservationId":%d}`, id))
		return time.Since(began)
	}
	for n := range int64(400) {
		path := paths[n%2]
		if n%4 < 2 { // neither always comes first
			there = append(there, took(path, others+n%300))
			none = append(none, took(path, nobodys+n))
		} else {
			none = append(none, took(path, nobodys+n))
			there = append(there, took(path, others+n%300))
		}
	}
	ratio := float64(median(there)) / float64(median(none))
	g.Logf("median of another's %s, of none %s: ratio %.2f over %d calls", median(there), median(none), ratio, len(there)+len(none))
	return ratio
}

func median[T cmp.Ordered](all []T) T {
	slices.Sort(all)
	return all[len(all)/2]
}
