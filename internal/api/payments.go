package api

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/shop/checkout"
	"sneakerdrop/internal/store"
)

type (
	checkoutRequest struct {
		ReservationID *whole  `json:"reservationId" required:"true" nullable:"false" doc:"The id from the answer to reserve"`
		ReturnURL     *string `json:"return_url" required:"true" nullable:"false" minLength:"1" maxLength:"2000" doc:"Where the provider sends the buyer's browser in the end. A page of this server, by path or address, or of an origin that --cors-origin names. {payment} in it becomes the payment's id"`
	}
	checkoutAnswer struct {
		URL       *string               `json:"url" doc:"Where to send the buyer's browser to pay. null: the buyer has paid, so read GET /api/payments/{id}"`
		ExpiresAt instant               `json:"expires_at" doc:"The buyer can pay until then, and keeps the unit as long"`
		Payment   checkoutPaymentAnswer `json:"payment"`
	}
	checkoutPaymentAnswer struct {
		ID     drop.PaymentID `json:"id"`
		Status string         `json:"status" enum:"open,pending,claimed,captured,voided,refunded,failed"`
	}
	// paymentAnswer is a payment, as everybody who may see it gets it.
	paymentAnswer struct {
		ID     drop.PaymentID `json:"id"`
		Status string         `json:"status" enum:"open,pending,claimed,captured,voided,refunded,failed" doc:"open: the buyer can pay. pending: the money is on its way. claimed: it is being taken. captured: it is taken, and the unit is sold. voided and refunded: there was no unit for it, and the buyer has it back. failed: the buyer did not pay"`
		// Unsettled is also true while a refund waits for the provider.
		Unsettled bool    `json:"unsettled" doc:"Whether the server still waits for the buyer or the provider. After a capture: whether the provider has not confirmed a refund yet"`
		Amount    price   `json:"amount"`
		Currency  string  `json:"currency" doc:"ISO 4217 code"`
		Refunded  price   `json:"refunded" doc:"How much of amount is refunded, or will be"`
		Provider  string  `json:"provider" doc:"Who takes the money: stripe, external or demo"`
		Number    *string `json:"number" doc:"The provider's number. null: not known yet"`
		ExpiresAt instant `json:"expires_at" doc:"The buyer can pay until then"`
		CreatedAt instant `json:"createdAt"`
	}
	buyersPaymentAnswer struct {
		Payment       paymentAnswer      `json:"payment"`
		DropID        drop.ID            `json:"dropId"`
		ReservationID drop.ReservationID `json:"reservationId"`
		UserID        drop.UserID        `json:"userId"`
		Purchase      *purchaseAnswer    `json:"purchase,omitzero" doc:"Absent: the unit is not sold for this payment"`
	}
)

// answerPayment writes a payment.
func answerPayment(p *drop.Payment) *paymentAnswer {
	return &paymentAnswer{
		ID: p.ID, Status: p.State, Unsettled: p.Unsettled, Amount: price(p.Amount), Currency: p.Currency, Refunded: price(p.Refunded),
		Provider: p.Provider, Number: unlessZero(new(p.Shown())),
		ExpiresAt: instant(p.ExpiresAt), CreatedAt: instant(p.CreatedAt),
	}
}

// paymentOf returns the payment that a unit was sold for, or nil.
func (a *api) paymentOf(ctx context.Context, unit drop.ReservationID) (*paymentAnswer, error) {
	paid, err := a.paymentsFor(ctx, []drop.ReservationID{unit})
	return paid.answer(unit), err
}

// beginCheckout needs no idempotency key: a repeated call finds the payment that the first one began.
func (a *api) beginCheckout(w http.ResponseWriter, r *http.Request) error {
	var in checkoutRequest
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	id, err := required("reservationId", in.ReservationID)
	if err != nil {
		return err
	}
	back, err := a.returnURL(r, in.ReturnURL)
	if err != nil {
		return err
	}
	order, err := a.order(r.Context(), drop.ReservationID(id), &callerOf(w).buyer)
	if err != nil {
		return err
	}
	order.ReturnURL = back
	p, err := a.checkout.Start(r.Context(), order)
	if err != nil {
		return err
	}
	answer := &checkoutAnswer{ExpiresAt: instant(p.ExpiresAt), Payment: checkoutPaymentAnswer{p.ID, p.State}}
	if p.State == drop.PaymentOpen && p.URL != "" {
		answer.URL = new(here(r, p.URL))
	}
	writeJSON(w, answer)
	return nil
}

// order says what the buyer of a reservation pays for. The reservation of a rehearsal, where no money moves, counts as
// not found.
func (a *api) order(ctx context.Context, id drop.ReservationID, caller *drop.User) (checkout.Order, error) {
	unknown := drop.Refuse(drop.CodeReservationNotFound)
	v, err := a.engine.View(ctx, id.Drop())
	switch {
	case drop.CodeOf(err) == drop.CodeDropNotFound:
		return checkout.Order{}, unknown
	case err != nil:
		return checkout.Order{}, err
	case v.Drop.Rehearsal():
		return checkout.Order{}, unknown
	}
	return checkout.Order{Reservation: id, Owner: caller.ID, Describe: func(ctx context.Context, r *drop.Reservation) (checkout.Details, error) {
		show := checkout.Details{Description: v.Drop.Name, Email: caller.Email}
		if r.Size != "" {
			show.Description += ", " + r.Size
		}
		if caller.ID != 0 || r.UserID < drop.FirstAllocatedUser { // only the shop knows a buyer with a number of its own
			return show, nil
		}
		buyer, err := a.user(ctx, r.UserID)
		show.Email = buyer.Email
		return show, err
	}}, nil
}

