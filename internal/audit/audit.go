// Package audit compares all that is recorded of a drop with itself: the ledger replayed from its first entry, the
// counters, the reservations and the purchases must tell one story.
//
// Each drop is read as of one moment while sales go on, and drops are read one after the other, so that no snapshot is
// held for longer than one drop takes. The comparison itself is pure: it assumes nothing of the rows but their order.
//
// What no two records could contradict goes unseen: the time of a restock, say, moved within its neighbours'.
package audit

import (
	"context"
	"fmt"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// maxSentences bounds the differences that are kept of one drop: one lost ledger entry contradicts all that follow it.
const maxSentences = 20

// Books is what an audit reads.
type Books interface {
	Pulse(ctx context.Context) (store.Pulse, error)
	ReadBooks(ctx context.Context, id drop.ID, b store.Books) error
}

// Report is the outcome for all drops that were audited.
type Report struct {
	Drops []DropReport `json:"drops"`
}

// DropReport is the outcome for one drop.
type DropReport struct {
	ID            drop.ID `json:"id"`
	Name          string  `json:"name"`
	Reservations  int64   `json:"reservations"`
	Purchases     int64   `json:"purchases"`
	LedgerEntries int64   `json:"ledger_entries"`
	// Differences counts what disagrees, and Sentences say the first of it. The first is the cause as far as that can
	// be told; what follows may be its consequences.
	Differences int64    `json:"differences"`
	Sentences   []string `json:"sentences,omitempty"`
}

// Damaged counts the drops with differences.
func (r *Report) Damaged() int {
	n := 0
	for i := range r.Drops {
		if r.Drops[i].Differences > 0 {
			n++
		}
	}
	return n
}

// Sum adds the drops up.
func (r *Report) Sum() DropReport {
	var sum DropReport
	for i := range r.Drops {
		d := &r.Drops[i]
		sum.Reservations += d.Reservations
		sum.Purchases += d.Purchases
		sum.LedgerEntries += d.LedgerEntries
		sum.Differences += d.Differences
	}
	return sum
}

// Run audits every drop, ascending, and calls progress, unless it is nil, after each. A difference is no error.
func Run(ctx context.Context, b Books, progress func(DropReport)) (Report, error) {
	var r Report
	pulse, err := b.Pulse(ctx)
	if err != nil {
		return r, fmt.Errorf("list the drops: %w", err)
	}
	for _, p := range pulse.Drops {
		d, err := Drop(ctx, b, p.ID)
		if drop.CodeOf(err) == drop.CodeDropNotFound {
			continue // everything was replaced meanwhile
		}
		if err != nil {
			return r, err
		}
		r.Drops = append(r.Drops, d)
		if progress != nil {
			progress(d)
		}
	}
	return r, nil
}

// Drop audits one drop. Refuses with CodeDropNotFound.
func Drop(ctx context.Context, b Books, id drop.ID) (DropReport, error) {
	c := newCheck(id)
	err := b.ReadBooks(ctx, id, store.Books{Head: c.head, Entry: c.entry, Reservation: c.reservation, Purchase: c.purchase})
	if err != nil {
		return DropReport{}, fmt.Errorf("audit drop %d: %w", id, err)
	}
	c.close()
	return c.report, nil
}
