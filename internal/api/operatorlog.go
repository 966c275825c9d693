package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/shop"
)

// recorded serves an operator's call between two entries in the operators' log. If it cannot write the first entry,
// it does not make the call.
func (a *api) recorded(rt *route, w http.ResponseWriter, r *http.Request) error {
	who := callerOf(w)
	if who.token.ID == 0 {
		return rt.serve(w, r)
	}
	action := operator.Action{
		Token: who.token.ID, Name: who.token.Name, Role: who.token.Role, Call: rt.id,
		From: hostOf(r), Request: w.Header().Get(requestIDHeader),
	}
	switch { // names and emails do not belong in a log that nobody can delete from
	case rt.id == ensureUserID: // the outcome has the buyer's number
	case rt.id == listPurchasesID, rt.id == listAllPurchasesID, rt.id == listBuyersID:
		action.Detail = operator.Detail([]byte(withoutSearch(r.URL.RawQuery)))
	case rt.id == getBuyerID:
		action.Detail = operator.Detail([]byte("buyer " + r.PathValue("id")))
	case rt.id == revokeTokenID:
		action.Detail = operator.Detail([]byte("token " + r.PathValue("token")))
	case rt.id == setPageID:
		action.Detail = pageDetail(r)
	case rt.id == addCodesID:
		action.Detail = codesDetail(r)
	case strings.HasPrefix(rt.path, webhooksPath+"/{id}"):
		action.Detail = operator.Detail([]byte(strings.TrimSpace("webhook " + r.PathValue("id") + " " + detailOf(r))))
	case strings.HasPrefix(rt.path, purchasesPath+"/{id}"):
		action.Detail = operator.Detail([]byte(strings.TrimSpace("purchase " + r.PathValue("id") + " " + detailOf(r))))
	default:
		action.Detail = detailOf(r)
	}
	if rt.id == purchaseID {
		action.Drop = dropOfReservation(action.Detail)
	}
	if n, err := strconv.ParseInt(r.PathValue("id"), 10, 64); err == nil && n > 0 {
		switch {
		case strings.HasPrefix(rt.path, dropsPath):
			action.Drop = drop.ID(n)
		case strings.HasPrefix(rt.path, purchasesPath) && n <= drop.MaxSafeInteger:
			action.Drop = drop.PurchaseID(n).Drop()
		}
	}
	err := shop.Recorded(r.Context(), a.engine, action, func() (outcome string, err error) {
		err = rt.serve(w, r)
		if outcome = outcomeOf(rt, err); err == nil && w.(*recorder).made != "" {
			outcome += ", " + w.(*recorder).made
		}
		return outcome, err
	}, func(id operator.ActionID, err error) {
		a.log.Error("the outcome of an operator's action is not in the log", "action", int64(id), "call", rt.id, "err", err)
	})
	if unrecorded, ok := errors.AsType[*shop.UnrecordedError](err); ok {
		return fmt.Errorf("%w: record the action: %s", drop.Refuse(codeUnavailable), unrecorded) //nolint:errorlint // nothing was done, whatever became of the entry
	}
	return err
}

// dropOfReservation returns the drop of the reservation that a body names; 0: none.
func dropOfReservation(body string) drop.ID {
	var in reservationRequest
	if decode([]byte(body), &in) != nil {
		return 0
	}
	return drop.ReservationID(max(0, optional(in.ReservationID))).Drop()
}

// outcomeOf returns how an operator's call ended: ok, or the code of the refusal.
func outcomeOf(rt *route, err error) string {
	if err != nil {
		return string(refusalOf(err, rt.method == http.MethodGet).Code)
	}
	return "ok"
}

// The log has the complete body of each call that took effect: longer bodies are refused.
const _ = uint(operator.MaxDetail - maxBody)

// detailOf reads what a call asks for, and leaves the body to be read again. It writes JSON without the spaces and
// escapes that could hide from a reader what was asked.
func detailOf(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Body == nil {
		return operator.Detail([]byte(r.URL.RawQuery))
	}
	return operator.Detail(plainJSON(readAhead(r, maxBody)))
}

// readAhead reads a body of at most that many bytes, and leaves it to be read again.
func readAhead(r *http.Request, most int64) []byte {
	body, _ := io.ReadAll(io.LimitReader(r.Body, most+1)) // later reads return the error again
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	return body
}

// plainJSON returns a body without spaces and escapes that JSON does not need.
func plainJSON(body []byte) []byte {
	plain := jsontext.Value(bytes.Clone(body))
	if plain.Format() != nil {
		return body // not JSON, so the call will be refused
	}
	return plain
}

// withoutSearch removes the text of a search from a query, so that the log does not say who was searched for.
func withoutSearch(query string) string {
	if _, err := url.ParseQuery(query); err != nil {
		return "not well-formed"
	}
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err != nil || plain == "q" {
			parts[i] = "q=…"
		}
	}
	return strings.Join(parts, "&")
}

func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// logOperator writes one log line for an operator's call. Buyers' requests get no line: a crowd would fill the disk.
func (a *api) logOperator(rt *route, rec *recorder, r *http.Request, err error) {
	attributes := []slog.Attr{
		slog.String("call", rt.id), slog.Int64("drop", int64(rec.drop)), slog.String("outcome", outcomeOf(rt, err)),
		slog.String("from", r.RemoteAddr), slog.String("request", rec.Header().Get(requestIDHeader)),
	}
	if rec.caller.token.ID != 0 {
		attributes = append(attributes, slog.Int64("token", int64(rec.caller.token.ID)), slog.String("name", rec.caller.token.Name))
	}
	a.log.LogAttrs(r.Context(), slog.LevelInfo, "operator call", attributes...)
}
