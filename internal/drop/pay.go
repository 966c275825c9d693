package drop

import (
	"fmt"
	"time"
)

// StartPayment keeps a held unit for a buyer who begins to pay, until Within from now. A second payment of the same
// reservation keeps it longer, but never past Within twice after the reservation was made, plus Hold. It never
// shortens a hold. If Owner is set, a reservation of another user counts as not found.
//
// Instead is the payment that the caller has seen. If the reservation has another one by now, nothing changes: of two
// calls at once, one begins a payment, and the answer to both has it.
//
// AtOnce also claims the unit, as ClaimUnit does, for a provider that says at once whether it has the money.
//
// Row is stored with it, as the payment that Payment numbers. The batch knows better than the caller whose reservation
// it is, when it ends, what it costs and whether it is claimed, and sets that in the row. Without Row, no payment is
// stored.
type StartPayment struct {
	Reservation  ReservationID
	Owner        UserID
	Payment      PaymentID
	Instead      PaymentID     // 0: none
	Within, Hold time.Duration // whole milliseconds
	AtOnce       bool
	Row          *Payment
}

// Operation returns "checkout".
func (StartPayment) Operation() string { return "checkout" }

func (c StartPayment) need(n *Need) {
	n.Reservations = append(n.Reservations, Wanted{ID: c.Reservation, Owner: c.Owner})
}

func (c StartPayment) apply(a *application) Result {
	r, refusal := a.find(c.Reservation, c.Owner)
	if refusal != nil {
		return Result{Err: refusal}
	}
	if refusal := r.refuseEnded(); refusal != nil {
		return Result{Err: refusal}
	}
	switch {
	case r.Claim != 0 && !c.AtOnce:
		return Result{Err: Refuse(CodePaymentPending)}
	case r.Payment == c.Payment, r.Payment != c.Instead: // with AtOnce also one whose claim came with it
		return Result{Reservation: *r}
	case r.Claim != 0:
		return Result{Err: Refuse(CodePaymentPending)}
	}
	end := min(a.now.Add(c.Within), r.CreatedAt.Add(c.Hold+2*c.Within))
	r.ExpiresAt = max(r.ExpiresAt, end)
	r.Payment = c.Payment
	if c.AtOnce {
		r.Claim = r.ID
	}
	a.update(r)
	a.move(a.sizeIndex(r.Size), PaymentStarted, 1, r.ID.number())
	if c.Row == nil {
		return Result{Reservation: *r}
	}
	p := *c.Row
	p.ID, p.Reservation, p.User, p.Amount, p.ExpiresAt, p.CreatedAt = c.Payment, r.ID, r.UserID, a.Price, r.ExpiresAt, a.now
	if c.AtOnce {
		p.State, p.Unit = PaymentClaimed, r.ID
	}
	a.LoadPayment(p)
	begun := a.payments[p.ID]
	if a.first(begun) { // what this batch changes in it later is written with it
		a.changes.Begun = append(a.changes.Begun, begun)
	}
	return Result{Reservation: *r, Payment: &p}
}

// ClaimUnit asks for a unit for money that is authorised. Only a payment with a claim may be captured. The claim lasts
// until CompletePayment or ReleaseClaim, and at most for Within: as long as the provider keeps the money set aside.
//
// The reservation whose buyer paid is claimed. If it has expired, a new one of the same size is made and claimed, as
// long as there is a unit and the buyer may still have it. The answer has the reservation whose buyer paid; its Claim
// names the claimed one. Of several payments of one reservation, the first one to claim gets it. Asked again, the
// answer is the same claim.
//
// A refusal means that there is no unit for this money: void it. CodeReservationNotFound also says that the buyer of
// the reservation never began to pay. CodePaymentFailed says that the payment was settled without a unit: this call
// comes too late, because another one of the same payment was faster.
type ClaimUnit struct {
	Reservation ReservationID
	Payment     PaymentID
	Within      time.Duration // whole milliseconds
	// User is the buyer of the reservation.
	User UserID
}

