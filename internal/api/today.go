package api

import (
	"context"
	"net/http"
	"reflect"
	"sort"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
)

type (
	salesAnswer struct {
		At      instant          `json:"at" doc:"Current time on the clock that decides holds and start times"`
		Since   instant          `json:"since"`
		Units   int64            `json:"units" doc:"Units that buyers purchased since then, over all drops except rehearsals. Those that the shop took back later are among them"`
		Revenue float64          `json:"revenue" doc:"What buyers paid for these units. Refunds are not subtracted: the server does not know of them"`
		Drops   []dropSaleAnswer `json:"drops" nullable:"false" doc:"Drops with purchases, in ascending order of id"`
	}
	dropSaleAnswer struct {
		DropID  drop.ID `json:"dropId"`
		Units   int64   `json:"units"`
		Revenue float64 `json:"revenue"`
	}
)

const (
	// settled is the time after which no purchase with an earlier time can still be committed. It is longer than any
	// batch takes.
	settled = drop.Time(time.Minute / time.Millisecond)
	// maxDays is how many moments are remembered. Operators in different time zones have different days.
	maxDays = 32
	// perUnit is how many ten-thousandths one unit of a currency has.
	perUnit = 10_000
)

// days remembers how many purchases each drop had before a moment. A drop has one price, and its purchases are
// numbered without gaps, so its view is enough to count those that it has had since. The store is asked once for each
// moment and drop, with a few reads of single rows. A purchase counts also if its unit was taken back, and then sold
// to another buyer: both paid.
type days struct {
	mu   sync.Mutex
	sold map[drop.Time]map[drop.ID]uint32
}

func (d *days) known(since drop.Time, id drop.ID) (sold uint32, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	sold, ok = d.sold[since][id]
	return sold, ok
}

func (d *days) learn(since drop.Time, id drop.ID, sold uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sold[since] == nil {
		if d.sold == nil || len(d.sold) >= maxDays {
			d.sold = make(map[drop.Time]map[drop.ID]uint32)
		}
		d.sold[since] = make(map[drop.ID]uint32)
	}
	d.sold[since][id] = sold
}

func (a *api) showSales(w http.ResponseWriter, r *http.Request) error {
	q, now := queryOf(r), a.engine.Now()
	since := q.since(now)
	if q.err != nil {
		return q.err
	}
	total := 0.0 // in ten-thousandths
	answer := salesAnswer{At: instant(now), Since: instant(since), Drops: []dropSaleAnswer{}}
	for _, v := range a.engine.AllViews() {
		if v.Drop.Rehearsal() {
			continue
		}
		units, err := a.soldSince(r.Context(), v, since, now)
		if err != nil {
			return err
		}
		if units > 0 {
			revenue := float64(units) * float64(v.Drop.Price.TenThousandths()) // exact below 900 billion of any currency
			answer.Units, total = answer.Units+units, total+revenue
			answer.Drops = append(answer.Drops, dropSaleAnswer{v.Drop.ID, units, revenue / perUnit})
		}
	}
	answer.Revenue = total / perUnit
	writeJSON(w, &answer)
	return nil
}

// since reads the moment from which to count.
func (q *query) since(now drop.Time) drop.Time {
	const rule = "must be one time with its zone that is not in the future, such as 2026-01-31T00:00:00Z"
	given := q.values["since"]
	if len(given) != 1 {
		q.refuse("since", rule)
		return 0
	}
	at, ok := drop.ParseTime(given[0])
	if !ok || at > now+settled { // clocks may differ slightly
		q.refuse("since", rule)
	}
	return at
}

// soldSince returns how many purchases a drop has had since a moment.
func (a *api) soldSince(ctx context.Context, v *engine.View, since, now drop.Time) (int64, error) {
	newest, listed := v.Purchased()
	if newest == 0 || newest == listed && len(v.Recent) > 0 && v.Recent[0].CreatedAt < since {
		return 0, nil
	}
	before, known := a.days.known(since, v.Drop.ID)
	if !known {
		var err error
		if before, err = a.soldBefore(ctx, v.Drop.ID, newest, since); err != nil {
			return 0, err
		}
		if since <= now-settled {
			a.days.learn(since, v.Drop.ID, before)
		}
	}
	return int64(newest) - int64(before), nil
}

// soldBefore returns how many of a drop's newest purchases were made before a moment. Within a drop, the times of
// purchases rise with their numbers.
func (a *api) soldBefore(ctx context.Context, id drop.ID, newest uint32, since drop.Time) (uint32, error) {
	var failed error
	n := sort.Search(int(newest), func(i int) bool {
		if failed != nil {
			return true
		}
		found, err := engine.Ask(ctx, a.engine, func(s store.Records) ([]store.Sale, error) {
			return s.Purchases(ctx, id, drop.NewPurchaseID(id, uint32(i)), 1) // i is below newest
		})
		failed = err
		return len(found) == 0 || found[0].CreatedAt >= since
	})
	return uint32(n), failed // n is at most newest
}

func (a *api) salesRoutes() []route {
	return []route{{
		method: http.MethodGet, path: "/api/operator/sales", serve: a.showSales, long: true,
		id: "sales", access: viewers, tag: tagOperating, summary: "Count what was sold since a moment",
		text: "Purchased units and what buyers paid for them, from a moment on, such as the midnight that your day began with. " +
			"A unit counts also if it was taken back later. Rehearsals do not count. " +
			"The server reads the store once for each moment and answers from memory afterwards, so you may ask each second. The operators' log leaves this call out.",
		params: []*huma.Param{{
			Name: "since", In: "query", Required: true, Description: "Count from this time on (inclusive), in RFC 3339 with a zone",
			Example: "2026-01-31T00:00:00Z", Schema: &huma.Schema{Type: huma.TypeString, Format: "date-time"},
		}},
		answer: reflect.TypeFor[salesAnswer](),
		answerExample: `{"at":"2026-01-31T10:00:02.000Z","since":"2026-01-31T00:00:00.000Z","units":2,"revenue":239.98,` +
			`"drops":[{"dropId":1,"units":2,"revenue":239.98}]}`,
		codes: []drop.Code{drop.CodeInvalid},
	}}
}
