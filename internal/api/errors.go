package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/shop"
	"sneakerdrop/internal/shop/checkout"
)

// Codes that only the HTTP interface returns. Package drop has those of the domain. Clients match on codes, so none is
// ever renamed.
const (
	codeBadJSON          drop.Code = "bad_json"
	codeTooLarge         drop.Code = "too_large"
	codeMediaType        drop.Code = "unsupported_media_type"
	codeRouteNotFound    drop.Code = "route_not_found"
	codeMethodNotAllowed drop.Code = "method_not_allowed"
	codeRateLimited      drop.Code = "rate_limited"
	codeUnauthenticated  drop.Code = "unauthenticated"
	codeInvalidToken               = shop.CodeInvalidToken
	codeTokenExpired               = shop.CodeTokenExpired
	codeForbidden        drop.Code = "forbidden"
	codeCrossOrigin      drop.Code = "cross_origin"
	codeMisdirected      drop.Code = "misdirected_request"
	codeOverloaded       drop.Code = "overloaded"
	codeUnavailable                = shop.CodeUnavailable
	codeOutcomeUnknown   drop.Code = "outcome_unknown"
	codeNotReady         drop.Code = "not_ready"
	codeInternal         drop.Code = "internal"
	codeNotNow           drop.Code = "not_now"
	codePaymentNotFound  drop.Code = "payment_not_found"
	codeNoProvider       drop.Code = "payment_provider_unreachable"
	codeNotification     drop.Code = "notification_invalid"
)

// errReaderGone says that the client stopped reading a long answer.
var errReaderGone = errors.New("the client disconnected")

// problem is what a code means over HTTP.
type problem struct {
	status int
	// sentence is for the caller. If it is empty, the refusal's field and rule make the sentence.
	sentence string
	// retryAfter is in seconds; 0 means no Retry-After header.
	retryAfter int
	log        slog.Level // for statuses of 500 and above
}

