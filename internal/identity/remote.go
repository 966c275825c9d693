package identity

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// These set how often to fetch. A well-behaved provider publishes a new key before it signs with it. For others, the
// first token that names an unknown key triggers a fetch.
const (
	refreshEvery = 5 * time.Minute  // a withdrawn key is accepted no longer than this
	retryEvery   = 15 * time.Second // after a failed fetch
	// restBetween is the least time between fetches that strangers can trigger with unknown keys.
	restBetween = 5 * time.Second
	// keepFor is how long keys stay valid if the provider does not answer. A sale survives an outage, but whoever
	// cuts us off from the provider cannot keep a stolen key alive forever.
	keepFor = 24 * time.Hour
	// maxWait is how long a call waits for a fetch under way.
	maxWait = 3 * time.Second
)

// rhythm has the constants above; tests use their own.
type rhythm struct{ refresh, retry, rest, keep, wait time.Duration }

func usualRhythm() rhythm {
	return rhythm{refresh: refreshEvery, retry: retryEvery, rest: restBetween, keep: keepFor, wait: maxWait}
}

// remote follows a provider's keys. One goroutine fetches them, on schedule or on request.
type remote struct {
	provider *provider
	rhythm   rhythm
	log      *slog.Logger
	stop     context.CancelFunc
	done     chan struct{} // closed when the goroutine has ended
	wake     chan struct{} // asks for an early fetch

	mu      sync.Mutex
	set     *keySet   // nil before the first success
	fetched time.Time // when the provider last confirmed set
	asked   int       // number of fetches begun
	from    int       // which of them returned set
	// next is closed when the fetch under way, or the requested one, has ended. It is nil during a rest.
	next chan struct{}
}

func newRemote(ctx context.Context, cfg Config, log *slog.Logger) (*remote, error) {
	p, err := newProvider(cfg, log)
	if err != nil {
		return nil, err
	}
	return startRemote(ctx, p, usualRhythm(), log), nil
}

func startRemote(ctx context.Context, p *provider, rh rhythm, log *slog.Logger) *remote {
	ctx, stop := context.WithCancel(ctx)
	r := &remote{
		provider: p, rhythm: rh, log: log, stop: stop,
		done: make(chan struct{}), wake: make(chan struct{}, 1), next: make(chan struct{}),
	}
	go r.run(ctx)
	return r
}

func (r *remote) close() {
	r.stop()
	<-r.done
	r.provider.client.CloseIdleConnections()
}

// run fetches until ctx ends.
func (r *remote) run(ctx context.Context) {
	defer close(r.done)
	for {
		pause := r.fetch(ctx)
		// During the rest nobody can request a fetch; r.next shows that.
		if !sleep(ctx, r.rhythm.rest, nil) {
			return
		}
		r.mu.Lock()
		select {
		case <-r.wake: // requested the fetch that has just ended
		default:
		}
		r.next = make(chan struct{})
		r.mu.Unlock()
		if !sleep(ctx, pause-r.rhythm.rest, r.wake) {
			return
		}
	}
}

// sleep waits for d or until it is woken. It returns false if ctx has ended.
func sleep(ctx context.Context, d time.Duration, woken <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-woken:
	case <-t.C:
	}
	return true
}

// fetch asks the provider once and wakes everybody who waits. It returns how long to wait before the next fetch.
func (r *remote) fetch(ctx context.Context) time.Duration {
	asked := r.ask()
	set, err := r.provider.fetch(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.next)
	r.next = nil
	select {
	case <-r.wake: // requested while it was under way
	default:
	}
	if err != nil {
		if ctx.Err() == nil {
			r.log.Warn("the identity provider's keys could not be fetched; the old ones stay in use",
				"error", err, "known", r.set != nil, "again_in", r.rhythm.retry)
		}
		return r.rhythm.retry
	}
	r.use(set, asked)
	return r.rhythm.refresh
}

// ask numbers a fetch that begins.
func (r *remote) ask() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	return r.asked
}

// use switches to the keys that the fetch of this number returned; the caller holds mu. The answer of a fetch that
// began before the one in use is old, and is ignored: a reload and the schedule can fetch at the same time. Unchanged
// keys remain the same set, so that cached tokens stay valid.
func (r *remote) use(set *keySet, asked int) (changed bool) {
	if asked < r.from {
		return false
	}
	r.from = asked
	if changed = r.set == nil || !r.set.same(set); changed {
		r.log.Info("the identity provider's keys were read", "keys", len(set.keys))
		r.set = set
	}
	r.fetched = time.Now()
	return changed
}

func (r *remote) current(ctx context.Context) (*keySet, error) {
	set, next := r.look()
	if set == nil && next != nil {
		// The first call of a new server waits for the fetch under way.
		r.await(ctx, next)
		set, _ = r.look()
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if set == nil {
		return nil, fmt.Errorf("%w: the identity provider has not answered", ErrUnavailable)
	}
	return set, nil
}

func (r *remote) newer(ctx context.Context, old *keySet) *keySet {
	if set, next := r.look(); set == old && next != nil {
		r.await(ctx, next)
	}
	if set, _ := r.look(); set != nil {
		return set
	}
	return old
}

// look returns the keys that may be used, and what to wait for if there may soon be new ones.
func (r *remote) look() (*keySet, chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.set != nil && time.Since(r.fetched) > r.rhythm.keep {
		return nil, r.next
	}
	return r.set, r.next
}

// await requests a fetch and waits until it has ended, but not for long.
func (r *remote) await(ctx context.Context, next <-chan struct{}) {
	select {
	case r.wake <- struct{}{}:
	default:
	}
	t := time.NewTimer(r.rhythm.wait)
	defer t.Stop()
	select {
	case <-next:
	case <-ctx.Done():
	case <-r.done:
	case <-t.C:
	}
}
