//go:build linux

package test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"sneakerdrop/internal/testing/pgtest"
)

// standbys are a primary and a synchronous standby, which swap roles.
type standbys struct {
	t                *testing.T
	tr               *traffic
	primary, standby *pgtest.Cluster
	apart            bool // the standby does not follow the primary
}

const standbyName = "standby"

func newStandbys(t *testing.T, seed uint64, args ...string) *standbys {
	t.Helper()
	// The machine does not fail, so what PostgreSQL has written stays.
	primary := pgtest.NewCluster(t, pgtest.Where{Settings: []string{"fsync=off"}})
	s := &standbys{t: t, primary: primary, standby: primary.Standby(t, standbyName)}
	s.synchronise()
	several := pgtest.Several(s.primary, s.standby)
	s.tr = newTraffic(t, seed, several, several, args...)
	return s
}

// synchronise makes each COMMIT wait for the standby.
func (s *standbys) synchronise() {
	s.t.Helper()
	must(s.t, s.primary.Set("synchronous_standby_names", standbyName))
	must(s.t, s.primary.AwaitSynchronous(standbyName))
}

// together makes the stopped server a standby of the other one.
func (s *standbys) together() {
	s.t.Helper()
	if !s.apart {
		return
	}
	if s.standby.Running() {
		must(s.t, s.standby.Kill())
	}
	must(s.t, s.standby.Follow(s.primary, standbyName))
	s.synchronise()
	s.apart = false
}

// takeOver promotes the standby.
func (s *standbys) takeOver() {
	s.t.Helper()
	must(s.t, s.standby.Promote())
	s.primary, s.standby, s.apart = s.standby, s.primary, true
}

// ready waits until the server says that it can serve, or that it cannot.
func (s *standbys) ready(want bool) {
	s.t.Helper()
	if err := poll(s.t.Context(), func() error {
		res, err := http.Get(s.tr.server.url + "/readyz")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if is := res.StatusCode == http.StatusOK; is != want {
			return errors.New("/readyz is answered " + res.Status)
		}
		return nil
	}); err != nil {
		s.t.Error(err)
	}
}

// suffer is traffic.suffer with both servers there when the fault strikes.
func (s *standbys) suffer(faults ...fault) {
	s.t.Helper()
	for _, f := range faults {
		strike := f.strike
		f.strike = func() func() {
			s.together() // from an earlier try
			return strike()
		}
		s.together()
		s.tr.suffer(f)
		s.ready(true)
	}
}

// The primary dies, is demoted, becomes read-only or hangs, and a standby takes over. Everything that was
// acknowledged is there, and the server, which has both addresses, sells again by itself. It reports that it is not
// ready while no PostgreSQL server accepts writes.
func TestFault_Failover(t *testing.T) {
	t.Parallel()
	s := newStandbys(t, seedOf(t))
	s.suffer(
		fault{name: "primary killed", last: 300 * time.Millisecond, strike: func() func() {
			must(t, s.primary.Kill())
			s.ready(false)
			return s.takeOver
		}},
		fault{name: "primary demoted to a standby", last: 300 * time.Millisecond, strike: func() func() {
			must(t, s.primary.StopFast())
			s.takeOver()
			s.together()
			return func() {}
		}},
		fault{name: "primary read only", last: 300 * time.Millisecond, strike: func() func() {
			must(t, s.primary.Set("default_transaction_read_only", "on"))
			s.ready(false)
			return s.takeOver
		}},
		fault{name: "primary frozen, and overtaken", strike: func() func() {
			s.primary.Freeze()
			return s.takeOver
		}},
	)
	t.Log(s.tr.report())
}

// All synchronous standbys are gone. Nobody is told of a sale that no standby has, whatever interrupts COMMIT's wait.
// Once there is a standby again, everything is answered. If the primary is lost instead, nothing that was answered is
// lost.
func TestFault_NoStandby(t *testing.T) {
	t.Parallel()
	s := newStandbys(t, seedOf(t))
	s.suffer(
		fault{name: "and one comes back", last: time.Second, quiet: true, strike: func() func() {
			must(t, s.standby.StopFast())
			return func() { must(t, s.standby.Start()) }
		}},
		fault{name: "waits cancelled, and one comes back", last: 5 * time.Second, strike: func() func() {
			must(t, s.standby.StopFast())
			stop := s.cancelWaits()
			return func() {
				stop()
				must(t, s.standby.Start())
			}
		}},
		fault{name: "waits cancelled, and the primary is lost", last: 5 * time.Second, strike: func() func() {
			must(t, s.standby.StopFast())
			stop := s.cancelWaits()
			return func() {
				stop()
				must(t, s.primary.Kill())
				must(t, s.standby.Start())
				s.takeOver()
			}
		}},
	)
	t.Log(s.tr.report())
}

// cancelWaits cancels each COMMIT that waits for a standby. PostgreSQL then reports COMMIT with a warning, and others
// see what no standby has.
func (s *standbys) cancelWaits() (stop func()) {
	return again(s.t, s.primary.URL(), `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
}