// problems maps each code to its status and sentence. A code that is missing here becomes an internal error.
var problems = map[drop.Code]problem{
	drop.CodeInvalid:              {status: http.StatusUnprocessableEntity},
	drop.CodeDropNotFound:         {status: http.StatusNotFound, sentence: "Drop not found; GET /api/drops lists the current drops"},
	drop.CodeReservationNotFound:  {status: http.StatusNotFound, sentence: "Reservation not found; check reservationId or reserve again"},
	drop.CodeUserNotFound:         {status: http.StatusNotFound, sentence: "User not found; create one with POST /api/users"},
	drop.CodeTokenNotFound:        {status: http.StatusNotFound, sentence: "Token not found; GET /api/operator/tokens lists all tokens"},
	drop.CodeWebhookNotFound:      {status: http.StatusNotFound, sentence: "Webhook not found; GET /api/webhooks lists all webhooks"},
	drop.CodePurchaseNotFound:     {status: http.StatusNotFound, sentence: "Purchase not found; GET /api/operator/purchases lists all purchases"},
	drop.CodeOutOfStock:           {status: http.StatusConflict, sentence: "Out of stock"},
	drop.CodeNotStarted:           {status: http.StatusConflict, sentence: "Drop has not started"},
	drop.CodePaused:               {status: http.StatusConflict, sentence: "Drop is paused; try again when sales resume"},
	drop.CodeArchived:             {status: http.StatusConflict, sentence: "Drop is over; GET /api/drops lists the current drops"},
	drop.CodeWaitlist:             {status: http.StatusConflict, sentence: "Others wait for this size; join its waitlist with POST /api/drops/waitlist"},
	drop.CodeNoWaitlist:           {status: http.StatusConflict, sentence: "Drop has no waitlist; reserve with POST /api/drops/reserve"},
	drop.CodeWaitlistFull:         {status: http.StatusConflict, sentence: "Waitlist is full; try again later, as others may leave it"},
	drop.CodeEntryNotFound:        {status: http.StatusNotFound, sentence: "Entry not found; check entryId, or join the waitlist or enter the draw first"},
	drop.CodeOffered:              {status: http.StatusConflict, sentence: "Entry was offered a unit; to decline the offer, cancel its reservation with POST /api/drops/cancel"},
	drop.CodeNoDraw:               {status: http.StatusNotFound, sentence: "Drop has no draw; reserve with POST /api/drops/reserve"},
	drop.CodeDrawOpen:             {status: http.StatusConflict, sentence: "A draw decides who may buy, and is open; enter it with POST /api/drops/enter"},
	drop.CodeDrawClosed:           {status: http.StatusConflict, sentence: "Draw is closed; GET /api/drops/{id}/draw has the result once it is there"},
	drop.CodeDrawFull:             {status: http.StatusConflict, sentence: "Draw has as many entries as it can have; what is left goes on sale at start_time"},
	drop.CodeEntered:              {status: http.StatusConflict, sentence: "You are in the draw with other sizes; to change them, withdraw with POST /api/drops/withdraw and enter again"},
	drop.CodeCodeRequired:         {status: http.StatusConflict, sentence: "Early access needs a code; send yours as code, or try again at starts_at"},
	drop.CodeCodeInvalid:          {status: http.StatusConflict, sentence: "Code is not good here and now; check it, or try again without it once everybody can buy"},
	drop.CodeAccessNotFound:       {status: http.StatusNotFound, sentence: "Early access not found; GET /api/drops/{id}/codes lists it"},
	drop.CodeRemoved:              {status: http.StatusConflict, sentence: "The shop removed your entry from the draw; GET /api/drops/{id}/entries has the reason"},
	drop.CodeSizeRequired:         {status: http.StatusUnprocessableEntity, sentence: "size is required because this drop has sizes; send one of them"},
	drop.CodeSizeNotFound:         {status: http.StatusNotFound, sentence: "This drop does not have that size; GET /api/drops/{id} lists its sizes"},
	drop.CodeLimitReached:         {status: http.StatusConflict, sentence: "Limit per user reached; cancel a reservation before you reserve another in this drop"},
	drop.CodeCooldown:             {status: http.StatusTooManyRequests, sentence: "You left too many reservations of this drop unpaid; reserve again after Retry-After seconds and pay in time"},
	drop.CodeReservationExpired:   {status: http.StatusGone, sentence: "Reservation expired"},
	drop.CodeReservationCancelled: {status: http.StatusGone, sentence: "Reservation cancelled"},
	drop.CodeAlreadyPurchased:     {status: http.StatusConflict, sentence: "Reservation is already purchased and can no longer be cancelled; ask the shop for a refund"},
	drop.CodeAlreadyReturned:      {status: http.StatusConflict, sentence: "The unit was taken back before, in the other way; use restock to change the stock"},
	drop.CodePaymentRequired:      {status: http.StatusPaymentRequired, sentence: "This shop sells for payment only; start a checkout with POST /api/drops/checkout and send the buyer to its url"},
	drop.CodePaymentPending:       {status: http.StatusConflict, sentence: "A payment of this reservation is being taken; read GET /api/payments/{id} to see what becomes of it"},
	drop.CodePaymentFailed:        {status: http.StatusPaymentRequired, sentence: "The payment provider refused the payment; start a new checkout with POST /api/drops/checkout"},
	drop.CodeIdempotencyMismatch:  {status: http.StatusUnprocessableEntity, sentence: "Idempotency-Key was already used for a different request; send each new request with a new key"},
	drop.CodeFixed:                {status: http.StatusConflict},
	drop.CodeStockInUse:           {status: http.StatusConflict, sentence: "Too few units are unsold; remove at most as many as are available"},
	drop.CodePageChanged:          {status: http.StatusPreconditionFailed, sentence: "Somebody else saved this page after you read it; read it again with GET, merge your changes and send its new etag as If-Match"},
	drop.CodeExhausted:            {status: http.StatusConflict, sentence: "Drop has used up its reservation numbers; create a new drop"},

	// Codes of HTTP only.
	codeNotNow:           {status: http.StatusConflict},
	codeBadJSON:          {status: http.StatusBadRequest, sentence: "Body is not valid JSON; send one JSON object in UTF-8 without duplicate names"},
	codeTooLarge:         {status: http.StatusRequestEntityTooLarge, sentence: "Body is too large; send at most 64 KiB"},
	codeMediaType:        {status: http.StatusUnsupportedMediaType},
	codeRouteNotFound:    {status: http.StatusNotFound, sentence: "Route not found"},
	codeMethodNotAllowed: {status: http.StatusMethodNotAllowed, sentence: "This path does not support that method; use one of those in the Allow header"},
	codeRateLimited:      {status: http.StatusTooManyRequests, sentence: "Too many requests; try again after Retry-After seconds"},
	codeUnauthenticated:  {status: http.StatusUnauthorized, sentence: "Sign-in is required; send your token as Authorization: Bearer"},
	codeInvalidToken:     {status: http.StatusUnauthorized, sentence: "Token is not valid here; sign in again and send the new token as Authorization: Bearer"},
	codeTokenExpired:     {status: http.StatusUnauthorized, sentence: "Token has expired; sign in again"},
	codeForbidden:        {status: http.StatusForbidden, sentence: "You don't have permission to do this; as a buyer leave userId out, as an operator use a token with the required role"},
	codeCrossOrigin:      {status: http.StatusForbidden, sentence: "Pages from this origin may not make this call; ask the shop to allow the origin with --cors-origin (cookies need its full name)"},
	codeMisdirected:      {status: http.StatusMisdirectedRequest, sentence: "This server does not serve that host; use localhost, or allow the host with --allowed-host"},
	codeOverloaded:       {status: http.StatusServiceUnavailable, retryAfter: 1, log: slog.LevelDebug, sentence: "This drop has too many requests at the moment and yours did not go through; try again after Retry-After seconds"},
	codeUnavailable:      {status: http.StatusServiceUnavailable, retryAfter: 2, log: slog.LevelDebug, sentence: "Service is temporarily unavailable and your request did not go through; try again after Retry-After seconds"},
	codeOutcomeUnknown:   {status: http.StatusServiceUnavailable, retryAfter: 2, log: slog.LevelWarn, sentence: "Outcome is unknown because no confirmation came; check after Retry-After seconds whether the request took effect before you try again"},
	codeNotReady:         {status: http.StatusServiceUnavailable, retryAfter: 1, log: slog.LevelDebug, sentence: "Not ready to serve yet; try again after Retry-After seconds"},
	codePaymentNotFound:  {status: http.StatusNotFound, sentence: "Payment not found; POST /api/drops/checkout begins one"},
	codeNoProvider:       {status: http.StatusServiceUnavailable, retryAfter: 2, log: slog.LevelWarn, sentence: "The payment provider does not answer; try again after Retry-After seconds"},
	codeNotification:     {status: http.StatusBadRequest, sentence: "Notification has a false or old signature, or cannot be read; check the secret that signs it"},
	codeInternal:         {status: http.StatusInternalServerError, log: slog.LevelError, sentence: "Something went wrong on the server; try again, and if it persists, give the shop the X-Request-Id"},
}

