package engine

import (
	"log/slog"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
)

const (
	// skewSamples is how many sweeps the difference between the clocks is estimated from.
	skewSamples = 10
	// skewWorth is the difference at which the operator is warned. Below skewHealed the clocks agree again.
	skewWorth, skewHealed = time.Second, 500 * time.Millisecond
)

// skew estimates how far the local clock is ahead of the store's. People see the store's time, which decides; timers
// use clockOffset. The zero value is ready and assumes that the clocks agree.
type skew struct {
	mu      sync.Mutex
	samples []sample // the newest last
	least   time.Duration
	most    time.Duration
	warned  bool
}

// sample is what one answer of the store tells: the local clock is ahead by at least least and at most most.
type sample struct{ least, most time.Duration }

// add adds an answer that contains the store's time. It was requested at sent and arrived at received. If it
// contradicts older samples, a clock was set, and add drops those.
func (s *skew) add(told drop.Time, sent, received time.Time, log *slog.Logger) {
	newest := sample{least: sent.Sub(told.Time()) - time.Millisecond, most: received.Sub(told.Time())} // told is in whole milliseconds
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.samples = append(s.samples, newest); len(s.samples) > skewSamples {
		s.samples = s.samples[1:]
	}
	s.least, s.most = newest.least, newest.most
	for i := len(s.samples) - 2; i >= 0; i-- {
		least, most := max(s.least, s.samples[i].least), min(s.most, s.samples[i].most)
		if least > most {
			s.samples = s.samples[i+1:]
			break
		}
		s.least, s.most = least, most
	}
	switch ahead := s.ahead(); {
	case !s.warned && (s.least > skewWorth || s.most < -skewWorth):
		s.warned = true
		log.Warn("the clocks of this machine and of the database differ; holds and starts follow the database's. Run NTP on both",
			"ahead", ahead.Round(time.Millisecond))
	case s.warned && ahead.Abs() < skewHealed:
		s.warned = false
		log.Info("the clocks of this machine and of the database agree again", "ahead", ahead.Round(time.Millisecond))
	}
}

// ahead needs s.mu. Clocks that may agree, as far as the samples tell, count as equal.
func (s *skew) ahead() time.Duration {
	if s.least <= 0 && 0 <= s.most {
		return 0
	}
	return s.least + (s.most-s.least)/2
}

func (s *skew) get() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ahead()
}

// Now returns the store's time as precisely as this process knows it without asking. Use it to show times to people,
// never to decide.
func (e *Engine) Now() drop.Time { return drop.TimeOf(time.Now().Add(-e.skew.get())) }
