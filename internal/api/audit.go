package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
)

type auditAnswer struct {
	DropID        drop.ID    `json:"dropId"`
	Clean         bool       `json:"clean"`
	Reservations  int64      `json:"reservations" doc:"Reservations checked"`
	Purchases     int64      `json:"purchases"`
	LedgerEntries int64      `json:"ledger_entries"`
	Entries       int64      `json:"waitlist_entries" doc:"Entries of the waitlist checked"`
	Waiting       int64      `json:"waiting" doc:"Those of them that wait"`
	Held          int64      `json:"held" doc:"Units that are held, counted from the reservations"`
	Paying        int64      `json:"paying" doc:"Those of them whose buyers are paying"`
	WrittenOff    int64      `json:"written_off" doc:"Sold units that were taken back and left the stock, counted from the purchases"`
	Kept          int64      `json:"kept" doc:"Units that are kept for those who wait and not offered yet"`
	Passes        int64      `json:"passes" doc:"Codes, and places on lists, that were checked"`
	Uses          int64      `json:"uses" doc:"Their uses, counted from the reservations and the entries of the draw"`
	KeptEarly     int64      `json:"kept_early" doc:"Units that are kept for early access"`
	Payments      int64      `json:"payments" doc:"Payments checked"`
	Money         []moneySum `json:"money" nullable:"false" doc:"What the payments moved, for each currency"`
	Differences   int64      `json:"differences"`
	Sentences     []string   `json:"sentences" nullable:"false" doc:"The first differences. The first one is the likely cause"`
}

type moneySum struct {
	Currency string `json:"currency" doc:"ISO 4217 code"`
	Captured sum    `json:"captured" doc:"What was taken from buyers"`
	Refunded sum    `json:"refunded" doc:"What they got back, or are about to"`
	Kept     sum    `json:"kept" doc:"captured less refunded"`
}

// sum is an amount that may be larger than any price.
type sum audit.Amount

func (s sum) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteValue(jsontext.Value(audit.Amount(s).String()))
}

// Schema implements huma.SchemaProvider.
func (sum) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeNumber} }

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
	answer := &auditAnswer{
		DropID: report.ID, Clean: report.Differences == 0, Reservations: report.Reservations, Purchases: report.Purchases,
		LedgerEntries: report.LedgerEntries, Entries: report.Entries, Waiting: report.Waiting, Held: report.Held, Paying: report.Paying,
		WrittenOff: report.WrittenOff, Kept: report.Kept, Passes: report.Passes, Uses: report.Uses, KeptEarly: report.KeptEarly,
		Payments: report.Payments, Money: []moneySum{},
		Differences: report.Differences, Sentences: append([]string{}, report.Sentences...),
	}
	for _, m := range report.Money {
		answer.Money = append(answer.Money, moneySum{m.Currency, sum(m.Captured), sum(m.Refunded), sum(m.Kept)})
	}
	writeJSON(w, answer)
	return nil
}
