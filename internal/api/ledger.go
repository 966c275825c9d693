package api

import (
	"net/http"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
)

type (
	ledgerAnswer struct {
		Entries []entryAnswer `json:"entries" nullable:"false"`
		Next    *drop.Seq     `json:"next" doc:"Send it as after to get the next page; null: this is the last page"`
	}
	entryAnswer struct {
		Seq       drop.Seq    `json:"seq" doc:"From 1, without gaps"`
		At        instant     `json:"at"`
		Reason    drop.Reason `json:"reason" enum:"created,restocked,reserved,payment_started,purchased,reservation_expired,reservation_cancelled,returned,written_off,refunded,offered,offer_expired,offer_declined,waitlist_kept,waitlist_freed,access_kept,access_freed"`
		Size      *string     `json:"size" doc:"null: the drop has no sizes"`
		Units     int64       `json:"units" doc:"Units moved. Negative: units that a restock removed"`
		Available int64       `json:"available" doc:"Available units of the size after the entry. Entries with the same time may belong to one change: only what the last of them says was ever on sale"`
	}
)

func (a *api) listLedger(w http.ResponseWriter, r *http.Request) error {
	id, err := dropOf(w, r)
	if err != nil {
		return err
	}
	q := queryOf(r)
	after, limit := q.after(), q.limit()
	if q.err != nil {
		return q.err
	}
	found, err := engine.Ask(r.Context(), a.engine, func(s store.Records) ([]drop.LedgerEntry, error) {
		return s.Ledger(r.Context(), id, drop.Seq(after), limit+1)
	})
	if err != nil {
		return err
	}
	found, more := pageOf(found, limit)
	answer := ledgerAnswer{Entries: make([]entryAnswer, len(found))}
	if more {
		answer.Next = &found[limit-1].Seq
	}
	for i := range found {
		e := &found[i]
		answer.Entries[i] = entryAnswer{e.Seq, instant(e.At), e.Reason, unlessZero(&e.Size), e.Units, e.Available}
	}
	writeJSON(w, &answer)
	return nil
}
