package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
)

type (
	actionsAnswer struct {
		Actions []actionAnswer     `json:"actions" nullable:"false" doc:"Newest first"`
		Next    *operator.ActionID `json:"next" doc:"Send it as before to get the next page; null: this is the last page"`
	}
	actionAnswer struct {
		ID      operator.ActionID `json:"id"`
		At      instant           `json:"at"`
		Token   operator.TokenID  `json:"token" doc:"Id of the token; 0: the command line"`
		Name    string            `json:"name" doc:"Who holds the token. For the command line: the user of the operating system"`
		Role    operator.Role     `json:"role"`
		Call    string            `json:"call" doc:"The operation with dashes, such as edit-drop for editDrop, or the command"`
		DropID  *drop.ID          `json:"dropId" doc:"null: the call concerns no drop"`
		Detail  string            `json:"detail" doc:"The query, or the body in compact form"`
		From    string            `json:"from" doc:"The caller's address"`
		Request string            `json:"request" doc:"X-Request-Id of the call"`
		Outcome *string           `json:"outcome" doc:"ok (with the id of what was created), or the code of the error. null: the server stopped before it knew"`
	}
)

// actionQuery is what a call asks for: which entries of the operators' log.
type actionQuery struct {
	before   operator.ActionID // excluded; 0: none
	limit    int
	from, to drop.Time                     // from is included, to is not; 0: none
	drop     drop.ID                       // 0: any
	call     string                        // empty: any
	outcome  string                        // ok, refused, unknown or empty: any
	actor    func(a *operator.Action) bool // nil: any
}

const (
	maxActor = 100 // in characters
	// actionsPage is how many entries a search of the log reads at a time. An entry may have 64 KiB.
	actionsPage = 200
)

// outOfOrder is how far the times of two entries may contradict the order of their numbers, because several servers
// write to one log.
const outOfOrder = drop.Time(time.Minute / time.Millisecond)

func (q *query) actions() actionQuery {
	n := actionQuery{before: operator.ActionID(q.before()), limit: q.limit()}
	n.from, n.to = q.between()
	n.drop = drop.ID(q.number("drop", 1, int(drop.MaxID), 0))
	n.call = q.text("call", maxActor)
	n.outcome = q.word("outcome", "ok", "refused", "unknown")
	if name := q.text("actor", maxActor); name != "" {
		n.actor = actorOf(name)
	}
	return n
}

// actorOf returns a function that finds the entries of an actor. The text is a part of the actor's name, in any
// letter case, or the number of a token, with or without a # before it.
func actorOf(asked string) func(a *operator.Action) bool {
	fold := newFold()
	name, number := fold(asked), tokenNumber(asked)
	return func(a *operator.Action) bool {
		return number != 0 && a.Token == number || strings.Contains(fold(a.Name), name)
	}
}

// filters reports whether the query may skip some of the entries that it reads.
func (q *actionQuery) filters() bool {
	return q.from != 0 || q.to != 0 || q.drop != 0 || q.call != "" || q.outcome != "" || q.actor != nil
}

func (q *actionQuery) wants(a *operator.Action) bool {
	outcome := true
	switch q.outcome {
	case "ok":
		outcome = isOK(a.Outcome)
	case "refused":
		outcome = a.Outcome != "" && !isOK(a.Outcome)
	case "unknown":
		outcome = a.Outcome == ""
	}
	return outcome && a.At >= q.from && (q.to == 0 || a.At < q.to) && (q.drop == 0 || a.Drop == q.drop) &&
		(q.call == "" || a.Call == q.call) && (q.actor == nil || q.actor(a))
}

// listActions answers with a page of the log. Each read is short and has its own snapshot, as for purchases.
func (a *api) listActions(w http.ResponseWriter, r *http.Request) error {
	asked := queryOf(r)
	q := asked.actions()
	if asked.err != nil {
		return asked.err
	}
	answer, err := a.findActions(r.Context(), &q)
	if err != nil {
		return err
	}
	writeJSON(w, answer)
	return nil
}

func (a *api) findActions(ctx context.Context, q *actionQuery) (*actionsAnswer, error) {
	answer := &actionsAnswer{Actions: []actionAnswer{}}
	begun := time.Now()
	at, err := a.actionBefore(ctx, q)
	if err != nil {
		return nil, err
	}
	page := q.limit + 1 // one more, to see whether the list goes on
	if q.filters() {
		page = actionsPage
	}
	for {
		found, more, err := a.actionsPage(ctx, at, page)
		if err != nil {
			return nil, err
		}
		for i := range found {
			f := &found[i]
			switch {
			case f.At < q.from-outOfOrder:
				return answer, nil
			case !q.wants(f):
			case len(answer.Actions) == q.limit: // the list goes on
				answer.Next = &answer.Actions[q.limit-1].ID
				return answer, nil
			default:
				answer.Actions = append(answer.Actions, answerAction(f))
			}
		}
		if !more {
			return answer, nil
		}
		at = found[len(found)-1].ID
		if time.Since(begun) > searchTime {
			answer.Next = &at
			return answer, nil
		}
	}
}

func (a *api) actionsPage(ctx context.Context, before operator.ActionID, size int) (found []operator.Action, more bool, err error) {
	found, err = engine.Ask(ctx, a.engine, func(s store.Records) ([]operator.Action, error) { return s.Actions(ctx, before, size+1) })
	found, more = pageOf(found, size)
	return found, more, err
}

// actionBefore returns the entry before which to begin reading. It skips entries that are too new by a binary search,
// because times rise with numbers, except for outOfOrder.
func (a *api) actionBefore(ctx context.Context, q *actionQuery) (operator.ActionID, error) {
	if q.to == 0 {
		return q.before, nil
	}
	newest, _, err := a.actionsPage(ctx, q.before, 1)
	if err != nil || len(newest) == 0 || newest[0].At < q.to {
		return q.before, err
	}
	low, high := operator.ActionID(1), newest[0].ID+1 // entries below low are old enough; those from high on are too new
	for low < high {
		middle := low + (high-low)/2
		found, _, err := a.actionsPage(ctx, middle+1, 1)
		switch {
		case err != nil:
			return 0, err
		case len(found) == 0:
			low = middle + 1
		case found[0].At >= q.to+outOfOrder:
			high = found[0].ID
		default:
			low = middle + 1
		}
	}
	return high, nil
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

// isOK reports whether an outcome says that the call succeeded.
func isOK(outcome string) bool { return outcome == "ok" || strings.HasPrefix(outcome, "ok, ") }

// tokenNumber reads the number of a token, with or without a # before it. It returns 0 for anything else.
func tokenNumber(s string) operator.TokenID {
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "#"), 10, 53)
	if err != nil || n < 0 {
		return 0
	}
	return operator.TokenID(n)
}
