package drawing

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"weak"

	"github.com/go-json-experiment/json"
	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Public is what everybody may know of a draw.
type Public struct {
	// JSON is the text. It is nil if Gzip has it: a record can have 64 MiB, so read it from Text in pieces.
	JSON []byte
	// Gzip is the text compressed. It is nil before the result is known. Readers share it, so do not change it.
	Gzip []byte
	// Final says that this is the record, which never changes.
	Final bool
	// ETag is a strong entity tag of the text, with its quotation marks.
	ETag string
}

// Text returns a reader of the text. It uncompresses a record while somebody reads.
func (p *Public) Text() (io.Reader, error) {
	if p.Gzip == nil {
		return bytes.NewReader(p.JSON), nil
	}
	return gzip.NewReader(bytes.NewReader(p.Gzip))
}

// before is what is public before the result. Its fields are part of the API.
type before struct {
	Version    string    `json:"version"`
	Drop       draw.Drop `json:"drop"`
	Phase      string    `json:"phase"`
	Opens      draw.Time `json:"opens"`
	Closes     draw.Time `json:"closes"`
	PayWithin  int       `json:"pay_within"`
	Commitment draw.Hash `json:"commitment"`
	Beacon     *round    `json:"beacon"`
	// These are there from the close on.
	Count *int       `json:"count,omitzero"`
	Root  *draw.Hash `json:"root,omitzero"`
	Seal  *draw.Hash `json:"seal,omitzero"`
}

// round is a round of a beacon before its randomness is known.
type round struct {
	URL       string    `json:"url"`
	ChainHash draw.Hash `json:"chain_hash"`
	PublicKey draw.Hex  `json:"public_key"`
	Scheme    string    `json:"scheme"`
	Round     int64     `json:"round"`
}

// closed is store.Draw.Closed: what is published, and what else the seal covers and could change later.
type closed struct {
	Name  string       `json:"name"`
	Stock []draw.Stock `json:"stock"`
	Count int          `json:"count"`
	Root  draw.Hash    `json:"root"`
	Seal  draw.Hash    `json:"seal"`
}

func readClosed(stored string) (c closed, err error) {
	if err := json.Unmarshal([]byte(stored), &c, json.RejectUnknownMembers(true)); err != nil {
		return c, fmt.Errorf("read what was published at the close: %w", err)
	}
	return c, nil
}

// Public returns what everybody may know of a drop's draw now: its terms before the result, and then the record, byte
// for byte as draw.Record.Encode returns it. It refuses with CodeDropNotFound and CodeNoDraw.
func (d *Desk) Public(ctx context.Context, id drop.ID) (Public, error) {
	v, err := d.engine.View(ctx, id)
	if err != nil {
		return Public{}, err
	}
	if !v.Drop.HasDraw() {
		return Public{}, drop.Refuse(drop.CodeNoDraw)
	}
	kept, final, err := d.published(ctx, id)
	if err != nil {
		return Public{}, err
	}
	if final != nil {
		return *final, nil
	}
	return d.before(&v.Drop, &kept)
}

// published returns the record of a draw, or nil with what is kept of the draw so far. Those who read a record at the
// same time share one copy.
func (d *Desk) published(ctx context.Context, id drop.ID) (store.Draw, *Public, error) {
	d.mu.Lock()
	final := d.finals[id].Value()
	d.mu.Unlock()
	if final != nil {
		return store.Draw{}, final, nil
	}
	read, err, _ := d.reading.Do(strconv.FormatInt(int64(id), 10), func() (any, error) {
		kept, err := d.kept(context.WithoutCancel(ctx), id)
		if err != nil || len(kept.Record) == 0 {
			return &kept, err
		}
		final := &Public{Gzip: kept.Record, Final: true, ETag: tagOf(kept.Record)}
		d.mu.Lock()
		defer d.mu.Unlock()
		remember(d.finals, id, weak.Make(final))
		return final, nil
	})
	switch read := read.(type) {
	case *Public:
		return store.Draw{}, read, err
	case *store.Draw:
		return *read, nil, err
	}
	return store.Draw{}, nil, err
}

func (d *Desk) before(of *drop.Drop, kept *store.Draw) (Public, error) {
	t := &of.Draw
	b := before{
		Version: draw.Version, Drop: draw.Drop{ID: int64(of.ID), Name: of.Name}, Phase: "closed",
		Opens: draw.Time(t.Opens), Closes: draw.Time(t.Closes), PayWithin: t.PayWithin, Commitment: draw.Hash(t.Commitment),
	}
	switch now := d.engine.Now(); {
	case of.DrawState.Phase != drop.Entering:
	case now < t.Opens:
		b.Phase = "soon"
	case now < t.Closes:
		b.Phase = "open"
	}
	beacon, err := beaconOf(t)
	if err != nil {
		return Public{}, err
	}
	if beacon != nil {
		b.Beacon = &round{beacon.URL, beacon.ChainHash, beacon.PublicKey, beacon.Scheme, beacon.Round}
	}
	if kept.Closed != "" {
		c, err := readClosed(kept.Closed)
		if err != nil {
			return Public{}, err
		}
		b.Drop.Name, b.Phase, b.Count, b.Root, b.Seal = c.Name, "closed", &c.Count, &c.Root, &c.Seal
	}
	text, err := json.Marshal(&b)
	if err != nil {
		return Public{}, fmt.Errorf("encode the terms of the draw of drop %d: %w", of.ID, err)
	}
	text = append(text, '\n')
	return Public{JSON: text, ETag: tagOf(text)}, nil
}

func beaconOf(t *drop.Draw) (*draw.Beacon, error) {
	if t.Chain == "" {
		return nil, nil //nolint:nilnil // the seed alone decides
	}
	return draw.RoundOf(t.Chain, t.Round)
}

func tagOf(text []byte) string {
	sum := sha256.Sum256(text)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}
