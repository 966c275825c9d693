package sqlite

import (
	"crypto/rand"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/testing/storetest"
)

// BenchmarkRunBatch reserves one unit for each of a batch of new buyers. The index on users grows with its drop, and
// a batch touches more of its pages, so the size of the drops matters. So does the size of the table of keys, because
// keys are random.
func BenchmarkRunBatch(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(300)) // the server's setting
	for _, c := range []struct {
		batch, units int
		keyed        bool
	}{
		{1, 20_000, false},
		{10, 20_000, false},
		{100, 20_000, false},
		{500, 20_000, false},
		{500, drop.MaxStock, false},
		{1, 20_000, true},
		{500, 20_000, true},
		{500, drop.MaxStock, true},
	} {
		b.Run(fmt.Sprintf("batch=%d/units=%d/keyed=%t", c.batch, c.units, c.keyed), func(b *testing.B) {
			s := openNew(b, Options{})
			var id drop.ID
			cmds := make([]drop.Command, c.batch)
			user, left := int64(0), 0
			b.ReportAllocs()
			for b.Loop() {
				if left < c.batch {
					id, left = newDrop(b, s, int64(c.units)), c.units
				}
				left -= c.batch
				for i := range cmds {
					user++
					cmds[i] = drop.Reserve{User: scattered(user), Hold: time.Hour}
					if c.keyed {
						cmds[i] = drop.Keyed{Key: drop.NewKey("", "reserve", rand.Text(), drop.Asked(fmt.Sprint(cmds[i]))), Command: cmds[i]}
					}
				}
				batch := newBatchID()
				err := s.RunBatch(b.Context(), &storetest.Batch{
					Drop: id, Need: drop.NeedOf(cmds),
					Decider: func(state *drop.State, now drop.Time) *drop.Changes {
						_, changes := drop.Apply(state, now, batch, cmds)
						return changes
					},
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*c.batch)/b.Elapsed().Seconds(), "reservations/s")
		})
	}
}

// BenchmarkRunBatch_Lanes runs 32 lanes, each with its own drop, that reserve one unit at a time. This is the case
// that shared transactions are for.
func BenchmarkRunBatch_Lanes(b *testing.B) {
	const lanes = 32
	s := openNew(b, Options{})
	var wg sync.WaitGroup
	var done atomic.Int64
	ids := make([]drop.ID, lanes)
	for i := range ids {
		ids[i] = newDrop(b, s, drop.MaxStock)
	}
	b.ResetTimer()
	for _, id := range ids {
		wg.Go(func() {
			for user := done.Add(1); user <= int64(b.N); user = done.Add(1) {
				results, err := apply(b, s, id, drop.Reserve{User: scattered(user), Hold: time.Hour})
				if err != nil || results[0].Err != nil {
					b.Errorf("reserve: %v, %+v", err, results)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reservations/s")
}

// scattered spreads consecutive numbers over the range of user ids, because buyers arrive in no order.
func scattered(n int64) drop.UserID { return drop.UserID(n*2654435761%(1<<39) + 1) }
