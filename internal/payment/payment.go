// Package payment is the port to those who take buyers' money: what the server asks of a payment provider, and what a
// provider tells it. The packages below it are the providers.
//
// A provider authorises first: the money is set aside, and the buyer owes nothing yet. The server captures it only for
// a unit that the buyer still has, and voids it otherwise, which costs no refund.
//
// Every call may be repeated. A provider does the same thing once, however often it is asked under the same key.
package payment

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"sneakerdrop/internal/drop"
)

// ID numbers a payment, from 1.
type ID = drop.PaymentID

// Provider takes buyers' money. Its methods can be called from several goroutines. Each honours its context.
//
// An error is one of three kinds. A *RefusedError is final: asking again gives the same. ErrUnknown says that the
// provider has never heard of the payment. After any other error nobody knows whether the provider did what it was
// asked. The caller asks again.
type Provider interface {
	// Name is what the provider is called in settings, rows and metrics: stripe, external or demo.
	Name() string

	// Start opens a checkout, to which the buyer's browser is sent. Asked twice for the same Order.ID, it gives the
	// same checkout.
	Start(ctx context.Context, order Order) (Checkout, error)

	// Find says what the provider knows of a payment now.
	Find(ctx context.Context, ref Ref) (Found, error)

	// Close ends a checkout that the buyer has not finished: nobody can pay there after that. If the buyer was faster,
	// Found says so. Closing a checkout that is closed does nothing.
	Close(ctx context.Context, ref Ref) (Found, error)

	// Capture takes the authorised money. Captured twice, it is taken once.
	Capture(ctx context.Context, ref Ref) (Found, error)

	// Void gives the authorised money up. It is a *RefusedError if the money has been captured: refund it then.
	Void(ctx context.Context, ref Ref) (Found, error)

	// Refund gives captured money back, all or part. A refund under the same key is made once.
	Refund(ctx context.Context, ref Ref, refund Refund) (Found, error)

	// Since lists the payments that began at or after a moment, in any order, as far as the provider keeps a list. It
	// finds those of this shop that the server has forgotten. After an error the list ends.
	Since(ctx context.Context, from time.Time) iter.Seq2[Found, error]
}

// Notified is a provider that sends notifications of its own.
type Notified interface {
	// Read checks a notification's signature, and says which payments it is about. It does not say what became of
	// them: notifications come late, twice and out of order, so the caller asks Find. A false signature is ErrForged,
	// and what cannot be read is ErrMalformed. now is the moment by which old signatures are told from fresh ones.
	Read(header http.Header, body []byte, now time.Time) (Notice, error)
}

// Order is what a buyer pays for.
type Order struct {
	ID          ID
	Reservation drop.ReservationID
	Amount      drop.Money
	Currency    drop.Currency
	Description string // the drop's name and the size, for people
	Email       string // the buyer's, to fill the provider's form in; may be empty
	// ReturnURL is where the provider sends the buyer's browser in the end, paid or not.
	ReturnURL string
	// Expires is when the server stops to wait for the money. A provider that cannot end a checkout so early leaves it
	// open. The server closes it.
	Expires time.Time
}

// Ref names a payment to its provider.
type Ref struct {
	ID ID
	// Number is the provider's own number, as told by Checkout. It is empty if the answer to Start was lost.
	Number string
}

// Checkout is an open checkout.
type Checkout struct {
	Number string // the provider's own number of it
	URL    string // where the buyer pays
	// Found is what the provider knows right away. A provider that has the buyer's card can authorise at once.
	Found Found
}

// Found is what a provider knows of a payment.
type Found struct {
	ID     ID     // 0 if the provider has a payment that names none of ours
	Number string // the same as Checkout.Number
	// Receipt is the number that the provider shows to people; a shop's bookkeeper looks for it. It is empty until
	// there is one.
	Receipt  string
	State    State
	Amount   drop.Money // authorised or captured; 0 while the buyer has not paid
	Currency string     // its ISO 4217 code, in capitals; empty while the buyer has not paid
	Refunded drop.Money // of what was captured, in all
	// Disputed reports that the buyer's bank has asked for the money back.
	Disputed bool
	// Reason is why the state is Failed, in the provider's words.
	Reason string
}

// State is what has become of a payment, by its provider's account. States are stored; do not change them.
type State string

// The states of a payment at its provider.
const (
	Open       State = "open"       // the buyer can still pay
	Pending    State = "pending"    // the buyer has paid, and the money is on its way: a bank transfer, for one
	Authorised State = "authorised" // the money is set aside
	Captured   State = "captured"   // the money is taken. Some of it or all may be refunded since.
	Voided     State = "voided"     // the money was set aside, and given up
	Failed     State = "failed"     // the buyer can no longer pay here, and no money is set aside
)

// Final reports whether nothing follows from a state by itself: no buyer can pay, and no money waits.
func (s State) Final() bool { return s == Captured || s == Voided || s == Failed }

// Refund is an order to give money back.
type Refund struct {
	// Key is unique among the payment's refunds.
	Key    string
	Amount drop.Money // above 0, at most what was captured and not refunded
	Reason string     // an operator's, for people; may be empty
}

// Notice is what a notification is about.
type Notice struct {
	// ID is the provider's number of the notification. Two with one number are the same one.
	ID string
	// Type is the provider's word for what happened, for the log.
	Type string
	// Refs are the payments to look up. None means that the notification is about nothing of ours.
	Refs []Ref
}

// RefusedError is a provider's final no.
type RefusedError struct {
	// Code is the provider's word for it, for example card_declined.
	Code string
	// Reason is a sentence for an operator. It holds no secret.
	Reason string
}

// Error returns the reason and the provider's word.
func (e *RefusedError) Error() string { return "payment refused: " + e.Reason + " (" + e.Code + ")" }

// What a provider's methods return besides *RefusedError.
var (
	ErrUnknown   = errors.New("the payment provider does not know the payment")
	ErrForged    = errors.New("the notification's signature is false or too old")
	ErrMalformed = errors.New("the notification cannot be read")
)
