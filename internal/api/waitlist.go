package api

import (
	"context"
	"math"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

type leaveRequest struct {
	EntryID *whole `json:"entryId" required:"true" nullable:"false" doc:"The id from the answer to join"`
}

type (
	placesAnswer struct {
		Waiting int64         `json:"waiting" doc:"Entries that wait now, in all sizes"`
		Entries []placeAnswer `json:"entries" nullable:"false" doc:"In the order in which the buyers joined"`
		Next    *drop.EntryID `json:"next" nullable:"true" doc:"Send it as after to get the next page; null: this is the last page"`
	}
	placeAnswer struct {
		ID            drop.EntryID       `json:"id"`
		DropID        drop.ID            `json:"dropId"`
		UserID        drop.UserID        `json:"userId"`
		Username      string             `json:"username,omitzero" doc:"Only in lists of all buyers: the buyer's name; Unknown if only the shop knows the buyer"`
		Size          string             `json:"size,omitzero"`
		Status        string             `json:"status" enum:"waiting,offered,left,skipped,closed" doc:"offered: the buyer has, or had, a reservation. left: the buyer gave the place up. skipped: a rule forbade the offer. closed: the waitlist was closed first"`
		Position      int64              `json:"position,omitzero" doc:"Only while the entry waits: its place in line; 1 is next. Absent in lists of all buyers"`
		Estimate      int64              `json:"estimate,omitzero" doc:"Seconds until the entry's turn, if the line moves on as in the last 15 minutes. Absent: unknown"`
		CreatedAt     instant            `json:"createdAt"`
		EndedAt       instant            `json:"endedAt,omitzero" doc:"When the entry stopped waiting"`
		Reason        drop.Code          `json:"reason,omitzero" doc:"Why the entry was skipped: the code that a reserve would get"`
		ReservationID drop.ReservationID `json:"reservationId,omitzero" doc:"The reservation that the buyer was offered"`
		Reservation   *reservationAnswer `json:"reservation,omitzero" doc:"The same with its state, for the buyer's own entries"`
	}
)

func (a *api) joinWaitlist(w http.ResponseWriter, r *http.Request) error {
	in, retry, err := asked[reserveRequest](w, r)
	if err != nil {
		return err
	}
	id, user, size, err := a.wanted(w, r, &in)
	if err != nil {
		return err
	}
	place, err := a.engine.Join(r.Context(), id, user, size, retry)
	if err != nil {
		return err
	}
	writeJSON(w, answerPlace(&place))
	return nil
}

func (a *api) leaveWaitlist(w http.ResponseWriter, r *http.Request) error {
	in, retry, err := asked[leaveRequest](w, r)
	if err != nil {
		return err
	}
	id, err := required("entryId", in.EntryID)
	if err != nil {
		return err
	}
	place, err := a.engine.Leave(r.Context(), drop.EntryID(id), callerOf(w).buyer.ID, retry)
	if err != nil {
		return err
	}
	writeJSON(w, answerPlace(&place))
	return nil
}

// showWaitlist answers with a buyer's entries or, for an operator and without userId, with all.
func (a *api) showWaitlist(w http.ResponseWriter, r *http.Request) error {
	q, err := a.entriesAsked(w, r)
	if err != nil {
		return err
	}
	d := &q.view.Drop
	answer := placesAnswer{Entries: []placeAnswer{}}
	if q.user != 0 {
		err = a.ownPlaces(r.Context(), d.ID, q.user, &answer)
	} else {
		err = a.line(r.Context(), d.ID, q.after, q.limit, &answer)
	}
	if err != nil {
		return err
	}
	answer.Waiting = d.Waiting()
	writeJSON(w, &answer)
	return nil
}

// entriesQuery asks for a user's entries in a drop's waitlist or draw or, with user 0, for those of all.
type entriesQuery struct {
	view  *engine.View
	user  drop.UserID
	after drop.EntryID
	limit int
}

// entriesAsked reads a call for entries. A signed-in buyer asks for their own.
func (a *api) entriesAsked(w http.ResponseWriter, r *http.Request) (asked entriesQuery, err error) {
	id, err := dropOf(w, r)
	if err != nil {
		return asked, err
	}
	q := queryOf(r)
	user := drop.UserID(q.number("userId", 1, drop.MaxSafeInteger, 0))
	after, limit := q.after(), q.limit()
	if q.err != nil {
		return asked, q.err
	}
	if err := a.mayRead(w, r, user); err != nil {
		return asked, err
	}
	v, err := a.engine.View(r.Context(), id)
	return entriesQuery{v, max(user, callerOf(w).buyer.ID), drop.EntryID(after), limit}, err
}

// mayRead refuses a signed-in buyer who asks for another user's entries, and pages of other origins that ask for those
// of all (user 0).
func (a *api) mayRead(w http.ResponseWriter, r *http.Request, user drop.UserID) error {
	me := callerOf(w).buyer.ID
	if me != 0 && user != 0 && user != me {
		return &drop.Error{Code: codeForbidden, Field: "userId"}
	}
	origin := r.Header.Get("Origin")
	if me == 0 && user == 0 && origin != "" && !a.origins.names(origin) {
		return drop.Refuse(codeCrossOrigin) // it is an operator's call then, so not for pages of every origin
	}
	return nil
}

func (a *api) ownPlaces(ctx context.Context, id drop.ID, user drop.UserID, to *placesAnswer) error {
	places, err := a.engine.Places(ctx, id, user)
	for i := range places {
		to.Entries = append(to.Entries, *answerPlace(&places[i]))
	}
	return err
}

func (a *api) line(ctx context.Context, id drop.ID, after drop.EntryID, limit int, to *placesAnswer) error {
	found, err := a.engine.Line(ctx, id, after, limit+1)
	if err != nil {
		return err
	}
	found, more := pageOf(found, limit)
	buyers := make([]drop.UserID, len(found))
	for i := range found {
		buyers[i] = found[i].UserID
	}
	names, err := a.namesOf(ctx, buyers)
	if err != nil {
		return err
	}
	for i := range found {
		entry := answerPlace(&engine.Place{Entry: found[i]})
		entry.Username = names[entry.UserID]
		to.Entries = append(to.Entries, *entry)
	}
	if more {
		to.Next = &found[limit-1].ID
	}
	return nil
}

func answerPlace(p *engine.Place) *placeAnswer {
	answer := &placeAnswer{
		ID: p.ID, DropID: p.ID.Drop(), UserID: p.UserID, Size: p.Size, Status: p.Status.String(), Position: p.Position,
		Estimate: int64(math.Ceil(p.Estimate.Seconds())), CreatedAt: instant(p.CreatedAt), EndedAt: instant(p.EndedAt), Reason: p.Why,
		ReservationID: p.Offer,
	}
	if p.Reservation != nil {
		answer.Reservation = answerReservation(p.Reservation)
	}
	return answer
}

const (
	waitlistPath = dropsPath + "/waitlist"
	exampleEntry = `{"id":4294967297,"dropId":1,"userId":3,"status":"waiting","position":12,"estimate":240,"createdAt":"2026-01-31T10:00:02.345Z"}`
	exampleLeft  = `{"id":4294967297,"dropId":1,"userId":3,"status":"left","createdAt":"2026-01-31T10:00:02.345Z","endedAt":"2026-01-31T10:05:00.000Z"}`
)

func (a *api) waitlistRoutes() []route {
	return []route{
		{
			method: http.MethodPost, path: waitlistPath, serve: a.joinWaitlist,
			id: "join-waitlist", access: buyers, tag: tagBuying, summary: "Join the waitlist of a size",
			text: "Whoever waits is offered units that come free, in the order of joining: an offer is a reservation that lasts offer_for seconds. " +
				"If a unit is available now, the buyer is offered it at once. A repeated call of a buyer who waits returns the same entry.",
			body: reflect.TypeFor[reserveRequest](),
			examples: []example{
				{"numbered", "A buyer by the shop's own number", `{"dropId":1,"userId":3}`},
				{"named", "A buyer by email and name, with a size", `{"dropId":2,"userName":"Ann","email":"ann@example.com","size":9.5}`},
			},
			answer: reflect.TypeFor[placeAnswer](), answerExample: exampleEntry,
			codes: []drop.Code{
				drop.CodeDropNotFound, drop.CodeSizeRequired, drop.CodeSizeNotFound, drop.CodeNotStarted, drop.CodeArchived, drop.CodeNoWaitlist, drop.CodeDrawOpen, drop.CodeDrawClosed,
				drop.CodeWaitlistFull, drop.CodeLimitReached, drop.CodeExhausted, codeOverloaded,
			},
		},
		{
			method: http.MethodPost, path: waitlistPath + "/leave", serve: a.leaveWaitlist,
			id: "leave-waitlist", access: buyers, tag: tagBuying, summary: "Give up a place in line",
			text: "A repeated call, or one for an entry that has ended, changes nothing. To decline an offer, cancel its reservation.",
			body: reflect.TypeFor[leaveRequest](),
			examples: []example{
				{"leave", "The entry from the answer to join", `{"entryId":4294967297}`},
			},
			answer: reflect.TypeFor[placeAnswer](), answerExample: exampleLeft,
			codes: []drop.Code{drop.CodeEntryNotFound, drop.CodeOffered, codeOverloaded},
		},
		{
			method: http.MethodGet, path: dropsPath + "/{id}/waitlist", serve: a.showWaitlist, long: true,
			id: showWaitlistID, access: lookers, tag: tagBuying, summary: "Read places in line",
			text: "With userId the buyer's entries, each with its place in line. A signed-in buyer gets their own entries only. With an operator's or " +
				"a viewer's token, or in a shop without sign-in, the answer without userId has the entries of all buyers with their names, page by page.",
			params: []*huma.Param{
				idParam("The drop's id", "1"), rowParam("userId", "Only this buyer's entries; all of them on one page", 1),
				afterParam("id of the entry"), limitParam(maxPage),
			},
			answer: reflect.TypeFor[placesAnswer](), answerExample: `{"waiting":57,"entries":[` + exampleEntry + `],"next":null}`,
			codes: []drop.Code{drop.CodeInvalid, drop.CodeDropNotFound, codeCrossOrigin},
		},
	}
}

const showWaitlistID = "show-waitlist"
