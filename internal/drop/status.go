package drop

import "fmt"

// Status is where a reservation stands. Its numbers are stored; do not renumber them.
type Status int8

// The statuses of a reservation. All but Active are terminal.
const (
	Active    Status = 1
	Completed Status = 2
	Expired   Status = 3
	Cancelled Status = 4
)

// String gives the wire's word.
func (s Status) String() string {
	switch s {
	case Active:
		return "active"
	case Completed:
		return "completed"
	case Expired:
		return "expired"
	case Cancelled:
		return "cancelled"
	default:
		return fmt.Sprintf("Status(%d)", int8(s))
	}
}

// Known reports whether s is a status.
func (s Status) Known() bool { return s >= Active && s <= Cancelled }

// Counts reports whether a reservation counts towards a drop's limit per user: it is active or completed.
func (s Status) Counts() bool { return s == Active || s == Completed }

// Unpaid reports whether a reservation has ended without a purchase, as Drop.MaxExpiredHolds counts them: it is
// expired or cancelled.
func (s Status) Unpaid() bool { return s == Expired || s == Cancelled }

// LiveAt reports whether the hold still keeps its unit: active, and now before ExpiresAt.
func (r *Reservation) LiveAt(now Time) bool { return r.Status == Active && now < r.ExpiresAt }

// At returns the reservation as it stands at that moment: one whose time is over is expired, even if no batch has
// said so yet.
func (r Reservation) At(now Time) Reservation {
	if r.Status == Active && !r.LiveAt(now) {
		r.Status, r.EndedAt = Expired, r.ExpiresAt
	}
	return r
}
