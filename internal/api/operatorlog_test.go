package api_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

type (
	actionsJSON struct {
		Actions []actionJSON `json:"actions"`
		Next    *int64       `json:"next"`
	}
	actionJSON struct {
		ID      int64   `json:"id"`
		Token   int64   `json:"token"`
		Name    string  `json:"name"`
		Role    string  `json:"role"`
		Call    string  `json:"call"`
		DropID  *int64  `json:"dropId"`
		Detail  string  `json:"detail"`
		From    string  `json:"from"`
		Request string  `json:"request"`
		Outcome *string `json:"outcome"`
	}
)

func (g *guarded) log(query string) actionsJSON {
	g.Helper()
	return mustAs[actionsJSON](g.shop, g.admin, "GET", "/api/operator/log"+query, "")
}

func TestActions_SayWhoDidWhatAndHowItEnded(t *testing.T) {
	g := newGuarded(t) // this one creates a drop
	views, viewerID := g.operatorToken(operator.Viewer, 0)
	do := func(token, method, path, body string) {
		req := g.request(method, path, body)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("X-Request-Id", "call-of-mine")
		g.do(req)
	}
	do(g.admin, "POST", "/api/drops/1/restock", `{"add":10}`)
	do(g.admin, "POST", "/api/drops/1/restock", `{"add":-999999}`)
	do(g.admin, "PATCH", "/api/drops/77", `{"hidden":true}`)
	do(views, "GET", "/api/drops/1/purchases?after=5&limit=2", "")
	do(views, "GET", "/metrics", "")
	do(views, "POST", "/api/drops/1/pause", "")             // refused, so not an action
	do(g.ann, "POST", "/api/drops/reserve", `{"dropId":1}`) // not an operator's token
	got := g.log("").Actions
	want := []actionJSON{
		{Token: int64(viewerID), Role: "viewer", Call: "list-purchases", DropID: new(int64(1)), Detail: "after=5&limit=2", Outcome: new("ok")},
		{Token: int64(g.adminToken), Role: "operator", Call: "edit-drop", DropID: new(int64(77)), Detail: `{"hidden":true}`, Outcome: new("drop_not_found")},
		{Token: int64(g.adminToken), Role: "operator", Call: "restock", DropID: new(int64(1)), Detail: `{"add":-999999}`, Outcome: new("stock_in_use")},
		{Token: int64(g.adminToken), Role: "operator", Call: "restock", DropID: new(int64(1)), Detail: `{"add":10}`, Outcome: new("ok")},
	}
	if len(got) != len(want)+1 {
		t.Fatalf("%d actions: %+v", len(got), got)
	}
	for i := range want {
		want[i].ID, want[i].From, want[i].Request = got[i].ID, "127.0.0.1", "call-of-mine"
		want[i].Name = "the " + want[i].Role + "'s laptop"
		if g, w := fmt.Sprintf("%+v %d %s", got[i], *got[i].DropID, *got[i].Outcome), fmt.Sprintf("%+v %d %s", want[i], *want[i].DropID, *want[i].Outcome); stripped(g) != stripped(w) {
			t.Errorf("action %d:\n got %s\nwant %s", i, g, w)
		}
	}
	created := got[len(want)]
	if created.Call != "create-drop" || created.DropID != nil || *created.Outcome != "ok, drop 1" || !strings.HasPrefix(created.Detail, `{"name":"Air Zenith 1"`) {
		t.Errorf("the first action: %+v %s", created, *created.Outcome)
	}
	for i := 1; i < len(got); i++ {
		if got[i].ID >= got[i-1].ID {
			t.Errorf("action %d after %d", got[i].ID, got[i-1].ID)
		}
	}
}

// stripped removes the addresses that pointers print.
func stripped(s string) string {
	for {
		before, after, found := strings.Cut(s, "0x")
		if !found {
			return s
		}
		s = before + strings.TrimLeft(after, "0123456789abcdef")
	}
}

// writtenBySeveral is a store whose log has an entry at each of these times, in the order of their numbers.
type writtenBySeveral struct {
	store.Store
	times []drop.Time
}

