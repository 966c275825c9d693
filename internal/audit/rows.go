package audit

import (
	"fmt"
	"maps"
	"slices"

	"sneakerdrop/internal/drop"
)

// rows is what has been read of a drop's reservations and purchases so far.
type rows struct {
	reservations, purchases numbers
	completed               []completed // ascending
	// late are the reservations that were made for late money, by those that had expired. They come after them.
	late map[drop.ReservationID]drop.Reservation
	// claims are the numbers of those reservations, by those that had expired. claimed are the payments of units that
	// they have claimed, and not bought yet. Both are few.
	claims  map[drop.ReservationID]drop.ReservationID
	claimed map[drop.ReservationID]drop.PaymentID
	begun   bool // some buyer began to pay
}

// completed is what a completed reservation says about its purchase and its payment.
type completed struct {
	id       drop.ReservationID
	user     drop.UserID
	ended    drop.Time
	size     string
	payment  drop.PaymentID // the one that claimed it; 0: none
	purchase drop.PurchaseID
	bought   bool // the purchase was read
	paid     bool // the payment was read
}

// number returns an id's number within the drop. For an id of another drop the result is not a valid number.
func (c *check) number(id int64) int64 { return id - int64(c.report.ID)<<32 }

// reservation receives the next reservation.
func (c *check) reservation(r drop.Reservation) error {
	c.closeLedger()
	c.report.Reservations++
	if c.repeats(&c.rows.reservations, "reservation number", c.number(int64(r.ID))) || !c.sound(&r) {
		return nil
	}
	i, ok := c.size(r.Size)
	if !ok {
		c.differf("reservation %d has size %q, which the drop does not have", r.ID, r.Size)
		return nil
	}
	name := row{"reservation", int64(r.ID), r.Status}
	c.account(name, r.CreatedAt, posting{size: i, reason: r.Began()})
	if r.Offer {
		c.line.offers[r.ID] = &offer{user: r.UserID, size: r.Size, made: r.CreatedAt}
	}
	if r.Status != drop.Active {
		c.account(name, r.EndedAt, posting{size: i, reason: r.Ended()})
	}
	switch r.Status {
	case drop.Active:
		c.report.Held++
		if r.Payment != 0 {
			c.report.Paying++
		}
	case drop.Completed:
		sold := completed{id: r.ID, user: r.UserID, ended: r.EndedAt, size: r.Size}
		if r.Claim == r.ID {
			sold.payment = r.Payment
		}
		c.rows.completed = append(c.rows.completed, sold)
	case drop.Expired, drop.Cancelled:
	}
	c.letIn(&r, i)
	c.paid(&r)
	c.beforeDraw(&r)
	return nil
}

// paid checks what a reservation says about its payment.
func (c *check) paid(r *drop.Reservation) {
	expired, late := c.rows.late[r.ID]
	delete(c.rows.late, r.ID)
	started := c.ledger.started[uint32(c.number(int64(r.ID)))]
	delete(c.ledger.started, uint32(c.number(int64(r.ID))))
	c.rows.begun = c.rows.begun || r.Payment != 0
	switch {
	case late && (r.UserID != expired.UserID || r.Size != expired.Size || r.Payment != expired.Payment || r.Claim != r.ID):
		c.differf("reservation %d was made for payment %d of reservation %d, but says otherwise", r.ID, expired.Payment, expired.ID)
	case r.Payment == 0 && r.Claim != 0:
		c.differf("reservation %d is claimed by no payment", r.ID)
	case r.Payment == 0 && started:
		c.differf("the ledger says that the buyer of reservation %d began to pay, but it has no payment", r.ID)
	case r.Payment != 0 && !started && !late:
		c.differf("reservation %d has payment %d, but the ledger does not say that its buyer began to pay", r.ID, r.Payment)
	case r.Claim != 0 && r.Claim != r.ID && (r.Claim < r.ID || r.Status != drop.Expired):
		c.differf("reservation %d (%s) has a claim of reservation %d, which was not made for it", r.ID, r.Status, r.Claim)
	case r.Claim != 0 && r.Claim != r.ID:
		if c.rows.late == nil {
			c.rows.late, c.rows.claims = make(map[drop.ReservationID]drop.Reservation), make(map[drop.ReservationID]drop.ReservationID)
		}
		c.rows.late[r.Claim], c.rows.claims[r.ID] = *r, r.Claim
	}
}

