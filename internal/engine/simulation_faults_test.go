package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/storetest"
)

// plan is what fails in one simulation. Its seed decides all of it.
type plan struct {
	seed    uint64
	trouble float64       // the share of store calls that fail
	slow    time.Duration // the longest that a store call takes
	outages []outage
	steps   []clockStep
	crashes []crash
	hold    time.Duration
	draw    time.Duration // until the draw closes; 0: no drop has a draw
	early   early
}

// outage is a period in which no call reaches the store.
type outage struct{ from, to time.Duration }

// clockStep sets the store's clock.
type clockStep struct {
	at, by time.Duration
}

// crash kills a replica and restarts it after a while.
type crash struct {
	at      time.Duration
	replica int
	down    time.Duration
}

// clientsRun is how long clients make new calls.
const clientsRun = 60 * time.Second

func newPlan(seed uint64) plan {
	rnd := rand.New(rand.NewPCG(seed, 0))
	p := plan{
		seed:    seed,
		trouble: []float64{0, 0.03, 0.1, 0.3}[rnd.IntN(4)],
		slow:    []time.Duration{2 * time.Millisecond, 50 * time.Millisecond, 2 * time.Second}[rnd.IntN(3)],
	}
	moment := func() time.Duration { return rand0(rnd, clientsRun) }
	for range rnd.IntN(3) {
		from := moment()
		p.outages = append(p.outages, outage{from: from, to: from + rand0(rnd, 12*time.Second)})
	}
	for range rnd.IntN(4) {
		by := []time.Duration{time.Hour, -time.Hour, rand0(rnd, 3*time.Second), -rand0(rnd, 3*time.Second)}[rnd.IntN(4)]
		p.steps = append(p.steps, clockStep{at: moment(), by: by})
	}
	for range rnd.IntN(5) {
		p.crashes = append(p.crashes, crash{at: moment(), replica: rnd.IntN(2), down: rand0(rnd, 8*time.Second)})
	}
	p.hold = []time.Duration{time.Minute, 5 * time.Second, 2 * time.Second}[rnd.IntN(3)]
	if seed%8 == 0 {
		p.draw = clientsRun/4 + rand0(rnd, clientsRun/4)
	}
	if seed%16 == 0 || seed%8 == 2 {
		p.early = newEarly(seed, p.draw > 0)
	}
	return p
}

// rand0 draws a duration from 0 up to but not including n.
func rand0(rnd *rand.Rand, n time.Duration) time.Duration { return time.Duration(rnd.Int64N(int64(n))) }

var errMade = errors.New("made to fail")

// line is a replica's connection to the store that all replicas share. Calls are slow, fail, or lose their answers.
// After the replica is killed, none gets through.
type line struct {
	store.Store
	sim     *simulation
	replica int
	cut     atomic.Bool
	away    atomic.Int64 // until when the store is out of this replica's reach, in nanoseconds since the simulation began
	begun   sync.Map     // drop.ID to the store.Batch that began behind a COMMIT and must come next
}

// follow asks for the batch that is to follow, like a store that begins it behind the COMMIT. It begins that batch if
// the COMMIT succeeds.
func (l *line) follow(b store.Batch) (begin func()) {
	next := b.Next()
	if next == nil {
		return func() {}
	}
	l.sim.count("batches begun behind another")
	return func() {
		next.Begin(storetest.Begun(b.Of()))
		l.begun.Store(b.Of(), next)
	}
}

// checkBegun reports an error if a batch had begun and another one came after it.
func (l *line) checkBegun(b store.Batch) {
	want, ok := l.begun.LoadAndDelete(b.Of())
	switch {
	case ok && (b.Begun() == nil || b != want):
		l.sim.t.Errorf("replica %d: drop %d has a batch begun, and another came", l.replica, b.Of())
	case !ok && b.Begun() != nil:
		l.sim.t.Errorf("replica %d: drop %d: a batch came that was begun for an attempt before", l.replica, b.Of())
	}
}

// random returns the random numbers of one call. They depend on the plan's seed, the call's name and the time, so
// that calls at the same instant may come in any order.
func (s *simulation) random(what string) *rand.Rand {
	h := uint64(14695981039346656037) // FNV-1a
	for _, b := range fmt.Appendf(nil, "%s %d", what, time.Since(s.began)) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(s.plan.seed, h))
}

// mishap is how a call fails.
type mishap string

const (
	none       mishap = ""
	rolledBack mishap = "rolled back"  // after Decide, so that a lane decides twice
	away       mishap = "unavailable"  // before anything happens
	exhausted  mishap = "exhausted"    // before anything happens
	poisoned   mishap = "fault"        // after Decide; no retry helps
	lostBefore mishap = "lost, not in" // the connection breaks before COMMIT arrives
	lostAfter  mishap = "lost, in"     // COMMIT took effect, but its answer is lost
	lostDuring mishap = "lost, late"   // the connection breaks, and COMMIT takes effect some time later
)

