package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/events/webhooks"
	"sneakerdrop/internal/store"
)

type (
	webhooksAnswer struct {
		Webhooks []webhookAnswer `json:"webhooks" nullable:"false" doc:"In ascending order of id"`
	}
	webhookAnswer struct {
		ID          store.WebhookID  `json:"id"`
		URL         string           `json:"url" doc:"Where events are sent"`
		Description string           `json:"description"`
		Types       []events.Type    `json:"types" nullable:"false" doc:"Types of the events that are sent. Empty: all"`
		Drops       []drop.ID        `json:"drops" nullable:"false" doc:"Drops whose events are sent. Empty: all except those of rehearsals"`
		Status      webhooks.Status  `json:"status" enum:"active,failing,disabled" doc:"failing: some event could not be delivered yet"`
		Disabled    *webhooks.Reason `json:"disabled_reason" nullable:"true" doc:"operator, gone or failed. gone: the receiver answered 410. failed: an event could not be delivered for 5 days. null: not disabled"`
		DisabledAt  *instant         `json:"disabled_at" nullable:"true"`
		CreatedAt   instant          `json:"createdAt"`
		OldUntil    *instant         `json:"old_secret_until" nullable:"true" doc:"Until when the previous secret signs too. null: only the current one signs"`
		Failing     *instant         `json:"failing_since" nullable:"true" doc:"When the oldest event that could not be delivered yet was first tried"`
		Next        *instant         `json:"next_attempt_at" nullable:"true" doc:"When the next of the events that could not be delivered is tried again"`
		Succeeded   *instant         `json:"last_success_at" nullable:"true"`
		Lag         lagAnswer        `json:"lag"`
		Secret      webhooks.Secret  `json:"secret,omitzero" doc:"What signatures are made with. Only the answers to the creation and to a rotation have it"`
	}
	lagAnswer struct {
		Events  int64   `json:"events" doc:"Events that wait for delivery"`
		Seconds float64 `json:"seconds" doc:"How long the oldest of them has waited"`
	}
	attemptsAnswer struct {
		Attempts []attemptAnswer `json:"attempts" nullable:"false" doc:"Newest first, at most 50"`
	}
	attemptAnswer struct {
		At      instant          `json:"at"`
		Event   *string          `json:"event" doc:"Id of the event. null: a test message"`
		Type    string           `json:"type"`
		Attempt int              `json:"attempt" doc:"The how many-th attempt to deliver this event, from 1"`
		Outcome webhooks.Outcome `json:"outcome" enum:"delivered,failed,gone,refused" doc:"delivered: the receiver answered 2xx. gone: it answered 410. refused: its address is not allowed"`
		Status  *int             `json:"status" doc:"Status of the receiver's answer. null: there was none"`
		Took    int64            `json:"took_ms"`
		Answer  *string          `json:"answer" doc:"First 500 characters of the receiver's answer"`
		Error   *string          `json:"error" doc:"Why it was not delivered, as a sentence. null: it was"`
		Next    *instant         `json:"next_attempt_at" nullable:"true" doc:"When it is tried again. null: it is not"`
	}
	replayAnswer struct {
		DropID drop.ID `json:"dropId"`
		From   int64   `json:"from"`
		To     int64   `json:"to"`
	}
	webhookRequest struct {
		URL         *string  `json:"url" required:"true" nullable:"false" maxLength:"2000" doc:"An https address. The server must run with --webhook-allow-private to accept http, this machine and private networks"`
		Types       []string `json:"types,omitempty" nullable:"true" maxItems:"9" doc:"Only events of these types. Empty, null or left out: all"`
		Drops       []whole  `json:"drops,omitempty" nullable:"true" maxItems:"100" doc:"Only events of these drops. Empty, null or left out: all except those of rehearsals"`
		Description *string  `json:"description,omitempty" nullable:"true" maxLength:"200" doc:"What the receiver is, for people"`
	}
	replayRequest struct {
		DropID *whole `json:"dropId" required:"true" nullable:"false" minimum:"1" doc:"The drop whose events are sent again"`
		From   *whole `json:"from" required:"true" nullable:"false" minimum:"1" doc:"seq of the first event"`
		To     *whole `json:"to,omitzero" nullable:"true" minimum:"1" doc:"seq of the last event, less than 100,000 above from. null or left out: the newest event"`
	}
)

// ask makes a call of the endpoints, and retries it while the store fails without having done anything.
func ask[T any](ctx context.Context, a *api, call func(*webhooks.Endpoints) (T, error)) (T, error) {
	return engine.Ask(ctx, a.engine, func(store.Records) (T, error) { return call(a.endpoints) })
}

