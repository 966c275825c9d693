package drop

import "fmt"

// Reason says what moved units. The words are stored and go over the wire; do not change them.
type Reason string

// The reasons of a ledger entry.
const (
	Created              Reason = "created"
	Restocked            Reason = "restocked"
	ReservationExpired   Reason = "reservation_expired"
	ReservationCancelled Reason = "reservation_cancelled"
	Reserved             Reason = "reserved"
	Purchased            Reason = "purchased"
)

// reasons in the order in which one batch's entries are written: what gives units back stands before what takes them,
// so that no entry's Available is ever below zero.
var reasons = [...]Reason{Created, ReservationExpired, ReservationCancelled, Restocked, Reserved, Purchased}

// LedgerEntry records what one batch moved for one reason in one size.
type LedgerEntry struct {
	Seq    Seq
	Batch  BatchID
	At     Time
	Size   string
	Reason Reason
	// Units moved, positive but for a Restocked that took units away.
	Units int64
	// Available is the size's stock on sale after this entry.
	Available int64
}

// Post moves the entry's units between the counters, and reports a reason that it does not know.
func (s *Stock) Post(reason Reason, units int64) error {
	switch reason {
	case Created, Restocked:
		s.Total += units
		s.Available += units
	case Reserved:
		s.Available -= units
		s.Held += units
	case ReservationExpired, ReservationCancelled:
		s.Held -= units
		s.Available += units
	case Purchased:
		s.Held -= units
		s.Sold += units
	default:
		return fmt.Errorf("unknown ledger reason %q", reason)
	}
	return nil
}

// movements counts one size's units by reason within a batch, in the order of reasons.
type movements [len(reasons)]struct {
	count int64 // how many movements; a restock of +2 and one of −2 still leave an entry
	units int64
}

func (m *movements) add(r Reason, units int64) {
	for i := range reasons {
		if reasons[i] == r {
			m[i].count++
			m[i].units += units
			return
		}
	}
}
