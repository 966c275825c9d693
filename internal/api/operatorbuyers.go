package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
)

type (
	buyersAnswer struct {
		Buyers []buyerAnswer `json:"buyers" nullable:"false" doc:"In descending order of id"`
		Next   *drop.UserID  `json:"next" doc:"Send it as before to get the next page; null: this is the last page"`
	}
	buyerAnswer struct {
		ID       drop.UserID `json:"id"`
		Username string      `json:"username" doc:"Unknown if only the shop knows the buyer"`
		Email    *string     `json:"email" doc:"null: none was given"`
	}
	buyerHistoryAnswer struct {
		ID           drop.UserID   `json:"id"`
		Username     string        `json:"username" doc:"Unknown if only the shop knows the buyer"`
		Email        *string       `json:"email" doc:"null: none was given"`
		Reservations []visitAnswer `json:"reservations" nullable:"false" doc:"Over all drops, newest first"`
		More         bool          `json:"more" doc:"true: the buyer has more reservations, older than these"`
	}
	visitAnswer struct {
		ID        drop.ReservationID `json:"id"`
		DropID    drop.ID            `json:"dropId"`
		DropName  string             `json:"dropName"`
		Size      string             `json:"size,omitzero"`
		Status    string             `json:"status" enum:"active,completed,expired,cancelled"`
		CreatedAt instant            `json:"createdAt"`
		ExpiresAt instant            `json:"expires_at"`
		Offer     bool               `json:"offer,omitzero" doc:"Present only if true: the unit was offered to a buyer from the waitlist"`
		Purchase  *paidAnswer        `json:"purchase" doc:"null: the reservation was not paid for"`
	}
	paidAnswer struct {
		ID         drop.PurchaseID `json:"id"`
		Price      price           `json:"price"`
		CreatedAt  instant         `json:"createdAt"`
		Returned   string          `json:"returned,omitzero" enum:"restocked,written_off" doc:"What became of the unit that the shop took back. Absent: the buyer has it"`
		ReturnedAt instant         `json:"returnedAt,omitzero"`
		Payment    *paymentAnswer  `json:"payment,omitzero" doc:"What the buyer paid here. Absent: nothing"`
	}
)

// listBuyers finds buyers. Without q it lists all that the server knows by name.
func (a *api) listBuyers(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	before, limit, text := drop.UserID(q.before()), q.limit(), q.text("q", maxSearch)
	if q.err != nil {
		return q.err
	}
	answer, err := a.findBuyers(r.Context(), before, limit, strings.FieldsFunc(text, blank))
	if err != nil {
		return err
	}
	writeJSON(w, answer)
	return nil
}

// findBuyers reads page by page, like findSales.
func (a *api) findBuyers(ctx context.Context, before drop.UserID, limit int, words []string) (*buyersAnswer, error) {
	answer := &buyersAnswer{Buyers: []buyerAnswer{}}
	wants, page := func(*drop.User) bool { return true }, limit+1 // one more, to see whether the list goes on
	if len(words) > 0 {
		page = searchPage
		buyer, number := named(words), numberOfBuyer(words)
		wants = func(u *drop.User) bool { return u.ID != number && buyer(u.Username, u.Email) }
		if found, err := a.buyerOfNumber(ctx, number); err != nil {
			return nil, err
		} else if found != nil && before == 0 {
			answer.Buyers = append(answer.Buyers, answerBuyer(found))
		}
	}
	begun := time.Now()
	for at := before; ; {
		found, err := engine.Ask(ctx, a.engine, func(s store.Records) ([]drop.User, error) { return s.NewestUsers(ctx, at, page) })
		if err != nil {
			return nil, err
		}
		for i := range found {
			u := &found[i]
			if !wants(u) {
				at = u.ID
				continue
			}
			if len(answer.Buyers) >= limit { // the list goes on
				answer.Next = new(at)
				return answer, nil
			}
			answer.Buyers = append(answer.Buyers, answerBuyer(u))
			at = u.ID
		}
		if len(found) < page {
			return answer, nil
		}
		if time.Since(begun) > searchTime {
			answer.Next = new(at)
			return answer, nil
		}
	}
}