// Operation returns "claim".
func (ClaimUnit) Operation() string { return "claim" }

func (c ClaimUnit) need(n *Need) {
	n.Reservations = append(n.Reservations, Wanted{ID: c.Reservation, Owner: c.User})
	n.Users = append(n.Users, c.User)
	n.Payments = append(n.Payments, c.Payment)
}

func (c ClaimUnit) apply(a *application) Result {
	r, refusal := a.find(c.Reservation, c.User)
	if refusal != nil {
		return Result{Err: refusal}
	}
	if p := a.payments[c.Payment]; p != nil && !p.Unsettled && p.Purchase == 0 {
		return Result{Err: Refuse(CodePaymentFailed)}
	}
	// A claim that came with StartPayment ends as the hold does. Here it becomes one that lasts.
	full := r.CreatedAt.Add(c.Within)
	short := r.Claim == r.ID && r.Status != Completed && r.ExpiresAt < full
	switch {
	case r.UserID != c.User, r.Payment == 0: // nobody's, or its buyer never began to pay
		return Result{Err: Refuse(CodeReservationNotFound)}
	case r.Claim != 0 && r.Payment != c.Payment:
		return Result{Err: Refuse(CodeAlreadyPurchased)}
	case r.Claim == r.ID && r.Status.Unpaid() && !short: // the claim has ended, by itself or by ReleaseClaim
		return Result{Err: r.refuseEnded()}
	case r.Claim != 0 && !short:
		return Result{Reservation: *r}
	case r.Status == Expired:
		return c.late(a, r)
	case r.Status != Active:
		return Result{Err: r.refuseEnded()}
	}
	end := a.now.Add(c.Within)
	if short {
		end = full // the same whenever this is asked
	}
	r.Payment, r.Claim = c.Payment, r.ID
	r.ExpiresAt = max(r.ExpiresAt, end)
	a.update(r)
	return Result{Reservation: *r}
}

// late gives a buyer whose hold has ended another unit of the same size.
func (c ClaimUnit) late(a *application, expired *Reservation) Result {
	size := a.sizeIndex(expired.Size)
	switch {
	case a.Archived:
		return Result{Err: Refuse(CodeArchived)}
	case a.Sizes[size].Stock.Available == 0:
		return Result{Err: Refuse(CodeOutOfStock)}
	case expired.Pass != 0 && a.refuse(size, a.now) != nil: // another buyer may have used the pass since
		return Result{Err: Refuse(CodeOutOfStock)}
	}
	var used *usage
	if a.limits {
		used = a.usageOf(c.User)
	}
	if refusal := a.overLimit(used); refusal != nil {
		return Result{Err: refusal}
	}
	r, refusal := a.hold(size, c.User, expired.Size, c.Within, used, false)
	if refusal != nil {
		return Result{Err: refusal}
	}
	r.Payment, r.Claim = c.Payment, r.ID
	expired.Payment, expired.Claim = c.Payment, r.ID
	a.update(r)
	a.update(expired)
	return Result{Reservation: *expired}
}

// update notes that a reservation's end, payment or claim changed.
func (a *application) update(r *Reservation) {
	a.changed = true
	if a.first(r) {
		a.changes.Updated = append(a.changes.Updated, r)
	}
}

// CompletePayment sells the unit of a reservation that Payment has claimed, now that the money is captured. It settles
// the payment. Asked again, the answer is the same purchase.
type CompletePayment struct {
	Reservation ReservationID // the one with the claim
	Payment     PaymentID
	// Number and Receipt are the provider's, as in Payment.
	Number, Receipt string
}

// Operation returns "complete".
func (CompletePayment) Operation() string { return "complete" }

func (c CompletePayment) need(n *Need) {
	n.Reservations = append(n.Reservations, Wanted{ID: c.Reservation})
	n.Payments = append(n.Payments, c.Payment)
	n.Recent = true
}

