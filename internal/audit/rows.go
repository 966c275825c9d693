package audit

import (
	"cmp"
	"slices"

	"sneakerdrop/internal/drop"
)

// rows is what has been read of a drop's reservations and purchases so far.
type rows struct {
	reservations, purchases numbers
	completed               []completed // ascending
}

// completed is what a completed reservation says about its purchase.
type completed struct {
	id     drop.ReservationID
	user   drop.UserID
	ended  drop.Time
	size   string
	bought bool
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
	c.account(&r, r.CreatedAt, posting{size: i, reason: drop.Reserved})
	switch r.Status {
	case drop.Active:
	case drop.Completed:
		c.account(&r, r.EndedAt, posting{size: i, reason: drop.Purchased})
		c.rows.completed = append(c.rows.completed, completed{id: r.ID, user: r.UserID, ended: r.EndedAt, size: r.Size})
	case drop.Expired:
		c.account(&r, r.EndedAt, posting{size: i, reason: drop.ReservationExpired})
	case drop.Cancelled:
		c.account(&r, r.EndedAt, posting{size: i, reason: drop.ReservationCancelled})
	}
	return nil
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

// account compares one reservation with what the ledger moved at that moment. A reservation older than the ledger
// came with an import, whose first batch moved it.
func (c *check) account(r *drop.Reservation, at drop.Time, p posting) {
	at = max(at, c.ledger.first)
	m := c.ledger.moments[moment{at: at, posting: p}]
	if m == nil {
		c.differf("reservation %d (%s) was %s at %s, but the ledger has no such movement then", r.ID, r.Status, said(p.reason), at)
		return
	}
	m.rows++
	if m.rows == m.units+1 {
		c.differf("reservation %d (%s) was %s at %s, one more than the %d of ledger entry %d", r.ID, r.Status, said(p.reason), at, m.units, m.seq)
	}
}

// said returns what a reason does to a reservation.
func said(r drop.Reason) string {
	switch r {
	case drop.ReservationExpired:
		return "expired"
	case drop.ReservationCancelled:
		return "cancelled"
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
	for _, m := range c.ledger.order {
		if m.rows < m.units {
			c.differf("ledger entry %d: %d units%s were %s at %s, but %d reservations say so",
				m.seq, m.units, c.of(m.size), said(m.reason), m.at, m.rows)
		}
	}
}

// purchase receives the next purchase.
func (c *check) purchase(p drop.Purchase) error {
	c.closeLedger()
	c.closeReservations()
	c.report.Purchases++
	if c.repeats(&c.rows.purchases, "purchase number", c.number(int64(p.ID))) {
		return nil
	}
	i, ok := slices.BinarySearchFunc(c.rows.completed, p.ReservationID, func(r completed, id drop.ReservationID) int {
		return cmp.Compare(r.id, id)
	})
	if !ok {
		c.differf("purchase %d belongs to reservation %d, but there is no completed reservation with that number", p.ID, p.ReservationID)
		return nil
	}
	r := &c.rows.completed[i]
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
	r.bought = true
	return nil
}

// closePurchases finds completed reservations without a purchase.
func (c *check) closePurchases() {
	c.checkLast(&c.rows.purchases, "purchase number", int64(c.state.Purchased))
	for i := range c.rows.completed {
		if r := &c.rows.completed[i]; !r.bought {
			c.differf("reservation %d is completed, but it has no purchase", r.id)
		}
	}
}
