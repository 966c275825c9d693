package drop

import (
	"errors"
	"fmt"
	"time"
)

// Code is the stable name of a refusal. Clients match on it, so a code is never renamed.
type Code string

// The refusals of the domain. Package api maps each to an HTTP status and a sentence.
const (
	CodeInvalid             Code = "invalid"
	CodeDropNotFound        Code = "drop_not_found"
	CodeReservationNotFound Code = "reservation_not_found"
	CodeUserNotFound        Code = "user_not_found"
	CodeTokenNotFound       Code = "token_not_found"
	CodeWebhookNotFound     Code = "webhook_not_found"
	CodePurchaseNotFound    Code = "purchase_not_found"
	CodeOutOfStock          Code = "out_of_stock"
	CodeNotStarted          Code = "not_started"
	CodePaused              Code = "paused"
	CodeArchived            Code = "archived"
	// CodeWaitlist: others wait for the size, so join the waitlist.
	CodeWaitlist Code = "waitlist"
	// CodeNoWaitlist: the drop has no waitlist.
	CodeNoWaitlist Code = "no_waitlist"
	// CodeWaitlistFull: as many wait as the drop allows.
	CodeWaitlistFull Code = "waitlist_full"
	// CodeEntryNotFound: there is no such entry, or it is another buyer's.
	CodeEntryNotFound Code = "entry_not_found"
	// CodeOffered: the entry was offered a unit, so cancel that reservation.
	CodeOffered Code = "offered"
	// CodeNoDraw: the drop has no draw.
	CodeNoDraw Code = "no_draw"
	// CodeDrawOpen: a draw decides who may buy, so enter it.
	CodeDrawOpen Code = "draw_open"
	// CodeDrawClosed: the time to enter the draw, to withdraw from it or to remove an entry is over.
	CodeDrawClosed Code = "draw_closed"
	// CodeDrawFull: the draw has MaxEntries entries.
	CodeDrawFull Code = "draw_full"
	// CodeEntered: the buyer is in the draw with other sizes, so withdraw first.
	CodeEntered Code = "entered"
	// CodeCodeRequired: early access is open, so show a code, or wait until the drop starts.
	CodeCodeRequired Code = "code_required"
	// CodeCodeInvalid: no code of the drop, or one that is used up, not good yet or over. They all answer alike.
	CodeCodeInvalid Code = "code_invalid"
	// CodeAccessNotFound: the drop has no such early access.
	CodeAccessNotFound Code = "access_not_found"
	// CodeRemoved: an operator took the buyer's entry out of the draw.
	CodeRemoved              Code = "removed"
	CodeSizeRequired         Code = "size_required"
	CodeSizeNotFound         Code = "size_not_found"
	CodeLimitReached         Code = "limit_reached"
	CodeCooldown             Code = "cooldown"
	CodeReservationExpired   Code = "reservation_expired"
	CodeReservationCancelled Code = "reservation_cancelled"
	CodeAlreadyPurchased     Code = "already_purchased"
	// CodeAlreadyReturned: the unit was taken back before, in the other way.
	CodeAlreadyReturned Code = "already_returned"
	// CodePaymentRequired: the unit is sold only to who pays, so start a checkout.
	CodePaymentRequired Code = "payment_required"
	// CodePaymentFailed: the payment provider refused the payment.
	CodePaymentFailed Code = "payment_failed"
	// CodePaymentPending: the buyer's money is being taken.
	CodePaymentPending      Code = "payment_pending"
	CodeFixed               Code = "fixed"
	CodeStockInUse          Code = "stock_in_use"
	CodeIdempotencyMismatch Code = "idempotency_mismatch"
	// CodeExhausted: the drop has used all 2^32 reservation numbers.
	CodeExhausted Code = "exhausted"
	// CodePageChanged: somebody else saved the drop's page after the caller read it.
	CodePageChanged Code = "page_changed"
	// CodeDamaged: rows that must match do not. Run an audit to find out more.
	CodeDamaged Code = "damaged"
)

// Error is a refusal by a rule. It is the domain's only error type; any other error is a technical failure.
type Error struct {
	Code Code
	// Field and Rule name the input and the rule that it breaks (CodeInvalid, CodeFixed, the size codes).
	Field, Rule string
	// StartsAt and StartsIn tell a buyer how long to wait (CodeNotStarted, CodeCodeRequired).
	StartsAt Time
	StartsIn time.Duration
	// RetryAt and RetryIn tell a user in a cooldown when they may reserve again (CodeCooldown).
	RetryAt Time
	RetryIn time.Duration
	// Limit and Used count units per user (CodeLimitReached).
	Limit, Used int
	// Waiting is how many wait (CodeWaitlist, CodeWaitlistFull).
	Waiting int64
	// Available is how many units the operator can remove (CodeStockInUse).
	Available int64
}

func (e *Error) Error() string {
	if e.Field != "" {
		return fmt.Sprintf("%s: %s %s", e.Code, e.Field, e.Rule)
	}
	return string(e.Code)
}

// Is lets errors.Is compare codes: errors.Is(err, &drop.Error{Code: drop.CodePaused}).
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Refuse returns a refusal that has no details.
func Refuse(code Code) *Error { return &Error{Code: code} }

// Invalid returns the refusal of one input field. rule completes the sentence that starts with the field's name, such
// as "must be …".
func Invalid(field, rule string) *Error { return &Error{Code: CodeInvalid, Field: field, Rule: rule} }

// CodeOf returns the code of the first refusal in err's chain, or "" if there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
