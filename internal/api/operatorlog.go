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

// recorded serves an operator's call between two entries of the log. Where the first cannot be written nothing is done.
func (a *api) recorded(rt *route, w http.ResponseWriter, r *http.Request) error {
	who := callerOf(w)
	if who.token.ID == 0 {
		return rt.serve(w, r)
	}
	action := operator.Action{
		Token: who.token.ID, Name: who.token.Name, Role: who.token.Role, Call: rt.id,
		From: hostOf(r), Request: w.Header().Get(requestIDHeader),
	}
	switch rt.id { // names and emails do not belong where nothing is ever deleted
	case ensureUserID: // its entry has the number
	case listPurchasesID, listAllPurchasesID, listBuyersID:
		action.Detail = operator.Detail([]byte(withoutSearch(r.URL.RawQuery)))
	case getBuyerID:
		action.Detail = operator.Detail([]byte("buyer " + r.PathValue("id")))
	case revokeTokenID:
		action.Detail = operator.Detail([]byte("token " + r.PathValue("token")))
	case setPageID:
		action.Detail = pageDetail(r)
	default:
		action.Detail = detailOf(r)
	}
	if n, err := strconv.ParseInt(r.PathValue("id"), 10, 64); err == nil && n > 0 && strings.HasPrefix(rt.path, dropsPath) {
		action.Drop = drop.ID(n)
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

// outcomeOf says how an operator's call ended: ok or the code of a refusal.
func outcomeOf(rt *route, err error) string {
	if err != nil {
		return string(refusalOf(err, rt.method == http.MethodGet).Code)
	}
	return "ok"
}

// What is done is in the log to its last byte: a body that is longer is refused.
const _ = uint(operator.MaxDetail - maxBody)

// detailOf reads what a call asks, and leaves it to be read again. JSON stands in the log as it reads best, without
// the spaces and escapes that would hide from a reader what was asked.
func detailOf(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Body == nil {
		return operator.Detail([]byte(r.URL.RawQuery))
	}
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxBody+1)) // who reads on gets the error again
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	return operator.Detail(plainJSON(body))
}

// plainJSON is a body without the spaces and escapes that it does not need.
func plainJSON(body []byte) []byte {
	plain := jsontext.Value(bytes.Clone(body))
	if plain.Format() != nil {
		return body // no JSON, which is refused
	}
	return plain
}

// withoutSearch is a query that says that somebody was searched for, and not whom.
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

// logOperator writes the one line of an operator's call. Buyers' requests have none: a crowd would fill the disk.
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