// numberOfBuyer reads the text of a search as a buyer's number. It returns 0 if it is not one.
func numberOfBuyer(words []string) drop.UserID {
	n, err := strconv.ParseInt(strings.TrimPrefix(newFold()(words[0]), "#"), 10, 64)
	if len(words) > 1 || err != nil || n < 1 || n > drop.MaxSafeInteger {
		return 0
	}
	return drop.UserID(n)
}

// buyerOfNumber returns the buyer with a number, or nil. The shop may have numbers of its own, whose names the server
// never learned. Such a buyer exists if there is a reservation.
func (a *api) buyerOfNumber(ctx context.Context, id drop.UserID) (*drop.User, error) {
	if id == 0 {
		return nil, nil //nolint:nilnil // as documented
	}
	u, err := a.user(ctx, id)
	if drop.CodeOf(err) != drop.CodeUserNotFound {
		return &u, err
	}
	held, err := a.reservationsOf(ctx, id, 1)
	if err != nil || len(held) == 0 {
		return nil, err
	}
	return &drop.User{ID: id, Username: drop.UnknownUsername}, nil
}

func (a *api) reservationsOf(ctx context.Context, id drop.UserID, limit int) ([]drop.Reservation, error) {
	return engine.Ask(ctx, a.engine, func(s store.Records) ([]drop.Reservation, error) { return s.Reservations(ctx, id, limit) })
}

// showBuyer shows a buyer's reservations and purchases.
func (a *api) showBuyer(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	limit := q.number("limit", 1, maxReservations, defaultPage)
	if q.err != nil {
		return q.err
	}
	n, err := pathNumber(r)
	if err != nil {
		return err
	}
	if n < 1 || n > drop.MaxSafeInteger {
		return drop.Refuse(drop.CodeUserNotFound)
	}
	u, err := a.buyerOfNumber(r.Context(), drop.UserID(n))
	if err == nil && u == nil {
		err = drop.Refuse(drop.CodeUserNotFound)
	}
	if err != nil {
		return err
	}
	visits, more, err := a.visits(r.Context(), u.ID, limit)
	if err != nil {
		return err
	}
	known := answerBuyer(u)
	writeJSON(w, &buyerHistoryAnswer{ID: known.ID, Username: known.Username, Email: known.Email, Reservations: visits, More: more})
	return nil
}

// visits returns a buyer's newest reservations, with the purchases of those that were paid for.
func (a *api) visits(ctx context.Context, id drop.UserID, limit int) (visits []visitAnswer, more bool, err error) {
	held, err := a.reservationsOf(ctx, id, limit+1)
	if err != nil {
		return nil, false, err
	}
	held, more = pageOf(held, limit)
	var paid []drop.ReservationID
	for i := range held {
		if held[i].Status == drop.Completed {
			paid = append(paid, held[i].ID)
		}
	}
	purchases, err := engine.Ask(ctx, a.engine, func(s store.Records) ([]drop.Purchase, error) { return s.PurchasesOf(ctx, paid) })
	if err != nil {
		return nil, false, err
	}
	money, err := a.paymentsFor(ctx, paid)
	if err != nil {
		return nil, false, err
	}
	of := make(map[drop.ReservationID]*paidAnswer, len(purchases))
	for i := range purchases {
		p := &purchases[i]
		of[p.ReservationID] = &paidAnswer{p.ID, price(p.Price), instant(p.CreatedAt), returned(p.Return), instant(p.ReturnedAt), money.answer(p.ReservationID)}
	}
	visits = make([]visitAnswer, len(held))
	for i := range held {
		h := &held[i]
		visits[i] = visitAnswer{
			ID: h.ID, DropID: h.ID.Drop(), Size: h.Size, Status: h.Status.String(), CreatedAt: instant(h.CreatedAt),
			ExpiresAt: instant(h.ExpiresAt), Purchase: of[h.ID], Offer: h.Offer,
		}
		view, err := a.engine.View(ctx, h.ID.Drop())
		if err != nil {
			return nil, false, err
		}
		visits[i].DropName = view.Drop.Name
	}
	return visits, more, nil
}

func answerBuyer(u *drop.User) buyerAnswer {
	return buyerAnswer{u.ID, u.Username, unlessZero(&u.Email)}
}