func (s *writtenBySeveral) Actions(_ context.Context, before operator.ActionID, limit int) (found []operator.Action, err error) {
	for id := operator.ActionID(len(s.times)); id > 0 && len(found) < limit; id-- {
		if before == 0 || id < before {
			found = append(found, operator.Action{ID: id, At: s.times[id-1], Call: "pause", Outcome: "ok"})
		}
	}
	return found, nil
}

// Several servers write one log, and their clocks differ by up to 50 seconds. A range of times still finds every entry.
func TestActions_AreFoundThoughClocksDiffer(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	const start = drop.Time(1_800_000_000_000)
	log := &writtenBySeveral{Store: memory.New(clockOf(new(atomic.Int64)))}
	for n := range 1000 {
		log.times = append(log.times, start+drop.Time(n*1000+random.IntN(50_000)))
	}
	p := secretProvider(t)
	g := guard(p, newShopOn(t, log, new(atomic.Int64), p.signIn))
	for range 30 {
		from := start + drop.Time(random.IntN(900_000))
		to := from + drop.Time(1+random.IntN(100_000))
		want := 0
		for _, at := range log.times {
			if at >= from && at < to {
				want++
			}
		}
		if found := g.log(fmt.Sprintf("?limit=1000&from=%s&to=%s", from, to)).Actions; len(found) != want {
			t.Errorf("seed %d, from %s to %s: %d entries, want %d", seed, from, to, len(found), want)
		}
	}
}

func TestActions_InPages(t *testing.T) {
	g := newGuarded(t)
	for range 5 {
		g.as(g.admin, "POST", "/api/drops/1/pause", "")
	}
	page := g.log("?limit=4")
	if len(page.Actions) != 4 || page.Next == nil || *page.Next != page.Actions[3].ID {
		t.Fatalf("the first page: %+v", page)
	}
	page = g.log(fmt.Sprintf("?limit=4&before=%d", *page.Next))
	if len(page.Actions) != 2 || page.Next != nil || page.Actions[1].Call != "create-drop" {
		t.Errorf("the second page: %+v", page)
	}
	for _, query := range []string{"?limit=0", "?limit=1001", "?before=0", "?before=x"} {
		g.refused(g.as(g.admin, "GET", "/api/operator/log"+query, ""), http.StatusUnprocessableEntity, "invalid")
	}
}

// Nothing that was done can be hidden from the log: not behind spaces, not behind ignored members, not in escapes.
func TestActions_KeepAllThatIsDone(t *testing.T) {
	g := newGuarded(t)
	for body, want := range map[string]string{
		strings.Repeat(" ", 5000) + `{"price":` + strings.Repeat("\n", 5000) + `1}`: `{"price":1}`,
		`{"ignored":"` + strings.Repeat("y", 60_000) + `","price":2}`:               `{"ignored":"` + strings.Repeat("y", 60_000) + `","price":2}`,
		`{"\u0070rice":3}`: `{"price":3}`,
	} {
		if r := g.as(g.admin, "PATCH", "/api/drops/1", body); r.status != http.StatusOK {
			t.Fatalf("%.40s: %d %s", body, r.status, r.body)
		}
		if detail := g.log("?limit=1").Actions[0].Detail; detail != want {
			t.Errorf("%.40s: %d bytes, %.40s, want %d", body, len(detail), detail, len(want))
		}
	}
	for body, code := range map[string]string{
		`{"name":"` + strings.Repeat("x", 70_000) + `"}`: "too_large", `{"price":1`: "bad_json", `{"price":1,"price":2}`: "bad_json",
	} {
		g.as(g.admin, "PATCH", "/api/drops/1", body)
		got := g.log("?limit=1").Actions[0]
		if got.Outcome == nil || *got.Outcome != code || !strings.HasPrefix(body, got.Detail) || len(got.Detail) < len(body)/2 {
			t.Errorf("%.40s: %s, outcome %v", body, got.Detail, got.Outcome)
		}
	}
}

// deafStore does not record actions.
type deafStore struct {
	store.Store
	record, conclude atomic.Bool // fail
}

var errDeaf = &store.Error{Op: "test", Class: store.ClassUnavailable, Err: errors.New("no log today")}

