package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// fakeShop is a server that may give false answers. It sells units of one drop.
type fakeShop struct {
	mu        sync.Mutex
	sold      int64
	purchases []string
	created   int64
	archived  []string
	tokens    map[string]bool
	webhooks  int             // created so far
	hooked    map[string]bool // by path, those that are there

	twice, lost, beyond, refuse, fail bool

	// offered is how many units go to a waitlist, and shown how many of them the ledger has.
	offered, shown int64

	// An operator puts one sold unit on sale again, and writes one off. back: the stock shows it. told: so does the
	// ledger. vanished: the unit for sale is not there.
	back, told, vanished bool
}

func (f *fakeShop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tokens == nil {
		f.tokens = make(map[string]bool)
	}
	f.tokens[r.Header.Get("Authorization")] = true
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	body, _ := io.ReadAll(r.Body)
	switch path := r.URL.Path; {
	case path == "/api/drops/create":
		f.created++
		answer(map[string]int64{"id": f.created})
	case path == "/api/webhooks":
		f.webhooks++
		if f.hooked == nil {
			f.hooked = make(map[string]bool)
		}
		f.hooked[fmt.Sprintf("/api/webhooks/%d", f.webhooks)] = true
		answer(map[string]int{"id": f.webhooks})
	case f.hooked[path]:
		delete(f.hooked, path)
		answer(struct{}{})
	case path == "/api/drops":
		answer([]int{})
	case path == "/api/drops/reserve" && f.fail:
		w.WriteHeader(http.StatusServiceUnavailable)
		answer(map[string]string{"code": "unavailable"})
	case path == "/api/drops/reserve" && f.refuse:
		w.WriteHeader(http.StatusConflict)
		answer(map[string]string{"error": "Out of stock", "code": "out_of_stock"})
	case path == "/api/drops/reserve":
		f.sold++
		id := 1<<32 + f.sold
		if f.twice && f.sold == 7 {
			id--
		}
		answer(map[string]int64{"id": id})
	case path == "/api/drops/purchase":
		id := strings.Trim(strings.TrimPrefix(string(body), `{"reservationId":`), "}")
		f.purchases = append(f.purchases, id)
		fmt.Fprintf(w, `{"message":"Purchase successful","purchase":{"id":%s}}`, id)
	case strings.HasSuffix(path, "/ledger"):
		shown := f.sold
		if f.lost {
			shown--
		}
		entries := []map[string]any{
			{"seq": 1, "reason": "created", "units": drop.MaxStock},
			{"seq": 2, "reason": "reserved", "units": shown},
			{"seq": 3, "reason": "payment_started", "units": shown},
			{"seq": 4, "reason": "purchased", "units": len(f.purchases)},
		}
		if f.shown > 0 { // one more has expired
			entries = append(entries, map[string]any{"seq": 5, "reason": "offered", "units": f.shown + 1},
				map[string]any{"seq": 6, "reason": "offer_expired", "units": 1})
		}
		if f.told {
			entries = append(entries, map[string]any{"seq": 5, "reason": "returned", "units": 1}, map[string]any{"seq": 6, "reason": "written_off", "units": 1})
		}
		answer(map[string]any{"entries": entries})
	case strings.HasSuffix(path, "/purchases"):
		var list []string
		for _, id := range f.purchases {
			list = append(list, fmt.Sprintf(`{"id":%s,"reservationId":%s}`, id, id))
		}
		fmt.Fprintf(w, `{"purchases":[%s],"next":null}`, strings.Join(list, ","))
	case r.Method == http.MethodPatch:
		f.archived = append(f.archived, path)
		answer(map[string]int64{})
	default:
		gone := f.sold
		if f.beyond {
			gone -= 3 // sold but still available
		}
		total, available := int64(drop.MaxStock), drop.MaxStock-gone-f.offered
		if f.back {
			total, available = total-1, available+1
		}
		if f.vanished {
			available--
		}
		answer(map[string]int64{"total_stock": total, "available_stock": available})
	}
}

// against runs a scenario briefly on a fake shop.
func against(t *testing.T, f *fakeShop, c Config) (*Result, Config) {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	c.URL, c.Connections, c.Duration = server.URL, 4, 500*time.Millisecond
	if c.Scenario == "" {
		c.Scenario = Reserve
	}
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r, c
}

func TestRun_CountsWhatWasAccepted(t *testing.T) {
	f := &fakeShop{}
	r, c := against(t, f, Config{Token: "operator's"})
	if r.Accepted == 0 || r.Accepted != f.sold || r.Reservations != f.sold || r.Refused+r.Errors != 0 || len(r.Latency) != 1 || r.Latency[0].Count != r.Accepted {
		t.Errorf("%+v, sold %d", r, f.sold)
	}
	if err := r.Check(t.Context(), c); err != nil || len(r.Audit.Faults) > 0 {
		t.Errorf("an honest server: %v, %+v", err, r.Audit)
	}
	if err := r.Clean(t.Context(), c); err != nil || len(f.archived) != 1 || f.archived[0] != "/api/drops/1" {
		t.Errorf("%v: archived %v", err, f.archived)
	}
	if !f.tokens["Bearer operator's"] || !f.tokens[""] {
		t.Errorf("tokens: %v", f.tokens)
	}
}

