package webhooks

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/store"
)

// Poster sends one message to an endpoint. A *Sender does it over HTTP.
type Poster interface {
	Send(ctx context.Context, url string, m Message) Attempt
}

// DelivererOptions are what a Deliverer needs.
type DelivererOptions struct {
	Store  store.Webhooks
	Feed   *events.Feed
	Poster Poster
	// Alone: no other server shares the store, so whoever else delivered before is gone.
	Alone bool
	// Retry returns how long to wait after that many failed attempts (default RetryAfter).
	Retry   func(failed int, asked time.Duration) time.Duration
	Metrics *Metrics
	Log     *slog.Logger
}

const (
	// lookEvery is how often the endpoints are read, to find new, changed and deserted ones.
	lookEvery = time.Second
	// saveEvery is how often a worker stores how far it is, if it did anything. What was delivered since then is
	// delivered again if the server dies.
	saveEvery = time.Second
	// beatEvery is how often it does so if it did nothing, so that other servers see that it lives.
	beatEvery = 2 * time.Second
	// quietFor is for how long a worker must not have stored anything before another server takes over. The worker
	// itself stops sending earlier, after mayMiss.
	quietFor = 7 * time.Second
	mayMiss  = 5 * time.Second
)

// Deliverer delivers events to all endpoints that no other server delivers to. Of the servers that share a store, one
// at a time delivers to an endpoint: the one whose name is in the endpoint's row. It delivers each event at least once,
// and the events of one drop in their order. Create one with NewDeliverer.
type Deliverer struct {
	DelivererOptions

	me      string // this server's name in the rows
	workers map[store.WebhookID]*worker
	seen    map[store.WebhookID]sighting
	failing bool // the last look failed

	asked   chan chan struct{} // of callers that wait for a look
	stop    context.CancelFunc
	stopped chan struct{}
}

// sighting is when the present state of another server's row was first seen.
type sighting struct {
	holder string
	beat   int64
	since  time.Time
}

// NewDeliverer returns a deliverer that does nothing until Start.
func NewDeliverer(o DelivererOptions) *Deliverer {
	if o.Retry == nil {
		o.Retry = RetryAfter
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	return &Deliverer{
		DelivererOptions: o, me: rand.Text(), workers: make(map[store.WebhookID]*worker), seen: make(map[store.WebhookID]sighting),
		asked: make(chan chan struct{}),
	}
}

// Start begins to deliver.
func (d *Deliverer) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	d.stop, d.stopped = cancel, make(chan struct{})
	go func() {
		defer close(d.stopped)
		var asker chan struct{}
		for ctx.Err() == nil {
			d.look(ctx)
			if asker != nil {
				close(asker)
				asker = nil
			}
			select {
			case <-ctx.Done():
			case asker = <-d.asked:
			case <-time.After(lookEvery):
			}
		}
		var all sync.WaitGroup
		for _, w := range d.workers {
			all.Go(func() { w.end(leaving) })
		}
		all.Wait()
	}()
}

// Look takes over what operators have changed, now instead of within a second. It waits until that is done, or until
// ctx ends.
func (d *Deliverer) Look(ctx context.Context) {
	done := make(chan struct{})
	select {
	case d.asked <- done:
	case <-d.stopped:
		return
	case <-ctx.Done():
		return
	case <-time.After(lookTimeout):
		return
	}
	select {
	case <-done:
	case <-d.stopped:
	case <-ctx.Done():
	}
}

