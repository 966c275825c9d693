package drop

// MakePurchase pays for a reservation, which sells its unit. If Owner is set, a reservation of another user counts as
// not found. Owner 0 allows any user's reservation.
type MakePurchase struct {
	Reservation ReservationID
	Owner       UserID
	// Unpaid refuses to sell with CodePaymentRequired. It still answers with the purchase of a unit that is sold.
	Unpaid bool
}

// Operation returns "purchase".
func (MakePurchase) Operation() string { return "purchase" }

// Asked returns the text of the call, which names the reservation.
func (c MakePurchase) Asked(ID) Asked { return askedNumber(int64(c.Reservation)) }

func (c MakePurchase) need(n *Need) {
	n.Reservations = append(n.Reservations, Wanted{ID: c.Reservation, Owner: c.Owner})
	n.Recent = true
}

func (c MakePurchase) apply(a *application) Result {
	r, refusal := a.find(c.Reservation, c.Owner)
	if refusal != nil {
		return Result{Err: refusal}
	}
	switch {
	case r.Status != Active:
	case r.Claim != 0:
		return Result{Err: Refuse(CodePaymentPending)}
	case c.Unpaid:
		return Result{Err: Refuse(CodePaymentRequired)}
	}
	return a.sell(r)
}

// sell sells an active reservation's unit to its buyer. If it is sold, the answer is the same purchase again.
func (a *application) sell(r *Reservation) Result {
	if r.Status == Completed {
		p, ok := a.purchases[r.ID]
		if !ok {
			return Result{Err: Refuse(CodeDamaged)}
		}
		return Result{Purchase: *p}
	}
	if refusal := r.refuseEnded(); refusal != nil {
		return Result{Err: refusal}
	}
	a.Purchased++
	p := Purchase{
		ID: NewPurchaseID(a.ID, a.Purchased), ReservationID: r.ID, UserID: r.UserID,
		Size: r.Size, Price: a.Price, CreatedAt: a.now,
	}
	a.end(r, Completed)
	if u := a.usage[r.UserID]; u != nil {
		u.bought++
		if r.Pass != 0 {
			u.passes = append(u.passes, r.Pass)
		}
	}
	a.changes.Purchases = append(a.changes.Purchases, p)
	a.LoadPurchase(p)
	a.remember(p)
	return Result{Purchase: p}
}

// remember puts a purchase first in Recent. It makes a new slice because views share the old one.
func (a *application) remember(p Purchase) {
	buyer := a.names[p.UserID]
	if buyer.username == "" {
		buyer.username = UnknownUsername
	}
	recent := make([]Recent, 0, RecentLimit)
	recent = append(recent, Recent{ID: p.ID, Username: buyer.username, PublicName: buyer.public, CreatedAt: p.CreatedAt})
	recent = append(recent, a.Recent...)
	a.Recent = recent[:min(len(recent), RecentLimit)]
}