func TestRun_RefusalsAreNoSales(t *testing.T) {
	r, c := against(t, &fakeShop{refuse: true}, Config{Scenario: SoldOut})
	if r.Accepted+r.Reservations+r.Errors != 0 || r.Refused == 0 || r.Codes["out_of_stock"] != r.Refused || r.Latency[0].Outcome != "refused" {
		t.Errorf("%+v", r)
	}
	_ = c
	r, _ = against(t, &fakeShop{fail: true}, Config{})
	if r.Accepted+r.Reservations+r.Refused != 0 || r.Errors == 0 || r.Codes["unavailable"] != r.Errors || len(r.Latency) != 0 {
		t.Errorf("errors: %+v", r)
	}
}

func TestRun_BuysWhatTheScenarioSays(t *testing.T) {
	r, c := against(t, &fakeShop{}, Config{Scenario: Purchase, Keys: true})
	if r.Purchases != r.Reservations || r.Purchases == 0 || r.Accepted != 2*r.Purchases {
		t.Errorf("purchase: %+v", r)
	}
	if err := r.Check(t.Context(), c); err != nil || len(r.Audit.Faults) > 0 {
		t.Errorf("purchase: %v, %+v", err, r.Audit)
	}
	r, _ = against(t, &fakeShop{}, Config{Scenario: Mixed})
	if part := float64(r.Purchases) / float64(r.Reservations); part < 0.6 || part > 0.8 {
		t.Errorf("mixed: %d of %d were bought", r.Purchases, r.Reservations)
	}
	r, _ = against(t, &fakeShop{}, Config{Scenario: List})
	if r.Accepted == 0 || r.Reservations != 0 || len(r.Drops) != 10 {
		t.Errorf("list: %+v", r)
	}
}

// Each kind of false answer is detected.
func TestCheck_FindsWhatIsNotTrue(t *testing.T) {
	for name, c := range map[string]struct {
		shop  *fakeShop
		fault string
	}{
		"one reservation of two buyers": {&fakeShop{twice: true}, "was acknowledged to buyers"},
		"a reservation that is lost":    {&fakeShop{lost: true}, "were acknowledged"},
	} {
		r, config := against(t, c.shop, Config{})
		if err := r.Check(t.Context(), config); err != nil {
			t.Fatal(err)
		}
		if len(r.Audit.Faults) == 0 || !strings.Contains(strings.Join(r.Audit.Faults, "\n"), c.fault) {
			t.Errorf("%s: %v", name, r.Audit.Faults)
		}
	}
	r, config := against(t, &fakeShop{beyond: true}, Config{Scenario: Purchase})
	if err := r.Check(t.Context(), config); err != nil || len(r.Audit.Faults) == 0 {
		t.Errorf("units that are sold and on sale: %v, %v", err, r.Audit.Faults)
	}
	oversold := &Result{Drops: []drop.ID{1}, stock: 1, acknowledged: []Acknowledged{{Reservation: 1<<32 + 1}, {Reservation: 1<<32 + 2}, {Reservation: 2<<32 + 1}}}
	var f faults
	oversold.checkAnswers(&f)
	if len(f) != 2 {
		t.Errorf("oversold, and of another drop: %v", f)
	}
}

// Sold units that an operator takes back meanwhile are no fault, as long as the ledger says so.
func TestCheck_UnitsThatCameBackAreNoFault(t *testing.T) {
	for _, shop := range []*fakeShop{{back: true, told: true}, {back: true}, {told: true}, {back: true, told: true, vanished: true}} {
		r, config := against(t, shop, Config{Scenario: Purchase})
		if err := r.Check(t.Context(), config); err != nil || (len(r.Audit.Faults) > 0) != (shop.back != shop.told || shop.vanished) {
			t.Errorf("in the stock %t, in the ledger %t, vanished %t: %v, %v", shop.back, shop.told, shop.vanished, err, r.Audit.Faults)
		}
	}
}

// Units that go to a waitlist meanwhile are held, as long as the ledger says so.
func TestCheck_CountsOffers(t *testing.T) {
	for _, shop := range []*fakeShop{{offered: 2, shown: 2}, {offered: 2, shown: 1}, {offered: 2}} {
		r, config := against(t, shop, Config{Scenario: Purchase})
		if err := r.Check(t.Context(), config); err != nil || (len(r.Audit.Faults) > 0) != (shop.offered != shop.shown) {
			t.Errorf("offered %d, in the ledger %d: %v, %v", shop.offered, shop.shown, err, r.Audit.Faults)
		}
	}
	r := &Result{Drops: []drop.ID{1}, stock: 2, Reservations: 1, acknowledged: []Acknowledged{{Reservation: 1<<32 + 1}}}
	for _, offer := range []bool{true, false} {
		if err := r.CheckBooks(t.Context(), rows{{ID: 1<<32 + 1}, {ID: 1<<32 + 2, Offer: offer}}); err != nil || (len(r.Audit.Faults) > 0) == offer {
			t.Errorf("an offer %t beside the one that was acknowledged: %v, %v", offer, err, r.Audit.Faults)
		}
	}
}