// sound checks a reservation on its own.
func (c *check) sound(r *drop.Reservation) bool {
	switch {
	case !r.Status.Known():
		c.differf("reservation %d has the unknown status %d", r.ID, int8(r.Status))
	case r.Status == drop.Active && r.EndedAt != 0:
		c.differf("reservation %d is active, but ended at %s", r.ID, r.EndedAt)
	case r.Status != drop.Active && r.EndedAt == 0:
		c.differf("reservation %d is %s, but has no end", r.ID, r.Status)
	case r.EndedAt != 0 && r.EndedAt < r.CreatedAt:
		c.differf("reservation %d ended at %s, before it was made (%s)", r.ID, r.EndedAt, r.CreatedAt)
	case max(r.CreatedAt, r.EndedAt) > c.state.LastAt:
		c.differf("reservation %d was changed at %s, after the drop's last batch (%s)", r.ID, max(r.CreatedAt, r.EndedAt), c.state.LastAt)
	case r.Status == drop.Expired && r.EndedAt < r.ExpiresAt:
		c.differf("reservation %d expired at %s, before its hold ended (%s)", r.ID, r.EndedAt, r.ExpiresAt)
	case (r.Status == drop.Completed || r.Status == drop.Cancelled) && r.EndedAt >= r.ExpiresAt && r.EndedAt > c.ledger.first:
		// Our rules do not apply to what an import took over.
		c.differf("reservation %d was %s at %s, after its hold had ended (%s)", r.ID, r.Status, r.EndedAt, r.ExpiresAt)
	default:
		return true
	}
	return false
}

// row names a row in a sentence. Most rows agree, so the text is made only when it is needed.
type row struct {
	kind  string
	id    int64
	state fmt.Stringer
}

// String returns the row's kind, number and state.
func (r row) String() string { return fmt.Sprintf("%s %d (%s)", r.kind, r.id, r.state) }

// account compares one row with what the ledger moved at that moment. A reservation older than the ledger came with an
// import, whose first batch moved it.
func (c *check) account(of row, at drop.Time, p posting) {
	at = max(at, c.ledger.first)
	m := c.ledger.moments[moment{at: at, posting: p}]
	if m == nil {
		c.differf("%s was %s at %s, but the ledger has no such movement then", of, said(p.reason), at)
		return
	}
	m.rows++
	if m.rows == m.units+1 {
		c.differf("%s was %s at %s, one more than the %d of ledger entry %d", of, said(p.reason), at, m.units, m.seq)
	}
}

// said returns what a reason does to a reservation.
func said(r drop.Reason) string {
	switch r {
	case drop.ReservationExpired:
		return "expired"
	case drop.ReservationCancelled:
		return "cancelled"
	case drop.OfferExpired:
		return "expired as an offer"
	case drop.OfferDeclined:
		return "declined"
	case drop.WrittenOff:
		return "written off"
	default:
		return string(r)
	}
}

// closeReservations finds movements in the ledger that no reservation accounts for. If every moment matches, so do
// the totals: as many reservations are active, completed, expired and cancelled as the ledger says.
func (c *check) closeReservations() {
	if c.reservationsDone {
		return
	}
	c.reservationsDone = true
	c.checkLast(&c.rows.reservations, "reservation number", int64(c.state.Reserved))
	c.closeMovements(false)
	for _, id := range slices.Sorted(maps.Keys(c.rows.late)) {
		expired := c.rows.late[id]
		c.differf("reservation %d was made for payment %d of reservation %d, but there is none with that number", id, expired.Payment, expired.ID)
	}
	for _, n := range slices.Sorted(maps.Keys(c.ledger.started)) {
		c.differf("the ledger says that the buyer of reservation %d began to pay, but there is none with that number",
			drop.NewReservationID(c.report.ID, n))
	}
}