func (c CompletePayment) apply(a *application) Result {
	r, refusal := a.claimed(c.Reservation, c.Payment)
	if refusal != nil {
		return Result{Err: refusal}
	}
	result := a.sell(r)
	p := a.payments[c.Payment]
	if p == nil || result.Err != nil {
		return result
	}
	if p.Purchase == 0 {
		p.State, p.Unsettled, p.Unit, p.Purchase = PaymentCaptured, false, r.ID, result.Purchase.ID
		p.Number, p.Receipt, p.URL, p.Reason, p.Tries = c.Number, c.Receipt, "", "", 0
		a.pay(p)
	}
	result.Payment = new(*p)
	return result
}

// OrderRefund notes that money of a purchase is to be refunded: Amount, or with 0 all that is left. The caller then
// sees to it at the provider. It refuses with CodePaymentPending while an earlier order is not done, and with
// CodeInvalid an amount that is more than what is left.
type OrderRefund struct {
	Purchase PurchaseID
	Payment  PaymentID
	Amount   Money
	Reason   string // an operator's; a repeated call must have the same
}

// Operation returns "order_refund".
func (OrderRefund) Operation() string { return "order_refund" }

// Asked returns the text of the call: which purchase, how much, and why.
func (c OrderRefund) Asked(ID) Asked {
	return Asked(fmt.Sprintf("refund{Purchase:%d, Amount:%s, Reason:%q}", c.Purchase, c.Amount, c.Reason))
}

func (c OrderRefund) need(n *Need) {
	n.Purchases = append(n.Purchases, c.Purchase)
	n.Payments = append(n.Payments, c.Payment)
}

func (c OrderRefund) apply(a *application) Result {
	sale, p := a.sold(c.Purchase), a.payments[c.Payment]
	switch {
	case sale == nil || p == nil || p.Purchase != c.Purchase:
		return Result{Err: Refuse(CodePurchaseNotFound)}
	case p.Unsettled:
		return Result{Err: Refuse(CodePaymentPending)}
	}
	left, more := p.Amount.TenThousandths()-p.Refunded.TenThousandths(), c.Amount.TenThousandths()
	if more == 0 {
		more = left
	}
	if more <= 0 || more > left {
		most := MoneyOf(left).In(Currency{Code: p.Currency, Decimals: p.Decimals})
		return Result{Err: Invalid("amount", fmt.Sprintf("must be above 0 and at most %s, which was paid and is not refunded", most))}
	}
	p.Refunded, p.Unsettled, p.DueAt = MoneyOf(p.Refunded.TenThousandths()+more), true, a.now
	a.pay(p)
	return Result{Purchase: *sale, Payment: new(*p)}
}

// BookRefund settles a payment whose purchase the provider has refunded in part or whole. The ledger has it once,
// however often it is asked.
type BookRefund struct {
	Purchase PurchaseID
	Payment  PaymentID
	Was      Money  // what the payment had as Refunded when the caller read it: if that changed, nothing happens
	Refunded Money  // in all
	Reason   string // why less was refunded than was asked for; empty: it was not
}

// Operation returns "refund".
func (BookRefund) Operation() string { return "refund" }

func (c BookRefund) need(n *Need) {
	n.Purchases = append(n.Purchases, c.Purchase)
	n.Payments = append(n.Payments, c.Payment)
}

func (c BookRefund) apply(a *application) Result {
	sale, p := a.sold(c.Purchase), a.payments[c.Payment]
	if sale == nil || p == nil || p.Purchase != c.Purchase {
		return Result{Err: Refuse(CodePurchaseNotFound)}
	}
	to := *p
	to.Refunded, to.Unsettled, to.Reason, to.Tries = c.Refunded, false, c.Reason, 0
	more := c.Refunded.TenThousandths() > p.Booked.TenThousandths()
	if more {
		to.Booked = c.Refunded
	}
	if to != *p && c.Was == p.Refunded {
		if more {
			a.move(a.sizeIndex(sale.Size), MoneyRefunded, 1, sale.ID.number())
		}
		*p = to
		a.pay(p)
	}
	return Result{Purchase: *sale, Payment: new(*p)}
}

