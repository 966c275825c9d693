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
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/shop"
	"sneakerdrop/internal/store"
)

type (
	actionsAnswer struct {
		Actions []actionAnswer     `json:"actions" nullable:"false" doc:"Newest first"`
		Next    *operator.ActionID `json:"next" doc:"What to send as before for the next page; null: this is the last one"`
	}
	actionAnswer struct {
		ID      operator.ActionID `json:"id"`
		At      instant           `json:"at"`
		Token   operator.TokenID  `json:"token" doc:"Number of the token; 0: the command line"`
		Name    string            `json:"name" doc:"Who holds the token; of the command line the system's user"`
		Role    operator.Role     `json:"role"`
		Call    string            `json:"call" doc:"The operation, with dashes: restock, edit-drop for editDrop; or a command"`
		DropID  *drop.ID          `json:"dropId" doc:"null: no drop"`
		Detail  string            `json:"detail" doc:"The query, or the body without needless spaces and escapes"`
		From    string            `json:"from" doc:"The caller's address"`
		Request string            `json:"request" doc:"X-Request-Id of the call"`
		Outcome *string           `json:"outcome" doc:"ok, with the number of what was made, or the code of the refusal; null: the server ended before it knew"`
	}
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
	case listPurchasesID:
		action.Detail = operator.Detail([]byte(withoutSearch(r.URL.RawQuery)))
	default:
		action.Detail = detailOf(r)
	}
	if n, err := strconv.ParseInt(r.PathValue("id"), 10, 64); err == nil && n > 0 {
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
	plain := jsontext.Value(bytes.Clone(body))
	if plain.Format() != nil {
		plain = body // no JSON, which is refused
	}
	return operator.Detail(plain)
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

func (a *api) listActions(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	before, limit := q.before(), q.limit()
	if q.err != nil {
		return q.err
	}
	found, err := engine.Ask(r.Context(), a.engine, func(s store.Records) ([]operator.Action, error) {
		return s.Actions(r.Context(), operator.ActionID(before), limit+1)
	})
	if err != nil {
		return err
	}
	found, more := pageOf(found, limit)
	answer := actionsAnswer{Actions: make([]actionAnswer, len(found))}
	if more {
		answer.Next = &found[limit-1].ID
	}
	for i := range found {
		answer.Actions[i] = answerAction(&found[i])
	}
	writeJSON(w, &answer)
	return nil
}

func answerAction(f *operator.Action) actionAnswer {
	answer := actionAnswer{
		ID: f.ID, At: instant(f.At), Token: f.Token, Name: f.Name, Role: f.Role, Call: f.Call, Detail: f.Detail, From: f.From,
		Request: f.Request,
	}
	if f.Drop != 0 {
		answer.DropID = &f.Drop
	}
	if f.Outcome != "" {
		answer.Outcome = &f.Outcome
	}
	return answer
}
