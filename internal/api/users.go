package api

import (
	"net/http"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
)

type userRequest struct {
	Username *string `json:"username" required:"true" nullable:"false" minLength:"1" maxLength:"100" doc:"The buyer's name, shown with purchases. The rules are those of userName in reserve"`
	Email    *string `json:"email,omitzero" maxLength:"254" doc:"Distinguishes buyers with the same name. The case of the letters A to Z does not matter"`
}

type userAnswer struct {
	ID       drop.UserID `json:"id" doc:"1099511627776 or above, except in the sample data"`
	Username string      `json:"username"`
}

type meAnswer struct {
	ID       drop.UserID `json:"id" doc:"The userId of the buyer's reservations and purchases"`
	Username string      `json:"username" doc:"The name in the token"`
	Email    *string     `json:"email" doc:"null: the token has no verified email"`
}

// maxReservations bounds ?limit= on a user's reservations.
const maxReservations = 500

func (a *api) ensureUser(w http.ResponseWriter, r *http.Request) error {
	in, retry, err := asked[userRequest](w, r)
	if err != nil {
		return err
	}
	username, err := required("username", in.Username)
	if err != nil {
		return err
	}
	if username == "" {
		return drop.Invalid("username", "must not be empty")
	}
	user, err := a.engine.EnsureUser(r.Context(), username, optional(in.Email), retry)
	if err != nil {
		return err
	}
	made(w, "user", int64(user.ID))
	writeJSON(w, &userAnswer{ID: user.ID, Username: user.Username})
	return nil
}

func (a *api) me(w http.ResponseWriter, _ *http.Request) error {
	user := &callerOf(w).buyer
	writeJSON(w, &meAnswer{user.ID, user.Username, unlessZero(&user.Email)})
	return nil
}

// userReservations answers for every number that a shop may use; for an unknown one the list is empty. To a signed-in
// buyer, all other users are unknown.
func (a *api) userReservations(w http.ResponseWriter, r *http.Request) error {
	n, err := pathNumber(r)
	if err != nil {
		return err
	}
	q := queryOf(r)
	limit := q.number("limit", 1, maxReservations, defaultPage)
	if q.err != nil {
		return q.err
	}
	id := drop.UserID(n)
	me := callerOf(w).buyer.ID
	if id < 1 || id > drop.MaxSafeInteger || me != 0 && id != me {
		return drop.Refuse(drop.CodeUserNotFound)
	}
	if id >= drop.FirstAllocatedUser && me == 0 {
		if _, err := a.user(r.Context(), id); err != nil {
			return err
		}
	}
	found, err := engine.Ask(r.Context(), a.engine, func(s store.Records) ([]drop.Reservation, error) {
		return s.Reservations(r.Context(), id, limit)
	})
	if err != nil {
		return err
	}
	answers := make([]*reservationAnswer, len(found))
	for i := range found {
		answers[i] = answerReservation(&found[i])
	}
	writeJSON(w, answers)
	return nil
}
