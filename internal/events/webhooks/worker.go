package webhooks

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/store"
)

// Reason says why an endpoint is disabled. Reasons are stored and sent to clients; do not change them.
type Reason string

// The reasons.
const (
	ByOperator Reason = "operator"
	BecameGone Reason = "gone"   // the receiver answered 410
	KeptFailed Reason = "failed" // an event could not be delivered for GiveUpAfter
)

const (
	// parallel is how many drops of an endpoint are delivered at once.
	parallel = 8
	// pageSize is how many events of a drop are read at once.
	pageSize = 200
	// movementEvery is the least time between two messages of one drop and type about movements of its stock.
	movementEvery = 250 * time.Millisecond
	// pageEvery is the least time between two reads of one drop that found events.
	pageEvery = 40 * time.Millisecond
	// emptyEvery is the same for reads that found only events that the endpoint does not want.
	emptyEvery = 100 * time.Millisecond
	// busyPage and busyEvery bound what a drop's deliveries cost while selling needs the whole machine: 50 messages a
	// second. The others are sent once the rush is over.
	busyPage  = 10
	busyEvery = 200 * time.Millisecond
	// unsaved is how many messages are sent at most before the position is stored.
	unsaved = 2000
	// saveTimeout limits one attempt to store the position.
	saveTimeout = 3 * time.Second
	// lagEvery is how often the lag is measured while events wait.
	lagEvery = 5 * time.Second
	// maxRetries is for how many drops an event may have failed. No further drop begins before one of these succeeds.
	maxRetries = 100
	// finishWithin is how long a worker that ends waits for the answers of its last messages.
	finishWithin = 2 * time.Second
	// errorPause is the rest after the store has failed.
	errorPause = time.Second
)

// ending is why a worker ends.
type ending int

const (
	leaving  ending = iota // the server stops: another one may go on at once
	disabled               // by an operator or the worker itself
	deleted
	lost // another server has taken over
)

// worker delivers to one endpoint.
type worker struct {
	d      *Deliverer
	id     store.WebhookID
	cancel context.CancelFunc // begins nothing more
	done   sync.WaitGroup
	wake   chan struct{} // something has happened that the loop must look at

	sending context.Context    //nolint:containedctx // of the messages under way, which may end after everything else
	cut     context.CancelFunc // ends them

	// Only keepSaving uses these: whether events waited when it last looked, and when it last counted them.
	waiting    bool
	measuredAt time.Time

	mu       sync.Mutex // guards everything below
	hook     store.Webhook
	filter   events.Filter
	secrets  []Secret
	row      store.Delivery // the stored one
	cursor   events.Cursor
	report   Report // its attempts are oldest first here
	busy     map[drop.ID]bool
	rest     map[drop.ID]time.Time // until when a drop is not read again
	pause    time.Time             // until when nothing is sent, as the receiver asked
	sent     int                   // messages since the position was stored
	dirty    bool
	savedAt  time.Time
	stranger bool // another server has taken over
	// replaying: events are being sent again.
	replaying bool
	// stopReplay ends the one under way.
	stopReplay context.CancelFunc
}

// newWorker starts to deliver from where the row says.
func (d *Deliverer) newWorker(hook store.Webhook, row store.Delivery) (*worker, error) {
	cursor, report, err := read(&row)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	sending, cut := context.WithCancel(context.Background())
	w := &worker{
		d: d, id: hook.ID, cancel: cancel, sending: sending, cut: cut, wake: make(chan struct{}, 1), row: row, cursor: cursor, report: report, savedAt: time.Now(),
		busy: make(map[drop.ID]bool), rest: make(map[drop.ID]time.Time),
	}
	slices.Reverse(w.report.Attempts)
	w.set(hook)
	w.done.Go(func() { w.run(ctx) })
	w.done.Go(func() { w.keepSaving(ctx) })
	return w, nil
}

// read decodes what a row says. An error means that the row was damaged, or written by a newer program.
func read(row *store.Delivery) (events.Cursor, Report, error) {
	cursor, err := events.ParseCursor(row.Position)
	if err != nil {
		return events.Cursor{}, Report{}, err
	}
	report, err := ParseReport(row.Report)
	return cursor, report, err
}

// set takes over what an operator has set.
func (w *worker) set(hook store.Webhook) {
	w.hook = hook
	w.filter = FilterOf(&hook)
	w.filter.Newest = true
	w.secrets = secretsOf(&hook, drop.TimeOf(time.Now()))
}

