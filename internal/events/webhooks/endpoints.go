package webhooks

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/text"
)

// Limits on what operators may ask for.
const (
	MaxEndpoints   = 100
	MaxDescription = 200 // characters
	MaxDrops       = 100 // drops that one endpoint names
	MaxReplay      = 100_000
	MaxReplays     = 10 // waiting replays of one endpoint
	// OldSecretFor is how long the previous secret signs too after a rotation.
	OldSecretFor = 24 * time.Hour
)

// TestType is the type of test messages. There are no events of that type.
const TestType = "webhook.test"

// Store is what endpoints need of a store.
type Store interface {
	store.Webhooks
	Heads(ctx context.Context) ([]store.Head, error)
}

// Endpoints is what operators do with endpoints. Its methods are safe for concurrent use, also by several servers.
// They refuse with a *drop.Error: CodeInvalid names the field, and CodeWebhookNotFound an unknown endpoint. They
// return failures of the store unchanged.
type Endpoints struct {
	store        Store
	feed         *events.Feed
	poster       Poster
	allowPrivate bool
	// Changed, if not nil, is called after each change, before the operator is answered. A deliverer in the same
	// process takes the change over: see Deliverer.Look.
	Changed func(ctx context.Context)

	counting sync.Mutex // held from counting what is there until one more is stored
}

// NewEndpoints returns the endpoints in a store. allowPrivate also accepts addresses of this machine and of private
// networks, and plain HTTP; the poster must then allow them too.
func NewEndpoints(s Store, feed *events.Feed, poster Poster, allowPrivate bool) *Endpoints {
	return &Endpoints{store: s, feed: feed, poster: poster, allowPrivate: allowPrivate}
}

// Spec describes an endpoint to create.
type Spec struct {
	URL         string
	Description string
	Types       []events.Type // empty: all
	Drops       []drop.ID     // empty: all except those that rehearsals sell
}

// Status says how deliveries to an endpoint go. It is sent to clients; do not change the words.
type Status string

// The states of an endpoint.
const (
	StatusActive   Status = "active"
	StatusFailing  Status = "failing" // some event could not be delivered yet
	StatusDisabled Status = "disabled"
)

// Endpoint is an endpoint, and what the server that delivers to it last reported.
type Endpoint struct {
	store.Webhook

	Report Report
	Holder string // which server delivers to it; empty: none
}

// Status returns how deliveries go.
func (e *Endpoint) Status() Status {
	switch {
	case e.Disabled != "":
		return StatusDisabled
	case len(e.Report.Retries) > 0:
		return StatusFailing
	default:
		return StatusActive
	}
}

// Filter returns what the endpoint wants.
func (e *Endpoint) Filter() events.Filter { return FilterOf(&e.Webhook) }

// Create stores a new endpoint, which gets everything that happens from now on. No later call returns the secret.
func (e *Endpoints) Create(ctx context.Context, s Spec) (Endpoint, Secret, error) {
	hook, err := e.hookOf(ctx, &s)
	if err != nil {
		return Endpoint{}, "", err
	}
	e.counting.Lock()
	defer e.counting.Unlock()
	there, err := e.store.Webhooks(ctx)
	if err != nil {
		return Endpoint{}, "", err
	}
	if len(there) >= MaxEndpoints {
		return Endpoint{}, "", drop.Invalid("webhooks", fmt.Sprintf("must be at most %d; delete one that you no longer need", MaxEndpoints))
	}
	now, err := e.feed.Now(ctx)
	if err != nil {
		return Endpoint{}, "", err
	}
	secret := NewSecret()
	hook.Secret, hook.Start = string(secret), now.String()
	if hook, err = e.store.CreateWebhook(ctx, hook); err != nil {
		return Endpoint{}, "", err
	}
	e.changed(ctx)
	return Endpoint{Webhook: hook}, secret, nil
}