// errorAnswer is the body of every error.
type errorAnswer struct {
	Error     string    `json:"error" minLength:"1" doc:"What happened, why, and what to do next, for people"`
	Code      drop.Code `json:"code" doc:"Stable name of the error, for programs"`
	Field     string    `json:"field,omitzero" doc:"The input that broke a rule, such as total_stock or sizes[1].stock"`
	StartsAt  instant   `json:"starts_at,omitzero" doc:"When the drop starts, or its draw opens (not_started, code_required)"`
	StartsIn  int64     `json:"starts_in_ms,omitzero" doc:"Milliseconds until then (not_started, code_required)"`
	RetryAt   instant   `json:"retry_at,omitzero" doc:"When the user may reserve again (cooldown)"`
	RetryIn   int64     `json:"retry_in_ms,omitzero" doc:"Milliseconds until then (cooldown, rate_limited)"`
	Limit     int       `json:"limit,omitzero" doc:"Units that one user may hold and buy (limit_reached)"`
	Used      int       `json:"used,omitzero" doc:"Units that the user holds and has bought (limit_reached)"`
	Waiting   int64     `json:"waiting,omitzero" doc:"How many wait (waitlist: for the size; waitlist_full: in all sizes)"`
	Available *int64    `json:"available,omitempty" doc:"Unsold units (stock_in_use)"`
}