// FilterOf returns the filter of the events that an endpoint wants.
func FilterOf(hook *store.Webhook) (f events.Filter) {
	for t := range strings.SplitSeq(hook.Types, ",") {
		if t != "" {
			f.Types = append(f.Types, events.Type(t))
		}
	}
	for n := range strings.SplitSeq(hook.Drops, ",") {
		if id, err := strconv.ParseInt(n, 10, 64); err == nil {
			f.Drops = append(f.Drops, drop.ID(id))
		}
	}
	return f
}

// change takes over what an operator has changed, if anything.
func (w *worker) change(hook store.Webhook) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set(hook)
}

// end stops the worker and stores how far it is.
func (w *worker) end(why ending) {
	w.cancel()
	if stop := w.stopReplaying(); stop != nil {
		stop()
	}
	cut := time.AfterFunc(finishWithin, w.cut)
	w.done.Wait()
	cut.Stop()
	w.cut()
	w.d.Metrics.forget(w.id)
	if why == lost {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), saveTimeout)
	defer cancel()
	if why == deleted {
		if err := w.d.Store.EndDelivery(ctx, w.id); err != nil {
			w.d.Log.Warn("cannot delete the delivery of a deleted webhook", "webhook", w.id, "err", err)
		}
		return
	}
	w.mu.Lock()
	if why == disabled {
		w.report.Retries = nil // once enabled, it begins anew
	}
	w.mu.Unlock()
	for range 2 { // an operator may have changed the row in between
		if w.save(ctx, ""); !w.isDirty() {
			return
		}
	}
}

func (w *worker) isDirty() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dirty
}

func (w *worker) stopReplaying() context.CancelFunc {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopReplay
}

// lost reports whether another server has taken over.
func (w *worker) lost() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stranger
}

func (w *worker) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run starts the delivery of each drop that has something to deliver.
func (w *worker) run(ctx context.Context) {
	var drops sync.WaitGroup
	defer drops.Wait()
	for ctx.Err() == nil {
		seen := w.d.Feed.Generation()
		w.mu.Lock()
		cursor, filter := w.cursor.Clone(), w.filter
		w.mu.Unlock()
		pending, err := w.d.Feed.Pending(ctx, cursor, filter)
		if err != nil {
			w.storeFailed(ctx, err)
			continue
		}
		next := time.Now().Add(beatEvery)
		w.mu.Lock()
		now := time.Now()
		for _, id := range pending {
			due := w.due(id)
			switch {
			case w.busy[id] || w.stranger:
			case len(w.report.Retries) >= maxRetries && w.retryOf(id) == nil: // the endpoint fails, whatever the drop
			case due.After(now):
				if due.Before(next) {
					next = due
				}
			case len(w.busy) < parallel:
				w.busy[id] = true
				drops.Go(func() {
					w.deliver(ctx, id)
					w.mu.Lock()
					delete(w.busy, id)
					w.mu.Unlock()
					w.nudge()
				})
			}
		}
		w.mu.Unlock()
		w.sleep(ctx, seen, next)
	}
}

// due returns from when on a drop may be read. The caller holds mu.
func (w *worker) due(id drop.ID) time.Time {
	due := w.rest[id]
	if r := w.retryOf(id); r != nil && r.Next.Time().After(due) {
		due = r.Next.Time()
	}
	if w.pause.After(due) {
		due = w.pause
	}
	if silent := w.savedAt.Add(mayMiss); !w.d.Alone && time.Now().After(silent) {
		return time.Now().Add(saveEvery) // another server may take over
	}
	return due
}

// sleep waits for news, for a worker of a drop to end, or until that time.
func (w *worker) sleep(ctx context.Context, seen uint64, until time.Time) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	news := make(chan struct{})
	go func() {
		defer close(news)
		w.d.Feed.Wait(ctx, seen)
	}()
	select {
	case <-news:
	case <-w.wake:
		cancel()
		<-news
	}
}

