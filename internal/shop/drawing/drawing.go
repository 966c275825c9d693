// Package drawing carries out draws. Once the time to enter one is over, it closes the entries and waits for what
// nobody can know before. Then it draws, publishes the record, and gives the places in line that follow from it.
//
// Each step looks at what is stored, and does only what is still to do. What one server has stored counts for all of
// them. So a server that dies, or three servers at once, lead to the same draw, which is done once. The steps:
//
//  1. drop.CloseDraw: from then on no entry changes.
//  2. Publish the number of entries, the root and the seal (store.Draw.Closed).
//  3. Wait for the beacon's round, and for the seed if the shop keeps it.
//  4. Draw, and store the record (store.Draw.Record). It is public from then on.
//  5. drop.LineUp, batch by batch, in the order of the stored record.
//
// The seed, and the key that makes the salts of receipts, are in no log and in no error.
package drawing

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"weak"

	"golang.org/x/sync/singleflight"

	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
)

// Options set up a Desk.
type Options struct {
	// Logger receives what happens to draws (default slog.Default).
	Logger *slog.Logger
	// Client asks the beacon (default http.DefaultClient).
	Client *http.Client
	// BeaconURL is where the beacon's public HTTP API is. Empty: operators reveal the beacon's rounds.
	BeaconURL string
	// Metrics count draws. By default nobody can read the counts.
	Metrics *Metrics
}

// Desk carries out the draws of a shop. Its methods are safe for concurrent use.
type Desk struct {
	Options

	engine *engine.Engine
	woken  chan struct{} // has a value if Run is to look at once

	mu      sync.Mutex
	keys    map[drop.ID][]byte               // of drops whose receipts were asked for
	results map[drop.ID]*result              // of drops whose outcomes were asked for
	finals  map[drop.ID]weak.Pointer[Public] // records that somebody reads, or read a moment ago
	reading singleflight.Group
}

// New returns a desk for the drops of an engine.
func New(e *engine.Engine, o Options) *Desk {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	return &Desk{
		Options: o, engine: e, woken: make(chan struct{}, 1),
		keys: make(map[drop.ID][]byte), results: make(map[drop.ID]*result),
		finals: make(map[drop.ID]weak.Pointer[Public]),
	}
}

// wake makes Run look at once.
func (d *Desk) wake() {
	select {
	case d.woken <- struct{}{}:
	default:
	}
}

// row returns what is kept of the draw of a drop, with the drop. It refuses with CodeDropNotFound and CodeNoDraw.
func (d *Desk) row(ctx context.Context, id drop.ID) (*drop.Drop, store.Draw, error) {
	v, err := d.engine.View(ctx, id)
	if err != nil {
		return nil, store.Draw{}, err
	}
	if !v.Drop.HasDraw() {
		return nil, store.Draw{}, drop.Refuse(drop.CodeNoDraw)
	}
	kept, err := d.kept(ctx, id)
	return &v.Drop, kept, err
}

func (d *Desk) kept(ctx context.Context, id drop.ID) (store.Draw, error) {
	type row struct {
		store.Draw
		found bool
	}
	got, err := engine.Ask(ctx, d.engine, func(s store.Records) (r row, err error) {
		r.Draw, r.found, err = s.Draw(ctx, id)
		return r, err
	})
	if err == nil && !got.found {
		err = fmt.Errorf("the store has nothing of the draw of drop %d", id)
	}
	return got.Draw, err
}

// salt hides the buyer of an entry in the public record. It follows from the draw's key, so that it needs no room.
func salt(key []byte, entry draw.EntryID) (s draw.Salt) {
	mac := hmac.New(sha256.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(entry)))
	copy(s[:], mac.Sum(nil))
	return s
}

// mostKept is how many drops a desk remembers something of. More are read from the store again.
const mostKept = 8

// remember stores a drop's value in a map of at most mostKept.
func remember[V any](kept map[drop.ID]V, id drop.ID, v V) {
	if len(kept) >= mostKept {
		clear(kept)
	}
	kept[id] = v
}

func (d *Desk) key(ctx context.Context, id drop.ID) ([]byte, error) {
	d.mu.Lock()
	key := d.keys[id]
	d.mu.Unlock()
	if key != nil {
		return key, nil
	}
	kept, err := d.kept(ctx, id)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	remember(d.keys, id, kept.Secrets.Key)
	return kept.Secrets.Key, nil
}

// Receipts makes the receipts of one drop's entries.
type Receipts struct {
	of  *drop.Drop
	key []byte
}

// Receipts returns what makes the receipts of a drop's entries. A call that changes an entry asks for it first, so that
// no store can keep the answer back afterwards. It refuses with CodeDropNotFound and CodeNoDraw.
func (d *Desk) Receipts(ctx context.Context, id drop.ID) (Receipts, error) {
	v, err := d.engine.View(ctx, id)
	if err != nil {
		return Receipts{}, err
	}
	if !v.Drop.HasDraw() {
		return Receipts{}, drop.Refuse(drop.CodeNoDraw)
	}
	key, err := d.key(ctx, id)
	return Receipts{&v.Drop, key}, err
}

// Of returns the receipt of an entry. Only its buyer may see it. It fails if the entry is damaged.
func (r Receipts) Of(e *drop.DrawEntry) (*draw.Receipt, error) {
	to := &draw.Receipt{
		Version: draw.Version, Drop: int64(r.of.ID), Entry: draw.EntryID(e.Number()), Buyer: int64(e.UserID),
		Salt: salt(r.key, draw.EntryID(e.Number())), Sizes: []string{},
	}
	for _, place := range e.Sizes.Places() {
		if place < 0 || place >= len(r.of.Sizes) {
			return nil, fmt.Errorf("draw entry %d is damaged: drop %d has no size at place %d", e.ID, r.of.ID, place)
		}
		to.Sizes = append(to.Sizes, r.of.Sizes[place].Label)
	}
	return to, nil
}

// Outcome returns where an entry came. drawn is false while the draw is not over. It refuses with CodeDropNotFound and
// CodeNoDraw.
func (d *Desk) Outcome(ctx context.Context, e *drop.DrawEntry) (o draw.Outcome, drawn bool, err error) {
	v, err := d.engine.View(ctx, e.ID.Drop())
	if err != nil {
		return o, false, err
	}
	if !v.Drop.HasDraw() {
		return o, false, drop.Refuse(drop.CodeNoDraw)
	}
	if v.Drop.DrawState.Phase != drop.Drawn {
		return o, false, nil
	}
	r, err := d.result(ctx, &v.Drop)
	if err != nil {
		return o, false, err
	}
	o = draw.Outcome{Withdrawn: e.WithdrawnAt != 0, Removed: e.Removed}
	switch came := r.of(e.Number()); {
	case came > 0:
		o.Place = came
	case came < 0:
		o.Won, o.Size = true, v.Drop.Sizes[-came-1].Label
	}
	return o, true, nil
}
