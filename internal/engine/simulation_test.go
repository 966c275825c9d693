package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/seeds"
)

// Two replicas sell four drops from one store for a minute of simulated time. Some seeds have a fifth drop, with a draw
// or early access or both. The seed of a run decides what clients ask and what fails. Store calls fail before, during
// and after COMMIT, take effect late or are slow. The store has outages, its clock is set, and replicas are killed.
// Then the faults end and the test checks the promises; see books.
//
// SIMULATION=seed,seed… replays seeds and prints the last events of each.
func TestSimulation_NothingIsLostNothingIsSoldTwice(t *testing.T) {
	all, replay := seeds.Of(t, 500)
	var mu sync.Mutex
	sum := make(map[string]int)
	t.Run("seed", func(t *testing.T) {
		for _, seed := range all {
			t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := simulate(t, newPlan(seed))
					if t.Failed() || replay {
						t.Logf("replay it with SIMULATION=%d go test -run Simulation ./internal/engine\nplan %+v\n%s",
							seed, s.plan, strings.Join(s.trace[max(0, len(s.trace)-200):], "\n"))
					}
					mu.Lock()
					defer mu.Unlock()
					for what, n := range s.counts {
						sum[what] += n
					}
				})
			})
		}
	})
	for _, what := range slices.Sorted(maps.Keys(sum)) {
		t.Logf("%8d %s", sum[what], what)
	}
	t.Logf("%8d seeds", len(all))
}

// simulation is one run.
type simulation struct {
	t        *testing.T
	plan     plan
	began    time.Time
	ahead    atomic.Int64 // how far the store's clock is ahead, in nanoseconds
	calm     atomic.Bool  // the faults have ended
	store    *memory.Store
	replicas [2]*replica
	specs    []drop.Spec
	drops    []drop.ID // by index of specs

	mu          sync.Mutex
	deeds       []*deed
	payments    []*payment
	trace       []string
	counts      map[string]int
	made, ended map[drop.ReservationID]int // as reported by events
	closings    []closing
	over        drop.Time // when the draw was over; 0: it is not
	kept        keptRows
}

// simulationSpecs returns the four drops.
func simulationSpecs() []drop.Spec {
	plain, limited := int64(12), int64(20)
	return []drop.Spec{
		{Name: "plain", TotalStock: &plain, StartTime: 1},
		{Name: "limited", TotalStock: &limited, StartTime: 1, LimitPerUser: 2, MaxExpiredHolds: 3},
		{Name: "sized", Sizes: []drop.SizeSpec{{Label: "8", Stock: 5}, {Label: "9", Stock: 3}}, StartTime: 1},
		{
			Name: "waited", Sizes: []drop.SizeSpec{{Label: "8", Stock: 2}, {Label: "9", Stock: 1}}, StartTime: 1, LimitPerUser: 2,
			Waitlist: true, OfferFor: 10,
		},
	}
}

func simulate(t *testing.T, p plan) *simulation {
	s := &simulation{
		t: t, plan: p, began: time.Now(), counts: make(map[string]int),
		made: make(map[drop.ReservationID]int), ended: make(map[drop.ReservationID]int),
		kept: keptRows{
			passes:       make(map[drop.PassID]drop.Hash),
			reservations: make(map[drop.ReservationID]drop.Reservation),
			drawEntries:  make(map[drop.EntryID]drop.DrawEntry),
		},
	}
	s.store = memory.New(func() drop.Time { return drop.TimeOf(time.Now().Add(time.Duration(s.ahead.Load()))) })
	if s.specs = simulationSpecs(); p.draw > 0 {
		s.specs = append(s.specs, drawSpec(&p, drop.TimeOf(s.began)))
	} else if len(p.early.accesses) > 0 {
		s.specs = append(s.specs, earlySpec(&p, drop.TimeOf(s.began)))
	}
	for _, spec := range s.specs {
		made, _, err := s.store.CreateDrop(t.Context(), spec, drop.BatchID{1}, drop.Key{})
		if err != nil {
			t.Fatal(err)
		}
		s.drops = append(s.drops, made.Drop.ID)
	}
	var all sync.WaitGroup
	for i := range s.replicas {
		s.replicas[i] = &replica{sim: s, number: i}
		all.Go(func() { s.supervise(i) })
		if p.draw > 0 {
			all.Go(func() { s.draws(i) })
		}
	}
	if len(p.early.accesses) > 0 {
		all.Go(s.operator)
	}
	for _, step := range p.steps {
		all.Go(func() { s.setClock(step) })
	}
	for i := range 6 {
		c := &client{sim: s, number: i + 1, name: fmt.Sprint("c", i+1), rnd: rand.New(rand.NewPCG(p.seed, uint64(i)+1))}
		all.Go(c.run)
	}
	all.Wait()
	s.recover()
	newBooks(s).check()
	return s
}

