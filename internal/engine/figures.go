package engine

import "github.com/prometheus/client_golang/prometheus"

// Queued returns how many commands are waiting in lanes now.
func (e *Engine) Queued() (n int) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, l := range e.lanes {
		l.mu.Lock()
		n += len(l.queue)
		l.mu.Unlock()
	}
	return n
}

// Commands returns the counters of commands, by command and outcome.
func (m *Metrics) Commands() prometheus.Collector { return m.commands }

// Expired is the counter of holds that ended unpaid.
func (m *Metrics) Expired() prometheus.Collector { return m.expired }

// HoldReturns returns the histogram of the time from a hold's end until its unit is available again.
func (m *Metrics) HoldReturns() prometheus.Collector { return m.expiryLag }