func (a *api) listWebhooks(w http.ResponseWriter, r *http.Request) error {
	found, err := ask(r.Context(), a, func(e *webhooks.Endpoints) ([]webhooks.Endpoint, error) { return e.List(r.Context()) })
	if err != nil {
		return err
	}
	answer := webhooksAnswer{Webhooks: make([]webhookAnswer, len(found))}
	for i := range found {
		answer.Webhooks[i] = answerWebhook(&found[i])
	}
	writeJSON(w, &answer)
	return nil
}

func answerWebhook(e *webhooks.Endpoint) webhookAnswer {
	f := e.Filter()
	answer := webhookAnswer{
		ID: e.ID, URL: e.URL, Description: e.Description, Types: append([]events.Type{}, f.Types...), Drops: append([]drop.ID{}, f.Drops...),
		Status: e.Status(), DisabledAt: (*instant)(unlessZero(&e.DisabledAt)), CreatedAt: instant(e.CreatedAt),
		Failing: instantOf(e.Report.FailingSince()), Succeeded: instantOf(e.Report.Succeeded),
		Lag: lagAnswer{e.Report.Behind, float64(e.Report.Lag) / 1000},
	}
	if e.Disabled != "" {
		answer.Disabled = new(webhooks.Reason(e.Disabled))
	} else {
		answer.Next = instantOf(e.Report.NextAttempt())
	}
	if e.OldUntil > drop.TimeOf(time.Now()) {
		answer.OldUntil = instantOf(e.OldUntil)
	}
	return answer
}

// instantOf returns nil for 0, which stands for no time.
func instantOf(t drop.Time) *instant { return (*instant)(unlessZero(&t)) }

func (a *api) createWebhook(w http.ResponseWriter, r *http.Request) error {
	in, retry, err := asked[webhookRequest](w, r)
	if err != nil {
		return err
	}
	url, err := required("url", in.URL)
	if err != nil {
		return err
	}
	spec := webhooks.Spec{URL: url, Description: optional(in.Description)}
	for _, t := range in.Types {
		spec.Types = append(spec.Types, events.Type(t))
	}
	for _, id := range in.Drops {
		spec.Drops = append(spec.Drops, drop.ID(id))
	}
	request := fmt.Sprintf("%q %q %q %d", spec.URL, spec.Description, spec.Types, spec.Drops)
	return a.newWebhooks.serve(w, r, keptCall{createWebhookID, retry, request, "webhook"}, func() (any, int64, error) {
		return a.withSecret(r.Context(), func(e *webhooks.Endpoints) (webhooks.Endpoint, webhooks.Secret, error) {
			return e.Create(r.Context(), spec)
		})
	})
}

func (a *api) rotateWebhook(w http.ResponseWriter, r *http.Request) error {
	id, retry, err := webhookAndRetry(w, r)
	if err != nil {
		return err
	}
	return a.newWebhooks.serve(w, r, keptCall{rotateWebhookID, retry, fmt.Sprint(id), "webhook"}, func() (any, int64, error) {
		return a.withSecret(r.Context(), func(e *webhooks.Endpoints) (webhooks.Endpoint, webhooks.Secret, error) {
			return e.Rotate(r.Context(), id)
		})
	})
}

// withSecret makes a call that returns a new secret, and answers with it.
func (a *api) withSecret(ctx context.Context, do func(*webhooks.Endpoints) (webhooks.Endpoint, webhooks.Secret, error)) (answer any, id int64, err error) {
	var secret webhooks.Secret
	made, err := ask(ctx, a, func(e *webhooks.Endpoints) (made webhooks.Endpoint, err error) {
		made, secret, err = do(e)
		return made, err
	})
	if err != nil {
		return nil, 0, refuseWebhookRights(err)
	}
	shown := answerWebhook(&made)
	shown.Secret = secret
	return &shown, int64(made.ID), nil
}

// refuseWebhookRights explains that the server's role in the database may not change webhooks.
func refuseWebhookRights(err error) error {
	if !errors.Is(err, store.ErrRights) {
		return err
	}
	return &drop.Error{Code: codeForbidden, Rule: "This server's database role may not change webhooks; use sneakerdrop webhook " +
		"with the role that owns the tables"}
}

// webhookAndRetry reads the number of a webhook and the idempotency key of a call without a body.
func webhookAndRetry(w http.ResponseWriter, r *http.Request) (store.WebhookID, engine.Retry, error) {
	id, err := webhookOf(r)
	if err != nil {
		return 0, engine.Retry{}, err
	}
	retry, err := readRetry(w, r)
	if err != nil {
		return 0, engine.Retry{}, err
	}
	return id, retry, readNoBody(w, r)
}

func webhookOf(r *http.Request) (store.WebhookID, error) {
	n, err := pathNumber(r)
	if err == nil && (n < 1 || n > drop.MaxSafeInteger) {
		err = drop.Refuse(drop.CodeWebhookNotFound)
	}
	return store.WebhookID(n), err
}

