package drop

import "fmt"

// Reason says why units moved. Reasons are stored and sent to clients; do not change them.
type Reason string

// The reasons of a ledger entry.
const (
	Created              Reason = "created"
	Restocked            Reason = "restocked"
	ReservationExpired   Reason = "reservation_expired"
	ReservationCancelled Reason = "reservation_cancelled"
	Reserved             Reason = "reserved"
	Purchased            Reason = "purchased"
	// PaymentStarted moves no unit: the buyers of held units began to pay.
	PaymentStarted Reason = "payment_started"
	// MoneyRefunded moves no unit: buyers have money of their purchases back.
	MoneyRefunded Reason = "refunded"
	// Returned and WrittenOff take sold units back: they go on sale again, or leave the stock.
	Returned   Reason = "returned"
	WrittenOff Reason = "written_off"
	// WaitlistOffered holds units for buyers from the waitlist. OfferExpired and OfferDeclined end such holds.
	WaitlistOffered Reason = "offered"
	OfferExpired    Reason = "offer_expired"
	OfferDeclined   Reason = "offer_declined"
	// WaitlistKept holds units for a line, which a later batch offers. WaitlistFreed ends that.
	WaitlistKept  Reason = "waitlist_kept"
	WaitlistFreed Reason = "waitlist_freed"
	// AccessKept holds units for early access. AccessFreed ends that: a buyer takes them, or the access is over.
	AccessKept  Reason = "access_kept"
	AccessFreed Reason = "access_freed"
)

// Shown returns the reason that watchers are told when units moved for r: one that clients of the original know. It is
// empty if neither the available nor the total stock changed. To them, a unit that comes back is one that the operator
// adds. One that is written off is one that the operator removes. A client reads the total again then. Units that go
// to a waitlist are reserved.
func (r Reason) Shown() Reason {
	switch r {
	case Purchased, PaymentStarted, MoneyRefunded:
		return ""
	case Returned, WrittenOff:
		return Restocked
	case WaitlistOffered, WaitlistKept, AccessKept:
		return Reserved
	case OfferExpired:
		return ReservationExpired
	case OfferDeclined, WaitlistFreed, AccessFreed:
		return ReservationCancelled
	default:
		return r
	}
}

// LastShown returns the newest of a batch's entries that watchers are told of, or nil. They are told of a size whose
// available or total stock the batch changed, and not of one whose units came back and went to a waitlist.
func LastShown(batch []LedgerEntry) *LedgerEntry {
	for end := len(batch); end > 0; {
		var newest *LedgerEntry
		var moved Stock
		size := batch[end-1].Size
		for ; end > 0 && batch[end-1].Size == size; end-- {
			e := &batch[end-1]
			if err := moved.Post(e.Reason, e.Units); err != nil {
				continue // of a newer program
			}
			if newest == nil && e.Reason.Shown() != "" {
				newest = e
			}
		}
		if newest != nil && (moved.Available != 0 || moved.Total != 0) {
			return newest
		}
	}
	return nil
}

// Began returns the reason of the ledger entry that began the hold.
func (r *Reservation) Began() Reason {
	if r.Offer {
		return WaitlistOffered
	}
	return Reserved
}

// Ended returns the reason of the ledger entry that ended the hold. It is empty while the reservation is active.
func (r *Reservation) Ended() Reason {
	switch {
	case r.Status == Completed:
		return Purchased
	case r.Status == Expired && r.Offer:
		return OfferExpired
	case r.Status == Expired:
		return ReservationExpired
	case r.Status == Cancelled && r.Offer:
		return OfferDeclined
	case r.Status == Cancelled:
		return ReservationCancelled
	default:
		return ""
	}
}

// reasons is the order in which a batch's entries are written. Reasons that release units come before those that take
// them, so that Available is never negative in any entry.
var reasons = [...]Reason{
	Created, ReservationExpired, ReservationCancelled, OfferExpired, OfferDeclined, WaitlistFreed, AccessFreed, Returned, WrittenOff,
	Restocked, WaitlistOffered, WaitlistKept, AccessKept, Reserved, PaymentStarted, Purchased, MoneyRefunded,
}

// MaxLedgerPerBatch is more than the most ledger entries that one batch writes.
const MaxLedgerPerBatch = len(reasons) * MaxSizes

// LedgerEntry records how many units of one size a batch moved for one reason.
type LedgerEntry struct {
	Seq    Seq
	Batch  BatchID
	At     Time
	Size   string
	Reason Reason
	// Units is the number of units moved. Only Restocked may be negative, when the operator removes units.
	Units int64
	// Available is the size's available stock after this entry.
	Available int64
	// Version is the drop's version after the batch. It is 0 in entries of programs that did not record it.
	Version int64
	// Numbers are the reservations that the entry is about or, of reasons about what is sold, the purchases, in
	// the order in which they were decided. It is empty for Created and Restocked, for entries of programs that
	// did not record it, and for those that an import made up.
	Numbers Numbers
}

// Post moves an entry's units between the counters. It returns an error for an unknown reason.
func (s *Stock) Post(reason Reason, units int64) error {
	switch reason {
	case Created, Restocked:
		s.Total += units
		s.Available += units
	case Reserved, WaitlistOffered, WaitlistKept, AccessKept:
		s.Available -= units
		s.Held += units
	case ReservationExpired, ReservationCancelled, OfferExpired, OfferDeclined, WaitlistFreed, AccessFreed:
		s.Held -= units
		s.Available += units
	case Purchased:
		s.Held -= units
		s.Sold += units
	case PaymentStarted, MoneyRefunded:
	case Returned:
		s.Sold -= units
		s.Available += units
	case WrittenOff:
		s.Sold -= units
		s.Total -= units
	default:
		return fmt.Errorf("unknown ledger reason %q", reason)
	}
	return nil
}

// movements counts the units of one size that a batch moves, by reason, in the order of reasons.
type movements [len(reasons)]struct {
	count   int64 // the number of movements: a restock of +2 and one of −2 still make an entry
	units   int64
	numbers numbering
}

// add counts units that moved. number is the reservation or purchase that moved them, 0 if there is none.
func (m *movements) add(r Reason, units int64, number uint32) {
	for i := range reasons {
		if reasons[i] == r {
			m[i].count++
			m[i].units += units
			if number != 0 {
				m[i].numbers.add(number)
			}
			return
		}
	}
}
