package drawing

import (
	"context"
	"time"

	"sneakerdrop/internal/drop"
)

const (
	lookEvery = time.Second
	// firstPause is how long a draw that failed rests. Each further failure doubles it, up to longestPause.
	firstPause, longestPause = time.Second, time.Minute
)

// attempt is how the last attempt at a draw ended.
type attempt struct {
	waits string        // forSeed, forBeacon or empty
	pause time.Duration // after a failure
	again time.Time     // not before then
}

// Run carries out draws that are due, one at a time, until ctx ends. It looks each second, and at once after Reveal. A
// draw that fails is logged and tried again later. Draws of archived drops rest. Several servers may run it at once.
func (d *Desk) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	attempts := make(map[drop.ID]attempt)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-d.woken:
			for id, a := range attempts {
				a.again = time.Time{}
				attempts[id] = a
			}
		}
		d.look(ctx, attempts)
	}
}

// look carries out what is due.
func (d *Desk) look(ctx context.Context, attempts map[drop.ID]attempt) {
	waiting := map[string]int{forSeed: 0, forBeacon: 0}
	var due []drop.ID
	for of := range d.engine.All() { // nothing else may be asked of the engine meanwhile
		if d.due(of) {
			due = append(due, of.ID)
		} else {
			delete(attempts, of.ID)
		}
	}
	for _, id := range due {
		of := &d.engine.Known(id).Drop
		before := attempts[of.ID]
		after := before
		if !time.Now().Before(before.again) {
			after = d.attempt(ctx, of, before)
		}
		if ctx.Err() != nil {
			return
		}
		attempts[of.ID] = after
		if after.waits != "" {
			waiting[after.waits]++
		}
	}
	for what, n := range waiting {
		d.Metrics.waiting.WithLabelValues(what).Set(float64(n))
	}
}

// due reports whether there may be something to do for a drop's draw.
func (d *Desk) due(of *drop.Drop) bool {
	return of.DrawPending() && !of.Archived &&
		(of.DrawState.Phase == drop.Drawing || d.engine.Now() >= of.Draw.Closes)
}

func (d *Desk) attempt(ctx context.Context, of *drop.Drop, before attempt) attempt {
	log := d.Logger.With("drop", int64(of.ID))
	waits, err := d.carryOut(ctx, of)
	switch {
	case ctx.Err() != nil:
		return before
	case err != nil:
		d.Metrics.draws.WithLabelValues("failed").Inc()
		pause := min(max(2*before.pause, firstPause), longestPause)
		log.Warn("a draw could not go on; it is tried again", "after", pause, "err", err)
		return attempt{waits: waits, pause: pause, again: time.Now().Add(pause)}
	case waits != before.waits && waits == forSeed:
		log.Info("the entries of a draw are closed; it waits until the shop reveals the seed")
	case waits != before.waits && waits == forBeacon:
		log.Info("the entries of a draw are closed; it waits for the round of its beacon", "beacon", of.Draw.Chain, "round", of.Draw.Round)
	}
	return attempt{waits: waits}
}
