package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/prometheus/client_golang/prometheus"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/store"
)

type (
	feedAnswer struct {
		Events []eventAnswer `json:"events" nullable:"false" doc:"Of one drop they are in the order of seq"`
		Next   string        `json:"next" doc:"Send it as after to get what comes later. It stays valid for as long as the shop exists"`
	}
	// eventAnswer describes what package events encodes.
	eventAnswer struct {
		ID      string      `json:"id" doc:"Identifies the event, also as webhook-id"`
		Type    events.Type `json:"type" enum:"drop.created,drop.updated,drop.sold_out,drop.back_in_stock,hold.created,hold.expired,hold.cancelled,waitlist.offered,waitlist.offer_expired,waitlist.offer_declined,purchase.completed,purchase.returned,purchase.refunded"`
		At      instant     `json:"at" doc:"When it happened"`
		DropID  drop.ID     `json:"dropId"`
		Seq     int64       `json:"seq" doc:"Numbers the events of the drop from 1 without gaps"`
		Version int64       `json:"version" doc:"The drop's version after it"`
		Data    eventData   `json:"data"`
	}
	eventData jsontext.Value
)

// Schema implements huma.SchemaProvider.
func (eventData) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Description: "Depends on type; docs/reference/events.md lists the members"}
}

const (
	feedPath = "/api/events"
	// maxWait is how many seconds a call may wait for events, maxWaiting how many calls may wait at once.
	maxWait, maxWaiting = 60, 1000
	maxFeedDrops        = 100
	// maxCursor limits a cursor, whose length grows with the number of drops that sold in the last day.
	maxCursor = 32 << 10
)

func (a *api) feedRoutes() []route {
	if a.feed == nil {
		return nil
	}
	longest := maxCursor
	names := make([]any, len(events.Types))
	for i, t := range events.Types {
		names[i] = t
	}
	list := func(name, description string, items *huma.Schema) *huma.Param {
		return &huma.Param{
			Name: name, In: "query", Description: description + ". Repeat it, or separate several by commas",
			Schema: &huma.Schema{Type: huma.TypeArray, Items: items}, Explode: new(false),
		}
	}
	return []route{{
		method: http.MethodGet, path: feedPath, serve: a.listEvents, streams: true, long: true,
		id: "list-events", access: viewers, tag: tagOperating, summary: "Read what happened to drops",
		text: "Every event of all drops, or those that type and drop choose, for other systems of the shop. Begin without after, or with after=now, " +
			"and then send next as after, also when the list is empty. With wait the server answers once there is an event. The events of one drop " +
			"come in the order of seq, and none is left out. After a failover of the database some may come twice. Emails of buyers are in it. " +
			"The operators' log leaves this call out.",
		params: []*huma.Param{
			{
				Name: "after", In: "query", Description: "The value of next from an earlier answer. now: only what happens from now on. Left out: from the beginning",
				Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &longest},
			},
			limitParam(maxPage),
			list("type", "Only events of this type", &huma.Schema{Type: huma.TypeString, Enum: names}),
			list("drop", "Only events of this drop, by its id. Left out: of all drops except those of rehearsals", dropParam().Schema),
			{
				Name: "wait", In: "query", Description: "How many seconds to wait if there is no event yet",
				Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: new(0.0), Maximum: new(float64(maxWait)), Default: 0},
			},
		},
		answer: reflect.TypeFor[feedAnswer](),
		answerExample: `{"events":[{"id":"1-3","type":"purchase.completed","at":"2026-01-31T10:00:02.345Z","dropId":1,"seq":3,"version":3,` +
			`"data":{"purchaseId":4294967297,"reservationId":4294967297,"userId":1099511627776,"username":"Ann","email":"ann@example.com","size":"9.5",` +
			`"price":119.99,"currency":"USD"}}],"next":"AbTphrPFaICAgAIAfN1Liw"}`,
		codes: []drop.Code{drop.CodeInvalid, drop.CodeDropNotFound, codeOverloaded},
	}}
}

// eventQuery is what a call asks of the feed.
type eventQuery struct {
	after  events.Cursor
	now    bool // from now on
	filter events.Filter
	limit  int
	wait   time.Duration
}

