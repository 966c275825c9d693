package drawing

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// entriesAtOnce is how many entries are read at a time.
const entriesAtOnce = 2000

// carryOut does the steps of a draw that can be done now. It returns what the draw waits for, or "".
func (d *Desk) carryOut(ctx context.Context, known *drop.Drop) (waits string, err error) {
	of := *known
	if of.DrawState.Phase == drop.Entering {
		if of, err = d.engine.CloseDraw(ctx, of.ID); err != nil {
			return "", fmt.Errorf("close the entries: %w", err)
		}
	}
	if of.DrawState.Phase != drop.Drawing || of.Archived {
		return "", nil // by the store's clock it is too early, or somebody else was faster
	}
	kept, err := d.kept(ctx, of.ID)
	if err != nil {
		return "", err
	}
	if len(kept.Record) == 0 {
		if kept, waits, err = d.record(ctx, &of, kept); waits != "" || err != nil {
			return waits, err
		}
	}
	return "", d.lineUp(ctx, &of, kept.Record)
}

// record closes the entries, draws and stores the record, as far as this can be done now. It returns what is kept then,
// and what the draw waits for.
func (d *Desk) record(ctx context.Context, of *drop.Drop, kept store.Draw) (_ store.Draw, waits string, err error) {
	var r *draw.Record
	if kept.Closed == "" {
		if r, err = d.entries(ctx, of, kept.Secrets.Key); err != nil {
			return kept, "", err
		}
		if kept, err = d.publish(ctx, r, kept); err != nil {
			return kept, "", err
		}
	}
	beacon, err := beaconOf(&of.Draw)
	if err != nil {
		return kept, "", err
	}
	if beacon != nil {
		if kept, err = d.hear(ctx, of.ID, beacon, kept); kept.Beacon == "" || err != nil {
			return kept, forBeacon, err
		}
	}
	if len(kept.Secrets.Seed) == 0 {
		return kept, forSeed, nil
	}
	if r == nil {
		if r, err = d.entries(ctx, of, kept.Secrets.Key); err != nil {
			return kept, "", err
		}
	}
	if err := closeAs(r, kept.Closed); err != nil {
		return kept, "", err
	}
	if r.Beacon = beacon; copy(r.Seed[:], kept.Secrets.Seed) != len(r.Seed) {
		return kept, "", fmt.Errorf("the stored seed of the draw of drop %d is damaged", of.ID)
	}
	if err := r.Run(); err != nil {
		return kept, "", fmt.Errorf("draw: %w", err)
	}
	packed, err := pack(r)
	if err != nil {
		return kept, "", err
	}
	kept, err = d.change(ctx, of.ID, kept, func(k *store.Draw) error {
		if len(k.Record) == 0 {
			k.Record = packed
		}
		return nil
	})
	return kept, "", err
}

// entries returns the record of a draw with its terms and all entries.
func (d *Desk) entries(ctx context.Context, of *drop.Drop, key []byte) (*draw.Record, error) {
	t := &of.Draw
	r := &draw.Record{
		Version: draw.Version, Drop: draw.Drop{ID: int64(of.ID), Name: of.Name}, Opens: draw.Time(t.Opens), Closes: draw.Time(t.Closes),
		Commitment: draw.Hash(t.Commitment), Entries: make([]draw.Entry, 0, of.DrawState.Entered),
	}
	for i := range of.Sizes {
		s := &of.Sizes[i] // what is kept for early access, or was sold by it, is not drawn for
		r.Stock = append(r.Stock, draw.Stock{Size: s.Label, Units: s.Stock.Available + s.Pending})
	}
	var err error
	if r.Beacon, err = beaconOf(t); err != nil {
		return nil, err
	}
	sizes := make(rankings)
	err = d.each(ctx, of, func(e *drop.DrawEntry) {
		n := draw.EntryID(e.Number())
		r.Entries = append(r.Entries, draw.Entry{
			ID: n, Hash: draw.HashBuyer(salt(key, n), int64(e.UserID)), Sizes: sizes.of(e),
			Withdrawn: e.WithdrawnAt != 0 && e.Removed == "", Removed: e.Removed,
		})
	})
	return r, err
}

// each calls do for each entry of a closed draw, in the order of their numbers.
func (d *Desk) each(ctx context.Context, of *drop.Drop, do func(*drop.DrawEntry)) error {
	next := uint32(1)
	for after := drop.EntryID(0); ; {
		page, err := d.engine.DrawEntries(ctx, of.ID, after, entriesAtOnce)
		if err != nil {
			return err
		}
		for i := range page {
			e := &page[i]
			if e.Number() != next {
				return fmt.Errorf("draw entry %d of drop %d is missing", next, of.ID)
			}
			next++
			after = e.ID
			do(e)
		}
		if len(page) < entriesAtOnce {
			break
		}
	}
	if n := next - 1; n != of.DrawState.Entered {
		return fmt.Errorf("there are %d draw entries of drop %d, but %d came", n, of.ID, of.DrawState.Entered)
	}
	return nil
}

// rankings are the lists of sizes that entries have. Many entries share one.
type rankings map[drop.Ranking][]int

func (r rankings) of(e *drop.DrawEntry) []int {
	places, ok := r[e.Sizes]
	if !ok {
		places = e.Sizes.Places()
		r[e.Sizes] = places
	}
	return places
}

