package engine_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
)

var (
	drawSeed = draw.Seed{1}
	drawKey  = make([]byte, 32)
)

// drawSpec is a fifth drop, in the seeds that have it. Its draw closes while clients still call.
func drawSpec(p *plan, now drop.Time) drop.Spec {
	closes := now.Add(p.draw)
	opens := now.Add(p.early.opens)
	return drop.Spec{
		Name: "drawn", Sizes: []drop.SizeSpec{{Label: "8", Stock: 2}, {Label: "9", Stock: 2}}, StartTime: closes,
		Draw:    drop.Draw{Opens: opens, Closes: closes, PayWithin: 10, Commitment: drop.Hash(draw.Commit(drawSeed))},
		Secrets: &drop.DrawSecrets{Seed: drawSeed[:], Key: drawKey},
	}
}

// drawn returns the drop with a draw, 0 if there is none.
func (s *simulation) drawn() drop.ID {
	if s.plan.draw == 0 {
		return 0
	}
	return s.drops[4]
}

// commitsDraw checks a state of the drop with a draw that a batch commits, and what it was before. It needs s.mu.
func (s *simulation) commitsDraw(was drop.DrawState, state *drop.State) {
	is := state.DrawState
	if is.Phase < was.Phase || is.Entered < was.Entered || is.Lined < was.Lined || was.Phase != drop.Entering && is.Entered != was.Entered ||
		was.Phase == drop.Drawn && is != was {
		s.t.Errorf("the draw goes from %+v to %+v", was, is)
	}
	if is.Phase != drop.Drawn && state.Reserved > 0 && !s.hasEarly(state.ID) {
		s.t.Errorf("a unit is reserved, and the draw is not over: %+v", state.Drop)
	}
	if is.Phase == drop.Drawn && was.Phase != drop.Drawn {
		s.over = state.LastAt
		s.counts["draws"]++
	}
}

// draws does what a replica does about draws: one step now and then. Several replicas do the same.
func (s *simulation) draws(number int) {
	rnd := rand.New(rand.NewPCG(s.plan.seed, 100+uint64(number)))
	for time.Since(s.began) < clientsRun {
		time.Sleep(rand0(rnd, 2*time.Second))
		s.drawStep(s.replicas[number], rand0(rnd, time.Second))
	}
}

// drawStep closes the draw or gives the next two places, and reports whether the draw is over. It waits for a pause
// before it gives places, so that another replica may give the same ones.
func (s *simulation) drawStep(r *replica, pause time.Duration) (over bool) {
	e, ctx := r.reach()
	if e == nil {
		return false
	}
	d, err := e.CloseDraw(ctx, s.drawn())
	switch {
	case err != nil || d.DrawState.Phase == drop.Entering:
		return false
	case d.DrawState.Phase == drop.Drawn: // a late call changes nothing
		_, _ = e.LineUp(ctx, s.drawn(), drop.LineUp{From: d.DrawState.Lined, Places: []drop.Place{{User: 1}}, Last: true})
		return true
	}
	entries, err := e.DrawEntries(ctx, s.drawn(), 0, 10_000)
	if err != nil {
		return false
	}
	places, err := s.keepDraw(ctx, s.result(&d, entries), entries)
	if err != nil {
		s.t.Error(err)
		return false
	}
	time.Sleep(pause)
	from := min(int(d.DrawState.Lined), len(places))
	next := places[from:min(from+2, len(places))]
	d, err = e.LineUp(ctx, s.drawn(), drop.LineUp{From: d.DrawState.Lined, Places: next, Last: from+len(next) == len(places)})
	s.notef("replica %d lines up from %d: %+v, %v", r.number, from, d.DrawState, err)
	s.count("chunks of places")
	return err == nil && d.DrawState.Phase == drop.Drawn
}

