package fakestripe

import (
	"net/http"
	"strings"
)

// Kind is a way in which a call goes wrong.
type Kind string

// The kinds of faults.
const (
	Lost        Kind = "lost"         // the call has its effect, and the connection closes without an answer
	Unreached   Kind = "unreached"    // the connection closes before the call has an effect
	Late        Kind = "late"         // the call has its effect, and the answer waits for Fault.Until
	Doubled     Kind = "doubled"      // the call comes twice, as from a careless proxy; the second answer is sent
	Failed      Kind = "500"          // Stripe fails before the call has an effect, and stores that under the key
	FailedAfter Kind = "500-after"    // Stripe fails after it had its effect, and stores that under the key
	TooMany     Kind = "429"          // the account makes too many calls
	Busy        Kind = "lock-timeout" // another call uses the object at the moment
	Refused     Kind = "402"          // the buyer's bank refuses
	Nonsense    Kind = "nonsense"     // the call has its effect, and the answer is no JSON
	Garbled     Kind = "garbled"      // the call has its effect, and the answer breaks off
)

// Fault makes calls go wrong.
type Fault struct {
	Kind   Kind
	Method string // the calls to harm; empty: all
	Path   string // a part of their path; empty: all
	Times  int    // how often; 0: once
	Until  <-chan struct{}
}

// Harm adds a fault. Faults that match the same call act one after the other.
func (s *Stripe) Harm(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	s.faults = append(s.faults, &f)
}

// Chaos makes a share of the calls go wrong, from 0 (none, as at the start) to 1, in one of these ways. Late is no way,
// because nobody would end it.
func (s *Stripe) Chaos(rate float64, kinds ...Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rate, s.kinds = rate, kinds
}

// fault returns what goes wrong with a call; its Kind is empty if nothing does.
func (s *Stripe) fault(r *http.Request) Fault {
	for i, f := range s.faults {
		if (f.Method == "" || f.Method == r.Method) && strings.Contains(r.URL.Path, f.Path) {
			if f.Times--; f.Times == 0 {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			}
			return *f
		}
	}
	if s.rate > 0 && s.random.Float64() < s.rate {
		return Fault{Kind: s.kinds[s.random.IntN(len(s.kinds))]}
	}
	return Fault{}
}
