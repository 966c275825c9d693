package app

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// job is work that is done again and again beside the lanes, as long as the server runs. A run begins once the one
// before has ended.
type job struct {
	name string
	// every is how long it rests. Up to a tenth of that (and a minute) is added each time, so that replicas do not
	// all begin at once.
	every time.Duration
	// timeout bounds one run.
	timeout time.Duration
	run     func(context.Context) error
}

// jobs are those that run.
type jobs struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// startJobs begins each of them a moment later. That one fails is in the log, once until it works again.
func startJobs(ctx context.Context, log *slog.Logger, all ...job) *jobs {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	started := &jobs{cancel: cancel}
	for _, j := range all {
		started.running.Go(func() { j.repeat(ctx, log) })
	}
	return started
}

// stop ends the runs that are under way, and waits for them.
func (s *jobs) stop() {
	s.cancel()
	s.running.Wait()
}

func (j *job) repeat(ctx context.Context, log *slog.Logger) {
	failing := false
	for rest := time.Duration(0); ; rest = j.every {
		select {
		case <-ctx.Done():
			return
		case <-time.After(rest + rand.N(min(j.every/10, time.Minute))):
		}
		err := j.once(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			log.Warn("a background job failed, and is tried again at its time", "job", j.name, "every", j.every, "err", err)
		case err == nil && failing:
			log.Info("a background job works again", "job", j.name)
		}
		failing = err != nil
	}
}

func (j *job) once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, j.timeout)
	defer cancel()
	return j.run(ctx)
}
