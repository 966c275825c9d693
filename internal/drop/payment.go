package drop

import "cmp"

// Payment is a buyer's payment for a reservation. Package checkout takes it from state to state.
type Payment struct {
	ID          PaymentID
	Reservation ReservationID
	User        UserID
	Provider    string
	Number      string // the provider's own number; empty: not known
	Receipt     string // the number that the provider shows to people; empty: there is none
	URL         string // where the buyer pays; empty: not known
	ReturnURL   string
	State       string // one of PaymentOpen to PaymentFailed
	Unsettled   bool   // the server still has to do something
	Amount      Money
	Currency    string
	Decimals    int
	Refunded    Money         // refunded, or about to be
	Booked      Money         // how much of that the drop's ledger has
	Unit        ReservationID // the reservation that it claimed; 0: none
	Purchase    PurchaseID    // 0: none
	Reason      string        // why nothing was sold, or why the last try failed
	Tries       int           // failed tries since the last success
	DueAt       Time          // when the server does the next step
	ExpiresAt   Time          // the buyer can pay until then
	CreatedAt   Time
}

// Shown returns the number that people know the payment by: the receipt's or, as long as there is none, the checkout's.
func (p *Payment) Shown() string { return cmp.Or(p.Receipt, p.Number) }

// The states of a payment. They are stored and sent to clients; do not change them.
const (
	PaymentOpen     = "open"     // the buyer can pay
	PaymentPending  = "pending"  // the buyer has paid, and the money is on its way
	PaymentClaimed  = "claimed"  // a unit is claimed, and the money is being captured
	PaymentCaptured = "captured" // the money is taken and the unit is sold. Some of it or all may be refunded since.
	PaymentVoided   = "voided"   // the money was set aside, and given up: there was no unit for it
	PaymentRefunded = "refunded" // the money was taken, and all of it refunded: there was no unit for it
	PaymentFailed   = "failed"   // the buyer did not pay
)