// showPayment also does the payment's next step, because the buyer who comes back from the provider is often faster
// than the provider's notification.
func (a *api) showPayment(w http.ResponseWriter, r *http.Request) error {
	n, err := pathNumber(r)
	if err != nil {
		return err
	}
	p, found, err := a.checkout.Payment(r.Context(), drop.PaymentID(n))
	if err != nil {
		return err
	}
	if me := callerOf(w).buyer.ID; !found || me != 0 && p.User != me {
		return drop.Refuse(codePaymentNotFound)
	}
	if p.Unsettled {
		if next, _, err := a.checkout.Look(r.Context(), p.ID); err == nil {
			p = next
		} // otherwise the buyer sees what was last known: the payment notes the failure, and the server tries again
	}
	answer := &buyersPaymentAnswer{Payment: *answerPayment(&p), DropID: p.Reservation.Drop(), ReservationID: p.Reservation, UserID: p.User}
	if p.Purchase != 0 {
		sale, err := a.sale(r.Context(), p.Purchase)
		if err != nil {
			return err
		}
		answer.Purchase = answerPurchase(&sale.Purchase)
	}
	writeJSON(w, answer)
	return nil
}

// sale returns a purchase. It refuses with CodePurchaseNotFound.
func (a *api) sale(ctx context.Context, id drop.PurchaseID) (store.Sale, error) {
	return engine.Ask(ctx, a.engine, func(s store.Records) (store.Sale, error) {
		found, err := s.SalesIn(ctx, id.Drop(), []store.Run{{First: uint32(id), Length: 1}})
		if err != nil || len(found) == 0 {
			return store.Sale{}, cmp.Or(err, error(drop.Refuse(drop.CodePurchaseNotFound)))
		}
		return found[0], nil
	})
}

// PaymentAnswer is another name of paymentAnswer: the description of the API leaves out what is embedded under a name
// that begins with a small letter.
type PaymentAnswer = paymentAnswer

type (
	paymentsAnswer struct {
		Payments []paymentRowAnswer `json:"payments" nullable:"false"`
		Next     *drop.PaymentID    `json:"next" doc:"Send it as before (with unsettled=true as after) to get the next page; null: this is the last page"`
	}
	// paymentRowAnswer is a payment for operators.
	paymentRowAnswer struct {
		PaymentAnswer

		DropID        drop.ID            `json:"dropId"`
		ReservationID drop.ReservationID `json:"reservationId"`
		UserID        drop.UserID        `json:"userId"`
		Username      string             `json:"username" doc:"Unknown if only the shop knows the buyer"`
		PurchaseID    *drop.PurchaseID   `json:"purchaseId" doc:"null: the unit is not sold for it"`
		Reason        *string            `json:"reason" doc:"Why nothing was sold, or why the last try failed; null: there is nothing to say"`
		Tries         int                `json:"tries" doc:"Failed tries since the last success"`
		DueAt         *instant           `json:"due_at" nullable:"true" doc:"When the server does the next step; null: it has none to do"`
	}
)

// listPayments reads one payment more than it answers with, to see whether the list goes on.
func (a *api) listPayments(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	unsettled := q.word("unsettled", "true", "false") == "true"
	after, before, limit := drop.PaymentID(q.after()), drop.PaymentID(q.before()), q.limit()
	switch {
	case unsettled && before != 0:
		q.refuse("before", "must be left out with unsettled=true, whose order is ascending; send after")
	case !unsettled && after != 0:
		q.refuse("after", "needs unsettled=true; send before in the list of all payments")
	}
	if q.err != nil {
		return q.err
	}
	read, at := a.checkout.Newest, before
	if unsettled {
		read, at = a.checkout.Unsettled, after
	}
	found, err := read(r.Context(), at, limit+1)
	if err != nil {
		return err
	}
	found, more := pageOf(found, limit)
	buyers := make([]drop.UserID, len(found))
	for i := range found {
		buyers[i] = found[i].User
	}
	names, err := a.namesOf(r.Context(), buyers)
	if err != nil {
		return err
	}
	answer := &paymentsAnswer{Payments: make([]paymentRowAnswer, len(found))}
	for i := range found {
		answer.Payments[i] = answerPaymentRow(&found[i])
		answer.Payments[i].Username = names[found[i].User]
	}
	if more {
		answer.Next = &found[limit-1].ID
	}
	writeJSON(w, answer)
	return nil
}

// namesOf returns the names of buyers, drop.UnknownUsername of those that only the shop knows. It reads all at once.
func (a *api) namesOf(ctx context.Context, buyers []drop.UserID) (map[drop.UserID]string, error) {
	names := make(map[drop.UserID]string, len(buyers))
	for _, id := range buyers {
		names[id] = drop.UnknownUsername
	}
	ids := slices.Collect(maps.Keys(names))
	found, err := engine.Ask(ctx, a.engine, func(s store.Records) ([]drop.User, error) { return s.Users(ctx, ids) })
	for i := range found {
		names[found[i].ID] = cmp.Or(found[i].Username, drop.UnknownUsername)
	}
	return names, err
}

func answerPaymentRow(p *drop.Payment) paymentRowAnswer {
	row := paymentRowAnswer{
		PaymentAnswer: *answerPayment(p), DropID: p.Reservation.Drop(), ReservationID: p.Reservation, UserID: p.User,
		PurchaseID: unlessZero(&p.Purchase), Reason: unlessZero(&p.Reason), Tries: p.Tries,
	}
	if p.Unsettled {
		row.DueAt = new(instant(p.DueAt))
	}
	return row
}
