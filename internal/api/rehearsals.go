package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/rehearse"
)

// Rehearsals starts rehearsals of drops on this server. They use the token of the operator who starts them.
type Rehearsals interface {
	// Begin returns once the rehearsal has started. It refuses with a *rehearse.LiveError, rehearse.ErrRunning or
	// CodeDropNotFound.
	Begin(ctx context.Context, token string, id drop.ID, buyers int) error
	State() rehearse.State
	// Past returns the rehearsals that have ended, newest first.
	Past() []rehearse.State
}

type (
	rehearseRequest struct {
		DropID *whole `json:"dropId" required:"true" nullable:"false" doc:"The drop to rehearse"`
		Buyers *whole `json:"buyers" required:"true" nullable:"false" minimum:"1" maximum:"20000" doc:"Number of simulated buyers"`
	}
	rehearsalAnswer struct {
		Running   bool             `json:"running"`
		DropID    *drop.ID         `json:"dropId" doc:"null: no rehearsal since the server started"`
		Buyers    int              `json:"buyers"`
		ElapsedMs int64            `json:"elapsed_ms"`
		Phase     string           `json:"phase" doc:"What is happening now, for people"`
		Reserved  int64            `json:"reserved"`
		Sold      int64            `json:"sold"`
		Refused   int64            `json:"refused"`
		Errors    int64            `json:"errors"`
		Failure   *string          `json:"failure" doc:"Why there is no result"`
		Result    *rehearse.Result `json:"result,omitzero" doc:"Absent while there is no result. Times are in milliseconds"`
		Past      []pastRehearsal  `json:"past" nullable:"false" doc:"Rehearsals that ended since the server started, newest first, at most 20"`
	}
	pastRehearsal struct {
		DropID  drop.ID          `json:"dropId"`
		Buyers  int              `json:"buyers"`
		Began   instant          `json:"began"`
		Failure *string          `json:"failure" doc:"Why there is no result"`
		Result  *rehearse.Result `json:"result,omitzero"`
	}
)

// beginTimeout bounds the checks before a rehearsal starts.
const beginTimeout = 8 * time.Second

// beginning is the call that started the last rehearsal. A call with the same key does not start another one.
type beginning struct {
	mu          sync.Mutex
	caller, key string
	drop        drop.ID
	buyers      int
}

func (a *api) beginRehearsal(w http.ResponseWriter, r *http.Request) error {
	in, retry, err := asked[rehearseRequest](w, r)
	if err != nil {
		return err
	}
	id, err := required("dropId", in.DropID)
	if err != nil {
		return err
	}
	concerns(w, drop.ID(id))
	buyers, err := required("buyers", in.Buyers)
	if err != nil {
		return err
	}
	if buyers < 1 || buyers > rehearse.MaxBuyers {
		return drop.Invalid("buyers", "must be from 1 to 20000")
	}
	last := &a.beginning
	last.mu.Lock()
	defer last.mu.Unlock()
	if retry.Key != "" && retry.Key == last.key && retry.Caller == last.caller {
		if last.drop != drop.ID(id) || last.buyers != int(buyers) {
			return drop.Refuse(drop.CodeIdempotencyMismatch)
		}
		*retry.Replayed = true
		return a.showRehearsal(w, r)
	}
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	ctx, cancel := context.WithTimeout(r.Context(), beginTimeout)
	defer cancel()
	err = a.rehearsals.Begin(ctx, strings.TrimSpace(token), drop.ID(id), int(buyers))
	if live, ok := errors.AsType[*rehearse.LiveError](err); ok {
		return &drop.Error{Code: codeNotNow, Field: "rehearsal", Rule: "must wait: " + live.Sentence}
	}
	if errors.Is(err, rehearse.ErrRunning) {
		return &drop.Error{Code: codeNotNow, Field: "rehearsal", Rule: "must wait: another one is running"}
	}
	if err != nil {
		return err
	}
	last.caller, last.key, last.drop, last.buyers = retry.Caller, retry.Key, drop.ID(id), int(buyers)
	return a.showRehearsal(w, r)
}

func (a *api) showRehearsal(w http.ResponseWriter, _ *http.Request) error {
	s := a.rehearsals.State()
	p := &s.Progress
	answer := rehearsalAnswer{
		Running: s.Running, DropID: unlessZero(&s.Config.Drop), Buyers: s.Config.Buyers, ElapsedMs: p.Elapsed.Milliseconds(), Phase: p.Phase,
		Reserved: p.Reserved, Sold: p.Sold, Refused: p.Refused, Errors: p.Errors, Result: s.Result, Past: []pastRehearsal{},
	}
	for _, p := range a.rehearsals.Past() {
		past := pastRehearsal{DropID: p.Config.Drop, Buyers: p.Config.Buyers, Began: instant(drop.TimeOf(p.Began)), Result: p.Result}
		if p.Err != nil {
			past.Failure = new(p.Err.Error())
		}
		answer.Past = append(answer.Past, past)
	}
	if s.Err != nil {
		answer.Failure = new(s.Err.Error())
	}
	writeJSON(w, &answer)
	return nil
}

func (a *api) rehearsalRoutes() []route {
	if a.rehearsals == nil {
		return nil
	}
	const path, shown = "/api/operator/rehearsals", `{"running":true,"dropId":1,"buyers":1000,"elapsed_ms":0,"phase":"","reserved":0,"sold":0,` +
		`"refused":0,"errors":0,"failure":null,"past":[]}`
	answer := reflect.TypeFor[rehearsalAnswer]()
	return []route{
		{
			method: http.MethodPost, path: path, serve: a.beginRehearsal, operator: true,
			id: "rehearse", access: operators, tag: tagOperating, summary: "Rehearse a drop",
			text: "Makes a hidden copy of the drop, simulates buyers over HTTP and watchers over sockets, and archives the copy afterwards. It runs in the background; " +
				"GET returns its progress and its result. Only one rehearsal runs at a time, and none while a drop is on sale or starts within 10 minutes. " +
				"With the Idempotency-Key of the last rehearsal the call starts nothing and returns the progress of that one.",
			body: reflect.TypeFor[rehearseRequest](), examples: []example{{"rehearse", "A thousand buyers", `{"dropId":1,"buyers":1000}`}},
			answer: answer, answerExample: shown, codes: []drop.Code{drop.CodeDropNotFound, codeNotNow, codeOverloaded},
		},
		{
			method: http.MethodGet, path: path, serve: a.showRehearsal,
			id: "rehearsal", access: viewers, tag: tagOperating, summary: "Read the progress of the rehearsal", text: "The current or last rehearsal, and those before it. The operators' log leaves this call out.",
			answer: answer, answerExample: shown,
		},
	}
}