// hookOf checks a spec and returns the row that it asks for, without secret and start.
func (e *Endpoints) hookOf(ctx context.Context, s *Spec) (store.Webhook, error) {
	if err := CheckURL(s.URL, e.allowPrivate); err != nil {
		return store.Webhook{}, err
	}
	hook := store.Webhook{URL: s.URL}
	if s.Description != "" {
		normal, fault := text.Title(s.Description)
		switch {
		case fault != "" && strings.TrimSpace(s.Description) != "":
			return hook, drop.Invalid("description", string(fault))
		case utf8.RuneCountInString(normal) > MaxDescription:
			return hook, drop.Invalid("description", fmt.Sprintf("must have at most %d characters", MaxDescription))
		}
		hook.Description = normal
	}
	var types, drops []string
	for _, t := range s.Types {
		switch {
		case !t.Known():
			return hook, drop.Invalid("types", fmt.Sprintf("names %.40q, which is no type of event; the types are %s", t, typeList()))
		case slices.Contains(types, string(t)):
			return hook, drop.Invalid("types", "must not repeat "+string(t))
		}
		types = append(types, string(t))
	}
	if err := e.checkDrops(ctx, s.Drops); err != nil {
		return hook, err
	}
	for _, id := range s.Drops {
		drops = append(drops, strconv.FormatInt(int64(id), 10))
	}
	hook.Types, hook.Drops = strings.Join(types, ","), strings.Join(drops, ",")
	return hook, nil
}

