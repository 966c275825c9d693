package audit

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// drawing is what has been read of a drop's draw so far.
type drawing struct {
	entries numbers
	stored  bool // the row of the draw was read
	key     []byte
	closed  *closedDraw
	beacon  *draw.Beacon // of the terms; nil: they name none
	// record is the published record, nil if there is none or it cannot be read. again is what the rows make of it.
	record *draw.Record
	again  []draw.Entry
	buyers map[draw.EntryID]drop.UserID
	in     map[drop.UserID]drop.EntryID // who takes part

	places []drop.Place // in the order of the record
	// offered are the places that brought a unit, by their buyers. over is when the newest place was given.
	offered map[drop.UserID]drop.EntryID
	over    drop.Time
	// early is the first reservation of all, 0 if there is none. made is its time.
	early drop.ReservationID
	made  drop.Time
	// stocked is what could be drawn for at each moment, by index of Sizes: what is available, and kept for who waits.
	stocked [][]stocked

	done bool
}

// closedDraw is what was published when entries closed.
type closedDraw struct {
	Name  string       `json:"name"`
	Stock []draw.Stock `json:"stock"`
	Count int          `json:"count"`
	Root  draw.Hash    `json:"root"`
	Seal  draw.Hash    `json:"seal"`
}

// stocked is how many units of a size could be drawn for from a batch on.
type stocked struct {
	at    drop.Time
	units int64
}

// stock notes how many units of a size could be drawn for after a batch.
func (w *drawing) stock(size int, at drop.Time, units int64) {
	for size >= len(w.stocked) {
		w.stocked = append(w.stocked, nil)
	}
	if n := len(w.stocked[size]); n == 0 || w.stocked[size][n-1].units != units {
		w.stocked[size] = append(w.stocked[size], stocked{at, units})
	}
}

// headOfDraw checks what the drop's row says of its draw.
func (c *check) headOfDraw() {
	s := c.state
	d := s.DrawState
	switch {
	case !s.HasDraw():
		if d != (drop.DrawState{}) {
			c.differf("it has no draw, but its row has the phase %d, %d entries and %d places in line of one", d.Phase, d.Entered, d.Lined)
		}
	case s.Draw.Closes == math.MaxInt64:
		c.differf("the terms of its draw cannot be read")
	case d.Phase < drop.Entering || d.Phase > drop.Drawn:
		c.differf("its draw is in the unknown phase %d", d.Phase)
	case d.Phase != drop.Entering && s.LastAt < s.Draw.Closes:
		c.differf("the entries of its draw are closed, but they close at %s, after the drop's last batch (%s)", s.Draw.Closes, s.LastAt)
	case d.Phase == drop.Entering && d.Lined > 0:
		c.differf("its draw gave %d places in line, but entries are not closed", d.Lined)
	case d.Lined > s.Waited:
		c.differf("its draw gave %d places in line, but the newest entry of the waitlist is number %d", d.Lined, s.Waited)
	}
	if s.Draw.Chain == "" && s.Draw.Round == 0 {
		return
	}
	var err error
	if c.draw.beacon, err = draw.RoundOf(s.Draw.Chain, s.Draw.Round); err != nil {
		c.differf("the terms of its draw name no round of a beacon: %v", err)
	}
}

// drawStored receives what is kept of the draw.
func (c *check) drawStored(d store.Draw) error {
	w, s := &c.draw, c.state
	switch {
	case w.stored:
		c.differf("its draw is stored twice")
		return nil
	case !s.HasDraw():
		c.differf("it has no draw, but one is stored")
		return nil
	}
	w.stored, w.key = true, bytes.Clone(d.Secrets.Key)
	phase := s.DrawState.Phase
	switch seed := (draw.Seed{}); {
	case len(d.Secrets.Key) != sha256.Size:
		c.differf("the key of its draw has %d bytes, not %d", len(d.Secrets.Key), sha256.Size)
	case len(d.Secrets.Seed) == 0:
	case copy(seed[:], d.Secrets.Seed) != len(seed) || len(d.Secrets.Seed) != len(seed) || draw.Commit(seed) != draw.Hash(s.Draw.Commitment):
		c.differf("the seed of its draw does not match the commitment")
	}
	switch {
	case phase == drop.Entering && (d.Closed != "" || len(d.Record) > 0):
		c.differf("buyers can enter its draw, but what is published at the close is there")
	case len(d.Record) > 0 && d.Closed == "":
		c.differf("its draw has a record, but nothing was published at the close")
	case len(d.Record) > 0 && len(d.Secrets.Seed) == 0:
		c.differf("its draw has a record, but no seed")
	case len(d.Record) == 0 && phase == drop.Drawn:
		c.differf("its draw is over, but has no record")
	case len(d.Record) == 0 && s.DrawState.Lined > 0:
		c.differf("its draw gave %d places in line, but has no record", s.DrawState.Lined)
	case d.Beacon != "" && s.Draw.Chain == "":
		c.differf("its draw has a beacon's round, but its terms name none")
	}
	if d.Closed != "" {
		w.closed = new(closedDraw)
		if err := json.Unmarshal([]byte(d.Closed), w.closed); err != nil {
			c.differf("what was published when the entries of its draw closed cannot be read")
			w.closed = nil
		}
	}
	if len(d.Record) > 0 {
		c.recorded(&d)
	}
	return nil
}