func (w *worker) storeFailed(ctx context.Context, err error) {
	if ctx.Err() == nil {
		w.d.Log.Warn("cannot read the events for a webhook", "webhook", w.id, "err", err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(errorPause):
	}
}

// deliver sends a drop's events in their order, until there are none, or one fails.
func (w *worker) deliver(ctx context.Context, id drop.ID) {
	w.mu.Lock()
	cursor, filter := w.cursor.Clone(), w.filter
	w.mu.Unlock()
	at, err := w.position(ctx, cursor, id)
	size := pageSize
	if w.d.Feed.Busy() {
		size = busyPage
	}
	var page events.Page
	if err == nil {
		page, err = w.d.Feed.Drop(ctx, id, at, filter, size)
	}
	if err != nil {
		w.storeFailed(ctx, err)
		w.restFor(id, errorPause)
		return
	}
	movements := false
	for i := range page.Events {
		if i >= busyPage && w.d.Feed.Busy() {
			w.restFor(id, busyEvery)
			return
		}
		e := &page.Events[i]
		if !w.send(ctx, e) {
			return
		}
		movements = movements || e.Type.Movement()
	}
	rest := pageEvery
	switch {
	case len(page.Events) == 0 && !page.More:
		rest = emptyEvery
	case movements && !page.More:
		rest = movementEvery
	case w.d.Feed.Busy():
		rest = busyEvery
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cursor.Drops[id], w.dirty = page.End, true
	w.rest[id] = time.Now().Add(rest)
}

// position returns where a drop's events go on behind a cursor. It notes the place, because finding it may mean to read
// all that ever happened to the drop.
func (w *worker) position(ctx context.Context, c events.Cursor, id drop.ID) (events.Position, error) {
	at, err := w.d.Feed.Position(ctx, c, id)
	if err != nil {
		return at, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, named := w.cursor.Drops[id]; !named {
		w.cursor.Drops[id] = at
	}
	return at, nil
}

func (w *worker) restFor(id drop.ID, d time.Duration) {
	w.mu.Lock()
	w.rest[id] = time.Now().Add(d)
	w.mu.Unlock()
}

// send sends an event and notes what became of it. It reports whether the next one may follow.
func (w *worker) send(ctx context.Context, e *events.Event) bool {
	w.mu.Lock()
	if ctx.Err() != nil || w.stranger || time.Now().Before(w.pause) || w.sent >= unsaved {
		if w.sent >= unsaved {
			w.rest[e.Drop] = time.Now().Add(pageEvery)
		}
		w.mu.Unlock()
		return false
	}
	url, message := w.hook.URL, Message{ID: e.ID(), Type: string(e.Type), Body: e.Message(), Secrets: w.secrets}
	tries := 1
	if r := w.retryOf(e.Drop); r != nil {
		tries = r.Tries + 1
	}
	w.mu.Unlock()
	attempt := w.d.Poster.Send(w.sending, url, message)
	if w.sending.Err() != nil && attempt.Outcome != Delivered { // it was cut off, so it says nothing about the endpoint
		return false
	}
	record := recordOf(&attempt, message.ID, message.Type, tries)
	w.d.Metrics.attempts.WithLabelValues(string(attempt.Outcome)).Inc()
	w.mu.Lock()
	w.dirty = true
	w.sent++
	if attempt.Outcome == Delivered {
		w.d.Metrics.delivery.Observe(time.Since(e.At.Time()).Seconds())
		w.cursor.Drops[e.Drop], w.cursor.Last = e.After, e.Drop
		w.report.Succeeded = record.At
		w.setRetry(e.Drop, nil)
		w.note(&record)
		w.mu.Unlock()
		return true
	}
	retry, keptFailing := w.failed(e, &attempt, tries)
	record.Next = retry.Next
	if attempt.Outcome == Gone || keptFailing {
		record.Next = 0
	}
	w.note(&record)
	w.mu.Unlock()
	switch {
	case attempt.Outcome == Gone:
		w.d.disable(context.WithoutCancel(ctx), w.id, BecameGone)
	case keptFailing:
		w.d.disable(context.WithoutCancel(ctx), w.id, KeptFailed)
	}
	return false
}

// failed notes that an event could not be delivered. keptFailing reports that it has failed for GiveUpAfter. The
// caller holds mu.
func (w *worker) failed(e *events.Event, a *Attempt, tries int) (r Retry, keptFailing bool) {
	now := drop.TimeOf(a.At.Add(a.Took))
	r = Retry{Drop: e.Drop, Seq: e.Seq, Tries: tries, Since: drop.TimeOf(a.At)}
	if before := w.retryOf(e.Drop); before != nil {
		r.Since = before.Since
	}
	if a.RetryAfter > 0 { // the receiver asks for a rest, whatever the drop
		w.pause = time.Now().Add(a.RetryAfter)
	}
	r.Next = now.Add(w.d.Retry(tries, a.RetryAfter))
	w.setRetry(e.Drop, &r)
	return r, now.Sub(r.Since) >= GiveUpAfter
}

func (w *worker) retryOf(id drop.ID) *Retry {
	if i := slices.IndexFunc(w.report.Retries, func(r Retry) bool { return r.Drop == id }); i >= 0 {
		return &w.report.Retries[i]
	}
	return nil
}

// setRetry sets or, with nil, removes the retry of a drop.
func (w *worker) setRetry(id drop.ID, r *Retry) {
	w.report.Retries = slices.DeleteFunc(w.report.Retries, func(r Retry) bool { return r.Drop == id })
	if r != nil {
		w.report.Retries = append(w.report.Retries, *r)
	}
}

// note puts an attempt first in the report.
func (w *worker) note(r *Record) {
	if n := len(w.report.Attempts); n >= 2*MaxRecords {
		w.report.Attempts = w.report.Attempts[n-MaxRecords+1:]
	}
	w.report.Attempts = append(w.report.Attempts, *r)
}

func recordOf(a *Attempt, id, kind string, tries int) Record {
	return Record{
		At: drop.TimeOf(a.At), Event: id, Type: kind, Try: tries, Outcome: a.Outcome, Status: a.Status, Took: a.Took.Milliseconds(),
		Answer: a.Answer, Error: a.Error,
	}
}

// keepSaving stores the position while the worker runs.
func (w *worker) keepSaving(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(saveEvery / 2):
		}
		w.mu.Lock()
		since := time.Since(w.savedAt)
		due := (w.dirty && since >= saveEvery) || (w.waiting && time.Since(w.measuredAt) >= lagEvery) || w.sent >= unsaved/2 || !w.d.Alone && since >= beatEvery
		w.mu.Unlock()
		if due {
			w.measure(ctx)
			limited, cancel := context.WithTimeout(ctx, saveTimeout)
			w.save(limited, w.d.me)
			cancel()
			w.nudge()
		}
	}
}

// save stores how far the worker is. holder is empty if the worker ends.
func (w *worker) save(ctx context.Context, holder string) {
	w.mu.Lock()
	before, sent, old := w.cursor.Clone(), w.sent, w.row
	w.dirty = false
	report := w.report
	report.Attempts = slices.Clone(report.Attempts)
	slices.Reverse(report.Attempts)
	report.Attempts = report.Attempts[:min(len(report.Attempts), MaxRecords)]
	report.Retries = slices.SortedFunc(slices.Values(report.Retries), func(a, b Retry) int { return cmp.Compare(a.Drop, b.Drop) })
	w.mu.Unlock()
	cursor := before.Clone()
	w.d.Feed.Settle(&cursor)
	to := old
	to.Holder, to.Beat, to.Position, to.Report = holder, old.Beat+1, cursor.String(), report.String()
	asked := time.Now()
	done, err := w.d.Store.ReplaceDelivery(ctx, old, to)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil:
		w.dirty = true
		w.d.Log.Warn("cannot store how far a webhook is; its events may be sent again", "webhook", old.Webhook, "err", err)
		w.find(ctx, &to)
	case !done:
		w.find(ctx, &to)
	default:
		w.saved(&to, sent, asked)
		w.settle(before, cursor)
	}
}