func (a *api) enableWebhook(w http.ResponseWriter, r *http.Request) error {
	return a.switchWebhook(w, r, (*webhooks.Endpoints).Enable)
}

func (a *api) disableWebhook(w http.ResponseWriter, r *http.Request) error {
	return a.switchWebhook(w, r, (*webhooks.Endpoints).Disable)
}

// switchWebhook makes a call that changes nothing when it is repeated, so no answer is kept.
func (a *api) switchWebhook(w http.ResponseWriter, r *http.Request, do func(*webhooks.Endpoints, context.Context, store.WebhookID) (webhooks.Endpoint, error)) error {
	id, _, err := webhookAndRetry(w, r)
	if err != nil {
		return err
	}
	return a.changeWebhook(w, r, id, do)
}

func (a *api) changeWebhook(
	w http.ResponseWriter, r *http.Request, id store.WebhookID, do func(*webhooks.Endpoints, context.Context, store.WebhookID) (webhooks.Endpoint, error),
) error {
	found, err := ask(r.Context(), a, func(e *webhooks.Endpoints) (webhooks.Endpoint, error) { return do(e, r.Context(), id) })
	if err != nil {
		return refuseWebhookRights(err)
	}
	made(w, "webhook", int64(id))
	writeJSON(w, new(answerWebhook(&found)))
	return nil
}

func (a *api) deleteWebhook(w http.ResponseWriter, r *http.Request) error {
	id, err := webhookOf(r)
	if err != nil {
		return err
	}
	return a.changeWebhook(w, r, id, (*webhooks.Endpoints).Delete)
}

func (a *api) replayWebhook(w http.ResponseWriter, r *http.Request) error {
	id, err := webhookOf(r)
	if err != nil {
		return err
	}
	in, retry, err := asked[replayRequest](w, r)
	if err != nil {
		return err
	}
	of, err := required("dropId", in.DropID)
	if err != nil {
		return err
	}
	first, err := required("from", in.From)
	if err != nil {
		return err
	}
	if in.To != nil && *in.To < 1 {
		return drop.Invalid("to", "must be a whole number from 1; leave it out to send everything up to the newest event")
	}
	last := optional(in.To)
	return a.newWebhooks.serve(w, r, keptCall{replayWebhookID, retry, fmt.Sprint(id, of, first, last), "webhook"}, func() (any, int64, error) {
		added, err := ask(r.Context(), a, func(e *webhooks.Endpoints) (store.Replay, error) {
			return e.Replay(r.Context(), id, drop.ID(of), int64(first), int64(last))
		})
		return &replayAnswer{added.Drop, added.First, added.Last}, int64(id), refuseWebhookRights(err)
	})
}

const (
	// maxTests is how many test messages are sent at once.
	maxTests = 16
	// testTime is how long a test may take. The sender itself allows 15 s.
	testTime = 25 * time.Second
)

// testWebhook waits for the receiver, longer than other calls may take.
func (a *api) testWebhook(w http.ResponseWriter, r *http.Request) error {
	id, retry, err := webhookAndRetry(w, r)
	if err != nil {
		return err
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(testTime + pageWriteTimeout))
	ctx, cancel := context.WithTimeout(r.Context(), testTime)
	defer cancel()
	return a.newWebhooks.serve(w, r.WithContext(ctx), keptCall{testWebhookID, retry, fmt.Sprint(id), "webhook"}, func() (any, int64, error) {
		if a.tests.Add(1) > maxTests {
			a.tests.Add(-1)
			return nil, 0, &drop.Error{Code: codeOverloaded, Rule: "Too many webhooks are being tested at the moment and no message was sent; try again after Retry-After seconds"}
		}
		defer a.tests.Add(-1)
		record, err := ask(ctx, a, func(e *webhooks.Endpoints) (webhooks.Record, error) { return e.Test(ctx, id) })
		return new(answerAttempt(&record)), int64(id), err
	})
}

func (a *api) listAttempts(w http.ResponseWriter, r *http.Request) error {
	id, err := webhookOf(r)
	if err != nil {
		return err
	}
	found, err := ask(r.Context(), a, func(e *webhooks.Endpoints) ([]webhooks.Record, error) { return e.Attempts(r.Context(), id) })
	if err != nil {
		return err
	}
	answer := attemptsAnswer{Attempts: make([]attemptAnswer, len(found))}
	for i := range found {
		answer.Attempts[i] = answerAttempt(&found[i])
	}
	writeJSON(w, &answer)
	return nil
}

func answerAttempt(r *webhooks.Record) attemptAnswer {
	return attemptAnswer{
		At: instant(r.At), Event: unlessZero(&r.Event), Type: r.Type, Attempt: r.Try, Outcome: r.Outcome, Status: unlessZero(&r.Status),
		Took: r.Took, Answer: unlessZero(&r.Answer), Error: unlessZero(&r.Error), Next: instantOf(r.Next),
	}
}
