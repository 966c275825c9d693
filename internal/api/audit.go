package api

import (
	"context"
	"net/http"
	"time"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
)

type auditAnswer struct {
	DropID        drop.ID  `json:"dropId"`
	Clean         bool     `json:"clean"`
	Reservations  int64    `json:"reservations" doc:"Reservations checked"`
	Purchases     int64    `json:"purchases"`
	LedgerEntries int64    `json:"ledger_entries"`
	Held          int64    `json:"held" doc:"Units that are held, counted from the reservations"`
	Paying        int64    `json:"paying" doc:"Those of them whose buyers are paying"`
	WrittenOff    int64    `json:"written_off" doc:"Sold units that were taken back and left the stock, counted from the purchases"`
	Differences   int64    `json:"differences"`
	Sentences     []string `json:"sentences" nullable:"false" doc:"The first differences. The first one is the likely cause"`
}

// Audit compares the records of one drop with each other.
type Audit func(ctx context.Context, id drop.ID) (audit.DropReport, error)

// auditTimeout bounds an audit, because no client waits longer. An audit of a drop with millions of reservations
// takes minutes.
const auditTimeout = 30 * time.Minute

// auditDrop reads all records of a drop, so only one audit runs at a time.
func (a *api) auditDrop(w http.ResponseWriter, r *http.Request) error {
	id, err := dropOf(w, r)
	if err != nil {
		return err
	}
	if !a.auditing.TryLock() {
		return drop.Refuse(codeOverloaded)
	}
	defer a.auditing.Unlock()
	ctx, cancel := context.WithTimeout(r.Context(), auditTimeout)
	defer cancel()
	report, err := a.audit(ctx, id)
	// The server's write deadline is for quick answers, and may have passed long ago.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(pageWriteTimeout))
	if err != nil {
		return err
	}
	writeJSON(w, &auditAnswer{
		DropID: report.ID, Clean: report.Differences == 0, Reservations: report.Reservations, Purchases: report.Purchases,
		LedgerEntries: report.LedgerEntries, Held: report.Held, Paying: report.Paying, WrittenOff: report.WrittenOff, Differences: report.Differences, Sentences: append([]string{}, report.Sentences...),
	})
	return nil
}
