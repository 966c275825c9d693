package stripe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	sdk "github.com/stripe/stripe-go/v85"

	"sneakerdrop/internal/payment"
)

// fault makes one of the port's three kinds of error from an error of the library. The library's own errors must go no
// further. Their text is Stripe's whole answer, with what lets a browser confirm the payment.
func (p *Provider) fault(action string, err error) error {
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		return silence(action, err)
	}
	reason := strings.ReplaceAll(e.Msg, string(p.settings.Key), "…")
	switch {
	case e.Code == sdk.ErrorCodeResourceMissing:
		return fmt.Errorf("%s: %w", action, payment.ErrUnknown)
	case aboutSettings(e):
		// Stripe's text repeats a part of the key.
		return fmt.Errorf("%s: Stripe does not accept the secret key, or the key may not do this (%s)", action, trace(e))
	case e.HTTPStatusCode == http.StatusBadRequest || e.HTTPStatusCode == http.StatusPaymentRequired:
		return &payment.RefusedError{Code: code(e), Reason: reason}
	}
	return fmt.Errorf("%s: Stripe answered %d: %s (%s)", action, e.HTTPStatusCode, reason, trace(e))
}

// unread is fault for calls that only read. Their errors are never final, because what they ask for may change.
func (p *Provider) unread(action string, err error) error {
	if _, ok := errors.AsType[*payment.RefusedError](err); ok {
		return err
	}
	return soft(action, p.fault(action, err))
}

// soft makes a refusal an error after which the caller asks again. It leaves other errors as they are.
func soft(action string, err error) error {
	if refused, ok := errors.AsType[*payment.RefusedError](err); ok {
		return fmt.Errorf("%s: Stripe does not do it now: %s (%s)", action, refused.Reason, refused.Code)
	}
	return err
}

// aboutSettings reports whether Stripe refused because of the key or the account. An operator can mend that, and then
// the same call succeeds, so it is no final no.
func aboutSettings(e *sdk.Error) bool {
	switch e.Code {
	case sdk.ErrorCodeAPIKeyExpired, sdk.ErrorCodePlatformAPIKeyExpired, sdk.ErrorCodeSecretKeyRequired,
		sdk.ErrorCodeAccountInvalid, sdk.ErrorCodeLivemodeMismatch, sdk.ErrorCodeTestmodeChargesOnly:
		return true
	default:
		return e.HTTPStatusCode == http.StatusUnauthorized || e.HTTPStatusCode == http.StatusForbidden
	}
}

func code(e *sdk.Error) string {
	switch {
	case e.Code != "":
		return string(e.Code)
	case e.Type != "":
		return string(e.Type)
	}
	return "unknown"
}

// trace returns what finds the request in Stripe's dashboard.
func trace(e *sdk.Error) string {
	if e.RequestID == "" {
		return code(e)
	}
	return code(e) + ", " + e.RequestID
}

// silence is the error after which nobody knows what Stripe did: no answer, half of one, or one that nobody can read.
func silence(action string, err error) error {
	if broken, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%s: no answer from Stripe: %w", action, broken.Err)
	}
	_, network := errors.AsType[net.Error](err)
	if network || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: no answer from Stripe: %w", action, err)
	}
	// The library's error quotes the answer.
	return fmt.Errorf("%s: cannot read Stripe's answer", action)
}

// stored reports whether an error is a failure of Stripe's own that it repeats under the same idempotency key.
func stored(err error) bool {
	e, ok := errors.AsType[*sdk.Error](err)
	return ok && e.HTTPStatusCode >= http.StatusInternalServerError && replayed(e.LastResponse)
}

// replayed reports whether Stripe repeats an answer instead of doing something.
func replayed(r *sdk.APIResponse) bool {
	return r != nil && r.Header.Get("Idempotent-Replayed") == "true"
}

// differs reports whether Stripe has seen the idempotency key with other parameters.
func differs(err error) bool {
	e, ok := errors.AsType[*sdk.Error](err)
	return ok && e.Type == sdk.ErrorTypeIdempotency && e.HTTPStatusCode == http.StatusBadRequest
}

// blames reports whether Stripe refused because of one parameter.
func blames(err error, param string) bool {
	e, ok := errors.AsType[*sdk.Error](err)
	return ok && e.HTTPStatusCode == http.StatusBadRequest && e.Param == param
}
