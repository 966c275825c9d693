package webhooks

import (
	"context"
	"time"

	"sneakerdrop/internal/drop"
)

// lagDrops is for how many drops at most the waiting events are counted.
const lagDrops = 20

// measure finds out how far the deliveries are behind. While events wait, it counts them every lagEvery: that costs as
// much as planning to send them all.
func (w *worker) measure(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	w.mu.Lock()
	cursor, filter := w.cursor.Clone(), w.filter
	w.mu.Unlock()
	filter.Newest = false
	pending, err := w.d.Feed.Pending(ctx, cursor, filter)
	if err != nil {
		return
	}
	if w.waiting = len(pending) > 0; w.waiting {
		if time.Since(w.measuredAt) < lagEvery {
			return
		}
		w.measuredAt = time.Now()
	}
	behind, oldest := int64(0), drop.Time(0)
	for _, id := range pending[:min(len(pending), lagDrops)] {
		at, err := w.position(ctx, cursor, id)
		if err != nil {
			return
		}
		n, first, err := w.d.Feed.Behind(ctx, id, at, filter)
		if err != nil {
			return
		}
		behind += n
		if n > 0 && (oldest == 0 || first < oldest) {
			oldest = first
		}
	}
	lag := int64(0)
	if oldest != 0 {
		lag = max(0, time.Since(oldest.Time()).Milliseconds())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.report.Behind != behind || lag != 0 {
		w.dirty = true
	}
	w.report.Behind, w.report.Lag = behind, lag
	w.d.Metrics.lag(w.id, behind, lag)
}
