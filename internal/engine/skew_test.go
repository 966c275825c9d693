package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

// faraway is a store whose answers take time in both directions, and whose clock is ahead.
type faraway struct {
	store.Store

	there, back func() time.Duration
}

func (f faraway) Pulse(ctx context.Context) (store.Pulse, error) {
	time.Sleep(f.there())
	p, err := f.Store.Pulse(ctx)
	time.Sleep(f.back())
	return p, err
}

func skewOf(t *testing.T, m *engine.Metrics) time.Duration {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(m)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "sneakerdrop_clock_skew_seconds" {
			return time.Duration(f.GetMetric()[0].GetGauge().GetValue() * float64(time.Second))
		}
	}
	t.Fatal("there is no sneakerdrop_clock_skew_seconds")
	return 0
}

// Whatever the clocks and the delay between them, people see the store's time as precisely as the delay allows.
func TestNow_IsTheStoresTime(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 17))
	for range 200 {
		ahead := time.Duration(random.Int64N(int64(20*time.Second))) - 10*time.Second
		quick := time.Duration(random.Int64N(int64(20 * time.Millisecond)))
		t.Run(fmt.Sprintf("seed %d, ahead %s, at least %s", seed, ahead, quick), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := func() drop.Time { return drop.TimeOf(time.Now().Add(ahead)) }
				way := func() time.Duration { return quick/2 + time.Duration(random.ExpFloat64()*float64(5*time.Millisecond)) }
				m := engine.NewMetrics()
				e := engine.New(faraway{memory.New(clock), way, way}, engine.Config{Metrics: m, Log: slog.New(slog.DiscardHandler)})
				if err := e.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(15 * time.Second)
				// In the worst case the whole delay is in one direction, which nobody can detect. Usually it is not.
				bound := quick/2 + 15*time.Millisecond
				if off := e.Now().Sub(clock()); off.Abs() > bound {
					t.Errorf("Now is off by %s, want at most %s", off, bound)
				}
				if off := skewOf(t, m) + ahead; off.Abs() > bound {
					t.Errorf("the metric is off by %s", off)
				}
				if err := e.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A store that uses this process's clock has no other time, however slow it is.
func TestNow_OfOneClockIsThatClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func() time.Duration { return 700 * time.Millisecond }
		e := engine.New(faraway{memory.New(localNow), slow, func() time.Duration { return 0 }}, engine.Config{})
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			time.Sleep(990 * time.Millisecond)
			if got, want := e.Now(), localNow(); got != want {
				t.Errorf("%v, want %v", got, want)
			}
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// The engine follows a changed clock within two seconds and warns the operator once. It does not repeat the warning
// each second or at the threshold.
func TestNow_FollowsAClockThatIsSetAndWarnsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ahead atomic.Int64
		clock := func() drop.Time { return drop.TimeOf(time.Now().Add(time.Duration(ahead.Load()))) }
		var log bytes.Buffer
		e := engine.New(memory.New(clock), engine.Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			ahead             time.Duration
			warned, comforted int // how many messages there have been by then
		}{
			{900 * time.Millisecond, 0, 0},
			{5 * time.Second, 1, 0},
			{900 * time.Millisecond, 1, 0}, // above the lower threshold
			{1100 * time.Millisecond, 1, 0},
			{-time.Hour, 1, 0},
			{0, 1, 1},
			{-1100 * time.Millisecond, 2, 1},
			{300 * time.Millisecond, 2, 2},
		} {
			ahead.Store(int64(step.ahead))
			time.Sleep(2500 * time.Millisecond)
			synctest.Wait()
			if off := e.Now().Sub(clock()); off.Abs() > 2*time.Millisecond {
				t.Errorf("set ahead by %s: off by %s", step.ahead, off)
			}
			time.Sleep(30 * time.Second)
			synctest.Wait()
			warned, comforted := strings.Count(log.String(), "of the database differ"), strings.Count(log.String(), "agree again")
			if warned != step.warned || comforted != step.comforted {
				t.Errorf("ahead by %s: warned %d times, comforted %d, want %d and %d", step.ahead, warned, comforted, step.warned, step.comforted)
			}
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
