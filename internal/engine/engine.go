// Package engine runs drops. Every command on a drop goes through that drop's lane. A lane decides whole batches of
// commands under the drop's row lock in the store. The engine also expires every hold as soon as it ends.
//
// Ordering: a batch commits, then the engine replaces the drop's view, then it answers the callers, then it publishes
// the event. A caller that has its answer finds its own write in every later read. Commands on one drop take effect
// one after the other, in an order that agrees with all answers. Different drops run in parallel.
//
// All methods of Engine are safe for concurrent use.
package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/text"
)

// These errors are not refusals: for a technical reason the engine could not decide.
var (
	// ErrOverloaded: the drop's queue is full. Nothing was done.
	ErrOverloaded = errors.New("too many commands are waiting for this drop")
	// ErrUnavailable: the store stayed out of reach. Nothing was done.
	ErrUnavailable = errors.New("the database is out of reach")
	// ErrOutcomeUnknown: the store went away during the commit. The command may have taken effect.
	ErrOutcomeUnknown = errors.New("the database went away during the commit")
	// ErrStopping: the engine accepts no more commands. Nothing was done.
	ErrStopping = errors.New("the server is stopping")
)

// Config sets an engine's limits. A zero value means the default.
type Config struct {
	// Hold is how long a reservation keeps its unit, in whole milliseconds (default 60 s).
	Hold time.Duration
	// MaxBatch is the most commands in one batch (default 500).
	MaxBatch int
	// MaxQueue is the most commands that may wait for one drop (default 20,000). Further ones get ErrOverloaded.
	MaxQueue int
	// RetryFor is how long the engine retries a batch while the store fails, before it reports the failure to the
	// callers (default 4 s).
	RetryFor time.Duration
	// Publish, if not nil, is called after each change of a drop, whether made here or by another replica. Calls may
	// overlap; use the view's version to order them. Publish must not block.
	Publish func(Event)
	// Metrics counts what happens. By default nobody can read the counts.
	Metrics *Metrics
	// Log receives messages about store failures (default slog.Default).
	Log *slog.Logger
}

const (
	defaultHold     = 60 * time.Second
	defaultMaxBatch = 500
	defaultMaxQueue = 20_000
	defaultRetryFor = 4 * time.Second
	// batchTimeout limits one attempt at a batch. It is long on purpose: if it expires during a COMMIT, the outcome
	// is unknown.
	batchTimeout = 30 * time.Second
	// sweepEvery is how often the engine compares all drops with the store, to catch what other replicas did or left
	// undone.
	sweepEvery = time.Second
	// hurryEvery is how long a requested sweep waits, so that several requests share it.
	hurryEvery = 20 * time.Millisecond
	// keepAnswers is how long an answer is kept under its idempotency key.
	keepAnswers = 24 * time.Hour
	// ForgetKeys deletes up to 20 batches of 1,000 kept answers, each batch in its own transaction.
	forgetBatches, forgetBatch = 20, 1000
)

// Event describes what one batch changed. For a change by another replica it has only what is known here. That is the
// newest ledger entry and the newest purchase, or news for single buyers without a View.
type Event struct {
	View *View
	// Created: the drop is new, not just new to this engine.
	Created bool
	// Elsewhere: another replica made the change and has already told the others.
	Elsewhere bool
	// Back: the store has lost states that were already shown. The View replaces them although its version is lower.
	Back      bool
	Ledger    []drop.LedgerEntry
	Purchases []drop.Purchase
	// Made and Ended are the reservations that began and ended. They are shared: do not change them.
	Made, Ended []*drop.Reservation
}

// Engine runs all lanes, their views and their expiry clock. Create one with New, then call Start.
type Engine struct {
	store store.Store
	Config

	mu         sync.RWMutex // guards lanes and stopped
	lanes      map[drop.ID]*lane
	stopped    bool
	draining   atomic.Bool
	generation atomic.Uint64 // grows with each change of any view
	offset     clockOffset
	skew       skew
	jitter     func(n time.Duration) time.Duration // random, from 0 up to but not including n

	rehearsed *Metrics // of drops that rehearsals sell
	buyers    *buyers
	pages     *pages
	loads     singleflight.Group // of drops that other replicas made
	running   sync.WaitGroup     // lanes and buyers that have work
	hurry     chan struct{}      // requests a sweep
	sweepDone chan struct{}
	stopSweep context.CancelFunc
}