func (s *deafStore) Record(ctx context.Context, a operator.Action) (operator.ActionID, error) {
	if s.record.Load() {
		return 0, errDeaf
	}
	return s.Store.Record(ctx, a)
}

func (s *deafStore) Conclude(ctx context.Context, id operator.ActionID, outcome string) error {
	if s.conclude.Load() {
		return errDeaf
	}
	return s.Store.Conclude(ctx, id, outcome)
}

func TestActions_NothingIsDoneThatIsNotInTheLog(t *testing.T) {
	deaf := &deafStore{Store: memory.New(clockOf(new(atomic.Int64)))}
	p := secretProvider(t)
	g := guard(p, newShopOn(t, deaf, new(atomic.Int64), p.signIn))
	before := g.stock()
	deaf.record.Store(true)
	g.refused(g.as(g.admin, "POST", "/api/drops/1/restock", `{"add":1}`), http.StatusServiceUnavailable, "unavailable")
	g.refused(g.as(g.admin, "GET", "/api/drops/1/purchases", ""), http.StatusServiceUnavailable, "unavailable")
	if after := g.stock(); after != before {
		t.Errorf("done without an entry: %s, then %s", before, after)
	}
	deaf.record.Store(false)
	deaf.conclude.Store(true)
	mustAs[dropJSON](g.shop, g.admin, "POST", "/api/drops/1/restock", `{"add":1}`)
	if got := g.log("?limit=1").Actions[0]; got.Call != "restock" || got.Outcome != nil {
		t.Errorf("an action whose outcome is not known: %+v", got)
	}
	if !strings.Contains(g.shop.log.String(), "outcome of an operator's action is not in the log") {
		t.Error("nobody is told")
	}
}

func TestActions_KeysOfOperatorsAreTheirOwn(t *testing.T) {
	g := newGuarded(t)
	other, _ := g.operatorToken(operator.Operator, time.Hour)
	restock := func(token string) reply {
		req := g.request("POST", "/api/drops/1/restock", `{"add":1}`)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Idempotency-Key", "the-same")
		return g.do(req)
	}
	first, again, others := restock(g.admin), restock(g.admin), restock(other)
	if first.body != again.body || others.body == first.body {
		t.Errorf("first %s\nagain %s\nanother's %s", first.body, again.body, others.body)
	}
}

// The log has each call that needs an operator's token, except calls that only watch the server. This goes for new
// calls too.
func TestActions_AreOfEveryOperatorsCall(t *testing.T) {
	g := newGuarded(t, paying)
	watching := []string{"list-payments", "metrics", "list-actions", "figures", "sales", "rehearsal", "settings", "list-events", "list-webhooks", "list-attempts"}
	for path, methods := range g.document().Paths {
		for method, op := range methods {
			want := "" // nothing
			if right := rights[op.id()]; (right == viewer || right == seller || right == looker || right == operating) && !slices.Contains(watching, op.id()) {
				want = op.id()
			}
			before := g.log("?limit=1").Actions[0].ID
			if strings.HasSuffix(path, "/events") {
				path += "?drop=none" // otherwise the stream would not end
			}
			g.as(g.admin, strings.ToUpper(method), placed(path), op.body())
			got := ""
			if last := g.log("?limit=1").Actions[0]; last.ID != before {
				got = last.Call
			}
			if got != want {
				t.Errorf("%s %s: the log has %q, want %q", method, path, got, want)
			}
		}
	}
}

// Buyers' names and emails are not in the log, because nobody can delete anything from it.
func TestActions_KeepNoNamesOfBuyers(t *testing.T) {
	g := newGuarded(t)
	user := mustAs[meJSON](g.shop, g.admin, "POST", "/api/users", `{"username":"Zoe Quince","email":"zoe@example.com"}`)
	got := g.log("?limit=1").Actions[0]
	if want := fmt.Sprintf("ok, user %d", user.ID); got.Call != "ensure-user" || got.Detail != "" || got.Outcome == nil || *got.Outcome != want {
		t.Errorf("%+v, want outcome %s and no detail", got, want)
	}
}
