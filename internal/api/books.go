package api

import (
	"context"
	"net/http"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

type (
	purchasesAnswer struct {
		Purchases []saleAnswer     `json:"purchases" nullable:"false"`
		Next      *drop.PurchaseID `json:"next" doc:"What to send as after, with order=newest as before, for the next page; null: this is the last one"`
		Newest    *drop.PurchaseID `json:"newest,omitzero" doc:"With order=newest: the first purchase that was looked at; send it as after to be told only what came later"`
	}
	saleAnswer struct {
		ID            drop.PurchaseID    `json:"id"`
		ReservationID drop.ReservationID `json:"reservationId"`
		UserID        drop.UserID        `json:"userId"`
		Username      string             `json:"username" doc:"Unknown where only the shop knows the buyer"`
		Email         *string            `json:"email" doc:"null: none was given"`
		Size          string             `json:"size,omitzero"`
		Price         price              `json:"price"`
		CreatedAt     instant            `json:"createdAt"`
	}
	ledgerAnswer struct {
		Entries []entryAnswer `json:"entries" nullable:"false"`
		Next    *drop.Seq     `json:"next" doc:"What to send as after for the next page; null: this is the last one"`
	}
	entryAnswer struct {
		Seq       drop.Seq    `json:"seq" doc:"From 1, without gaps"`
		At        instant     `json:"at"`
		Reason    drop.Reason `json:"reason" enum:"created,restocked,reserved,purchased,reservation_expired,reservation_cancelled"`
		Size      *string     `json:"size" doc:"null: the drop has no sizes"`
		Units     int64       `json:"units" doc:"How many were moved; below 0: taken away (restocked)"`
		Available int64       `json:"available" doc:"Units of the size on sale afterwards"`
	}
)

// The bounds of ?limit= on a drop's purchases and ledger.
const (
	defaultPage = 100
	maxPage     = 1000
)

// listPurchases streams, so it bounds its own time: a page of JSON by the request timeout, files page by page.
func (a *api) listPurchases(w http.ResponseWriter, r *http.Request) error {
	id, err := operatedDrop(w, r)
	if err != nil {
		return err
	}
	after, err := queryNumber(r, "after", 0, drop.MaxSafeInteger, 0)
	if err != nil {
		return err
	}
	limit, err := queryNumber(r, "limit", 1, maxPage, 0)
	if err != nil {
		return err
	}
	find, newestFirst, err := readNewest(r)
	if err != nil {
		return err
	}
	format, err := readFormat(r)
	if err != nil {
		return err
	}
	bom, err := readBOM(r)
	if err != nil {
		return err
	}
	w.Header().Add("Vary", "Accept")
	if format != formatJSON && newestFirst {
		return drop.Invalid("order", "newest goes with JSON; a file begins with the oldest")
	}
	export := sales{drop: id, after: drop.PurchaseID(after), limit: limit, bom: bom}
	switch format {
	case formatCSV:
		return a.writeSales(w, r, export)
	case formatXLSX:
		return a.writeWorkbook(w, r, export)
	}
	if limit == 0 {
		limit = defaultPage
	}
	if newestFirst {
		find.after, find.limit = drop.PurchaseID(after), limit
		return a.listNewest(w, r, id, find)
	}
	found, more, err := a.salesPage(r.Context(), id, drop.PurchaseID(after), limit)
	if err != nil {
		return err
	}
	answer := purchasesAnswer{Purchases: make([]saleAnswer, len(found))}
	for i := range found {
		answer.Purchases[i] = answerSale(&found[i])
	}
	if more {
		answer.Next = &found[len(found)-1].ID
	}
	writeJSON(w, &answer)
	return nil
}

// salesPage reads at most limit purchases and says whether there are more.
func (a *api) salesPage(ctx context.Context, id drop.ID, after drop.PurchaseID, limit int) (found []store.Sale, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout.after)
	defer cancel()
	if found, err = a.engine.Purchases(ctx, id, after, limit+1); err != nil {
		return nil, false, err
	}
	if len(found) > limit {
		return found[:limit], true, nil
	}
	return found, false, nil
}

func answerSale(s *store.Sale) saleAnswer {
	answer := saleAnswer{
		ID: s.ID, ReservationID: s.ReservationID, UserID: s.UserID, Username: s.Username,
		Size: s.Size, Price: price(s.Price), CreatedAt: instant(s.CreatedAt),
	}
	if s.Email != "" {
		answer.Email = &s.Email
	}
	return answer
}

func (a *api) listLedger(w http.ResponseWriter, r *http.Request) error {
	id, err := operatedDrop(w, r)
	if err != nil {
		return err
	}
	after, err := queryNumber(r, "after", 0, drop.MaxSafeInteger, 0)
	if err != nil {
		return err
	}
	limit, err := queryNumber(r, "limit", 1, maxPage, defaultPage)
	if err != nil {
		return err
	}
	found, err := a.engine.Ledger(r.Context(), id, drop.Seq(after), limit+1)
	if err != nil {
		return err
	}
	var answer ledgerAnswer
	if len(found) > limit {
		found = found[:limit]
		answer.Next = &found[limit-1].Seq
	}
	answer.Entries = make([]entryAnswer, len(found))
	for i := range found {
		e := &found[i]
		answer.Entries[i] = entryAnswer{Seq: e.Seq, At: instant(e.At), Reason: e.Reason, Units: e.Units, Available: e.Available}
		if e.Size != "" {
			answer.Entries[i].Size = &e.Size
		}
	}
	writeJSON(w, &answer)
	return nil
}
