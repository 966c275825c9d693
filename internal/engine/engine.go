// Package engine runs drops: every command on a drop goes through that drop's lane, which decides whole batches of them
// under the drop's row lock in the store, and every hold is expired the moment it ends.
//
// Ordering: a batch commits, then the drop's view is replaced, then the callers are answered, then the event is
// published. Whoever was answered finds its own write in every read. Commands on one drop take effect one after the
// other, in an order that no answer contradicts; different drops run in parallel. All methods of Engine are safe for
// concurrent use.
package engine

import (
	"context"
	"errors"
	"fmt"
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

// Failures that are not refusals: the machinery could not say yes or no.
var (
	// ErrOverloaded: the drop's queue is full; nothing was done.
	ErrOverloaded = errors.New("too many commands are waiting for this drop")
	// ErrUnavailable: the store stayed away; nothing was done.
	ErrUnavailable = errors.New("the database is out of reach")
	// ErrOutcomeUnknown: the store went away while it committed; the command may have taken effect.
	ErrOutcomeUnknown = errors.New("the database went away during the commit")
	// ErrStopping: the engine takes no more commands; nothing was done.
	ErrStopping = errors.New("the server is stopping")
)

// Config sets an engine's bounds. Zero values mean the defaults.
type Config struct {
	// Hold is how long a reservation keeps its unit (default 60 s; whole milliseconds).
	Hold time.Duration
	// MaxBatch bounds the commands of one batch (default 500).
	MaxBatch int
	// MaxQueue bounds the commands that wait for one drop; more are refused with ErrOverloaded (default 20,000).
	MaxQueue int
	// RetryFor is how long a batch is tried again while the store fails before its callers are told (default 4 s).
	RetryFor time.Duration
	// Publish, if not nil, is called after each change of a drop, made here or seen to have been made elsewhere. Calls
	// may overlap: the version in the view orders them. It must not block.
	Publish func(Event)
	// Metrics counts what happens (default: counts that nobody reads).
	Metrics *Metrics
	// Log receives store trouble (default: slog.Default).
	Log *slog.Logger
}

const (
	defaultHold     = 60 * time.Second
	defaultMaxBatch = 500
	defaultMaxQueue = 20_000
	defaultRetryFor = 4 * time.Second
	// batchTimeout bounds one attempt at a batch. It is long on purpose: when it ends during a COMMIT, nobody knows
	// the outcome.
	batchTimeout = 30 * time.Second
	// sweepEvery is how often all drops are compared with the store, for what other replicas did or left undone.
	sweepEvery = time.Second
	// hurryEvery is how long a sweep that is asked for waits for others who ask.
	hurryEvery = 20 * time.Millisecond
	// keepAnswers is how long an answer is kept under its key.
	keepAnswers = 24 * time.Hour
	// ForgetKeys deletes up to 20 times 1,000 kept answers, each thousand in one transaction.
	forgetBatches, forgetBatch = 20, 1000
)

// Event tells what one batch changed. Of what another replica changed it has what is known here: the newest entry of
// the ledger and the newest purchase, or what concerns single buyers without a View.
type Event struct {
	View *View
	// Created: the drop is new, not just new to this engine.
	Created bool
	// Elsewhere: no lane of this engine made the change; who else has to know knows.
	Elsewhere bool
	// Back: the store has lost later states, which were shown; View counts although its version is lower.
	Back      bool
	Ledger    []drop.LedgerEntry
	Purchases []drop.Purchase
	// Made and Ended are the reservations that began and ended. They are shared: only to be read.
	Made, Ended []*drop.Reservation
}

// Engine is the set of all lanes with their views and their expiry clock. Make one with New, then Start it.
type Engine struct {
	store store.Store
	Config

	mu         sync.RWMutex // guards lanes and stopped
	lanes      map[drop.ID]*lane
	stopped    bool
	draining   atomic.Bool
	generation atomic.Uint64 // counts changes of any view
	offset     clockOffset
	skew       skew
	jitter     func(n time.Duration) time.Duration // from [0, n)

	buyers    *buyers
	loads     singleflight.Group // of drops that other replicas made
	running   sync.WaitGroup     // lanes, and buyers, with work
	hurry     chan struct{}      // asks for a sweep
	sweepDone chan struct{}
	stopSweep context.CancelFunc
}

// New returns an engine on a store that has been migrated. It does nothing until Start.
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
	e := &Engine{store: s, Config: c, lanes: make(map[drop.ID]*lane), buyers: newBuyers(), hurry: make(chan struct{}, 1), jitter: rand.N[time.Duration]}
	e.Metrics.watch(e)
	return e
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Start loads the view of every drop, ends the holds that became due while no server ran, and keeps watching.
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
		if l, err := e.update(s, Event{Elsewhere: true}); err == nil {
			l.wake(s.Deadline)
		}
	}
	sweepCtx, cancel := context.WithCancel(context.Background())
	e.stopSweep, e.sweepDone = cancel, make(chan struct{})
	go e.sweepLoop(sweepCtx)
	return nil
}

