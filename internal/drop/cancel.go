package drop

// Cancel gives a reservation's unit back before its time. Owner is as in MakePurchase.
type Cancel struct {
	Reservation ReservationID
	Owner       UserID
}

// Operation is "cancel".
func (Cancel) Operation() string { return "cancel" }

// Asked is which reservation.
func (c Cancel) Asked(ID) Asked { return askedNumber(int64(c.Reservation)) }

func (c Cancel) need(n *Need) {
	n.Reservations = append(n.Reservations, Wanted{ID: c.Reservation, Owner: c.Owner})
}

func (c Cancel) apply(a *application) Result {
	r, refusal := a.find(c.Reservation, c.Owner)
	if refusal != nil {
		return Result{Err: refusal}
	}
	switch r.Status {
	case Completed:
		return Result{Err: Refuse(CodeAlreadyPurchased)}
	case Active:
		a.end(r, Cancelled, ReservationCancelled)
	case Expired, Cancelled:
	}
	return Result{Reservation: *r}
}