// Stop stores how far each delivery is, and leaves the endpoints to other servers. It waits for what is being sent, or
// until ctx ends.
func (d *Deliverer) Stop(ctx context.Context) error {
	if d.stop == nil {
		return nil
	}
	d.stop()
	select {
	case <-d.stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lookTimeout limits one look at the endpoints.
const lookTimeout = 10 * time.Second

// look starts and stops workers, so that they agree with the endpoints in the store.
func (d *Deliverer) look(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	err := d.tryLook(limited)
	switch {
	case ctx.Err() != nil:
	case err != nil && !d.failing:
		d.Log.Warn("cannot read the webhooks; trying again each second", "err", err)
	case err == nil && d.failing:
		d.Log.Info("can read the webhooks again")
	}
	d.failing = err != nil
}

func (d *Deliverer) tryLook(ctx context.Context) error {
	hooks, err := d.Store.Webhooks(ctx)
	if err != nil {
		return err
	}
	there := make(map[store.WebhookID]*store.Webhook, len(hooks))
	for i := range hooks {
		there[hooks[i].ID] = &hooks[i]
	}
	var ends sync.WaitGroup // side by side, because each waits for answers under way
	for id, w := range d.workers {
		hook, why := there[id], lost
		switch {
		case hook == nil:
			why = deleted
		case hook.Disabled != "":
			why = disabled
		case w.lost():
		default:
			w.change(*hook)
			continue
		}
		delete(d.workers, id)
		ends.Go(func() { w.end(why) })
	}
	ends.Wait()
	maps.DeleteFunc(d.seen, func(id store.WebhookID, _ sighting) bool { return there[id] == nil })
	d.Metrics.count(hooks)
	if len(hooks) == 0 {
		return nil
	}
	rows, err := d.Store.Deliveries(ctx)
	if err != nil {
		return err
	}
	begun := make(map[store.WebhookID]*store.Delivery, len(rows))
	for i := range rows {
		begun[rows[i].Webhook] = &rows[i]
	}
	var faults []error // of single endpoints, which must not hold back the others
	for i := range hooks {
		hook := &hooks[i]
		if d.workers[hook.ID] != nil || hook.Disabled != "" {
			continue
		}
		if err := d.take(ctx, hook, begun[hook.ID]); err != nil {
			faults = append(faults, fmt.Errorf("deliver to webhook %d: %w", hook.ID, err))
		}
	}
	return errors.Join(append(faults, d.replays(ctx))...)
}

// take starts a worker for an endpoint if no other server has one.
func (d *Deliverer) take(ctx context.Context, hook *store.Webhook, row *store.Delivery) error {
	if row == nil {
		first := store.Delivery{Webhook: hook.ID, Holder: d.me, Beat: 1, Position: hook.Start, Report: Report{}.String()}
		if err := d.Store.StartDelivery(ctx, first); err != nil {
			if store.ClassOf(err) == store.ClassFault { // another server was first
				return nil
			}
			return err
		}
		return d.work(hook, first)
	}
	if row.Holder != "" && !d.Alone && !d.quiet(row) {
		return nil
	}
	if _, _, err := read(row); err != nil { // before it is taken, so that a server that can read it may
		return err
	}
	to := *row
	to.Holder, to.Beat = d.me, row.Beat+1
	done, err := d.Store.ReplaceDelivery(ctx, *row, to)
	if err != nil || !done {
		return err
	}
	if row.Holder != "" {
		d.Log.Info("taking over a webhook from a server that no longer delivers", "webhook", hook.ID)
	}
	return d.work(hook, to)
}

// quiet reports whether the server that a row names has not changed it for so long that it must be gone. It compares
// times of this machine's clock only.
func (d *Deliverer) quiet(row *store.Delivery) bool {
	s, known := d.seen[row.Webhook]
	if !known || s.holder != row.Holder || s.beat != row.Beat {
		d.seen[row.Webhook] = sighting{row.Holder, row.Beat, time.Now()}
		return false
	}
	return time.Since(s.since) >= quietFor
}

func (d *Deliverer) work(hook *store.Webhook, row store.Delivery) error {
	w, err := d.newWorker(*hook, row)
	if err != nil {
		return err
	}
	d.workers[hook.ID] = w
	return nil
}

// replays passes what operators want to be sent again to the workers.
func (d *Deliverer) replays(ctx context.Context) error {
	waiting, err := d.Store.Replays(ctx)
	if err != nil {
		return err
	}
	for _, r := range waiting {
		if w := d.workers[r.Webhook]; w != nil {
			w.replay(r)
		}
	}
	return nil
}

// disable stores that nothing more is delivered to an endpoint, unless somebody did that already.
func (d *Deliverer) disable(ctx context.Context, id store.WebhookID, reason Reason) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	ours := false
	hook, err := change(ctx, d.Store, id, func(w *store.Webhook) bool {
		if ours = w.Disabled == ""; ours {
			w.Disabled, w.DisabledAt = string(reason), drop.TimeOf(time.Now())
		}
		return ours
	})
	switch {
	case drop.CodeOf(err) == drop.CodeWebhookNotFound: // somebody deleted it
	case err != nil:
		d.Log.Warn("cannot disable a webhook; its events are not sent, and the next attempt will disable it", "webhook", id, "err", err)
	case ours:
		d.Metrics.disabled.WithLabelValues(string(reason)).Inc()
		d.Log.Error("disabled a webhook; enable it again once its receiver works", "webhook", id, "reason", string(reason), "host", hostOf(hook.URL))
	}
}
