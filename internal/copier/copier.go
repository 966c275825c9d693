// Package copier copies the entire content of one store to another, of the same engine or a different one.
//
// Rows go directly from the source to the target, so only a few thousand are in memory at a time. The target stores
// all of them in one transaction. It then reads them back, and commits only if every drop equals what was read from
// the source. A copy that fails leaves the target empty, and can simply be started again.
package copier

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// Report counts what was copied.
type Report struct {
	Drops, Reservations, Purchases, LedgerEntries int64
	Entries                                       int64 // of waitlists
	DrawEntries                                   int64
	Users, Keys, Tokens, Actions, Pages           int64
	Others                                        int64 // rows of all other tables
}

// Rows returns the number of all rows.
func (r *Report) Rows() int64 {
	return r.Drops + r.Reservations + r.Purchases + r.LedgerEntries + r.Entries + r.DrawEntries + r.Users + r.Keys + r.Tokens + r.Actions + r.Pages + r.Others
}

// SourceError is a failure to read the source.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return "read the source: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *SourceError) Unwrap() error { return e.Err }

// Run copies everything. If progress is not nil, Run calls it after each row with the count so far. If the target
// contains anything, Run changes nothing and returns store.ErrNotEmpty. After any other failure the target is empty.
func Run(ctx context.Context, from store.Exporter, to store.Importer, progress func(*Report)) (Report, error) {
	var report Report
	source := newDigests()
	fill := func(put func(store.Row) error) error {
		var refused error // the target's error
		err := from.Export(ctx, func(r store.Row) error {
			if err := source.add(r); err != nil {
				return err
			}
			report.add(r)
			if progress != nil {
				progress(&report)
			}
			refused = put(r)
			return refused
		})
		if err != nil && refused == nil {
			return &SourceError{err}
		}
		return err
	}
	check := func(stored store.Rows) error {
		target := newDigests()
		if err := stored(target.add); err != nil {
			return fmt.Errorf("read back what was copied: %w", err)
		}
		return source.compare(target)
	}
	err := to.Import(ctx, store.IntoNothing, fill, check)
	return report, err
}

func (r *Report) add(row store.Row) {
	switch row.Value.(type) {
	case store.User:
		r.Users++
	case store.Token:
		r.Tokens++
	case operator.Action:
		r.Actions++
	case *drop.State:
		r.Drops++
	case drop.LedgerEntry:
		r.LedgerEntries++
	case drop.Reservation:
		r.Reservations++
	case drop.Purchase:
		r.Purchases++
	case drop.Entry:
		r.Entries++
	case drop.DrawEntry:
		r.DrawEntries++
	case drop.Kept:
		r.Keys++
	case store.Page:
		r.Pages++
	default:
		r.Others++
	}
}

// digests identify a store's content, in a few bytes per drop. The entry 0 is for what belongs to no drop.
type digests struct {
	of   map[drop.ID]digest
	form []byte // the encoding of the last row
}

// digest is the number of rows and the sum of their hashes, so their order does not matter.
type digest struct {
	rows int64
	sum  [4]uint64
}

func newDigests() *digests { return &digests{of: make(map[drop.ID]digest)} }

func (d *digests) add(r store.Row) (err error) {
	if d.form, err = records.Append(d.form[:0], r); err != nil {
		return err
	}
	hash := sha256.Sum256(d.form)
	of := d.of[r.Drop]
	of.rows++
	for i := range of.sum {
		of.sum[i] += binary.BigEndian.Uint64(hash[8*i:])
	}
	d.of[r.Drop] = of
	return nil
}

func (d *digests) compare(other *digests) error {
	all := maps.Clone(d.of)
	maps.Copy(all, other.of)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		want, got := d.of[id], other.of[id]
		if want == got {
			continue
		}
		what := fmt.Sprintf("drop %d", id)
		if id == 0 {
			what = "users, tokens, the operators' log or answers kept without a drop"
		}
		return fmt.Errorf("the copy of %s differs from what was read: %d rows were read, %d are stored", what, want.rows, got.rows)
	}
	return nil
}