func (q *query) events() (asked eventQuery) {
	var err error
	switch given := q.values["after"]; {
	case len(given) == 0, len(given) == 1 && given[0] == "0": // as in other lists, the beginning
	case len(given) == 1 && given[0] == "now":
		asked.now = true
	case len(given) > 1:
		err = events.ErrCursor
	default:
		asked.after, err = events.ParseCursor(given[0])
	}
	if err != nil {
		q.refuse("after", "must be now, or the value of next from an earlier answer; leave it out to begin with the first event")
	}
	for _, t := range q.list("type") {
		if !events.Type(t).Known() {
			q.refuse("type", "must be a type of event, such as "+string(events.PurchaseCompleted))
		}
		if !slices.Contains(asked.filter.Types, events.Type(t)) {
			asked.filter.Types = append(asked.filter.Types, events.Type(t))
		}
	}
	for _, text := range q.list("drop") {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || !isDigits(text) || n < 1 || n > int64(drop.MaxID) {
			q.refuse("drop", "must be the id of a drop, which is a whole number")
		}
		if !slices.Contains(asked.filter.Drops, drop.ID(n)) {
			asked.filter.Drops = append(asked.filter.Drops, drop.ID(n))
		}
		if len(asked.filter.Drops) > maxFeedDrops {
			q.refuse("drop", "must name at most "+strconv.Itoa(maxFeedDrops)+" drops; leave it out to get the events of all drops")
			break
		}
	}
	asked.limit = q.limit()
	if given := q.values["wait"]; len(given) == 1 && given[0] != "s" {
		given[0] = strings.TrimSuffix(given[0], "s") // 20s is 20
	}
	asked.wait = time.Duration(q.number("wait", 0, maxWait, 0)) * time.Second
	return asked
}

// list reads a parameter that may be repeated, and may have several values separated by commas.
func (q *query) list(name string) (values []string) {
	for _, given := range q.values[name] {
		values = append(values, strings.Split(given, ",")...)
	}
	return values
}

// listEvents waits for events, if it shall, without holding anything but its connection.
func (a *api) listEvents(w http.ResponseWriter, r *http.Request) error {
	asked := queryOf(r)
	q := asked.events()
	if asked.err != nil {
		return asked.err
	}
	for _, id := range q.filter.Drops {
		if _, err := a.engine.View(r.Context(), id); err != nil {
			return err
		}
	}
	answer, err := a.readEvents(r.Context(), &q)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(pageWriteTimeout)) // the server's own may have passed
	if err != nil {
		return err
	}
	writeBody(w, http.StatusOK, answer)
	return nil
}

// feedPage is what one read of the feed returns.
type feedPage struct {
	found []events.Event
	next  events.Cursor
	more  bool
}

// readEvents returns the encoded answer.
func (a *api) readEvents(ctx context.Context, q *eventQuery) ([]byte, error) {
	if q.now {
		now, err := a.fromNow(ctx)
		if err != nil {
			return nil, err
		}
		q.after = now
	}
	begun, waits := time.Now(), false
	for {
		seen := a.feed.Generation() // before the read, so that nothing is missed in between
		page, err := a.feedPage(ctx, q)
		if err != nil {
			return nil, err
		}
		elapsed := time.Since(begun)
		if len(page.found) > 0 || elapsed >= q.wait && (!page.more || elapsed >= searchTime) {
			return encodeEvents(page.found, page.next.String()), nil
		}
		q.after = page.next
		if page.more { // many events that the caller does not want
			if !a.stopped() {
				continue
			}
			return encodeEvents(nil, page.next.String()), nil
		}
		if !waits {
			if a.waiting.Add(1) > maxWaiting {
				a.waiting.Add(-1)
				return nil, &drop.Error{Code: codeOverloaded, Rule: "Too many calls wait for events at the moment; try again after Retry-After seconds, or without wait"}
			}
			waits = true
			defer a.waiting.Add(-1)
		}
		if err := a.waitForNews(ctx, seen, q.wait-elapsed); err != nil {
			return nil, err
		}
		if a.stopped() {
			return encodeEvents(nil, page.next.String()), nil
		}
	}
}

func (a *api) fromNow(ctx context.Context) (events.Cursor, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout.after)
	defer cancel()
	return engine.Ask(ctx, a.engine, func(store.Records) (events.Cursor, error) { return a.feed.Now(ctx) })
}

func (a *api) feedPage(ctx context.Context, q *eventQuery) (feedPage, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout.after)
	defer cancel()
	return engine.Ask(ctx, a.engine, func(store.Records) (p feedPage, err error) {
		p.found, p.next, p.more, err = a.feed.Read(ctx, q.after, q.filter, q.limit)
		return p, err
	})
}

// waitForNews returns once some drop has changed, the time is up, or the server stops. It fails if the caller has
// disconnected.
func (a *api) waitForNews(ctx context.Context, seen uint64, most time.Duration) error {
	bounded, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.feed.Wait(bounded, seen)
	}()
	select {
	case <-ended:
	case <-a.stopping:
		cancel()
		<-ended
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(errReaderGone, err)
	}
	return nil
}

// waits measures how many calls wait.
func (a *api) waits() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sneakerdrop_event_waits", Help: "Calls of the feed that wait for events now.",
	}, func() float64 { return float64(a.waiting.Load()) })
}

// stopped reports whether the server stops.
func (a *api) stopped() bool {
	select {
	case <-a.stopping:
		return true
	default:
		return false
	}
}

func encodeEvents(found []events.Event, next string) []byte {
	var b bytes.Buffer
	parts := make([][]byte, len(found))
	for i := range found {
		parts[i] = found[i].JSON()
	}
	b.WriteString(`{"events":`)
	b.Write(joinArray(parts))
	b.WriteString(`,"next":"` + next + `"}`) // base64
	return b.Bytes()
}
