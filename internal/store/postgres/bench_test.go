package postgres_test

import (
	"context"
	"fmt"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/storetest"
)

// BenchmarkRunBatch measures one lane that always has work: batches of reserves by buyers who each come once, with
// fsync, without keys and with a new key each.
func BenchmarkRunBatch(b *testing.B) {
	for _, size := range []int{1, 10, 100, 500} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			benchmarkRunBatch(b, size, func(c drop.Reserve) drop.Command { return c })
		})
		b.Run(fmt.Sprintf("size=%d/keys", size), func(b *testing.B) {
			benchmarkRunBatch(b, size, func(c drop.Reserve) drop.Command {
				return drop.Keyed{Key: drop.NewKey("", "reserve", fmt.Sprintf("%x", newBatch()), drop.Asked(fmt.Sprint(c))), Command: c}
			})
		})
	}
}

func benchmarkRunBatch(b *testing.B, size int, command func(drop.Reserve) drop.Command) {
	b.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(300)) // the server's setting
	s := open(b, pgtest.Migrated(b))
	id := createDrop(b, s, drop.MaxStock)
	callers := callers(b.Context(), size, command)
	batch := laneBatch(id, <-callers)
	b.ReportAllocs()
	for b.Loop() {
		next := laneBatch(id, <-callers)
		batch.Follower = func() store.Batch { return next }
		if err := s.RunBatch(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		batch = next
	}
	b.ReportMetric(float64(b.N)*float64(size)/b.Elapsed().Seconds(), "reservations/s")
	if err := s.RunBatch(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
}

// callers sends commands, batch by batch, until ctx ends. It makes them concurrently with the lane, as real callers
// do.
func callers(ctx context.Context, size int, command func(drop.Reserve) drop.Command) <-chan []drop.Command {
	batches := make(chan []drop.Command, 2)
	go func() {
		for user := drop.UserID(1); ; {
			cmds := make([]drop.Command, size)
			for i := range cmds {
				cmds[i] = command(drop.Reserve{User: user, Hold: time.Hour})
				user++
			}
			select {
			case batches <- cmds:
			case <-ctx.Done():
				return
			}
		}
	}()
	return batches
}

// laneBatch is a batch as a lane makes it. It looks up kept answers only after a key was used again.
func laneBatch(id drop.ID, cmds []drop.Command) *storetest.Batch {
	need := drop.NeedOf(cmds)
	need.Keys = nil
	return &storetest.Batch{Drop: id, Need: need, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		_, changes := drop.Apply(s, now, newBatch(), cmds)
		return changes
	}}
}

// BenchmarkEnsureSubjects measures a crowd that signs in for the first time, and then again.
func BenchmarkEnsureSubjects(b *testing.B) {
	for name, fresh := range map[string]bool{"new": true, "known": false} {
		b.Run(name, func(b *testing.B) {
			s := open(b, pgtest.Migrated(b))
			subjects := make([]drop.Subject, 500)
			n := 0
			for b.Loop() {
				for i := range subjects {
					if fresh {
						n++
					} else {
						n = i
					}
					subjects[i] = drop.Subject{Issuer: "https://id.example", Subject: strconv.Itoa(n), Username: "Ann", Email: "ann@example.com"}
				}
				if _, err := s.EnsureSubjects(b.Context(), subjects); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(len(subjects))/b.Elapsed().Seconds(), "subjects/s")
		})
	}
}
