package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestJobs_RunOneAfterTheOtherUntilTheServerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun []time.Time
		running := 0
		j := job{name: "slow", every: 10 * time.Second, timeout: time.Minute, run: func(context.Context) error {
			if running++; running > 1 {
				t.Error("two runs at once")
			}
			begun = append(begun, time.Now())
			time.Sleep(25 * time.Second) // longer than the rest between two runs
			running--
			return nil
		}}
		start := time.Now()
		s := startJobs(t.Context(), slog.New(slog.DiscardHandler), j)
		time.Sleep(10 * time.Minute)
		s.stop()
		n := len(begun)
		if time.Sleep(time.Hour); len(begun) != n || running != 0 {
			t.Error("it runs on after the stop")
		}
		if first := begun[0].Sub(start); first > time.Second {
			t.Errorf("the first run begins after %s", first)
		}
		for i := 1; i < n; i++ {
			if rest := begun[i].Sub(begun[i-1]) - 25*time.Second; rest < 10*time.Second || rest > 11*time.Second {
				t.Errorf("before run %d it rests for %s", i, rest)
			}
		}
	})
}

func TestJobs_FailuresAreSaidOnceAndATimeoutIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		runs := 0
		j := job{name: "poor", every: time.Minute, timeout: 5 * time.Second, run: func(ctx context.Context) error {
			switch runs++; {
			case runs <= 2:
				<-ctx.Done()
				return ctx.Err()
			case runs == 3:
				return errors.New("it rained")
			default:
				return nil
			}
		}}
		s := startJobs(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), j)
		time.Sleep(8 * time.Minute)
		s.stop()
		said := log.String()
		if runs < 6 || strings.Count(said, "\n") != 2 || !strings.Contains(said, `level=WARN msg="a background job failed`) ||
			!strings.Contains(said, "job=poor every=1m0s err=\"context deadline exceeded\"") || !strings.Contains(said, `msg="a background job works again" job=poor`) {
			t.Errorf("%d runs: %s", runs, said)
		}
	})
}

// A stop cancels a run and waits only for it to end.
func TestJobs_StopEndsARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ended := false
		s := startJobs(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), job{name: "long", every: time.Second, timeout: time.Hour, run: func(ctx context.Context) error {
			<-ctx.Done()
			ended = true
			return ctx.Err()
		}})
		time.Sleep(time.Minute)
		began := time.Now()
		if s.stop(); !ended || time.Since(began) != 0 || log.Len() > 0 {
			t.Errorf("ended %t after %s: %s", ended, time.Since(began), &log)
		}
	})
}
