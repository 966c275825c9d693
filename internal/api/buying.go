package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/flatjson"
	"sneakerdrop/internal/live"
	"sneakerdrop/internal/store"
)

type reserveRequest struct {
	DropID   *whole  `json:"dropId" required:"true" nullable:"false" doc:"The drop"`
	UserID   *whole  `json:"userId,omitzero" nullable:"true" minimum:"1" maximum:"9007199254740991" doc:"The shop's own number for the buyer, below 1099511627776, or an id that this server assigned"`
	UserName *string `json:"userName,omitzero" maxLength:"100" doc:"The buyer, if there is no userId. The server finds the buyer by email, or without one by this name, and creates a new one if needed. Names are normalized: surrounding and double spaces, full-width letters and decomposed characters make no difference, but letter case does. Invisible and direction-changing characters are invalid"`
	Email    *string `json:"email,omitzero" maxLength:"254" doc:"Goes with userName. The case of the letters A to Z does not matter. Addresses that differ in any other character are different buyers"`
	Size     *label  `json:"size,omitzero" doc:"Required if the drop has sizes; normalized like userName. Otherwise the server keeps it as a note"`
	Code     *string `json:"code,omitzero" nullable:"true" doc:"A code for early access, of at most 100 characters. Letter case, spaces and hyphens do not matter"`
}

type reservationRequest struct {
	ReservationID *whole `json:"reservationId" required:"true" nullable:"false" doc:"The id from the answer to reserve"`
}

func (in *reserveRequest) readMember(m flatjson.Member) bool {
	switch m.Name {
	case "dropId":
		return readDigits(m, &in.DropID)
	case "userId":
		return readDigits(m, &in.UserID)
	case "userName":
		return readText(m, &in.UserName)
	case "email":
		return readText(m, &in.Email)
	case "size":
		return readText(m, &in.Size)
	case "code":
		return readText(m, &in.Code)
	default:
		return true
	}
}

func (in *reservationRequest) readMember(m flatjson.Member) bool {
	return m.Name != "reservationId" || readDigits(m, &in.ReservationID)
}

type reservationAnswer struct {
	ID        drop.ReservationID `json:"id"`
	DropID    drop.ID            `json:"dropId"`
	UserID    drop.UserID        `json:"userId"`
	Status    string             `json:"status" enum:"active,completed,expired,cancelled"`
	ExpiresAt instant            `json:"expires_at" doc:"When the hold ends"`
	CreatedAt instant            `json:"createdAt"`
	Size      string             `json:"size,omitzero"`
	Offer     bool               `json:"offer,omitzero" doc:"Present only if true: the unit was offered to a buyer from the waitlist"`
}

type purchaseAnswer struct {
	ID            drop.PurchaseID    `json:"id"`
	DropID        drop.ID            `json:"dropId"`
	UserID        drop.UserID        `json:"userId"`
	ReservationID drop.ReservationID `json:"reservationId"`
	Price         price              `json:"price"`
	Size          string             `json:"size,omitzero"`
	CreatedAt     instant            `json:"createdAt"`
	Returned      string             `json:"returned,omitzero" enum:"restocked,written_off" doc:"What became of the unit that the shop took back. Absent: the buyer has it"`
	ReturnedAt    instant            `json:"returnedAt,omitzero"`
	Payment       *paymentAnswer     `json:"payment,omitzero" doc:"What the buyer paid here. Absent: nothing"`
}

type purchasedAnswer struct {
	Message  string         `json:"message"`
	Purchase purchaseAnswer `json:"purchase"`
}

func (a *api) reserve(w http.ResponseWriter, r *http.Request) error {
	in, retry, err := asked[reserveRequest](w, r)
	if err != nil {
		return err
	}
	id, user, size, err := a.wanted(w, r, &in)
	if err != nil {
		return err
	}
	return a.showing(w, r, in.Code, func(code string) error {
		made, err := a.engine.ReserveEarly(r.Context(), id, user, size, code, retry)
		if err != nil {
			return err
		}
		writeBody(w, http.StatusOK, live.ReservationJSON(&made))
		return nil
	})
}

// wanted finds out who wants a unit of which size of which drop.
func (a *api) wanted(w http.ResponseWriter, r *http.Request, in *reserveRequest) (drop.ID, drop.UserID, string, error) {
	id, err := required("dropId", in.DropID)
	if err != nil {
		return 0, 0, "", err
	}
	size := string(optional(in.Size))
	if err := drop.CheckLabel("size", size); err != nil {
		return 0, 0, "", err
	}
	user, err := a.buyer(r.Context(), callerOf(w), drop.ID(id), &buyerFields{in.UserID, in.UserName, in.Email}, func(d *drop.Drop) *drop.Error {
		return d.RefuseSize(size)
	})
	return drop.ID(id), user, size, err
}

// buyerFields are the members of a body that name a buyer.
type buyerFields struct {
	UserID          *whole
	UserName, Email *string
}