// find looks after a save that failed, or that found another row: an earlier save may have taken effect without an
// answer. The caller holds mu.
func (w *worker) find(ctx context.Context, wanted *store.Delivery) {
	row, found, err := w.d.Store.Delivery(ctx, w.id)
	switch {
	case err != nil:
	case found && row.Holder == w.d.me:
		w.adopt(w.row.Report, row.Report)
		w.row, w.dirty = row, true
	case found && row.Holder == "" && wanted.Holder == "":
	default:
		w.stranger = true
		w.cancel()
		w.d.Log.Warn("another server delivers to a webhook now", "webhook", w.id)
	}
}

// adopt takes over what any server changes in the stored report: it adds attempts to send test messages, and removes
// the retries when an operator enables the endpoint again. before is what was stored last. The caller holds mu.
func (w *worker) adopt(before, stored string) {
	report, err := ParseReport(stored)
	if err != nil {
		return
	}
	if old, err := ParseReport(before); err == nil && len(old.Retries) > 0 && len(report.Retries) == 0 {
		w.report.Retries, w.pause = nil, time.Time{}
	}
	for _, r := range report.Attempts {
		if r.Event != "" || slices.Contains(w.report.Attempts, r) {
			continue
		}
		i := len(w.report.Attempts)
		for i > 0 && w.report.Attempts[i-1].At > r.At {
			i--
		}
		w.report.Attempts = slices.Insert(w.report.Attempts, i, r)
	}
}

func (w *worker) saved(row *store.Delivery, sent int, at time.Time) {
	w.row, w.savedAt = *row, at
	w.sent -= sent
}

// settle shortens the cursor in use like the stored one, which was made from it before.
func (w *worker) settle(before, stored events.Cursor) {
	for id, at := range before.Drops {
		if _, named := stored.Drops[id]; !named && !w.busy[id] && w.cursor.Drops[id] == at {
			delete(w.cursor.Drops, id)
		}
	}
	w.cursor.Settled, w.cursor.From = stored.Settled, stored.From
}

// hostOf returns the host of an endpoint's address, for logs: the rest of an address may be secret.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Host
}