// refusalOf turns any error into a refusal whose code is in the table. A read has no effect, so its outcome is never
// unknown.
func refusalOf(err error, read bool) *drop.Error {
	code := codeInternal
	switch {
	case errors.Is(err, engine.ErrOutcomeUnknown):
		code = codeOutcomeUnknown
	case errors.Is(err, engine.ErrOverloaded):
		code = codeOverloaded
	case errors.Is(err, engine.ErrUnavailable), errors.Is(err, engine.ErrStopping):
		code = codeUnavailable
	case errors.Is(err, checkout.ErrProvider):
		code = codeNoProvider
	case errors.Is(err, payment.ErrForged), errors.Is(err, payment.ErrMalformed):
		code = codeNotification
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, errReaderGone):
		code = codeOutcomeUnknown
	default:
		if refusal, ok := errors.AsType[*drop.Error](err); ok {
			if _, known := problems[refusal.Code]; known {
				return refusal
			}
		}
	}
	if read && code == codeOutcomeUnknown {
		code = codeUnavailable
	}
	return drop.Refuse(code)
}

// fail answers with an error, or aborts an answer that has already begun. It logs causes that the caller does not
// see.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	refusal := refusalOf(err, r.Method == http.MethodGet || r.Method == http.MethodHead)
	p := problems[refusal.Code]
	if p.status >= http.StatusInternalServerError {
		level := p.log
		if errors.Is(err, context.Canceled) || errors.Is(err, errReaderGone) {
			level = slog.LevelDebug // the client disconnected; a crowd that gives up must not fill the log
		}
		a.log.LogAttrs(r.Context(), level, "request failed", slog.String("code", string(refusal.Code)),
			slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.String("request", w.Header().Get(requestIDHeader)), slog.Any("err", err))
	}
	if rec, ok := w.(*recorder); ok && rec.status != 0 {
		panic(http.ErrAbortHandler) // a truncated answer must not look complete
	}
	if after := max(p.retryAfter, seconds(refusal.RetryIn)); after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(after))
	}
	if c := challenge(refusal.Code); c != "" {
		w.Header().Set("WWW-Authenticate", c)
	}
	w.Header().Set("Cache-Control", "no-store")
	writeBody(w, p.status, a.refusals.encode(refusal, p))
}

// plainRefusals caches answers without details by code. Most buyers of a popular drop get one of them.
type plainRefusals struct{ known sync.Map }

func (k *plainRefusals) encode(e *drop.Error, p problem) []byte {
	if *e != (drop.Error{Code: e.Code}) || e.Code == drop.CodeStockInUse {
		return encode(answerOf(e, p))
	}
	if known, ok := k.known.Load(e.Code); ok {
		return known.([]byte)
	}
	made := encode(answerOf(e, p))
	k.known.Store(e.Code, made)
	return made
}

func answerOf(e *drop.Error, p problem) *errorAnswer {
	answer := &errorAnswer{
		Error: p.sentence, Code: e.Code, Field: e.Field, StartsAt: instant(e.StartsAt),
		StartsIn: e.StartsIn.Milliseconds(), RetryAt: instant(e.RetryAt), RetryIn: e.RetryIn.Milliseconds(),
		Limit: e.Limit, Used: e.Used, Waiting: e.Waiting,
	}
	switch {
	case e.Field == "" && e.Rule != "": // more specific than the code's sentence
		answer.Error = e.Rule
	case answer.Error == "":
		answer.Error = e.Field + " " + e.Rule
	}
	if e.Code == drop.CodeStockInUse {
		answer.Available = &e.Available
	}
	return answer
}