// New returns an engine for a store whose schema is up to date. It does nothing until Start.
func New(s store.Store, c Config) *Engine {
	setDefault(&c.Hold, defaultHold)
	setDefault(&c.MaxBatch, defaultMaxBatch)
	setDefault(&c.MaxQueue, defaultMaxQueue)
	setDefault(&c.RetryFor, defaultRetryFor)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics()
	}
	e := &Engine{
		store: s, Config: c, lanes: make(map[drop.ID]*lane), buyers: newBuyers(), rehearsed: NewMetrics(), pages: newPages(),
		hurry: make(chan struct{}, 1), jitter: rand.N[time.Duration],
	}
	e.Metrics.watch(e)
	return e
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Start loads the view of every drop, expires the holds that ended while no server ran, offers the units that waitlists
// keep, and then watches the store.
func (e *Engine) Start(ctx context.Context) error {
	sent := time.Now()
	snapshots, err := e.store.Drops(ctx)
	if err != nil {
		return fmt.Errorf("load all drops: %w", err)
	}
	if len(snapshots) > 0 {
		e.skew.add(snapshots[0].Now, sent, time.Now(), e.Log)
	}
	for _, s := range snapshots {
		e.offset.sample(s.Now)
		l, err := e.update(s, Event{Elsewhere: true})
		if err != nil {
			continue // the engine stops
		}
		if l.wake(earlier(s.Deadline, s.Drop.KeptUntil())); s.Drop.HandsOver() {
			l.wake(atOnce)
		}
	}
	sweepCtx, cancel := context.WithCancel(context.Background())
	e.stopSweep, e.sweepDone = cancel, make(chan struct{})
	go e.sweepLoop(sweepCtx)
	return nil
}

// Stop accepts no more commands and waits until the accepted ones are finished, or until ctx ends. A second Stop
// waits in the same way.
func (e *Engine) Stop(ctx context.Context) error {
	e.mu.Lock()
	e.stopped = true
	lanes := make([]*lane, 0, len(e.lanes))
	for _, l := range e.lanes {
		lanes = append(lanes, l)
	}
	e.mu.Unlock()
	for _, l := range lanes {
		l.close()
	}
	e.buyers.close()
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		if e.stopSweep != nil {
			e.stopSweep()
			<-e.sweepDone
		}
		e.running.Wait()
	}()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("finish accepted commands: %w", ctx.Err())
	}
}

// View returns the last committed state of a drop. It returns CodeDropNotFound if there is no such drop.
func (e *Engine) View(ctx context.Context, id drop.ID) (*View, error) {
	l, err := e.lane(ctx, id)
	if err != nil {
		return nil, err
	}
	return l.view.Load(), nil
}

// Known returns the last state of a drop that this process has seen, or nil for any other number. It never asks the
// store: drops that other replicas make are known after a second at most.
func (e *Engine) Known(id drop.ID) *View {
	e.mu.RLock()
	l := e.lanes[id]
	e.mu.RUnlock()
	if l == nil {
		return nil
	}
	return l.view.Load()
}

// Generation grows with every change of any view. Between two equal values, Views returns the same.
func (e *Engine) Generation() uint64 { return e.generation.Load() }

// Views returns the public drops in ascending order of their numbers.
func (e *Engine) Views() []*View {
	return e.viewsThat(func(v *View) bool { return !v.Drop.Hidden && !v.Drop.Archived })
}

// AllViews returns all drops in ascending order of their numbers.
func (e *Engine) AllViews() []*View { return e.viewsThat(func(*View) bool { return true }) }

// All returns the last state of each drop that this process has seen, in no order. The states must not be changed.
func (e *Engine) All() iter.Seq[*drop.Drop] {
	return func(yield func(*drop.Drop) bool) {
		e.mu.RLock()
		defer e.mu.RUnlock()
		for _, l := range e.lanes {
			if !yield(&l.view.Load().Drop) {
				return
			}
		}
	}
}

