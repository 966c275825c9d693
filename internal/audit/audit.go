// Package audit checks that all records of a drop agree. These are the ledger replayed from its first entry, the
// counters, the reservations, the purchases, the waitlist, the draw, the early access and the payments.
//
// It reads each drop as of one moment while sales continue, and then the payments. Drops are read one after the other,
// so that no snapshot lasts longer than one drop takes. The comparison itself is pure and assumes nothing about the
// rows except their order.
//
// An audit cannot notice a change that no other record contradicts. An example is the time of a restock that was
// moved, but not past its neighbors.
package audit

import (
	"context"
	"fmt"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// maxSentences is the most differences that are described for one drop. A single lost ledger entry contradicts all
// that follow it.
const maxSentences = 20

// Books is what an audit reads.
type Books interface {
	Pulse(ctx context.Context) (store.Pulse, error)
	ReadBooks(ctx context.Context, id drop.ID, b store.Books) error
	PaymentsOfDrop(ctx context.Context, id drop.ID, each func(drop.Payment) error) error
}

// Report is the result for all audited drops.
type Report struct {
	Drops []DropReport `json:"drops"`
}

// DropReport is the result for one drop.
type DropReport struct {
	ID            drop.ID `json:"id"`
	Name          string  `json:"name"`
	Reservations  int64   `json:"reservations"`
	Purchases     int64   `json:"purchases"`
	LedgerEntries int64   `json:"ledger_entries"`
	// Entries counts the waitlist's entries, and Waiting those of them that wait.
	Entries int64 `json:"waitlist_entries"`
	Waiting int64 `json:"waiting"`
	// DrawEntries counts the entries of the draw, also those that were withdrawn or removed.
	DrawEntries int64 `json:"draw_entries"`
	// Passes counts the passes to early access, and Uses how often they are used, as the reservations and the draw's
	// entries say.
	Passes int64 `json:"passes"`
	Uses   int64 `json:"uses"`
	// Held counts the units that buyers hold, and Paying those of them whose buyers are paying. WrittenOff counts the
	// sold units that were taken back and left the stock. All three are counted from the rows. Kept counts the units
	// that are kept for who waits and not offered yet, and KeptEarly those that are kept for early access, as the drop
	// does.
	Held       int64 `json:"held"`
	Paying     int64 `json:"paying"`
	WrittenOff int64 `json:"written_off"`
	Kept       int64 `json:"kept"`
	KeptEarly  int64 `json:"kept_early"`
	// Payments counts the payments that buyers began. Money is what they moved, by currency, in ascending order.
	Payments int64   `json:"payments"`
	Money    []Money `json:"money,omitempty"`
	// Differences counts the records that do not match, and Sentences describe the first of them. The first one is
	// the cause as far as an audit can tell; the others may be its consequences.
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

// Sum returns the totals over all drops.
func (r *Report) Sum() DropReport {
	var sum DropReport
	for i := range r.Drops {
		d := &r.Drops[i]
		sum.Reservations += d.Reservations
		sum.Purchases += d.Purchases
		sum.LedgerEntries += d.LedgerEntries
		sum.Entries += d.Entries
		sum.Waiting += d.Waiting
		sum.DrawEntries += d.DrawEntries
		sum.Passes += d.Passes
		sum.Uses += d.Uses
		sum.Kept += d.Kept
		sum.KeptEarly += d.KeptEarly
		sum.Held += d.Held
		sum.Paying += d.Paying
		sum.WrittenOff += d.WrittenOff
		sum.Payments += d.Payments
		for _, m := range d.Money {
			moneyIn(&sum.Money, m.Currency).add(m.Captured, m.Refunded)
		}
		sum.Differences += d.Differences
	}
	return sum
}

// Run audits every drop in ascending order. If progress is not nil, Run calls it after each. Differences do not make
// Run fail.
func Run(ctx context.Context, b Books, progress func(DropReport)) (Report, error) {
	var r Report
	pulse, err := b.Pulse(ctx)
	if err != nil {
		return r, fmt.Errorf("list the drops: %w", err)
	}
	for _, p := range pulse.Drops {
		d, err := Drop(ctx, b, p.ID)
		if drop.CodeOf(err) == drop.CodeDropNotFound {
			continue // everything was replaced in the meantime
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

// Drop audits one drop. It refuses with CodeDropNotFound.
func Drop(ctx context.Context, b Books, id drop.ID) (DropReport, error) {
	c := newCheck(id)
	err := b.ReadBooks(ctx, id, store.Books{
		Head: c.head, Entry: c.entry, Reservation: c.reservation, Purchase: c.purchase, Draw: c.drawStored, DrawEntry: c.drawEntry, Pass: c.pass, Waits: c.waits,
	})
	if err != nil {
		return DropReport{}, fmt.Errorf("audit drop %d: %w", id, err)
	}
	c.close()
	if err := c.payments(ctx, b); err != nil {
		return DropReport{}, fmt.Errorf("audit drop %d: %w", id, err)
	}
	return c.report, nil
}
