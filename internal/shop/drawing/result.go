package drawing

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
)

// result says of each entry of a draw where it came. It takes 4 bytes an entry.
type result struct {
	came []int32 // by the entry's number: the place among runners-up, or the won size as -1 - its index, or 0
}

func (r *result) of(entry uint32) int {
	if int64(entry) >= int64(len(r.came)) {
		return 0
	}
	return int(r.came[entry])
}

// result returns the result of a draw that is over.
func (d *Desk) result(ctx context.Context, of *drop.Drop) (*result, error) {
	d.mu.Lock()
	r := d.results[of.ID]
	d.mu.Unlock()
	if r != nil {
		return r, nil
	}
	_, final, err := d.published(ctx, of.ID)
	if err == nil && final == nil {
		err = fmt.Errorf("the store has no record of the draw of drop %d", of.ID)
	}
	if err != nil {
		return nil, err
	}
	winners, runnersUp, err := readResult(final.Gzip, of)
	if err != nil {
		return nil, err
	}
	r = &result{came: make([]int32, int64(of.DrawState.Entered)+1)}
	for _, w := range winners {
		r.came[w.Entry] = -1 - int32(w.Size)
	}
	for i, id := range runnersUp {
		r.came[id] = int32(i + 1)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	remember(d.results, of.ID, r)
	return r, nil
}

// readResult reads the result of a drop's draw from its compressed record. Each entry in it is one of the draw, and
// each size one of the drop.
func readResult(compressed []byte, of *drop.Drop) (winners []draw.Winner, runnersUp []draw.EntryID, err error) {
	winners, runnersUp, err = decodeResult(compressed)
	if err != nil {
		return nil, nil, fmt.Errorf("read the record of the draw of drop %d: %w", of.ID, err)
	}
	for _, w := range winners {
		if w.Entry < 1 || w.Entry > draw.EntryID(of.DrawState.Entered) || w.Size < 0 || w.Size >= len(of.Sizes) {
			return nil, nil, fmt.Errorf("the record of the draw of drop %d has the unknown winner %d", of.ID, w.Entry)
		}
	}
	for _, id := range runnersUp {
		if id < 1 || id > draw.EntryID(of.DrawState.Entered) {
			return nil, nil, fmt.Errorf("the record of the draw of drop %d has the unknown runner-up %d", of.ID, id)
		}
	}
	return winners, runnersUp, nil
}

// decodeResult stops before the entries, which are most of a record.
func decodeResult(compressed []byte) (winners []draw.Winner, runnersUp []draw.EntryID, err error) {
	text, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, nil, err
	}
	fields := jsontext.NewDecoder(io.LimitReader(text, draw.MaxBytes))
	if _, err := fields.ReadToken(); err != nil {
		return nil, nil, err
	}
	for fields.PeekKind() == '"' {
		name, err := fields.ReadToken()
		if err != nil {
			return nil, nil, err
		}
		switch name.String() {
		case "winners":
			err = json.UnmarshalDecode(fields, &winners)
		case "runners_up":
			err = json.UnmarshalDecode(fields, &runnersUp)
			return winners, runnersUp, err
		default:
			err = fields.SkipValue()
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, errors.New("it has no result")
}