var batchMishaps = []mishap{rolledBack, away, exhausted, poisoned, lostBefore, lostAfter, lostDuring}

func (m mishap) err(class store.Class) error {
	return &store.Error{Op: string(m), Class: class, Err: errMade}
}

// unreachable returns the error of a call that cannot be made at all.
func (l *line) unreachable() error {
	if l.cut.Load() {
		return away.err(store.ClassUnavailable)
	}
	if l.sim.calm.Load() {
		return nil
	}
	now := time.Since(l.sim.began)
	if now < time.Duration(l.away.Load()) {
		l.sim.count("calls after a broken connection")
		return away.err(store.ClassUnavailable)
	}
	for _, o := range l.sim.plan.outages {
		if o.from <= now && now < o.to {
			l.sim.count("calls in an outage")
			return away.err(store.ClassUnavailable)
		}
	}
	return nil
}

// draw waits as long as the call takes, and returns how it fails, if it does.
func (l *line) draw(what string, mishaps []mishap) (mishap, *rand.Rand) {
	rnd := l.sim.random(fmt.Sprint(what, l.replica))
	if l.sim.calm.Load() {
		return none, rnd
	}
	time.Sleep(rand0(rnd, l.sim.plan.slow))
	if rnd.Float64() >= l.sim.plan.trouble {
		return none, rnd
	}
	m := mishaps[rnd.IntN(len(mishaps))]
	l.sim.count(string(m))
	if (m == lostBefore || m == lostAfter || m == lostDuring) && rnd.IntN(2) == 0 { // the fault that broke the connection lasts
		l.away.Store(int64(time.Since(l.sim.began) + rand0(rnd, 10*time.Second)))
	}
	return m, rnd
}

func (l *line) RunBatch(ctx context.Context, b store.Batch) error {
	l.checkBegun(b)
	need := b.Needs() // now, so that no call from the calm period joins a batch that is to fail
	begin := func() {}
	if err := l.unreachable(); err != nil {
		return err
	}
	m, rnd := l.draw(fmt.Sprint("batch", b.Of()), batchMishaps)
	if m == away {
		return m.err(store.ClassUnavailable)
	}
	if m == exhausted {
		return m.err(store.ClassExhausted)
	}
	pause := rand0(rnd, max(l.sim.plan.slow, 1))
	decided := make(chan struct{})
	given := &storetest.Over{Batch: b, Need: func() drop.Need { return need }, Follower: storetest.None, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		closed, was := s.LineClosed, s.Drop
		was.Accesses = drop.CloneAccesses(was.Accesses)
		changes := b.Decide(s, now)
		close(decided)
		if m != none {
			time.Sleep(pause) // under the lock
		}
		if l.cut.Load() || m == rolledBack || m == poisoned || m == lostBefore {
			return nil // a killed replica sends no COMMIT
		}
		if changes != nil {
			l.sim.committed(s, changes, closed, &was)
		}
		if changes != nil && m == none {
			begin = l.follow(b)
		}
		return changes
	}}
	if m == lostDuring {
		late := make(chan error, 1)
		go func() { late <- l.Store.RunBatch(context.WithoutCancel(ctx), given) }()
		select {
		case err := <-late: // refused before Decide
			return err
		case <-decided:
			return m.err(store.ClassUnknown)
		}
	}
	if err := l.Store.RunBatch(ctx, given); err != nil {
		return err
	}
	if l.cut.Load() {
		return lostAfter.err(store.ClassUnknown)
	}
	switch m {
	case rolledBack:
		return m.err(store.ClassRolledBack)
	case poisoned:
		return m.err(store.ClassFault)
	case lostBefore, lostAfter:
		return m.err(store.ClassUnknown)
	default:
		begin()
		return nil
	}
}

func (l *line) Committed(ctx context.Context, id drop.ID, batch drop.BatchID, after drop.Seq) (bool, error) {
	if err := l.look("committed"); err != nil {
		return false, err
	}
	return l.Store.Committed(ctx, id, batch, after)
}

// look handles all calls that only read.
func (l *line) look(what string) error {
	if err := l.unreachable(); err != nil {
		return err
	}
	if m, _ := l.draw(what, []mishap{away, exhausted}); m != none {
		return m.err(store.ClassUnavailable)
	}
	return nil
}

func (l *line) Drop(ctx context.Context, id drop.ID) (store.Snapshot, error) {
	if err := l.look("drop"); err != nil {
		return store.Snapshot{}, err
	}
	return l.Store.Drop(ctx, id)
}

func (l *line) Drops(ctx context.Context) ([]store.Snapshot, error) {
	if err := l.look("drops"); err != nil {
		return nil, err
	}
	return l.Store.Drops(ctx)
}

func (l *line) Pulse(ctx context.Context) (store.Pulse, error) {
	if err := l.look("pulse"); err != nil {
		return store.Pulse{}, err
	}
	return l.Store.Pulse(ctx)
}