func typeList() string {
	names := events.TypeNames()
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

func (e *Endpoints) checkDrops(ctx context.Context, named []drop.ID) error {
	if len(named) == 0 {
		return nil
	}
	if len(named) > MaxDrops {
		return drop.Invalid("drops", fmt.Sprintf("must name at most %d drops; leave it out to get the events of all drops", MaxDrops))
	}
	heads, err := e.store.Heads(ctx)
	if err != nil {
		return err
	}
	for i, id := range named {
		if _, there := headOf(heads, id); !there {
			return drop.Invalid("drops", fmt.Sprintf("names drop %d, which does not exist", id))
		}
		if slices.Contains(named[:i], id) {
			return drop.Invalid("drops", fmt.Sprintf("must not repeat drop %d", id))
		}
	}
	return nil
}

func headOf(heads []store.Head, id drop.ID) (store.Head, bool) {
	i, found := slices.BinarySearchFunc(heads, id, func(h store.Head, id drop.ID) int { return int(h.ID - id) })
	if !found {
		return store.Head{}, false
	}
	return heads[i], true
}

// List returns all endpoints in ascending order of their numbers.
func (e *Endpoints) List(ctx context.Context) ([]Endpoint, error) {
	hooks, err := e.store.Webhooks(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := e.store.Deliveries(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Endpoint, len(hooks))
	for i, hook := range hooks {
		var row *store.Delivery
		if n := slices.IndexFunc(rows, func(d store.Delivery) bool { return d.Webhook == hook.ID }); n >= 0 {
			row = &rows[n]
		}
		all[i] = endpointOf(&hook, row)
	}
	return all, nil
}

// endpointOf joins an endpoint's rows. A report that cannot be read hides nothing else of the endpoint.
func endpointOf(hook *store.Webhook, row *store.Delivery) Endpoint {
	e := Endpoint{Webhook: *hook}
	if row != nil {
		e.Report, _ = ParseReport(row.Report)
		e.Holder = row.Holder
	}
	return e
}

// Get returns one endpoint.
func (e *Endpoints) Get(ctx context.Context, id store.WebhookID) (Endpoint, error) {
	hook, err := find(ctx, e.store, id)
	if err != nil {
		return Endpoint{}, err
	}
	return e.complete(ctx, &hook)
}

func find(ctx context.Context, s store.Endpoints, id store.WebhookID) (store.Webhook, error) {
	hooks, err := s.Webhooks(ctx)
	if err != nil {
		return store.Webhook{}, err
	}
	i := slices.IndexFunc(hooks, func(w store.Webhook) bool { return w.ID == id })
	if i < 0 {
		return store.Webhook{}, drop.Refuse(drop.CodeWebhookNotFound)
	}
	return hooks[i], nil
}

func (e *Endpoints) changed(ctx context.Context) {
	if e.Changed != nil {
		e.Changed(ctx)
	}
}

// complete adds what is reported about an endpoint.
func (e *Endpoints) complete(ctx context.Context, hook *store.Webhook) (Endpoint, error) {
	row, found, err := e.store.Delivery(ctx, hook.ID)
	if err != nil || !found {
		return Endpoint{Webhook: *hook}, err
	}
	return endpointOf(hook, &row), nil
}

// Delete deletes an endpoint and returns it as it was.
func (e *Endpoints) Delete(ctx context.Context, id store.WebhookID) (Endpoint, error) {
	was, err := e.Get(ctx, id)
	if err != nil {
		return Endpoint{}, err
	}
	if err := e.store.DeleteWebhook(ctx, id); err != nil {
		return Endpoint{}, err
	}
	e.changed(ctx)
	return was, nil
}

// Rotate gives an endpoint a new secret, which no later call returns. The previous one is valid for OldSecretFor more.
func (e *Endpoints) Rotate(ctx context.Context, id store.WebhookID) (Endpoint, Secret, error) {
	secret := NewSecret()
	rotated, err := e.change(ctx, id, func(w *store.Webhook) bool {
		w.OldSecret, w.OldUntil = w.Secret, drop.TimeOf(time.Now().Add(OldSecretFor))
		w.Secret = string(secret)
		return true
	})
	return rotated, secret, err
}

// Disable stops deliveries to an endpoint. It keeps its position, and the reason why it is disabled if it is already.
func (e *Endpoints) Disable(ctx context.Context, id store.WebhookID) (Endpoint, error) {
	return e.change(ctx, id, func(w *store.Webhook) bool {
		if w.Disabled != "" {
			return false
		}
		w.Disabled, w.DisabledAt = string(ByOperator), drop.TimeOf(time.Now())
		return true
	})
}

// Enable makes deliveries go on where they were. Whatever failed before is due at once, and has GiveUpAfter again.
func (e *Endpoints) Enable(ctx context.Context, id store.WebhookID) (Endpoint, error) {
	hook, err := find(ctx, e.store, id)
	if err != nil {
		return Endpoint{}, err
	}
	if hook.Disabled != "" { // first, because a server may begin to deliver right after
		if err := e.changeReport(ctx, &hook, func(r *Report) bool {
			had := len(r.Retries) > 0
			r.Retries = nil
			return had
		}); err != nil {
			return Endpoint{}, err
		}
	}
	return e.change(ctx, id, func(w *store.Webhook) bool {
		was := w.Disabled
		w.Disabled, w.DisabledAt = "", 0
		return was != ""
	})
}

// change applies to an endpoint what do does. If do returns false, change stores nothing.
func (e *Endpoints) change(ctx context.Context, id store.WebhookID, do func(*store.Webhook) bool) (Endpoint, error) {
	hook, err := change(ctx, e.store, id, do)
	if err != nil {
		return Endpoint{}, err
	}
	e.changed(ctx)
	return e.complete(ctx, &hook)
}

// change applies to a webhook what do does, in place of exactly the one that do has seen, and returns it. If do returns
// false, change stores nothing. It refuses with CodeWebhookNotFound.
func change(ctx context.Context, s store.Endpoints, id store.WebhookID, do func(*store.Webhook) bool) (store.Webhook, error) {
	for {
		hook, err := find(ctx, s, id)
		if err != nil {
			return hook, err
		}
		to, done := hook, true
		if do(&to) {
			done, err = s.ReplaceWebhook(ctx, hook, to)
		}
		switch {
		case err != nil:
			return hook, err
		case done:
			return to, nil
		case ctx.Err() != nil:
			return hook, ctx.Err()
		}
	}
}

// changeReport applies to an endpoint's report what do does, unless do returns false. A server that delivers to the
// endpoint replaces the report with its own, except for test messages.
func (e *Endpoints) changeReport(ctx context.Context, hook *store.Webhook, do func(*Report) bool) error {
	for {
		row, found, err := e.store.Delivery(ctx, hook.ID)
		if err != nil {
			return err
		}
		var report Report
		if found {
			if report, err = ParseReport(row.Report); err != nil {
				return err
			}
		}
		if !do(&report) {
			return nil
		}
		if !found {
			err = e.store.StartDelivery(ctx, store.Delivery{Webhook: hook.ID, Position: hook.Start, Report: report.String()})
			if err == nil || store.ClassOf(err) != store.ClassFault {
				return err
			}
			if _, there, readErr := e.store.Delivery(ctx, hook.ID); readErr != nil || !there { // no server was faster: it is a fault
				return errors.Join(err, readErr)
			}
			continue
		}
		to := row
		to.Report = report.String()
		done, err := e.store.ReplaceDelivery(ctx, row, to)
		if err != nil || done {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// Replay has events of a drop sent to an endpoint again, from one number to another, under the same IDs. last 0 means
// the newest event. A disabled endpoint gets them once it is enabled.
func (e *Endpoints) Replay(ctx context.Context, id store.WebhookID, of drop.ID, first, last int64) (store.Replay, error) {
	hook, err := find(ctx, e.store, id)
	if err != nil {
		return store.Replay{}, err
	}
	if first < 1 {
		return store.Replay{}, drop.Invalid("from", "must be a whole number from 1")
	}
	if last != 0 && last < first {
		return store.Replay{}, drop.Invalid("to", "must not be below from; leave it out to send everything up to the newest event")
	}
	end, err := e.feed.End(ctx, of)
	newest := end.Event
	switch {
	case drop.CodeOf(err) == drop.CodeDropNotFound:
		return store.Replay{}, drop.Invalid("dropId", fmt.Sprintf("names drop %d, which does not exist", of))
	case err != nil:
		return store.Replay{}, err
	case first > newest:
		return store.Replay{}, drop.Invalid("from", fmt.Sprintf("must be at most %d, the number of the drop's newest event", newest))
	}
	if f := FilterOf(&hook); len(f.Drops) > 0 && !slices.Contains(f.Drops, of) {
		return store.Replay{}, drop.Invalid("dropId", "must be one of the drops that the webhook takes")
	}
	if last == 0 {
		last = newest
	}
	if last-first >= MaxReplay {
		return store.Replay{}, drop.Invalid("to", fmt.Sprintf("must be less than %d above from; replay the rest after that", MaxReplay))
	}
	if last > newest {
		return store.Replay{}, drop.Invalid("to", fmt.Sprintf("must be at most %d, the number of the drop's newest event", newest))
	}
	e.counting.Lock()
	defer e.counting.Unlock()
	waiting, err := e.store.Replays(ctx)
	if err != nil {
		return store.Replay{}, err
	}
	waiting = slices.DeleteFunc(waiting, func(r store.Replay) bool { return r.Webhook != id })
	if len(waiting) >= MaxReplays {
		return store.Replay{}, drop.Invalid("replays", fmt.Sprintf("that wait for a webhook must be at most %d; try again once one of them is done", MaxReplays))
	}
	replay, err := e.store.AddReplay(ctx, store.Replay{Webhook: id, Drop: of, First: first, Last: last})
	if err == nil {
		e.changed(ctx)
	}
	return replay, err
}

// Test sends a test message to an endpoint, which may be disabled, and returns what became of it. The message is not
// tried again.
func (e *Endpoints) Test(ctx context.Context, id store.WebhookID) (Record, error) {
	hook, err := find(ctx, e.store, id)
	if err != nil {
		return Record{}, err
	}
	now := time.Now()
	m := testMessage(now)
	m.Secrets = secretsOf(&hook, drop.TimeOf(now))
	attempt := e.poster.Send(ctx, hook.URL, m)
	if ctx.Err() != nil && attempt.Outcome != Delivered {
		return Record{}, ctx.Err()
	}
	record := recordOf(&attempt, "", m.Type, 1)
	err = e.changeReport(context.WithoutCancel(ctx), &hook, func(r *Report) bool {
		r.Attempts = withTest(r.Attempts, &record)
		return true
	})
	if err != nil { // it was sent, which counts more than its entry
		return record, nil //nolint:nilerr // as the comment says
	}
	return record, nil
}

func testMessage(now time.Time) Message {
	at := string(drop.TimeOf(now).AppendFormat(nil))
	m := Message{ID: "test-" + rand.Text(), Type: TestType}
	body, err := json.Marshal(struct {
		ID        string   `json:"id"`
		Type      string   `json:"type"`
		At        string   `json:"at"`
		Timestamp string   `json:"timestamp"`
		Data      struct{} `json:"data"`
	}{ID: m.ID, Type: m.Type, At: at, Timestamp: at})
	if err != nil {
		panic(err) // a plain struct
	}
	m.Body = body
	return m
}

// withTest puts the attempt of a test message where it belongs among others, newest first.
func withTest(attempts []Record, test *Record) []Record {
	i := 0
	for i < len(attempts) && attempts[i].At > test.At {
		i++
	}
	all := slices.Insert(slices.Clone(attempts), i, *test)
	return all[:min(len(all), MaxRecords)]
}

// secretsOf returns the secrets that sign at that time.
func secretsOf(hook *store.Webhook, now drop.Time) []Secret {
	secrets := []Secret{Secret(hook.Secret)}
	if hook.OldSecret != "" && now < hook.OldUntil {
		secrets = append(secrets, Secret(hook.OldSecret))
	}
	return secrets
}

// Attempts returns the newest attempts to deliver to an endpoint, newest first, at most MaxRecords.
func (e *Endpoints) Attempts(ctx context.Context, id store.WebhookID) ([]Record, error) {
	found, err := e.Get(ctx, id)
	return found.Report.Attempts, err
}
