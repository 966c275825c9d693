package drop

import (
	"math"
	"time"
)

// Reserve asks for one unit and holds it for Hold, starting at the batch's time.
type Reserve struct {
	User UserID
	Size string
	Hold time.Duration // whole milliseconds
	// With is what lets the buyer in early; nil: nothing.
	With *Passes
}

// Operation returns "reserve".
func (Reserve) Operation() string { return "reserve" }

// Asked returns the text of the call: which buyer asks for which size.
func (c Reserve) Asked(ID) Asked {
	b := make([]byte, 0, 96)
	b = appendNumber(b, "struct { User drop.UserID; Size string }{User:", int64(c.User))
	b = appendText(b, ", Size:", c.Size)
	return Asked(append(c.With.asked(b), '}'))
}

func (c Reserve) need(n *Need) {
	n.Users = append(n.Users, c.User)
	n.show(c.With)
}

func (c Reserve) apply(a *application) Result {
	size, label, refusal := a.sizeNamed(c.Size)
	if refusal != nil {
		return Result{Err: refusal}
	}
	var used *usage
	if a.limits {
		used = a.usageOf(c.User)
	}
	if a.LimitPerUser == 1 {
		if _, held := used.liveAt(a.now); held != nil {
			return Result{Reservation: *held}
		}
	}
	pass, refusal := a.admit(size, c.With, used)
	if refusal != nil {
		return Result{Err: refusal}
	}
	if refusal := a.overLimit(used); refusal != nil {
		return Result{Err: refusal}
	}
	if refusal := a.cooldown(used); refusal != nil {
		return Result{Err: refusal}
	}
	r, refusal := a.hold(size, c.User, label, c.Hold, used, false)
	if refusal != nil {
		return Result{Err: refusal}
	}
	if pass != nil {
		a.holdBy(r, pass, size)
	}
	return Result{Reservation: *r}
}

// overLimit returns why a buyer may not have one more unit, or nil. used is the buyer's, nil if nobody counts the
// buyer's units.
func (a *application) overLimit(used *usage) *Error {
	if a.LimitPerUser == 0 {
		return nil
	}
	live, _ := used.liveAt(a.now)
	if n := live + used.bought; n >= a.LimitPerUser {
		return &Error{Code: CodeLimitReached, Limit: a.LimitPerUser, Used: n}
	}
	return nil
}

// hold makes a reservation of one unit, or an offer. used is the buyer's, nil if nobody counts the buyer's units.
func (a *application) hold(size int, user UserID, label string, lasts time.Duration, used *usage, offer bool) (*Reservation, *Error) {
	if a.Reserved == math.MaxUint32 {
		return nil, Refuse(CodeExhausted)
	}
	a.Reserved++
	r := &Reservation{
		ID: NewReservationID(a.ID, a.Reserved), UserID: user, Size: label,
		Status: Active, CreatedAt: a.now, ExpiresAt: a.now.Add(lasts), Offer: offer,
	}
	if a.reservations == nil {
		a.reservations = make(map[ReservationID]*Reservation)
	}
	a.reservations[r.ID] = r
	a.changes.Made = append(a.changes.Made, r)
	if used != nil {
		used.holds = append(used.holds, r)
	}
	if a.Deadline == 0 || r.ExpiresAt < a.Deadline {
		a.Deadline = r.ExpiresAt
	}
	a.move(size, r.Began(), 1, a.Reserved)
	return r, nil
}
