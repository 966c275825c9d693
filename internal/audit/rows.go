package audit

import (
	"cmp"
	"slices"

	"sneakerdrop/internal/drop"
)

// rows is what has been read of a drop's reservations and purchases.
type rows struct {
	reservations, purchases numbers
	completed               []completed // ascending
}

// completed is what a completed reservation says of its purchase.
type completed struct {
	id     drop.ReservationID
	user   drop.UserID
	ended  drop.Time
	size   string
	bought bool
}

// number is an id's number within the drop; an id that is not the drop's is none.
func (c *check) number(id int64) int64 { return id - int64(c.report.ID)<<32 }

// reservation takes the next reservation.
func (c *check) reservation(r drop.Reservation) error {
	c.closeLedger()
	c.report.Reservations++
	if c.repeats(&c.rows.reservations, "reservation number", c.number(int64(r.ID))) || !c.sound(&r) {
		return nil
	}
	i, ok := c.size(r.Size)
	if !ok {
		c.differf("reservation %d is of size %q, which the drop has not", r.ID, r.Size)
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

// sound checks a reservation by itself.
func (c *check) sound(r *drop.Reservation) bool {
	switch {
	case !r.Status.Known():
		c.differf("reservation %d has the unknown status %d", r.ID, int8(r.Status))
	case r.Status == drop.Active && r.EndedAt != 0:
		c.differf("reservation %d is active, and ended at %s", r.ID, r.EndedAt)
	case r.Status != drop.Active && r.EndedAt == 0:
		c.differf("reservation %d is %s, and has no end", r.ID, r.Status)
	case r.EndedAt != 0 && r.EndedAt < r.CreatedAt:
		c.differf("reservation %d ended at %s, before it was made (%s)", r.ID, r.EndedAt, r.CreatedAt)
	case max(r.CreatedAt, r.EndedAt) > c.state.LastAt:
		c.differf("reservation %d was changed at %s, after the drop's last batch (%s)", r.ID, max(r.CreatedAt, r.EndedAt), c.state.LastAt)
	case r.Status == drop.Expired && r.EndedAt < r.ExpiresAt:
		c.differf("reservation %d expired at %s, before its time was over (%s)", r.ID, r.EndedAt, r.ExpiresAt)
	case (r.Status == drop.Completed || r.Status == drop.Cancelled) && r.EndedAt >= r.ExpiresAt && r.EndedAt > c.ledger.first:
		// What an import took over is not judged by our rules.
		c.differf("reservation %d was %s at %s, when its time was over (%s)", r.ID, r.Status, r.EndedAt, r.ExpiresAt)
	default:
		return true
	}
	return false
}

// account sets one reservation against what the ledger moved at that moment. What is older than the ledger was taken
// over by an import: its first batch moved it.
func (c *check) account(r *drop.Reservation, at drop.Time, p posting) {
	at = max(at, c.ledger.first)
	m := c.ledger.moments[moment{at: at, posting: p}]
	if m == nil {
		c.differf("reservation %d (%s) was %s at %s, and the ledger has no such movement then", r.ID, r.Status, said(p.reason), at)
		return
	}
	m.rows++
	if m.rows == m.units+1 {
		c.differf("reservation %d (%s) was %s at %s, one more than the %d of ledger entry %d", r.ID, r.Status, said(p.reason), at, m.units, m.seq)
	}
}

// said is what a reason does to a reservation.
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

// closeReservations looks for what the ledger moved and no reservation accounts for. With every moment equal, so are
// the sums: as many are active, completed, expired and cancelled as the ledger says.
func (c *check) closeReservations() {
	if c.reservationsDone {
		return
	}
	c.reservationsDone = true
	c.checkLast(&c.rows.reservations, "reservation number", int64(c.state.Reserved))
	for _, m := range c.ledger.order {
		if m.rows < m.units {
			c.differf("ledger entry %d: %d units%s were %s at %s, and %d reservations say so",
				m.seq, m.units, c.of(m.size), said(m.reason), m.at, m.rows)
		}
	}
}

// purchase takes the next purchase.
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
		c.differf("purchase %d is of reservation %d, and there is no completed reservation of that number", p.ID, p.ReservationID)
		return nil
	}
	r := &c.rows.completed[i]
	switch {
	case r.bought:
		c.differf("purchase %d is the second one of reservation %d", p.ID, p.ReservationID)
	case p.UserID != r.user:
		c.differf("purchase %d is user %d's, and its reservation %d is user %d's", p.ID, p.UserID, r.id, r.user)
	case p.Size != r.size:
		c.differf("purchase %d is of size %q, and its reservation %d of size %q", p.ID, p.Size, r.id, r.size)
	case p.Price != c.state.Price:
		c.differf("purchase %d is at the price %s, and the drop's price is %s", p.ID, p.Price, c.state.Price)
	case p.CreatedAt != r.ended:
		c.differf("purchase %d is of %s, and its reservation %d was completed at %s", p.ID, p.CreatedAt, r.id, r.ended)
	}
	r.bought = true
	return nil
}

// closePurchases looks for completed reservations that nobody paid.
func (c *check) closePurchases() {
	c.checkLast(&c.rows.purchases, "purchase number", int64(c.state.Purchased))
	for i := range c.rows.completed {
		if r := &c.rows.completed[i]; !r.bought {
			c.differf("reservation %d is completed, and there is no purchase of it", r.id)
		}
	}
}
