package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres/pgtest"
)

// BenchmarkRunBatch is one lane: batches of reserves by buyers who each come once, fsync on, without and with a key each.
func BenchmarkRunBatch(b *testing.B) {
	for _, size := range []int{1, 10, 100, 500} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			benchmarkRunBatch(b, size, func(c drop.Reserve) drop.Command { return c })
		})
		b.Run(fmt.Sprintf("size=%d/keys", size), func(b *testing.B) {
			benchmarkRunBatch(b, size, func(c drop.Reserve) drop.Command {
				return drop.Keyed{Key: drop.NewKey("", "reserve", fmt.Sprintf("%x", newBatch()), c), Command: c}
			})
		})
	}
}

func benchmarkRunBatch(b *testing.B, size int, command func(drop.Reserve) drop.Command) {
	b.Helper()
	s := open(b, pgtest.Migrated(b))
	id := createDrop(b, s, drop.MaxStock)
	user := drop.UserID(0)
	cmds := make([]drop.Command, size)
	b.ReportAllocs()
	for b.Loop() {
		for i := range cmds {
			user++
			cmds[i] = command(drop.Reserve{User: user, Hold: time.Hour})
		}
		err := s.RunBatch(b.Context(), store.Batch{
			Drop: id, Need: drop.NeedOf(cmds),
			Decide: func(s *drop.State, now drop.Time) *drop.Changes {
				_, changes := drop.Apply(s, now, newBatch(), cmds)
				return changes
			},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(size)/b.Elapsed().Seconds(), "reservations/s")
}