// recorded reads the public record and draws again.
func (c *check) recorded(d *store.Draw) {
	r, err := unpacked(d.Record)
	if err != nil {
		c.differf("the record of its draw cannot be read: %v", err)
		return
	}
	c.compareTerms(r)
	c.compareClosed(r)
	if err := r.Verify(); err != nil {
		c.differf("the record of its draw is wrong: %v", err)
		return
	}
	if len(r.Stock) == len(c.state.Sizes) {
		c.draw.record = r
	}
	var round struct {
		Signature draw.Hex `json:"signature"`
	}
	switch {
	case r.Beacon == nil:
	case d.Beacon == "":
		c.differf("the record of its draw has the beacon's round, but the draw does not")
	case json.Unmarshal([]byte(d.Beacon), &round) != nil:
		c.differf("the beacon's round of its draw cannot be read")
	case !bytes.Equal(round.Signature, r.Beacon.Signature):
		c.differf("the record of its draw has another signature of the beacon than the draw")
	}
}

// unpacked reads a compressed record.
func unpacked(packed []byte) (*draw.Record, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, errors.New("it is not compressed by gzip")
	}
	text, err := io.ReadAll(io.LimitReader(z, draw.MaxBytes+1))
	if err != nil {
		return nil, errors.New("it is not compressed by gzip, or not all is there")
	}
	return draw.Parse(text)
}

// compareTerms compares a record with the terms in the drop's row.
func (c *check) compareTerms(r *draw.Record) {
	s := c.state
	labels, have := make([]string, len(r.Stock)), make([]string, len(s.Sizes))
	for i := range r.Stock {
		labels[i] = r.Stock[i].Size
	}
	for i := range s.Sizes {
		have[i] = s.Sizes[i].Label
	}
	for _, term := range []struct {
		name         string
		record, drop any
	}{
		{"drop", r.Drop.ID, int64(s.ID)},
		{"opens", r.Opens.String(), s.Draw.Opens.String()},
		{"closes", r.Closes.String(), s.Draw.Closes.String()},
		{"commitment", r.Commitment.String(), s.Draw.Commitment.String()},
		{"beacon", roundOf(r.Beacon), roundOf(c.draw.beacon)},
		{"sizes", fmt.Sprintf("%q", labels), fmt.Sprintf("%q", have)},
	} {
		if term.record != term.drop {
			c.differf("the record of its draw has %q %v, but the terms are %v", term.name, term.record, term.drop)
		}
	}
}

// roundOf names a round of a beacon; nil: there is none.
func roundOf(b *draw.Beacon) string {
	if b == nil {
		return "none"
	}
	return fmt.Sprintf("round %d of %s", b.Round, b.ChainHash)
}

// compareClosed compares a record with what was published when entries closed.
func (c *check) compareClosed(r *draw.Record) {
	p := c.draw.closed
	if p == nil {
		return
	}
	for _, value := range []struct {
		name           string
		record, closed any
	}{
		{"name", r.Drop.Name, p.Name},
		{"stock", fmt.Sprint(r.Stock), fmt.Sprint(p.Stock)},
		{"count", r.Count, p.Count},
		{"root", r.Root, p.Root},
		{"seal", r.Seal, p.Seal},
	} {
		if value.record != value.closed {
			c.differf("the record of its draw has %q %v, but %v was published at the close", value.name, value.record, value.closed)
		}
	}
}

// drawEntry receives the next entry of the draw.
func (c *check) drawEntry(e drop.DrawEntry) error {
	w := &c.draw
	c.report.DrawEntries++
	n := draw.EntryID(c.number(int64(e.ID)))
	if c.repeats(&w.entries, "draw entry", int64(n)) || !c.soundDrawEntry(&e) {
		return nil
	}
	w.buyers[n] = e.UserID
	if e.In() {
		if other := w.in[e.UserID]; other != 0 {
			c.differf("user %d is in the draw twice: draw entries %d and %d", e.UserID, other, e.ID)
		}
		w.in[e.UserID] = e.ID
	}
	c.enteredEarly(&e)
	again := c.published(n, &e)
	switch {
	case w.record == nil:
		w.again = append(w.again, again)
	case int64(n) <= int64(len(w.record.Entries)):
		c.compareEntry(&e, &w.record.Entries[n-1], &again)
	}
	return nil
}

