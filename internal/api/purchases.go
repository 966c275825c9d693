package api

import (
	"cmp"
	"context"
	"net/http"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
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
)

// listPurchases streams, so it bounds its own time: a page of JSON by the request timeout, files page by page.
func (a *api) listPurchases(w http.ResponseWriter, r *http.Request) error {
	id, err := dropOf(w, r)
	if err != nil {
		return err
	}
	q := queryOf(r)
	after, limit := drop.PurchaseID(q.after()), q.number("limit", 1, maxPage, 0)
	find, newestFirst := q.newest()
	format := q.format(r.Header["Accept"])
	bom := q.word("bom", "0", "1") == "1" // Excel takes a CSV without the mark for another encoding than UTF-8
	if q.err != nil {
		return q.err
	}
	w.Header().Add("Vary", "Accept")
	if format != formatJSON && newestFirst {
		return drop.Invalid("order", "newest goes with JSON; a file begins with the oldest")
	}
	export := sales{drop: id, after: after, limit: limit, bom: bom}
	switch format {
	case formatCSV:
		return a.writeSales(w, r, export)
	case formatXLSX:
		return a.writeWorkbook(w, r, export)
	}
	limit = cmp.Or(limit, defaultPage)
	if newestFirst {
		find.after, find.limit = after, limit
		return a.listNewest(w, r, id, find)
	}
	found, more, err := a.salesPage(r.Context(), id, after, limit)
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
	found, err = engine.Ask(ctx, a.engine, func(s store.Records) ([]store.Sale, error) { return s.Purchases(ctx, id, after, limit+1) })
	if err != nil {
		return nil, false, err
	}
	found, more = pageOf(found, limit)
	return found, more, nil
}

func answerSale(s *store.Sale) saleAnswer {
	return saleAnswer{
		ID: s.ID, ReservationID: s.ReservationID, UserID: s.UserID, Username: s.Username, Email: unlessZero(&s.Email),
		Size: s.Size, Price: price(s.Price), CreatedAt: instant(s.CreatedAt),
	}
}
