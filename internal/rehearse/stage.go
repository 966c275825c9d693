package rehearse

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrRunning refuses a rehearsal while another one is running.
var ErrRunning = errors.New("a rehearsal is under way")

// Stage runs one rehearsal at a time, which continues even if its caller has left. Its methods are safe for
// concurrent use. The zero value is empty.
type Stage struct {
	mu      sync.Mutex
	state   State
	past    []State // that have ended, the oldest first
	cancel  context.CancelFunc
	stopped bool
	playing sync.WaitGroup
}

// State is the current or the last rehearsal.
type State struct {
	Running  bool
	Config   Config // without its functions and token
	Began    time.Time
	Progress Progress
	Result   *Result
	Err      error
}

// remembered is how many rehearsals that have ended a stage remembers.
const remembered = 20

// Begin checks whether a rehearsal may begin, and starts it. It refuses as Check does, and with ErrRunning.
func (s *Stage) Begin(ctx context.Context, c Config) error {
	s.mu.Lock()
	if s.state.Running || s.stopped {
		s.mu.Unlock()
		return ErrRunning
	}
	before := s.state
	s.state = State{Running: true, Config: Config{Drop: c.Drop, Buyers: c.Buyers}, Began: time.Now()}
	s.mu.Unlock()
	if err := Check(ctx, c); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.state = before
		return err
	}
	c.Progress = func(p Progress) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.state.Progress = p
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		s.state = before
		return ErrRunning
	}
	var playing context.Context
	playing, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.playing.Go(func() {
		result, err := Run(playing, c)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.state.Running, s.state.Result, s.state.Err = false, result, err
		if s.past = append(s.past, s.state); len(s.past) > remembered {
			s.past = slices.Delete(s.past, 0, 1)
		}
	})
	return nil
}

// State returns the current or the last rehearsal; the zero value means that there was none.
func (s *Stage) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Past returns the rehearsals that have ended, the newest first; a stage remembers a bounded number of them.
func (s *Stage) Past() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	past := slices.Clone(s.past)
	slices.Reverse(past)
	return past
}

// Stop ends the current rehearsal and waits for it. No other one can begin afterwards.
func (s *Stage) Stop() {
	s.mu.Lock()
	s.stopped = true
	if s.cancel != nil {
		s.cancel()
	}
	s.mu.Unlock()
	s.playing.Wait()
}