// soundDrawEntry checks an entry on its own.
func (c *check) soundDrawEntry(e *drop.DrawEntry) bool {
	terms := &c.state.Draw
	places := e.Sizes.Places()
	seen := slices.Clone(places)
	slices.Sort(seen)
	seen = slices.Compact(seen)
	switch {
	case !c.state.HasDraw():
		c.differf("draw entry %d exists, but the drop has no draw", e.ID)
	case len(places) == 0 || len(seen) != len(places) || drop.RankingOf(places) != e.Sizes:
		c.differf("draw entry %d has the sizes %q, which are no list of different ones", e.ID, e.Sizes)
	case seen[0] < 0 || seen[len(seen)-1] >= len(c.state.Sizes):
		c.differf("draw entry %d has the sizes %q, but the drop has %d sizes", e.ID, e.Sizes, len(c.state.Sizes))
	case e.CreatedAt < terms.Opens && !c.couldEnter(e.CreatedAt, places), e.CreatedAt >= terms.Closes:
		c.differf("draw entry %d came at %s, but the draw was open from %s to %s", e.ID, e.CreatedAt, terms.Opens, terms.Closes)
	case e.WithdrawnAt != 0 && (e.WithdrawnAt < e.CreatedAt || e.WithdrawnAt >= terms.Closes):
		c.differf("draw entry %d was withdrawn at %s, but came at %s, and entries closed at %s", e.ID, e.WithdrawnAt, e.CreatedAt, terms.Closes)
	case e.WithdrawnAt != 0 && e.Removed != "":
		c.differf("draw entry %d is both withdrawn and removed", e.ID)
	case max(e.CreatedAt, e.WithdrawnAt) > c.state.LastAt:
		c.differf("draw entry %d was changed at %s, after the drop's last batch (%s)", e.ID, max(e.CreatedAt, e.WithdrawnAt), c.state.LastAt)
	default:
		return true
	}
	return false
}

