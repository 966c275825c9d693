package app

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// job is recurring work outside the lanes, for as long as the server runs. A run begins only after the previous one
// has ended.
type job struct {
	name string
	// every is the rest between runs. A random tenth of it, up to a minute, is added, so that replicas do not run at
	// the same time.
	every time.Duration
	// timeout limits one run.
	timeout time.Duration
	run     func(context.Context) error
}

// jobs are the running jobs.
type jobs struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// startJobs starts each job a moment later. A failing job is logged once until it works again.
func startJobs(ctx context.Context, log *slog.Logger, all ...job) *jobs {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	started := &jobs{cancel: cancel}
	for _, j := range all {
		started.running.Go(func() { j.repeat(ctx, log) })
	}
	return started
}

// stop cancels the runs under way and waits for them.
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
			log.Warn("a background job failed; the next run comes at its usual time", "job", j.name, "every", j.every, "err", err)
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
