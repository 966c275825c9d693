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
		Next      *drop.PurchaseID `json:"next" doc:"Send it as after (with order=newest as before) to get the next page; null: this is the last page"`
		Newest    *drop.PurchaseID `json:"newest,omitzero" doc:"With order=newest: the newest purchase that was read. Send it as after to get only later ones"`
	}
	saleAnswer struct {
		ID            drop.PurchaseID    `json:"id"`
		ReservationID drop.ReservationID `json:"reservationId"`
		UserID        drop.UserID        `json:"userId"`
		Username      string             `json:"username" doc:"Unknown if only the shop knows the buyer"`
		Email         *string            `json:"email" doc:"null: none was given"`
		Size          string             `json:"size,omitzero"`
		Price         price              `json:"price"`
		CreatedAt     instant            `json:"createdAt"`
		Returned      string             `json:"returned,omitzero" enum:"restocked,written_off" doc:"What became of the unit that the shop took back. Absent: the buyer has it"`
		ReturnedAt    instant            `json:"returnedAt,omitzero"`
		Payment       *paymentAnswer     `json:"payment,omitzero" doc:"What the buyer paid here. Absent: nothing"`
	}
)

// listPurchases streams, so it sets its own time limits: the request timeout for a page of JSON, and one for each
// page of a file.
func (a *api) listPurchases(w http.ResponseWriter, r *http.Request) error {
	id, err := dropOf(w, r)
	if err != nil {
		return err
	}
	q := queryOf(r)
	asked := q.sales()
	asked.drop = id
	format := q.format(r.Header["Accept"], true)
	bom := q.word("bom", "0", "1") == "1" // Excel takes a CSV without the mark for another encoding than UTF-8
	if q.err != nil {
		return q.err
	}
	w.Header().Add("Vary", "Accept")
	if format != formatJSON {
		if asked.newestFirst {
			return drop.Invalid("order", "can be newest only for JSON; a file always begins with the oldest")
		}
		return a.exportSales(w, r, &asked, format, bom)
	}
	asked.limit = cmp.Or(asked.limit, defaultPage)
	ctx, cancel := context.WithTimeout(r.Context(), a.timeout.after)
	defer cancel()
	answer, err := a.findSales(ctx, &asked)
	if err != nil {
		return err
	}
	if err := pay(ctx, a, answer.Purchases, func(s *saleAnswer) (drop.ReservationID, **paymentAnswer) { return s.ReservationID, &s.Payment }); err != nil {
		return err
	}
	writeJSON(w, answer)
	return nil
}

// salesPage reads at most size purchases in the order of the query, beginning behind at (0: at the beginning). more
// reports whether others follow.
func (a *api) salesPage(ctx context.Context, q *saleQuery, at drop.PurchaseID, size int) (found []store.Sale, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout.after)
	defer cancel()
	found, err = engine.Ask(ctx, a.engine, func(s store.Records) ([]store.Sale, error) {
		if q.newestFirst {
			return s.NewestPurchases(ctx, q.drop, at, size+1)
		}
		return s.Purchases(ctx, q.drop, at, size+1)
	})
	found, more = pageOf(found, size)
	return found, more, err
}

// firstSale returns the purchase behind which to begin reading, so that none is read that is too old or too new.
func (a *api) firstSale(ctx context.Context, q *saleQuery) (drop.PurchaseID, error) {
	switch {
	case q.newestFirst && q.to != 0:
		first, err := a.saleAt(ctx, q.drop, q.to)
		if q.before != 0 {
			first = min(first, q.before)
		}
		return first, err
	case q.newestFirst:
		return q.before, nil
	case q.from != 0:
		first, err := a.saleAt(ctx, q.drop, q.from)
		return max(first-1, q.after), err
	default:
		return q.after, nil
	}
}

// saleAt returns the number of a drop's first purchase at that time or later, or the number after the newest one.
// Times rise with numbers, so a binary search over single rows is enough.
func (a *api) saleAt(ctx context.Context, id drop.ID, at drop.Time) (drop.PurchaseID, error) {
	one := func(newestFirst bool, behind drop.PurchaseID) (*store.Sale, error) {
		found, _, err := a.salesPage(ctx, &saleQuery{drop: id, newestFirst: newestFirst}, behind, 1)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		return &found[0], nil
	}
	low := drop.NewPurchaseID(id, 1)
	newest, err := one(true, 0)
	if err != nil || newest == nil {
		return low, err
	}
	if newest.CreatedAt < at {
		return newest.ID + 1, nil
	}
	for high := newest.ID; low < high; {
		middle := low + (high-low)/2
		switch s, err := one(false, middle-1); {
		case err != nil:
			return 0, err
		case s == nil || s.CreatedAt >= at:
			high = middle
		default:
			low = s.ID + 1
		}
	}
	return low, nil
}

func answerSale(s *store.Sale) saleAnswer {
	return saleAnswer{
		ID: s.ID, ReservationID: s.ReservationID, UserID: s.UserID, Username: s.Username, Email: unlessZero(&s.Email),
		Size: s.Size, Price: price(s.Price), CreatedAt: instant(s.CreatedAt),
		Returned: returned(s.Return), ReturnedAt: instant(s.ReturnedAt),
	}
}