// Stop takes no more commands, finishes the accepted ones and waits until they are, or until ctx ends. A second Stop
// waits likewise.
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

// View returns a drop as last committed. Refuses with CodeDropNotFound.
func (e *Engine) View(ctx context.Context, id drop.ID) (*View, error) {
	l, err := e.lane(ctx, id)
	if err != nil {
		return nil, err
	}
	return l.view.Load(), nil
}

// Generation grows with every change of any view: two equal values mean that Views would return the same.
func (e *Engine) Generation() uint64 { return e.generation.Load() }

// Views returns the drops that everybody may see, ascending by number.
func (e *Engine) Views() []*View {
	return e.viewsThat(func(v *View) bool { return !v.Drop.Hidden && !v.Drop.Archived })
}

// AllViews returns all drops, ascending by number.
func (e *Engine) AllViews() []*View { return e.viewsThat(func(*View) bool { return true }) }

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

// EnsureUser finds or makes a buyer; see store.Store. Refuses a name or email that breaks a rule.
func (e *Engine) EnsureUser(ctx context.Context, username, email string, r Retry) (drop.User, error) {
	key := r.key("users", drop.AskedUser(username, text.LowerASCII(email)))
	return Ask(ctx, e, func(s store.Records) (u drop.User, err error) {
		u, replayed, err := s.EnsureUser(ctx, username, email, key)
		r.tell(replayed)
		return u, err
	})
}

// Drain has Ready say no from now on. All goes on otherwise, until Stop.
func (e *Engine) Drain() { e.draining.Store(true) }

// Ready returns nil when commands can be served, and will be for a while.
func (e *Engine) Ready(ctx context.Context) error {
	e.mu.RLock()
	stopped := e.stopped
	e.mu.RUnlock()
	if stopped || e.draining.Load() {
		return ErrStopping
	}
	return e.store.Ready(ctx)
}

// Cautions says why the store may lose what it has committed, where it may; see store.Cautious.
func (e *Engine) Cautions() []store.Caution {
	if c, ok := e.store.(store.Cautious); ok {
		return c.Cautions()
	}
	return nil
}

// lane finds the drop's lane, and looks the drop up in the store where this process does not know it yet.
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

// update makes the drop's lane, or brings the existing lane up to date, and publishes what is new. It fills in the
// view of ev. For a drop without a lane, ev.Created says that the drop was made since the engine started.
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

// ensureLane finds the lane of the view's drop, or makes it with that view.
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

func (e *Engine) do(ctx context.Context, id drop.ID, cmd drop.Command) (drop.Result, error) {
	l, err := e.lane(ctx, id)
	if err != nil {
		return drop.Result{}, err
	}
	return l.do(ctx, cmd)
}

func (e *Engine) publish(ev Event) {
	if e.Publish != nil {
		e.Publish(ev)
	}
}