// result draws.
func (s *simulation) result(d *drop.Drop, entries []drop.DrawEntry) (kept store.Draw) {
	r := draw.Record{
		Drop: draw.Drop{ID: int64(d.ID), Name: d.Name}, Opens: draw.Time(d.Draw.Opens), Closes: draw.Time(d.Draw.Closes),
		Commitment: draw.Hash(d.Draw.Commitment), Seed: drawSeed,
	}
	for _, z := range d.Sizes {
		r.Stock = append(r.Stock, draw.Stock{Size: z.Label, Units: z.Stock.Available + z.Pending})
	}
	for _, e := range entries {
		mac := hmac.New(sha256.New, drawKey)
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(e.Number())))
		r.Entries = append(r.Entries, draw.Entry{
			ID: draw.EntryID(e.Number()), Hash: draw.HashBuyer(draw.Salt(mac.Sum(nil)[:16]), int64(e.UserID)), Sizes: e.Sizes.Places(),
			Withdrawn: e.WithdrawnAt != 0, Removed: e.Removed,
		})
	}
	if err := r.Close(); err != nil {
		s.t.Errorf("close the draw: %v", err)
	}
	if err := r.Run(); err != nil {
		s.t.Errorf("draw: %v", err)
	}
	closed, err := json.Marshal(map[string]any{"name": r.Drop.Name, "stock": r.Stock, "count": r.Count, "root": r.Root, "seal": r.Seal})
	if err != nil {
		s.t.Error(err)
	}
	text, err := r.Encode()
	if err != nil {
		s.t.Error(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(text) // into memory
	_ = z.Close()
	kept.Closed, kept.Record = string(closed), packed.Bytes()
	return kept
}

// keepDraw stores the record, once, and returns the places that the stored one gives. Holds by early access may end
// after the close, so that a record that is made later has more units. The first one counts.
func (s *simulation) keepDraw(ctx context.Context, made store.Draw, entries []drop.DrawEntry) ([]drop.Place, error) {
	is, found, err := s.store.Draw(ctx, s.drawn())
	if err != nil || !found {
		return nil, fmt.Errorf("read the draw: found %t, %w", found, err)
	}
	if is.Closed != "" && !s.hasEarly(s.drawn()) && (is.Closed != made.Closed || !bytes.Equal(is.Record, made.Record)) {
		return nil, fmt.Errorf("the draw has another result now: %s and %s", is.Closed, made.Closed)
	}
	if is.Closed == "" {
		to := is
		to.Closed, to.Record = made.Closed, made.Record
		if _, err = s.store.ReplaceDraw(ctx, s.drawn(), &is, &to); err != nil {
			return nil, err
		}
	}
	return s.places(ctx, entries)
}

// places returns the places in line that the stored record of the draw gives.
func (s *simulation) places(ctx context.Context, entries []drop.DrawEntry) (all []drop.Place, err error) {
	kept, _, err := s.store.Draw(ctx, s.drawn())
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	z, err := gzip.NewReader(bytes.NewReader(kept.Record))
	if err == nil {
		_, err = text.ReadFrom(z)
	}
	if err != nil {
		return nil, err
	}
	record, err := draw.Parse(text.Bytes())
	if err != nil {
		return nil, err
	}
	for _, w := range record.Winners {
		all = append(all, drop.Place{User: entries[w.Entry-1].UserID, Size: w.Size})
	}
	for _, n := range record.RunnersUp {
		for _, size := range entries[n-1].Sizes.Places() {
			all = append(all, drop.Place{User: entries[n-1].UserID, Size: size})
		}
	}
	return all, nil
}

// recoverDraw ends the draw after the faults, lets each winner and each runner-up have a turn, and ends the wait.
func (s *simulation) recoverDraw() {
	over := false
	for i := range 200 {
		if over = s.drawStep(s.replicas[i%2], 0); over {
			break
		}
	}
	if !over {
		s.t.Error("the draw does not end")
	}
	e, ctx := s.replicas[0].reach()
	for _, cmd := range []drop.Edit{{Archived: new(false)}, {Archived: new(true)}} {
		if _, err := e.Resume(ctx, s.drawn(), engine.Retry{}); err != nil {
			s.t.Error(err)
		}
		if _, err := e.Edit(ctx, s.drawn(), cmd); err != nil {
			s.t.Error(err)
		}
		time.Sleep(3 * time.Minute)
	}
}

// draw is what clients do about a draw.
func (c *client) draw() {
	id := c.sim.drawn()
	var known []*deed
	for _, d := range c.enters {
		if d.answer != "" {
			known = append(known, d)
		}
	}
	n := c.rnd.IntN(12)
	if len(known) == 0 {
		n = 0
	}
	switch {
	case n < 5:
		user := drop.UserID(1 + c.rnd.IntN(20))
		sizes := [][]string{{"8"}, {"9"}, {"8", "9"}, {"9", "8"}}[c.rnd.IntN(4)]
		code := ""
		if c.sim.hasEarly(id) {
			code = c.code()
		}
		d := c.add(&deed{
			what: fmt.Sprintf("enters %d in the draw of %d for %v", user, id, sizes), drop: id, enters: pair{user, strings.Join(sizes, ",")},
			call: func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) {
				return e.EnterEarly(ctx, id, user, sizes, code, r)
			},
		})
		c.enters = append(c.enters, d)
		c.send(d)
	case n == 5:
		user := known[c.rnd.IntN(len(known))].enters.user
		c.send(c.add(&deed{
			what: fmt.Sprintf("withdraws %d from the draw of %d", user, id), drop: id, withdraws: user,
			call: func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) {
				return e.Withdraw(ctx, id, user, r)
			},
		}))
	case n == 6:
		entry := known[c.rnd.IntN(len(known))].entry.ID
		c.send(c.add(&deed{
			what: fmt.Sprintf("removes draw entry %d", entry), drop: id, removes: entry,
			call: func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) {
				return e.RemoveEntry(ctx, entry, "x", r)
			},
		}))
	default:
		c.lookAt(id, known[c.rnd.IntN(len(known))].enters.user)
		c.end(c.rnd.IntN(3) > 0)
	}
}

