package drop

import (
	"errors"
	"fmt"
	"time"
)

// Code is the stable name of a refusal. Clients match on it, so none is ever renamed.
type Code string

// The refusals of the domain. Which HTTP status and sentence each becomes is the api package's table.
const (
	CodeInvalid              Code = "invalid"
	CodeDropNotFound         Code = "drop_not_found"
	CodeReservationNotFound  Code = "reservation_not_found"
	CodeUserNotFound         Code = "user_not_found"
	CodeTokenNotFound        Code = "token_not_found"
	CodeOutOfStock           Code = "out_of_stock"
	CodeNotStarted           Code = "not_started"
	CodePaused               Code = "paused"
	CodeArchived             Code = "archived"
	CodeSizeRequired         Code = "size_required"
	CodeSizeNotFound         Code = "size_not_found"
	CodeLimitReached         Code = "limit_reached"
	CodeCooldown             Code = "cooldown"
	CodeReservationExpired   Code = "reservation_expired"
	CodeReservationCancelled Code = "reservation_cancelled"
	CodeAlreadyPurchased     Code = "already_purchased"
	CodeFixed                Code = "fixed"
	CodeStockInUse           Code = "stock_in_use"
	CodeIdempotencyMismatch  Code = "idempotency_mismatch"
	// CodeExhausted: the drop has given out all 2^32 numbers for reservations.
	CodeExhausted Code = "exhausted"
	// CodeDamaged: rows that must agree do not; only an audit can tell more.
	CodeDamaged Code = "damaged"
)

// Error is a refusal by a rule. It is the only error type of the domain; everything else is a fault of the machinery.
type Error struct {
	Code Code
	// Field and Rule say which input broke which rule (CodeInvalid, CodeFixed, the size codes).
	Field, Rule string
	// StartsAt and StartsIn say how long a buyer has to wait (CodeNotStarted).
	StartsAt Time
	StartsIn time.Duration
	// RetryAt and RetryIn say when a user who left holds unpaid may reserve again (CodeCooldown).
	RetryAt Time
	RetryIn time.Duration
	// Limit and Used are units per user (CodeLimitReached).
	Limit, Used int
	// Available is how many units could be taken away (CodeStockInUse).
	Available int64
}

func (e *Error) Error() string {
	if e.Field != "" {
		return fmt.Sprintf("%s: %s %s", e.Code, e.Field, e.Rule)
	}
	return string(e.Code)
}

// Is makes errors.Is compare codes: errors.Is(err, &drop.Error{Code: drop.CodePaused}).
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Refuse returns a refusal that needs no detail.
func Refuse(code Code) *Error { return &Error{Code: code} }

// Invalid returns the refusal of one input field; rule completes the sentence "<field> …": "must be …".
func Invalid(field, rule string) *Error { return &Error{Code: CodeInvalid, Field: field, Rule: rule} }

// CodeOf returns the code of a refusal anywhere in err's chain, or "" where there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