func (e *Engine) viewsThat(wanted func(*View) bool) []*View {
	e.mu.RLock()
	views := make([]*View, 0, len(e.lanes))
	for _, l := range e.lanes {
		if v := l.view.Load(); wanted(v) {
			views = append(views, v)
		}
	}
	e.mu.RUnlock()
	slices.SortFunc(views, func(a, b *View) int { return int(a.Drop.ID - b.Drop.ID) })
	return views
}

// EnsureUser finds or makes a buyer; see store.Store. It refuses a name or email that breaks a rule.
func (e *Engine) EnsureUser(ctx context.Context, username, email string, r Retry) (drop.User, error) {
	key := r.key("users", drop.AskedUser(username, text.LowerASCII(email)))
	return Ask(ctx, e, func(s store.Records) (u drop.User, err error) {
		u, replayed, err := s.EnsureUser(ctx, username, email, key)
		r.tell(replayed)
		return u, err
	})
}

// Drain makes Ready fail from now on, so that load balancers stop sending requests. Everything else works until Stop.
func (e *Engine) Drain() { e.draining.Store(true) }

// Ready returns nil if the engine can serve commands and is not about to stop.
func (e *Engine) Ready(ctx context.Context) error {
	e.mu.RLock()
	stopped := e.stopped
	e.mu.RUnlock()
	if stopped || e.draining.Load() {
		return ErrStopping
	}
	return e.store.Ready(ctx)
}

// Cautions returns the reasons why the store may lose committed data, if there are any; see store.Cautious.
func (e *Engine) Cautions() []store.Caution {
	if c, ok := e.store.(store.Cautious); ok {
		return c.Cautions()
	}
	return nil
}

// lane returns the drop's lane. If this process does not know the drop yet, it looks in the store.
func (e *Engine) lane(ctx context.Context, id drop.ID) (*lane, error) {
	e.mu.RLock()
	l := e.lanes[id]
	e.mu.RUnlock()
	if l != nil {
		return l, nil
	}
	if id < 1 || id > drop.MaxID {
		return nil, drop.Refuse(drop.CodeDropNotFound)
	}
	v, err, _ := e.loads.Do(fmt.Sprint(id), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.RetryFor) // others may wait for this look-up too
		defer cancel()
		s, err := again(ctx, e, func() (store.Snapshot, error) { return e.store.Drop(ctx, id) })
		if err != nil {
			return nil, err
		}
		return e.update(s, Event{Created: true, Elsewhere: true})
	})
	if err != nil {
		return nil, err
	}
	return v.(*lane), nil
}

// update makes the drop's lane, or brings an existing lane up to date, and publishes what is new. It fills in the
// view of ev. For a drop without a lane, ev.Created says that the drop was made after the engine started.
func (e *Engine) update(s store.Snapshot, ev Event) (*lane, error) {
	v := viewOf(s)
	l, made, err := e.ensureLane(v)
	if err != nil {
		return nil, err
	}
	news := made
	if ev.View = v; !made {
		ev.View, news = l.replace(v)
	}
	if ev.Created = ev.Created && made; news {
		e.publish(ev)
	}
	return l, nil
}

// ensureLane returns the lane of the view's drop, or makes one with that view.
func (e *Engine) ensureLane(v *View) (l *lane, made bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if l := e.lanes[v.Drop.ID]; l != nil {
		return l, false, nil
	}
	if e.stopped {
		return nil, false, ErrStopping
	}
	l = &lane{engine: e, id: v.Drop.ID}
	l.view.Store(v)
	e.lanes[v.Drop.ID] = l
	e.generation.Add(1)
	return l, true, nil
}

func (e *Engine) do(ctx context.Context, id drop.ID, cmd drop.Command, r Retry) (drop.Result, error) {
	l, err := e.lane(ctx, id)
	if err != nil {
		return drop.Result{}, err
	}
	r.meets(l)
	return l.do(ctx, cmd)
}

func (e *Engine) publish(ev Event) {
	if e.Publish != nil {
		e.Publish(ev)
	}
}