// publish closes a record and stores what is published of it, unless that is stored already.
func (d *Desk) publish(ctx context.Context, r *draw.Record, kept store.Draw) (store.Draw, error) {
	if err := r.Close(); err != nil {
		return kept, fmt.Errorf("close the record: %w", err)
	}
	text, err := json.Marshal(&closed{Name: r.Drop.Name, Stock: r.Stock, Count: r.Count, Root: r.Root, Seal: r.Seal})
	if err != nil {
		return kept, fmt.Errorf("encode what is published at the close: %w", err)
	}
	ours := false
	kept, err = d.change(ctx, drop.ID(r.Drop.ID), kept, func(k *store.Draw) error {
		if ours = k.Closed == ""; ours {
			k.Closed = string(text)
		}
		return nil
	})
	if err == nil && ours {
		d.Logger.Info("the entries of a draw are closed", "drop", r.Drop.ID, "entries", r.Count, "root", r.Root.String(), "seal", r.Seal.String())
	}
	return kept, err
}

// closeAs closes a record as it was published. It returns an error if the entries or the terms are not those of then.
func closeAs(r *draw.Record, published string) error {
	c, err := readClosed(published)
	if err != nil {
		return err
	}
	if r.Root == (draw.Hash{}) || r.Drop.Name != c.Name || !slices.Equal(r.Stock, c.Stock) {
		r.Drop.Name, r.Stock = c.Name, c.Stock
		if err := r.Close(); err != nil {
			return fmt.Errorf("close the record: %w", err)
		}
	}
	if r.Count != c.Count || r.Root != c.Root || r.Seal != c.Seal {
		return fmt.Errorf("the draw of drop %d does not fit what was published at the close: the seal is %s, and was %s", r.Drop.ID, r.Seal, c.Seal)
	}
	return nil
}

// pack returns the text of a record, compressed.
func pack(r *draw.Record) ([]byte, error) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := r.Write(w); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// lineUp gives the places in line that follow from the stored record, except those that were given before.
func (d *Desk) lineUp(ctx context.Context, of *drop.Drop, packed []byte) error {
	line, err := d.line(ctx, of, packed)
	if err != nil {
		return err
	}
	winners, runnersUp := len(line.winners), len(line.runnersUp)
	for state := of.DrawState; ; {
		chunk, last := line.from(state.Lined)
		now, err := d.engine.LineUp(ctx, of.ID, drop.LineUp{From: state.Lined, Places: chunk, Last: last})
		switch after := now.DrawState; {
		case err != nil:
			return fmt.Errorf("give places in line: %w", err)
		case after.Phase == drop.Drawn && last:
			d.Metrics.draws.WithLabelValues("done").Inc()
			d.Logger.Info("drawn", "drop", int64(of.ID), "winners", winners, "runners-up", runnersUp)
			return nil
		case after.Phase == drop.Drawn || now.Archived:
			return nil
		case after.Lined <= state.Lined:
			return fmt.Errorf("places in line after %d were not taken", state.Lined)
		default:
			state = after
		}
	}
}

// line has the places that a draw gives, in their order.
type line struct {
	winners   []draw.Winner
	runnersUp []draw.EntryID
	users     []drop.UserID // by the entry's number
	sizes     [][]int       // by the entry's number, the favorite first

	next uint32 // how many places came
	size int    // the place in its list of the next size of the next runner-up
}

func (d *Desk) line(ctx context.Context, of *drop.Drop, packed []byte) (*line, error) {
	winners, runnersUp, err := readResult(packed, of)
	if err != nil {
		return nil, err
	}
	count := int64(of.DrawState.Entered) + 1
	l := &line{winners: winners, runnersUp: runnersUp, users: make([]drop.UserID, 1, count), sizes: make([][]int, 1, count)}
	sizes := make(rankings)
	return l, d.each(ctx, of, func(e *drop.DrawEntry) {
		l.users, l.sizes = append(l.users, e.UserID), append(l.sizes, sizes.of(e))
	})
}

// from returns the next places after the first given, at most as many as one batch gives, and whether these are the
// last. It never goes back.
func (l *line) from(given uint32) (chunk []drop.Place, last bool) {
	for l.next < given && l.more() {
		l.take()
	}
	for len(chunk) < drop.MaxLinedUp && l.more() {
		chunk = append(chunk, l.take())
	}
	return chunk, !l.more()
}

func (l *line) more() bool { return len(l.winners)+len(l.runnersUp) > 0 }

func (l *line) take() drop.Place {
	l.next++
	if len(l.winners) > 0 {
		w := l.winners[0]
		l.winners = l.winners[1:]
		return drop.Place{User: l.users[w.Entry], Size: w.Size}
	}
	entry := l.runnersUp[0]
	p := drop.Place{User: l.users[entry], Size: l.sizes[entry][l.size]}
	if l.size++; l.size == len(l.sizes[entry]) {
		l.runnersUp, l.size = l.runnersUp[1:], 0
	}
	return p
}

// hear returns what is kept of a draw once the round of its beacon is known, and fills the round in. If nobody knows
// the round yet, nothing changes.
func (d *Desk) hear(ctx context.Context, id drop.ID, b *draw.Beacon, kept store.Draw) (store.Draw, error) {
	if kept.Beacon == "" {
		due, err := b.Due()
		if err != nil || d.BeaconURL == "" || d.engine.Now() < drop.Time(due) {
			return kept, err
		}
		heard := *b
		if err := d.ask(ctx, &heard); err != nil {
			return kept, fmt.Errorf("ask the beacon for round %d: %w", b.Round, err)
		}
		round, err := encodeRound(&heard)
		if err != nil {
			return kept, err
		}
		if kept, err = d.change(ctx, id, kept, func(k *store.Draw) error {
			if k.Beacon == "" {
				k.Beacon = round
			}
			return nil
		}); err != nil {
			return kept, err
		}
	}
	return kept, decodeRound(kept.Beacon, b)
}