// pay notes that a payment changed.
func (a *application) pay(p *Payment) {
	a.changed = true
	if a.first(p) {
		a.changes.Paid = append(a.changes.Paid, p)
	}
}

// ReleaseClaim releases the unit of a reservation that Payment has claimed, because the money cannot be captured. Until
// Until its buyer keeps it, as before the claim. If that time is over, the answer has the reservation, cancelled.
type ReleaseClaim struct {
	Reservation ReservationID // the one with the claim
	Payment     PaymentID
	Until       Time // 0: the buyer does not keep it
}

// Operation returns "release_claim".
func (ReleaseClaim) Operation() string { return "release_claim" }

func (c ReleaseClaim) need(n *Need) {
	n.Reservations = append(n.Reservations, Wanted{ID: c.Reservation})
}

func (c ReleaseClaim) apply(a *application) Result {
	r, refusal := a.claimed(c.Reservation, c.Payment)
	if refusal != nil {
		return Result{Err: refusal}
	}
	return a.release(r, c.Until)
}

// release ends the claim of a unit. Until that time its buyer keeps it, as before the claim.
func (a *application) release(r *Reservation, until Time) Result {
	if r.Status == Active && until > a.now {
		r.Claim, r.ExpiresAt = 0, until
		a.update(r)
		return Result{Reservation: *r}
	}
	return a.cancel(r)
}

// EndPayment settles a payment that nothing is sold for, and releases the unit that it has claimed. One batch does
// both, and ClaimUnit refuses a payment that is settled. So no claim outlives its payment, however late it comes.
//
// To is stored in place of Was, without a unit, if the payment is still exactly Was. Else nothing changes, and the
// answer has no payment. Asked again, the answer is the same payment.
//
// If a unit is claimed that Unit does not name, nothing changes either. The answer then has the reservation, whose
// Claim names the unit: ask again with it. It refuses with CodeAlreadyPurchased if the unit is sold.
type EndPayment struct {
	Was, To Payment
	Unit    ReservationID // the unit that it has claimed; 0: not known
	Until   Time          // the buyer keeps the unit until then, as with ReleaseClaim
}

// Operation returns "end_payment".
func (EndPayment) Operation() string { return "end_payment" }

func (c EndPayment) need(n *Need) {
	n.Reservations = append(n.Reservations, Wanted{ID: c.Was.Reservation})
	if c.Unit != 0 && c.Unit != c.Was.Reservation {
		n.Reservations = append(n.Reservations, Wanted{ID: c.Unit})
	}
	n.Payments = append(n.Payments, c.Was.ID)
}

func (c EndPayment) apply(a *application) Result {
	r, refusal := a.find(c.Was.Reservation, 0)
	if refusal != nil {
		return Result{Err: refusal}
	}
	to := c.To
	to.Unit = 0
	p := a.payments[c.Was.ID]
	switch {
	case p == nil:
		return Result{}
	case *p == to:
		return Result{Payment: new(*p)}
	case *p != c.Was:
		return Result{}
	}
	if r.Payment == p.ID && r.Claim != 0 {
		if r.Claim != r.ID && r.Claim != c.Unit {
			return Result{Reservation: *r}
		}
		unit, refusal := a.find(r.Claim, 0)
		if refusal == nil {
			refusal = a.release(unit, c.Until).Err
		}
		if refusal != nil {
			return Result{Err: refusal}
		}
	}
	*p = to
	a.pay(p)
	return Result{Payment: new(*p)}
}

// claimed returns a reservation that a payment has claimed.
func (a *application) claimed(id ReservationID, by PaymentID) (*Reservation, *Error) {
	r, refusal := a.find(id, 0)
	if refusal == nil && (r.Payment != by || r.Claim != r.ID) {
		refusal = Refuse(CodeReservationNotFound)
	}
	return r, refusal
}