// buyer finds out who wants a unit. The token of a signed-in buyer decides, whatever name the body has; a different
// userId is refused. Without a token, buyer accepts a shop's own number without asking the store. A call that refuse
// refuses creates no user.
func (a *api) buyer(
	ctx context.Context, who *caller, id drop.ID, in *buyerFields, refuse func(*drop.Drop) *drop.Error,
) (drop.UserID, error) {
	switch {
	case who.buyer.ID != 0 && in.UserID != nil && drop.UserID(*in.UserID) != who.buyer.ID:
		return 0, &drop.Error{Code: codeForbidden, Field: "userId"}
	case who.buyer.ID != 0:
		return who.buyer.ID, nil
	case in.UserID != nil:
		return a.numberedBuyer(ctx, drop.UserID(*in.UserID))
	case in.UserName == nil:
		return 0, drop.Invalid("userId", "is required, or userName in its place")
	case *in.UserName == "":
		return 0, drop.Invalid("userName", "must not be empty")
	}
	if _, err := drop.NameBuyer(*in.UserName, optional(in.Email)); err != nil {
		return 0, renameField(err, "username", "userName")
	}
	v, err := a.engine.View(ctx, id)
	if err != nil { // a call for an unknown drop creates no user
		return 0, err
	}
	if refusal := refuse(&v.Drop); refusal != nil { // nor does a call for an unknown size
		return 0, refusal
	}
	user, err := a.engine.EnsureUser(ctx, *in.UserName, optional(in.Email), engine.Retry{}) // a lookup needs no idempotency key
	return user.ID, renameField(err, "username", "userName")
}

func (a *api) numberedBuyer(ctx context.Context, id drop.UserID) (drop.UserID, error) {
	if id < 1 || id > drop.MaxSafeInteger {
		return 0, drop.Invalid("userId", fmt.Sprintf("must be from 1 to %d", drop.MaxSafeInteger))
	}
	if id < drop.FirstAllocatedUser {
		return id, nil
	}
	_, err := a.user(ctx, id)
	if drop.CodeOf(err) == drop.CodeUserNotFound {
		return 0, drop.Invalid("userId", fmt.Sprintf("must be below %d, or an id that this server assigned", drop.FirstAllocatedUser))
	}
	return id, err
}

func (a *api) user(ctx context.Context, id drop.UserID) (drop.User, error) {
	return engine.Ask(ctx, a.engine, func(s store.Records) (drop.User, error) { return s.User(ctx, id) })
}

// renameField replaces the field's name in an error by the name that this operation uses.
func renameField(err error, from, to string) error {
	refusal, ok := errors.AsType[*drop.Error](err)
	if !ok || refusal.Field != from {
		return err
	}
	renamed := *refusal
	renamed.Field = to
	return &renamed
}

func readReservationID(w http.ResponseWriter, r *http.Request) (drop.ReservationID, engine.Retry, error) {
	in, retry, err := asked[reservationRequest](w, r)
	if err != nil {
		return 0, retry, err
	}
	id, err := required("reservationId", in.ReservationID)
	return drop.ReservationID(id), retry, err
}

func (a *api) purchase(w http.ResponseWriter, r *http.Request) error {
	id, retry, err := readReservationID(w, r)
	if err != nil {
		return err
	}
	concerns(w, id.Drop())
	sell := a.engine.Purchase
	if a.mustPay(callerOf(w), id.Drop()) {
		sell = a.engine.PurchasePaid
	}
	p, err := sell(r.Context(), id, callerOf(w).buyer.ID, retry)
	if err != nil {
		return err
	}
	answer := answerPurchase(&p)
	if answer.Payment, err = a.paymentOf(r.Context(), p.ReservationID); err != nil {
		return err
	}
	if callerOf(w).token.ID != 0 {
		made(w, "purchase", int64(p.ID))
	}
	writeJSON(w, &purchasedAnswer{Message: "Purchase successful", Purchase: *answer})
	return nil
}

// mustPay reports whether a caller gets a unit of a drop for money only. In a rehearsal no money moves, and an operator
// records what was paid for elsewhere.
func (a *api) mustPay(who *caller, id drop.ID) bool {
	if a.checkout == nil || who.token.ID != 0 {
		return false
	}
	v := a.engine.Known(id)
	return v == nil || !v.Drop.Rehearsal()
}

func (a *api) cancel(w http.ResponseWriter, r *http.Request) error {
	id, retry, err := readReservationID(w, r)
	if err != nil {
		return err
	}
	ended, err := a.engine.Cancel(r.Context(), id, callerOf(w).buyer.ID, retry)
	if err != nil {
		return err
	}
	writeJSON(w, answerReservation(&ended))
	return nil
}

func answerReservation(r *drop.Reservation) *reservationAnswer {
	return &reservationAnswer{
		ID: r.ID, DropID: r.ID.Drop(), UserID: r.UserID, Status: r.Status.String(),
		ExpiresAt: instant(r.ExpiresAt), CreatedAt: instant(r.CreatedAt), Size: r.Size, Offer: r.Offer,
	}
}