// published returns what the record says of an entry.
func (c *check) published(n draw.EntryID, e *drop.DrawEntry) draw.Entry {
	mac := hmac.New(sha256.New, c.draw.key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
	var salt draw.Salt
	copy(salt[:], mac.Sum(nil))
	return draw.Entry{
		ID: n, Hash: draw.HashBuyer(salt, int64(e.UserID)), Sizes: e.Sizes.Places(),
		Withdrawn: e.WithdrawnAt != 0, Removed: e.Removed,
	}
}

func (c *check) compareEntry(e *drop.DrawEntry, has, want *draw.Entry) {
	switch {
	case has.Hash != want.Hash:
		c.differf("draw entry %d is user %d's, but the record has another buyer", e.ID, e.UserID)
	case !slices.Equal(has.Sizes, want.Sizes):
		c.differf("draw entry %d has the sizes %q, but the record %q", e.ID, e.Sizes, drop.RankingOf(has.Sizes))
	case has.Withdrawn != want.Withdrawn || has.Removed != want.Removed:
		c.differf("draw entry %d is %s, but in the record %s", e.ID, became(want), became(has))
	}
}

// became says what became of an entry.
func became(e *draw.Entry) string {
	switch {
	case e.Withdrawn:
		return "withdrawn"
	case e.Removed != "":
		return fmt.Sprintf("removed (%q)", e.Removed)
	default:
		return "in the draw"
	}
}

// closeDraw compares the entries with what was published, and works out the places in line.
func (c *check) closeDraw() {
	w := &c.draw
	if w.done {
		return
	}
	w.done = true
	c.checkLast(&w.entries, "draw entry", int64(c.state.DrawState.Entered))
	if c.state.HasDraw() && !w.stored {
		c.differf("nothing is stored of its draw, so its key is lost")
	}
	r := w.record
	if r == nil {
		c.compareRoot()
		return
	}
	if w.entries.last != int64(len(r.Entries)) {
		c.differf("the record of its draw has %d entries, but there are %d", len(r.Entries), w.entries.last)
	}
	known := func(id draw.EntryID) bool { return id >= 1 && int64(id) <= int64(len(r.Entries)) }
	for _, won := range r.Winners {
		w.places = append(w.places, drop.Place{User: w.buyers[won.Entry], Size: won.Size})
	}
	for _, id := range r.RunnersUp {
		if known(id) {
			for _, size := range r.Entries[id-1].Sizes {
				w.places = append(w.places, drop.Place{User: w.buyers[id], Size: size})
			}
		}
	}
	w.buyers, w.in = nil, nil
	w.record = &draw.Record{Stock: r.Stock} // the entries of a large draw take much memory
}

// compareRoot compares the entries with what was published at the close, while there is no record.
func (c *check) compareRoot() {
	p := c.draw.closed
	if p == nil {
		return
	}
	s := c.state
	r := &draw.Record{
		Drop: draw.Drop{ID: int64(s.ID), Name: p.Name}, Opens: draw.Time(s.Draw.Opens), Closes: draw.Time(s.Draw.Closes), Stock: p.Stock,
		Commitment: draw.Hash(s.Draw.Commitment), Beacon: c.draw.beacon, Entries: c.draw.again,
	}
	c.draw.again = nil
	switch err := r.Close(); {
	case err != nil:
		c.differf("the entries of its draw break a rule: %v", err)
	case p.Count != r.Count:
		c.differf("%d entries were published when the entries of its draw closed, but there are %d", p.Count, r.Count)
	case p.Root != r.Root:
		c.differf("the root %s was published when the entries of its draw closed, but they make %s", p.Root, r.Root)
	case p.Seal != r.Seal:
		c.differf("the seal %s was published when the entries of its draw closed, but they make %s: "+
			"the terms, or who withdrew or was removed, have changed", p.Seal, r.Seal)
	}
}

// beforeDraw notes a reservation: before the draw is over there is none, except of units that are kept for early
// access.
func (c *check) beforeDraw(r *drop.Reservation) {
	s, w := c.state, &c.draw
	switch {
	case !s.HasDraw(), c.keptFor(r.Pass):
	case s.DrawState.Phase != drop.Drawn:
		c.differf("reservation %d was made at %s, but the draw is not over", r.ID, r.CreatedAt)
	case r.CreatedAt < s.Draw.Closes:
		c.differf("reservation %d was made at %s, before the entries of the draw closed (%s)", r.ID, r.CreatedAt, s.Draw.Closes)
	case w.early == 0 || r.CreatedAt < w.made:
		w.early, w.made = r.ID, r.CreatedAt
	}
}

// given checks an entry of the waitlist that a draw gave, or that could come only after it.
func (c *check) given(e *drop.Entry) {
	w, s := &c.draw, c.state
	n := c.number(int64(e.ID))
	switch {
	case !s.HasDraw():
		return
	case n > int64(s.DrawState.Lined):
		if s.DrawState.Phase != drop.Drawn {
			c.differf("waitlist entry %d did not come from the draw, which is not over", e.ID)
		}
		return
	}
	w.over = max(w.over, e.CreatedAt)
	switch {
	case w.record == nil: // reported
	case n > int64(len(w.places)):
		c.differf("waitlist entry %d came from the draw, but its record gives only %d places", e.ID, len(w.places))
	case w.places[n-1] != drop.Place{User: e.UserID, Size: e.Line}:
		want := w.places[n-1]
		c.differf("waitlist entry %d is user %d's in the line%s, but the record of the draw gives this place to user %d in the line%s",
			e.ID, e.UserID, c.of(e.Line), want.User, c.of(want.Size))
	}
	if e.Status != drop.Offered {
		return
	}
	if other := w.offered[e.UserID]; other != 0 {
		c.differf("user %d was offered two units by the draw: waitlist entries %d and %d", e.UserID, other, e.ID)
	}
	w.offered[e.UserID] = e.ID
}

// closePlaces compares the number of places that the draw gave, and finds what was sold before.
func (c *check) closePlaces() {
	w, s := &c.draw, c.state
	lined := s.DrawState.Lined
	if w.record == nil {
		return
	}
	if s.DrawState.Phase == drop.Drawn && int64(lined) != int64(len(w.places)) {
		c.differf("its draw is over and gave %d places in line, but its record gives %d", lined, len(w.places))
	}
	if w.early != 0 && w.made < w.over {
		c.differf("reservation %d was made at %s, but the draw was over at %s", w.early, w.made, w.over)
	}
	if lined > 0 {
		c.compareDrawn()
	}
}

// compareDrawn compares the units that were drawn with the ledger. They are what could be drawn for at some moment from
// the close on. It stays the same, except that a unit which a buyer with a pass releases may come too late to be drawn
// for.
func (c *check) compareDrawn() {
	w := &c.draw
	for size, stock := range w.record.Stock {
		if size >= len(w.stocked) {
			continue
		}
		units, fits := int64(0), false
		for _, then := range w.stocked[size] {
			switch {
			case then.at < c.state.Draw.Closes:
				units = then.units
			case then.at <= w.over:
				fits = fits || then.units == stock.Units
			}
		}
		if !fits && units != stock.Units {
			c.differf("the record of its draw has %d units%s, but the ledger %d", stock.Units, c.of(size), units)
		}
	}
}
