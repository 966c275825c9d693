package drop

// Cancel releases a reservation's unit before the hold ends. Owner means the same as in MakePurchase.
type Cancel struct {
	Reservation ReservationID
	Owner       UserID
}

// Operation returns "cancel".
func (Cancel) Operation() string { return "cancel" }

// Asked returns the text of the call, which names the reservation.
func (c Cancel) Asked(ID) Asked { return askedNumber(int64(c.Reservation)) }

func (c Cancel) need(n *Need) {
	n.Reservations = append(n.Reservations, Wanted{ID: c.Reservation, Owner: c.Owner})
}

func (c Cancel) apply(a *application) Result {
	r, refusal := a.find(c.Reservation, c.Owner)
	if refusal != nil {
		return Result{Err: refusal}
	}
	if r.Status == Active && r.Claim != 0 {
		return Result{Err: Refuse(CodePaymentPending)}
	}
	return a.cancel(r)
}

// cancel releases an active reservation's unit. It changes nothing if the reservation has ended without a purchase.
func (a *application) cancel(r *Reservation) Result {
	switch r.Status {
	case Completed:
		return Result{Err: Refuse(CodeAlreadyPurchased)}
	case Active:
		a.end(r, Cancelled)
	case Expired, Cancelled:
	}
	return Result{Reservation: *r}
}