// may reports whether the deed may have been done, and did whether it was.
func (d *deed) may() bool { return d.answer != "" || d.unknown > 0 }

// checkDraw checks that each answer about the draw is in the records, that nobody is in it without asking, and that the
// line begins with its result.
func (b *books) checkDraw() {
	id := b.drawn()
	if id == 0 {
		return
	}
	entries, err := b.store.DrawEntries(b.t.Context(), id, 0, 10_000)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := range entries {
		b.checkDrawEntry(&entries[i])
	}
	for _, d := range b.deeds {
		if (d.enters == pair{}) && d.withdraws == 0 && d.removes == 0 || d.answer == "" {
			continue
		}
		i := slices.IndexFunc(entries, func(e drop.DrawEntry) bool { return e.ID == d.entry.ID })
		if i < 0 || entries[i].UserID != d.entry.UserID || entries[i].Sizes != d.entry.Sizes || entries[i].CreatedAt != d.entry.CreatedAt {
			b.t.Errorf("%s was answered with %s, and there is no such entry", d, d.answer)
		}
	}
	snapshot, err := b.store.Drop(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	state := snapshot.Drop.DrawState
	if state.Phase != drop.Drawn || b.over == 0 || int(state.Entered) != len(entries) {
		b.t.Errorf("the draw is %+v with %d entries, and was over at %s", state, len(entries), b.over)
	}
	want, err := b.places(b.t.Context(), entries)
	if err != nil {
		b.t.Fatal(err)
	}
	units := make(map[drop.UserID]int)
	for n := range state.Lined {
		e := b.entries[drop.NewEntryID(id, n+1)]
		if int(n) >= len(want) || want[n] != (drop.Place{User: e.UserID, Size: e.Line}) {
			b.t.Errorf("place %d is %+v, of %v", n+1, e, want)
		}
		b.count("places " + e.Status.String())
		if e.Status == drop.Offered {
			units[e.UserID]++
		}
		if units[e.UserID] > 1 {
			b.t.Errorf("user %d got two offers by the draw", e.UserID)
		}
	}
	if int(state.Lined) != len(want) {
		b.t.Errorf("%d places were given, of %d", state.Lined, len(want))
	}
	for _, r := range b.reservations {
		if r.ID.Drop() == id && r.CreatedAt < b.over && r.Pass == 0 {
			b.t.Errorf("%+v was made, and the draw was over at %s", r, b.over)
		}
	}
}

// checkDrawEntry checks that somebody asked for what became of an entry.
func (b *books) checkDrawEntry(e *drop.DrawEntry) {
	var entered, withdrawn, removed bool
	labels := make([]string, 0, 2)
	for _, place := range e.Sizes.Places() {
		labels = append(labels, []string{"8", "9"}[place])
	}
	for _, d := range b.deeds {
		entered = entered || d.enters == pair{e.UserID, strings.Join(labels, ",")} && d.may()
		withdrawn = withdrawn || d.withdraws == e.UserID && d.may()
		removed = removed || d.removes == e.ID && d.may()
		if d.removes == e.ID && d.entry.Removed != e.Removed && d.answer != "" && d.entry.Removed != "" {
			b.t.Errorf("%s was answered with %s, the entry is %+v", d, d.answer, e)
		}
	}
	if !entered || e.WithdrawnAt != 0 && !withdrawn || e.Removed != "" && !removed {
		b.t.Errorf("nobody asked for %+v: entered %t, withdrawn %t, removed %t", e, entered, withdrawn, removed)
	}
	switch {
	case e.Removed != "":
		b.count("draw entries removed")
	case e.WithdrawnAt != 0:
		b.count("draw entries withdrawn")
	default:
		b.count("draw entries drawn")
	}
}