// notef records what happened, for whoever looks into a failure.
func (s *simulation) notef(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trace = append(s.trace, fmt.Sprintf("%10.6f ", time.Since(s.began).Seconds())+fmt.Sprintf(format, args...))
}

func (s *simulation) count(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[what]++
}

func (s *simulation) publish(ev engine.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ev.View != nil {
		s.checkKept("published", &ev.View.Drop)
	}
	for _, r := range ev.Made {
		s.made[r.ID]++
	}
	for _, r := range ev.Ended {
		s.ended[r.ID]++
	}
}

func (s *simulation) setClock(step clockStep) {
	time.Sleep(step.at)
	s.ahead.Add(int64(step.by))
	s.notef("the store's clock is set by %s", step.by)
	s.count("clock set")
}

// supervise starts a replica, kills it when the plan says so, and starts it again.
func (s *simulation) supervise(number int) {
	s.replicas[number].start()
	crashes := slices.SortedFunc(slices.Values(s.plan.crashes), func(a, b crash) int { return int(a.at - b.at) })
	for _, c := range crashes {
		if pause := c.at - time.Since(s.began); c.replica == number && pause > 0 {
			time.Sleep(pause)
			s.replicas[number].kill()
			time.Sleep(c.down)
			s.replicas[number].start()
		}
	}
}

// recover ends the faults. Both replicas must serve within 5 s, each call with an unknown outcome gets an answer, and
// all remaining holds end.
func (s *simulation) recover() {
	s.calm.Store(true)
	s.notef("the faults have ended")
	s.ahead.Add(int64(4 * time.Hour)) // later than anything the clock has shown
	units := int64(10)
	made, _, err := s.store.CreateDrop(s.t.Context(), drop.Spec{Name: "after", TotalStock: &units, StartTime: 1}, drop.BatchID{2}, drop.Key{})
	if err != nil {
		s.t.Fatal(err)
	}
	for i, r := range s.replicas {
		began := time.Now()
		e, ctx := r.reach()
		if _, err := e.Reserve(ctx, made.Drop.ID, drop.UserID(i+1), "", engine.Retry{}); err != nil || time.Since(began) > 5*time.Second {
			s.t.Errorf("replica %d after the faults: %v within %s", i, err, time.Since(began))
		}
	}
	for _, d := range s.deeds {
		if d.key == "" {
			continue
		}
		for _, r := range s.replicas {
			d.ask(s, r)
		}
		if d.lastUnknown {
			s.t.Errorf("%s: no answer after the faults", d)
		}
	}
	s.recoverPayments()
	if s.plan.draw > 0 {
		s.recoverDraw()
	}
	s.closeLines()
	if len(s.plan.early.accesses) > 0 {
		s.recoverEarly()
	}
	time.Sleep(77 * time.Second) // a hold, a quarter more for a payment, and a sweep
	for _, r := range s.replicas {
		e, _ := r.reach()
		if err := e.Stop(s.t.Context()); err != nil {
			s.t.Error(err)
		}
	}
}

// replica is a server process as the simulation sees it.
type replica struct {
	sim    *simulation
	number int

	mu     sync.Mutex
	engine *engine.Engine // nil while it is down
	ctx    context.Context
	cancel context.CancelFunc
	line   *line
}

// start runs a new process, and retries until it comes up, as a supervisor does.
func (r *replica) start() {
	ctx, cancel := context.WithCancel(context.Background())
	for {
		l := &line{Store: r.sim.store, sim: r.sim, replica: r.number}
		e := engine.New(l, quiet(engine.Config{Hold: r.sim.plan.hold, MaxBatch: 4, Publish: r.sim.publish}))
		engine.SetJitter(e, func(n time.Duration) time.Duration { return rand0(r.sim.random(fmt.Sprint("jitter", r.number)), n) })
		err := e.Start(context.Background())
		if err == nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.engine, r.line, r.ctx, r.cancel = e, l, ctx, cancel
			r.sim.notef("replica %d is up", r.number)
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// kill ends the process. From now on nothing that it sends arrives, and nobody gets an answer from it.
func (r *replica) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.line.cut.Store(true)
	r.cancel()
	dead := r.engine
	r.engine = nil
	r.sim.notef("replica %d is killed", r.number)
	r.sim.count("replicas killed")
	go func() { _ = dead.Stop(context.Background()) }() // so that its goroutines end
}

func (r *replica) reach() (*engine.Engine, context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.engine, r.ctx
}

// nothingDone reports whether an error says that its call had no effect.
func nothingDone(err error) bool {
	if errors.Is(err, engine.ErrOutcomeUnknown) {
		return false
	}
	if drop.CodeOf(err) != "" || errors.Is(err, engine.ErrUnavailable) || errors.Is(err, engine.ErrOverloaded) || errors.Is(err, engine.ErrStopping) {
		return true
	}
	return errors.Is(err, errMade)
}
