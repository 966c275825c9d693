//go:build linux

package cluster

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"
)

// kind is a fault that may occur.
type kind struct {
	group string // every plan has one of each
	name  string
	// last is the range of how long the fault lasts before somebody repairs it. A primary that is silent for 20 s is
	// replaced.
	last [2]time.Duration
	// cable: a cable is pulled.
	cable bool
	// strike causes the fault, and returns the function that repairs it.
	strike func(*scene) (mend func() error, err error)
	// expect returns what is wrong with the sales during the fault.
	expect func(*outcome) error
}

// scene is the cluster as a fault finds it.
type scene struct {
	*cluster

	roles

	rnd    *rand.Rand
	detail string // the part that was hit
}

func seconds(least, most int) [2]time.Duration {
	return [2]time.Duration{time.Duration(least) * time.Second, time.Duration(most) * time.Second}
}

// watchdog is the time after which a watchdog resets the machine of a primary whose Patroni is silent (ttl -
// safety_margin). Here the test is the watchdog. Patroni before 3.0.3 may freeze for longer than the ttl, and then
// take over again from its successor, whose sales are lost.
var watchdog = seconds(15, 16)

// kinds are all faults.
func kinds() []kind {
	return slices.Concat(primaryKinds(), patroniKinds(), standbyKinds(), serviceKinds())
}

func primaryKinds() []kind {
	primary := func(do func(*scene) (func() error, error)) func(*scene) (func() error, error) {
		return func(s *scene) (func() error, error) { s.detail = s.primary.name; return do(s) }
	}
	none := func() error { return nil }
	return []kind{
		{group: "primary dies", name: "primary killed", strike: primary(func(s *scene) (func() error, error) {
			s.primary.send(syscall.SIGKILL)
			return none, nil
		})},
		{group: "primary dies", name: "primary's machine killed", last: seconds(3, 25), strike: primary(func(s *scene) (func() error, error) {
			s.primary.crash()
			return s.primary.patroni.start, nil
		})},
		{group: "primary", name: "primary frozen", last: seconds(3, 12), strike: primary(func(s *scene) (func() error, error) {
			return s.primary.freeze(), nil
		})},
		{group: "primary", name: "primary's machine frozen", last: seconds(3, 12), strike: primary(func(s *scene) (func() error, error) {
			return s.primary.freezeAll(), nil
		})},
		{group: "primary", name: "primary's machine frozen and reset", last: watchdog, strike: primary(func(s *scene) (func() error, error) {
			s.primary.freezeAll()
			return s.primary.reset, nil
		})},
		{group: "primary", name: "primary cut off", last: seconds(3, 28), cable: true, strike: primary(func(s *scene) (func() error, error) {
			return s.primary.mend, s.primary.pull()
		})},
		{group: "primary", name: "primary cut off from etcd", last: seconds(12, 28), cable: true, strike: primary(func(s *scene) (func() error, error) {
			etcd := hosts(s.etcd)
			return func() error { return s.primary.remember(etcd...) }, s.primary.forget(etcd...)
		})},
		{group: "primary", name: "primary restarted", strike: primary(func(s *scene) (func() error, error) {
			return s.primary.patroni.start, s.primary.patroni.stop()
		})},
		{group: "primary", name: "switchover", strike: primary(func(s *scene) (func() error, error) {
			return none, s.switchover(s.primary)
		})},
	}
}

func patroniKinds() []kind {
	return []kind{
		{group: "patroni", name: "primary's Patroni killed", last: seconds(1, 5), strike: func(s *scene) (func() error, error) {
			s.detail = s.primary.name
			s.primary.patroni.kill()
			return s.primary.patroni.start, nil
		}},
		{group: "patroni", name: "primary's Patroni frozen", last: seconds(3, 12), strike: func(s *scene) (func() error, error) {
			s.detail = s.primary.name
			return frozen(s.primary.patroni), nil
		}},
		{group: "patroni", name: "primary's Patroni frozen, its machine reset", last: watchdog, strike: func(s *scene) (func() error, error) {
			s.detail = s.primary.name
			frozen(s.primary.patroni)
			return s.primary.reset, nil
		}},
		{group: "patroni", name: "a standby's Patroni killed", last: seconds(1, 5), strike: func(s *scene) (func() error, error) {
			s.detail = s.standby.name
			s.standby.patroni.kill()
			return s.standby.patroni.start, nil
		}},
	}
}

func standbyKinds() []kind {
	on := func(which func(*scene) *member, do func(*scene, *member) (func() error, error)) func(*scene) (func() error, error) {
		return func(s *scene) (func() error, error) { m := which(s); s.detail = m.name; return do(s, m) }
	}
	synchronous := func(s *scene) *member { return s.standby }
	other := func(s *scene) *member { return s.other }
	kill := func(_ *scene, m *member) (func() error, error) {
		m.send(syscall.SIGKILL)
		return func() error { return nil }, nil
	}
	return []kind{
		{group: "standby", name: "synchronous standby killed", strike: on(synchronous, kill)},
		{group: "standby", name: "other standby killed", strike: on(other, kill)},
		{group: "standby", name: "synchronous standby frozen", last: seconds(7, 12), strike: on(synchronous, func(_ *scene, m *member) (func() error, error) {
			return m.freeze(), nil
		})},
		{group: "standby", name: "synchronous standby cut off", last: seconds(7, 12), cable: true, strike: on(synchronous, func(_ *scene, m *member) (func() error, error) {
			return m.mend, m.pull()
		})},
		{group: "standby", name: "synchronous standby restarted", last: seconds(0, 3), strike: on(synchronous, func(_ *scene, m *member) (func() error, error) {
			return m.patroni.start, m.patroni.stop()
		})},
		{group: "all standbys", name: "both standbys frozen", last: seconds(14, 16), expect: refused, strike: func(s *scene) (func() error, error) {
			s.detail = s.standby.name + ", " + s.other.name
			return both(s.standby.freeze(), s.other.freeze()), nil
		}},
		{group: "all standbys", name: "both standbys stopped", last: seconds(14, 16), expect: refused, strike: func(s *scene) (func() error, error) {
			s.detail = s.standby.name + ", " + s.other.name
			s.standby.crash()
			s.other.crash()
			return both(s.standby.patroni.start, s.other.patroni.start), nil
		}},
		{group: "all standbys", name: "both standbys frozen, then the primary killed", last: seconds(34, 36), expect: refused, strike: func(s *scene) (func() error, error) {
			s.detail = s.standby.name + ", " + s.other.name + ", then " + s.primary.name
			thaw := both(s.standby.freeze(), s.other.freeze())
			return func() error { s.primary.crash(); return errors.Join(thaw(), s.primary.patroni.start()) }, nil
		}},
	}
}

