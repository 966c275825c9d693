package webhooks

import (
	"context"
	"time"

	"sneakerdrop/internal/events"
	"sneakerdrop/internal/store"
)

// replay begins to send again what an operator asked for, unless it or another replay is under way.
func (w *worker) replay(r store.Replay) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.replaying || w.stranger || w.sending.Err() != nil { // one after the other
		return
	}
	w.replaying = true
	ctx, cancel := context.WithCancel(w.sending)
	w.stopReplay = cancel
	w.done.Go(func() {
		done := w.sendAgain(ctx, r)
		cancel()
		if done {
			w.endReplay(r.ID)
		}
		w.mu.Lock()
		w.replaying = false
		w.mu.Unlock()
	})
}

// sendAgain sends events that were sent before. It reports whether it is done: everything was delivered, or an event
// failed for GiveUpAfter.
func (w *worker) sendAgain(ctx context.Context, r store.Replay) (done bool) {
	w.mu.Lock()
	filter := w.filter
	w.mu.Unlock()
	filter.Newest = false
	at, err := w.d.Feed.Before(ctx, r.Drop, r.First)
	for err == nil {
		var page events.Page
		if page, err = w.d.Feed.Drop(ctx, r.Drop, at, filter, pageSize); err != nil {
			break
		}
		for i := range page.Events {
			e := &page.Events[i]
			if e.Seq > r.Last {
				return true
			}
			if e.Seq < r.First {
				continue
			}
			if delivered, done := w.insist(ctx, e); !delivered {
				return done
			}
		}
		if at = page.End; !page.More {
			return true
		}
	}
	if ctx.Err() == nil {
		w.d.Log.Warn("cannot read the events for a replay; trying again", "webhook", r.Webhook, "drop", r.Drop, "err", err)
	}
	return false
}

// insist sends one event until it is delivered. done reports, if it was not, that nobody should try again.
func (w *worker) insist(ctx context.Context, e *events.Event) (delivered, done bool) {
	begun := time.Now()
	for tries := 1; ; tries++ {
		w.mu.Lock()
		url, secrets := w.hook.URL, w.secrets
		w.mu.Unlock()
		a := w.d.Poster.Send(ctx, url, Message{ID: e.ID(), Type: string(e.Type), Body: e.Message(), Secrets: secrets})
		if ctx.Err() != nil {
			return false, false
		}
		w.d.Metrics.attempts.WithLabelValues(string(a.Outcome)).Inc()
		record := recordOf(&a, e.ID(), string(e.Type), tries)
		wait := w.d.Retry(tries, a.RetryAfter)
		if a.Outcome != Delivered {
			record.Next = record.At.Add(a.Took + wait)
		}
		w.mu.Lock()
		w.note(&record)
		w.dirty = true
		w.mu.Unlock()
		switch {
		case a.Outcome == Delivered:
			return true, true
		case a.Outcome == Gone || time.Since(begun) >= GiveUpAfter:
			return false, true
		}
		select {
		case <-ctx.Done():
			return false, false
		case <-time.After(wait):
		}
	}
}

func (w *worker) endReplay(id store.ReplayID) {
	ctx, cancel := context.WithTimeout(context.Background(), saveTimeout)
	defer cancel()
	if err := w.d.Store.EndReplay(ctx, id); err != nil {
		w.d.Log.Warn("cannot end a replay; its events are sent once more", "webhook", w.id, "err", err)
	}
}
