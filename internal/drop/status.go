package drop

import "fmt"

// Status is the state of a reservation. Its numbers are stored; do not renumber them.
type Status int8

// The states of a reservation. All except Active are final.
const (
	Active    Status = 1
	Completed Status = 2
	Expired   Status = 3
	Cancelled Status = 4
)

// String returns the word that the API uses.
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

// Known reports whether s is a valid status.
func (s Status) Known() bool { return s >= Active && s <= Cancelled }

// Counts reports whether a reservation counts toward a drop's limit per user: only active and completed ones do.
func (s Status) Counts() bool { return s == Active || s == Completed }

// Unpaid reports whether a reservation ended without a purchase: it expired or was cancelled.
// Settings.MaxExpiredHolds limits these.
func (s Status) Unpaid() bool { return s == Expired || s == Cancelled }

// refuseEnded returns why nothing more can be done with a reservation that has ended, or nil if it is active.
func (r *Reservation) refuseEnded() *Error {
	switch r.Status {
	case Completed:
		return Refuse(CodeAlreadyPurchased)
	case Expired:
		return Refuse(CodeReservationExpired)
	case Cancelled:
		return Refuse(CodeReservationCancelled)
	default:
		return nil
	}
}

// LiveAt reports whether the hold still keeps its unit: it is active, and now is before ExpiresAt.
func (r *Reservation) LiveAt(now Time) bool { return r.Status == Active && now < r.ExpiresAt }

// At returns the reservation as of the given time. A hold past its end is expired, even if no batch has recorded that
// yet.
func (r Reservation) At(now Time) Reservation {
	if r.Status == Active && !r.LiveAt(now) {
		r.Status, r.EndedAt = Expired, r.ExpiresAt
	}
	return r
}