// refused: sales that are on one machine only are never acknowledged, and callers are told so.
func refused(o *outcome) error {
	const grace = 2 * time.Second // for sales that were already on two machines
	sold, away := sales(o.events, o.struck.Add(grace), o.mended)
	if sold > 0 || away == 0 {
		return fmt.Errorf("without a standby %d sales were acknowledged, and %d calls told that there are none", sold, away)
	}
	return nil
}

// undisturbed: sales continue. A replica that goes silent with a drop's lock may keep it for 5 s.
func undisturbed(o *outcome) error {
	const longest = 5500 * time.Millisecond
	if sold, _ := sales(o.events, o.struck, o.mended); sold == 0 && o.mended.Sub(o.struck) > longest {
		return errors.New("nothing was sold meanwhile")
	}
	return nil
}

func serviceKinds() []kind {
	var all []kind
	for _, service := range []struct {
		group, name string
		some        func(*cluster) map[string]*program
		expect      func(*outcome) error
	}{
		{"etcd", "an etcd", func(c *cluster) map[string]*program { return c.etcd }, undisturbed},
		{"nats", "a NATS", func(c *cluster) map[string]*program { return c.nats }, undisturbed},
		{"replica", "a replica", func(c *cluster) map[string]*program { return c.apps }, undisturbed},
		{"haproxy", "HAProxy", func(c *cluster) map[string]*program { return map[string]*program{c.lb.name: c.lb} }, nil},
	} {
		one := func(do func(*program) (func() error, error)) func(*scene) (func() error, error) {
			return func(s *scene) (func() error, error) {
				some := service.some(s.cluster)
				names := slices.Sorted(maps.Keys(some))
				s.detail = names[s.rnd.IntN(len(names))]
				return do(some[s.detail])
			}
		}
		all = append(all,
			kind{group: service.group, name: service.name + " killed", last: seconds(1, 8), expect: service.expect, strike: one(func(p *program) (func() error, error) {
				p.kill()
				return p.start, nil
			})},
			kind{group: service.group, name: service.name + " frozen", last: seconds(3, 10), expect: service.expect, strike: one(func(p *program) (func() error, error) {
				return frozen(p), nil
			})},
			kind{group: service.group, name: service.name + " cut off", last: seconds(3, 10), cable: true, expect: service.expect, strike: one(func(p *program) (func() error, error) {
				return p.machine.mend, p.machine.pull()
			})},
			kind{group: service.group, name: service.name + " restarted", expect: service.expect, strike: one(func(p *program) (func() error, error) {
				return p.start, p.stop()
			})},
		)
	}
	every := func(some func(*cluster) map[string]*program) func(*scene) (func() error, error) {
		return func(s *scene) (func() error, error) {
			var starts []func() error
			for _, p := range some(s.cluster) {
				p.kill()
				starts = append(starts, p.start)
			}
			return both(starts...), nil
		}
	}
	return append(all,
		kind{group: "etcd", name: "all of etcd killed", last: seconds(12, 20), strike: every(func(c *cluster) map[string]*program { return c.etcd })},
		kind{group: "all of NATS", name: "all of NATS killed", last: seconds(6, 9), expect: undisturbed, strike: every(func(c *cluster) map[string]*program { return c.nats })},
		kind{group: "all of NATS", name: "all of NATS frozen", last: seconds(6, 9), expect: undisturbed, strike: func(s *scene) (func() error, error) {
			var thaws []func() error
			for _, p := range s.nats {
				thaws = append(thaws, frozen(p))
			}
			return both(thaws...), nil
		}},
	)
}

// crash kills everything on a database's machine.
func (m *member) crash() {
	m.patroni.kill()
	m.send(syscall.SIGKILL)
}

// reset is a crash, followed by a start.
func (m *member) reset() error {
	m.crash()
	return m.patroni.start()
}

// freeze stops PostgreSQL and all its sessions where they are, and returns the function that lets them continue.
func (m *member) freeze() (thaw func() error) {
	m.send(syscall.SIGSTOP)
	return func() error { m.send(syscall.SIGCONT); return nil }
}

func (m *member) freezeAll() (thaw func() error) {
	return both(frozen(m.patroni), m.freeze())
}

func frozen(p *program) (thaw func() error) {
	p.send(syscall.SIGSTOP)
	return func() error { p.send(syscall.SIGCONT); return nil }
}

func both(all ...func() error) func() error {
	return func() error {
		var err error
		for _, f := range all {
			err = errors.Join(err, f())
		}
		return err
	}
}

func hosts(programs map[string]*program) []*machine {
	var all []*machine
	for _, p := range programs {
		all = append(all, p.machine)
	}
	return all
}