// rows are a database's reservations.
type rows []drop.Reservation

func (r rows) ReadBooks(_ context.Context, _ drop.ID, b store.Books) error {
	for i := range r {
		if err := b.Reservation(r[i]); err != nil {
			return err
		}
	}
	return nil
}

// stalled answers nothing for a while, and then everything at once.
type stalled struct{ until time.Time }

func (s stalled) RoundTrip() { time.Sleep(time.Until(s.until)) }

// A server that stalls for a second shows in the latency of everyone who was due in that second, whether a connection
// was free or not.
func TestOpenLoop_LatencyCountsFromWhenItWasDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		stall := stalled{began.Add(time.Second)}
		r := &run{Config: Config{Rate: 100, Duration: 2 * time.Second, Connections: 2}, hist: newHistograms(), codes: make(map[string]int64)}
		ctx, cancel := context.WithTimeout(t.Context(), r.Duration)
		defer cancel()
		var workers sync.WaitGroup
		var sent atomic.Int64
		for range r.Connections {
			workers.Go(func() {
				r.each(ctx, began, func(_ int64, due time.Time) {
					stall.RoundTrip()
					sent.Add(1)
					r.count(opReserve, due, answer{ok: true, status: 200})
				})
			})
		}
		workers.Wait()
		l := r.hist.latencies()[0]
		if l.Count < 195 || l.Count > 201 || l.Count != sent.Load() {
			t.Errorf("%d requests of 200", l.Count)
		}
		// Half of them were due in the first second, and waited half a second on average.
		if l.P50 > 20 || l.P90 < 700 || l.P90 > 900 || l.Max < 950 {
			t.Errorf("p50 %.0f ms, p90 %.0f ms, max %.0f ms", l.P50, l.P90, l.Max)
		}
		if late := r.late.Load(); late < 90 || late > 100 {
			t.Errorf("%d started late", late)
		}
	})
}

func TestRun_ServerThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if _, err := Run(t.Context(), Config{URL: "http://" + l.Addr().String(), Scenario: Reserve, Connections: 1, Duration: time.Second}); err == nil {
		t.Error("no error")
	}
	for _, url := range []string{"", "localhost:3000", "ftp://localhost"} {
		if _, err := Run(t.Context(), Config{URL: url, Scenario: Reserve, Connections: 1, Duration: time.Second}); err == nil {
			t.Errorf("%q is taken for a server", url)
		}
	}
}

func TestNumberAfter(t *testing.T) {
	for body, want := range map[string]int64{
		`{"id":42,"dropId":1}`: 42, `{"message":"x","purchase":{"id":7}}`: 7, `{"dropId":1}`: 0, `{"id":x}`: 0, "": 0, `{"id":99999999999999999999}`: 0,
	} {
		if got := numberAfter([]byte(body+" "), `"id":`); got != want {
			t.Errorf("%s: %d, want %d", body, got, want)
		}
	}
}

func TestTurns_CompareNeighbors(t *testing.T) {
	for _, c := range []struct {
		rates         []float64
		with, without float64
		ratios        []float64
	}{
		{nil, 0, 0, []float64{}},
		{[]float64{100, 50}, 50, 100, []float64{}}, // the machine may have become slower
		{[]float64{100, 90, 80}, 90, 90, []float64{1}},
		{[]float64{100, 50, 100, 30, 20}, 40, 100, []float64{0.5, 0.5}},
		{[]float64{100, 100, 100, 50, 100, 70}, 70, 100, []float64{0.5, 1}},
	} {
		got := turnsOf(c.rates)
		if got.With != c.with || got.Without != c.without || !slices.Equal(got.Ratios, c.ratios) {
			t.Errorf("%v: %+v", c.rates, got)
		}
	}
}

// Endpoints come and go during the run, and none is left.
func TestRun_TakesTurnsWithWebhooks(t *testing.T) {
	f := &fakeShop{}
	r, _ := against(t, f, Config{Webhooks: true, Turn: 20 * time.Millisecond})
	if len(r.Webhooks.Ratios) < 1 || r.Webhooks.With <= 0 || r.Webhooks.Without <= 0 {
		t.Errorf("%+v", r.Webhooks)
	}
	if f.webhooks < 6 || f.webhooks%3 != 0 || len(f.hooked) != 0 {
		t.Errorf("%d endpoints created, %v left", f.webhooks, f.hooked)
	}
	if without, _ := against(t, &fakeShop{}, Config{}); without.Webhooks != nil {
		t.Errorf("without webhooks: %+v", without.Webhooks)
	}
}
