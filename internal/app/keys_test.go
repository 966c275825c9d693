package app

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store/memory"
)

// A server deletes answers that were kept for 24 hours within minutes, without being asked.
func TestJobs_ForgetKeysAfter24Hours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.DiscardHandler)
		s := &server{Config: Config{Log: log}, engine: engine.New(memory.New(func() drop.Time { return drop.TimeOf(time.Now()) }), engine.Config{Log: log})}
		down, err := up(t.Context(), []part{s.startEngine, s.startJobs})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := down(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		v, err := s.engine.Create(t.Context(), drop.Spec{Name: "Comet", Price: 12000, StartTime: 1, TotalStock: new(int64(10))}, engine.Retry{})
		if err != nil {
			t.Fatal(err)
		}
		reserve := func() drop.Reservation {
			t.Helper()
			r, err := s.engine.Reserve(t.Context(), v.Drop.ID, 1, "", engine.Retry{Key: "k"})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		first := reserve()
		time.Sleep(23*time.Hour + 59*time.Minute)
		if r := reserve(); r != first {
			t.Errorf("before 24 hours: %+v", r)
		}
		time.Sleep(3 * time.Minute)
		if r := reserve(); r == first {
			t.Errorf("after 24 hours: %+v; want a new reservation", r)
		}
	})
}
