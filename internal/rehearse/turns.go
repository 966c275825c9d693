package rehearse

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"sneakerdrop/internal/drop"
)

// Waitlist is what became of the buyers who waited, counted from the records.
type Waitlist struct {
	Joined  int64 `json:"joined"`
	Left    int64 `json:"left"`    // they gave their places up
	Skipped int64 `json:"skipped"` // a rule of the drop forbade the offer
	// Offered counts the offers. Each of them is Bought, Declined or Expired in the end.
	Offered  int64 `json:"offered"`
	Bought   int64 `json:"bought"`
	Declined int64 `json:"declined"`
	Expired  int64 `json:"expired"`
}

// waited is an entry of the copy's waitlist as an operator sees it.
type waited struct {
	ID                 drop.EntryID
	Size               string
	Status             string
	CreatedAt, EndedAt time.Time // EndedAt is zero while it waits
	ReservationID      drop.ReservationID
}

// waited reads all entries, in the order in which the buyers joined.
func (p *play) waited(ctx context.Context) (all []waited, err error) {
	for after := drop.EntryID(0); ; {
		var got struct {
			Entries []waited
			Next    *drop.EntryID
		}
		if err := p.callOperator(ctx, http.MethodGet, fmt.Sprintf("%s/waitlist?limit=1000&after=%d", dropPath(p.copied), after), nil, &got); err != nil {
			return nil, err
		}
		if all = append(all, got.Entries...); got.Next == nil {
			return all, nil
		}
		after = *got.Next
	}
}

// judgeLine counts what became of those who waited, and reports what is wrong.
func (r *Result) judgeLine(n *lineNotes, all []waited, ledger []entry, purchases map[drop.PurchaseID]drop.ReservationID) {
	w := &Waitlist{Joined: int64(len(all))}
	r.Waitlist = w
	offers, told := make(map[drop.ReservationID]bool), maps.Clone(n.entries)
	for i := range all {
		e := &all[i]
		if at, ok := told[e.ID]; ok && at != 0 && at != e.ReservationID {
			r.addf("entry %d was offered reservation %d, but the records say reservation %d", e.ID, at, e.ReservationID)
		}
		delete(told, e.ID)
		switch e.Status {
		case drop.Left.String():
			w.Left++
		case drop.Skipped.String():
			w.Skipped++
		case drop.Offered.String():
			w.Offered++
			offers[e.ReservationID] = true
		}
	}
	if len(told) > 0 {
		r.addf("%d entries were acknowledged but are not in the records", len(told))
	}
	for _, reservation := range purchases {
		if offers[reservation] {
			w.Bought++
		}
	}
	for i := range ledger {
		switch e := &ledger[i]; e.Reason {
		case drop.OfferDeclined:
			w.Declined += e.Units
		case drop.OfferExpired:
			w.Expired += e.Units
		default:
		}
	}
	if ended := w.Bought + w.Declined + w.Expired; ended != w.Offered {
		r.addf("%d units were offered to buyers who waited, but %d were bought, declined or left to expire", w.Offered, ended)
	}
	r.judgeTurns(all, ledger)
}

// judgeTurns reports who had a unit while somebody waited longer for one. Times are in milliseconds, so of two things
// in one millisecond neither came first.
func (r *Result) judgeTurns(all []waited, ledger []entry) {
	lines := make(map[string][]waited)
	for i := range all {
		lines[all[i].Size] = append(lines[all[i].Size], all[i])
	}
	var early, past int
	var first string
	kept := timesOfKept(ledger)
	for _, size := range slices.Sorted(maps.Keys(lines)) {
		line := lines[size]
		// patient has, for each entry, the one up to there that waited last.
		patient := make([]*waited, len(line))
		for i := range line {
			patient[i] = &line[i]
			if i > 0 && !endsAfter(&line[i], patient[i-1]) {
				patient[i] = patient[i-1]
			}
		}
		for i := range line {
			if e := &line[i]; i > 0 && e.Status == drop.Offered.String() && endsAfter(patient[i-1], e) {
				early++
				first = cmp.Or(first, fmt.Sprintf("entry %d before entry %d", e.ID, patient[i-1].ID))
			}
		}
		for i := range ledger {
			e := &ledger[i]
			if e.Reason != drop.Reserved || kept[e.At] || e.Size == nil && size != "" || e.Size != nil && *e.Size != size {
				continue
			}
			joined, _ := slices.BinarySearchFunc(line, e.At, func(w waited, at time.Time) int { return w.CreatedAt.Compare(at) })
			if joined > 0 && endsAfter(patient[joined-1], &waited{EndedAt: e.At}) {
				past++
			}
		}
	}
	if early > 0 {
		r.addf("%d units were not offered to the first in line, the first one to %s", early, first)
	}
	if past > 0 {
		r.addf("units were reserved %d times while buyers waited for them", past)
	}
}

// timesOfKept returns when units went to buyers with a code: nobody waited for those.
func timesOfKept(ledger []entry) map[time.Time]bool {
	at := make(map[time.Time]bool)
	for i := range ledger {
		if e := &ledger[i]; e.Reason == drop.AccessFreed {
			at[e.At] = true
		}
	}
	return at
}

// endsAfter reports whether a waited longer than b.
func endsAfter(a, b *waited) bool {
	return !b.EndedAt.IsZero() && (a.EndedAt.IsZero() || a.EndedAt.After(b.EndedAt))
}