// closeMovements finds movements in the ledger that no row accounts for: no purchase for those that take sold units
// back, and no reservation for all others.
func (c *check) closeMovements(back bool) {
	rows := "reservations"
	if back {
		rows = "purchases"
	}
	for _, m := range c.ledger.order {
		if m.rows < m.units && back == takesBack(m.reason) {
			c.differf("ledger entry %d: %d units%s were %s at %s, but %d %s say so",
				m.seq, m.units, c.of(m.size), said(m.reason), m.at, m.rows, rows)
		}
	}
}

func takesBack(r drop.Reason) bool { return r == drop.Returned || r == drop.WrittenOff }

// purchase receives the next purchase.
func (c *check) purchase(p drop.Purchase) error {
	c.closeLedger()
	c.closeReservations()
	c.report.Purchases++
	if c.repeats(&c.rows.purchases, "purchase number", c.number(int64(p.ID))) {
		return nil
	}
	r := c.completedAt(p.ReservationID)
	if r == nil {
		c.differf("purchase %d belongs to reservation %d, but there is no completed reservation with that number", p.ID, p.ReservationID)
		return nil
	}
	switch {
	case r.bought:
		c.differf("purchase %d is the second one of reservation %d", p.ID, p.ReservationID)
	case p.UserID != r.user:
		c.differf("purchase %d is user %d's, but its reservation %d is user %d's", p.ID, p.UserID, r.id, r.user)
	case p.Size != r.size:
		c.differf("purchase %d has size %q, but its reservation %d has size %q", p.ID, p.Size, r.id, r.size)
	case p.Price != c.state.Price:
		c.differf("purchase %d has the price %s, but the drop's price is %s", p.ID, p.Price, c.state.Price)
	case p.CreatedAt != r.ended:
		c.differf("purchase %d is dated %s, but its reservation %d was completed at %s", p.ID, p.CreatedAt, r.id, r.ended)
	}
	r.purchase, r.bought = p.ID, true
	c.returned(&p)
	return nil
}

// returned checks whether the unit of a purchase was taken back.
func (c *check) returned(p *drop.Purchase) {
	i, ok := c.size(p.Size)
	reason := drop.Returned
	switch {
	case !ok: // its reservation has that size too, and that was reported
		return
	case p.Return != drop.NotReturned && p.ReturnedAt < p.CreatedAt, p.Return == drop.NotReturned && p.ReturnedAt != 0:
		c.differf("purchase %d is %s since %s, but was made at %s", p.ID, p.Return, p.ReturnedAt, p.CreatedAt)
		return
	}
	switch p.Return {
	case drop.NotReturned:
		return
	case drop.BackOnSale:
	case drop.OffStock:
		reason = drop.WrittenOff
		c.report.WrittenOff++
	default:
		c.differf("purchase %d has the unknown return %d", p.ID, int8(p.Return))
		return
	}
	c.account(row{"purchase", int64(p.ID), p.Return}, p.ReturnedAt, posting{size: i, reason: reason})
}

// closePurchases finds completed reservations without a purchase, and sold units that were taken back without one.
func (c *check) closePurchases() {
	if c.purchasesDone {
		return
	}
	c.purchasesDone = true
	c.checkLast(&c.rows.purchases, "purchase number", int64(c.state.Purchased))
	for i := range c.rows.completed {
		if r := &c.rows.completed[i]; !r.bought {
			c.differf("reservation %d is completed, but it has no purchase", r.id)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(c.ledger.refunded)) {
		if int64(n) <= c.rows.purchases.last {
			continue
		}
		c.differf("the ledger says that money of purchase %d was refunded, but there is none with that number", drop.NewPurchaseID(c.report.ID, n))
	}
	c.closeMovements(true)
}
