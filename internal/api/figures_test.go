package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/rehearse"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/pipes"
	"sneakerdrop/internal/testing/stores"
)

type figuresJSON struct {
	At    time.Time
	Drops []struct {
		ID                           int64
		Name                         string
		Hidden, Archived, Paused     bool
		Rehearsal                    bool
		Total, Available, Held, Sold int64
		Returned                     int64
		Sizes                        []struct {
			Size                         string
			Total, Available, Held, Sold int64
		}
	}
	Service *struct {
		Refusals []struct {
			Code  string
			Count int64
		}
		Holds   struct{ Paid, Released, Expired int64 }
		Timings []struct {
			Of      string
			Count   int64
			Seconds []float64
			Within  []int64
		}
	}
}

func (s *shop) figures(token string) figuresJSON {
	s.Helper()
	r := s.as(token, http.MethodGet, "/api/operator/figures", "")
	var f figuresJSON
	if err := json.Unmarshal([]byte(r.body), &f); err != nil || r.status != http.StatusOK {
		s.Fatalf("%d %s: %v", r.status, r.body, err)
	}
	return f
}

func TestFigures_CountWhatIsHeldAndSold(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	sized := mustPost[dropJSON](s, "/api/drops/create", `{"name":"Sized","price":1,"start_time":"2020-01-01T00:00:00Z","sizes":[{"size":"9","stock":2},{"size":"10","stock":1}]}`)
	bought := mustPost[reservationJSON](s, "/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,"userId":1,"size":"9"}`, sized.ID))
	mustPost[reservationJSON](s, "/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,"userId":2,"size":"9"}`, sized.ID))
	s.refused(s.post("/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,"userId":3,"size":"9"}`, sized.ID)), http.StatusConflict, "out_of_stock")
	mustPost[json.RawMessage](s, "/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, bought.ID))
	s.as("", http.MethodPatch, "/api/drops/1", `{"hidden":true}`)
	f := s.figures("")
	if len(f.Drops) != 2 || !f.Drops[0].Hidden || f.Drops[1].Name != "Sized" || time.Since(f.At).Abs() > time.Minute {
		t.Fatalf("%+v", f)
	}
	if got := fmt.Sprint(f.Drops[1].Total, f.Drops[1].Available, f.Drops[1].Held, f.Drops[1].Sold, f.Drops[1].Sizes); got != "3 1 1 1 [{9 2 0 1 1} {10 1 1 0 0}]" {
		t.Errorf("total, available, held, sold, sizes: %s", got)
	}
	for _, timing := range f.Service.Timings {
		if timing.Of == "reserve" && (timing.Count != 3 || len(timing.Seconds) != len(timing.Within) || timing.Within[len(timing.Within)-1] != 3) {
			t.Errorf("%+v", timing)
		}
	}
	if !strings.Contains(fmt.Sprint(f.Service.Timings), "{reserve 3 ") {
		t.Errorf("no timing of reserve: %+v", f.Service.Timings)
	}
}

// The figures say who waits, and the settings of each waitlist, also where there is none.
func TestFigures_CountWhoWaits(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	mustPost[dropJSON](s, "/api/drops/create", `{"name":"Sized","price":1,"start_time":"2020-01-01T00:00:00Z","waitlist":true,"offer_for":60,"max_waiting":9,"offers_count":true,"sizes":[{"size":"9","stock":0},{"size":"10","stock":0}]}`)
	for user := range 3 {
		mustPost[json.RawMessage](s, "/api/drops/waitlist", fmt.Sprintf(`{"dropId":2,"userId":%d,"size":%d}`, 1+user, 9+user/2))
	}
	body := s.as("", http.MethodGet, "/api/operator/figures", "").body
	for _, want := range []string{
		`"waitlist":false,"offer_for":600,"max_waiting":10000,"offers_count":false,"waiting":0,"sizes":[]}`,
		`"waitlist":true,"offer_for":60,"max_waiting":9,"offers_count":true,"waiting":3,` +
			`"sizes":[{"size":"9","total":0,"available":0,"held":0,"sold":0,"waiting":2},{"size":"10","total":0,"available":0,"held":0,"sold":0,"waiting":1}]}`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%s lacks %s", body, want)
		}
	}
}

// If --metrics-addr hides metrics from strangers, they cannot get them from the figures either.
func TestFigures_LeaveTheMetricsToThoseWhoMaySeeThem(t *testing.T) {
	elsewhere := func(c *api.Config) { c.MetricsElsewhere = true }
	if f := newShop(t, elsewhere).figures(""); f.Service != nil {
		t.Errorf("anybody sees %+v", f.Service)
	}
	s := newShop(t, elsewhere, secretProvider(t).signIn)
	token, _ := s.operatorToken(operator.Viewer, time.Hour)
	if f := s.figures(token); f.Service == nil {
		t.Error("a viewer does not see the service's figures")
	}
	if r := s.as(token, http.MethodGet, "/api/operator/log", ""); strings.Contains(r.body, "figures") {
		t.Errorf("the log has %s", r.body)
	}
}

func TestAudit_SaysWhatDiffers(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":1}`)
	if r := s.get("/api/drops/1/audit"); r.status != http.StatusOK || r.body != `{"dropId":1,"clean":true,"reservations":1,"purchases":0,"ledger_entries":2,"waitlist_entries":0,"waiting":0,"held":1,"paying":0,"written_off":0,"kept":0,"passes":0,"uses":0,"kept_early":0,"payments":0,"money":[],"differences":0,"sentences":[]}` {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := s.post("/api/drops/1/codes", `{"codes":["FRIENDS-26","FAMILY-26"],"uses":9,"units":2,"ends":"9998-01-01T00:00:00Z"}`); r.status != http.StatusCreated {
		t.Fatal(r.body)
	}
	s.ok(s.post("/api/drops/reserve", `{"dropId":1,"userId":2,"code":"FRIENDS-26"}`))
	if body := s.ok(s.get("/api/drops/1/audit")).body; !strings.Contains(body, `"held":2,"paying":0,"written_off":0,"kept":0,"passes":2,"uses":1,"kept_early":1,`) {
		t.Error(body)
	}
	s.refused(s.get("/api/drops/2/audit"), http.StatusNotFound, "drop_not_found")
	mustPost[dropJSON](s, "/api/drops/create", waitBody)
	for _, user := range []string{"1", "2", "3"} {
		s.ok(s.post("/api/drops/waitlist", `{"dropId":2,"userId":`+user+`}`))
	}
	s.ok(s.post("/api/drops/2/restock", `{"add":1}`))
	s.ok(s.post("/api/drops/2/pause", `{}`))
	s.ok(s.post("/api/drops/2/restock", `{"add":1}`)) // a paused drop keeps it
	if body := s.ok(s.get("/api/drops/2/audit")).body; !strings.Contains(body, `"waitlist_entries":3,"waiting":2,"held":1,"paying":0,"written_off":0,"kept":1,`) {
		t.Error(body)
	}

	reading, read := make(chan struct{}), make(chan struct{})
	s = newShop(t, func(c *api.Config) {
		c.Audit = func(context.Context, drop.ID) (audit.DropReport, error) {
			close(reading)
			<-read
			return audit.DropReport{ID: 1, Differences: 2, Sentences: []string{"drop 1 has lost a pair"}}, nil
		}
	})
	first := make(chan string)
	go func() { first <- s.get("/api/drops/1/audit").body }()
	<-reading
	s.refused(s.get("/api/drops/1/audit"), http.StatusServiceUnavailable, "overloaded")
	close(read)
	if body := <-first; !strings.Contains(body, `"clean":false`) || !strings.Contains(body, `"sentences":["drop 1 has lost a pair"]`) {
		t.Error(body)
	}
}

// An audit takes as long as it needs. The write timeout for quick answers (30 s) does not interrupt it. In simulated
// time.
func TestAudit_OutlivesTheWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShopAt(t, pipes.Listen(), memory.New(stores.Now), new(atomic.Int64), func(c *api.Config) {
			c.Audit = func(ctx context.Context, id drop.ID) (audit.DropReport, error) {
				if until, limited := ctx.Deadline(); limited && time.Until(until) < 5*time.Minute {
					t.Errorf("an audit has %s", time.Until(until))
				}
				time.Sleep(50 * time.Second)
				return audit.DropReport{ID: id}, nil
			}
		})
		mustPost[dropJSON](s, "/api/drops/create", createBody)
		if body := s.ok(s.get("/api/drops/1/audit")).body; !strings.Contains(body, `"clean":true`) {
			t.Error(body)
		}
	})
}

// rehearsals records what it is asked to start.
type rehearsals struct {
	begun  []string
	refuse error
	state  rehearse.State
}

func (r *rehearsals) Begin(_ context.Context, token string, id drop.ID, buyers int) error {
	if r.refuse != nil {
		return r.refuse
	}
	r.begun = append(r.begun, fmt.Sprintf("%q %d %d", token, id, buyers))
	r.state = rehearse.State{Running: true, Config: rehearse.Config{Drop: id, Buyers: buyers}}
	return nil
}

func (r *rehearsals) State() rehearse.State { return r.state }

func (r *rehearsals) Past() []rehearse.State { return []rehearse.State{r.state} }

func TestRehearsals_BeginOnceAndSayHowTheyGo(t *testing.T) {
	begin := &rehearsals{}
	s := newShop(t, func(c *api.Config) { c.Rehearsals = begin }, secretProvider(t).signIn)
	token, _ := s.operatorToken(operator.Operator, time.Hour)
	if r := s.as(token, http.MethodGet, "/api/operator/rehearsals", ""); !strings.HasPrefix(r.body, `{"running":false,"dropId":null,`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	ask := func(body string) reply {
		t.Helper()
		req := s.request(http.MethodPost, "/api/operator/rehearsals", body)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Idempotency-Key", "one")
		return s.do(req)
	}
	for i := range 2 {
		r := ask(`{"dropId":1,"buyers":50}`)
		s.isReplay(r, i > 0)
		if r.status != http.StatusOK || !strings.HasPrefix(r.body, `{"running":true,"dropId":1,"buyers":50,`) {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	if got, want := fmt.Sprint(begin.begun), fmt.Sprintf("[%q 1 50]", token); got != want {
		t.Errorf("begun were %s, want %s", got, want)
	}
	s.refused(ask(`{"dropId":1,"buyers":51}`), http.StatusUnprocessableEntity, "idempotency_mismatch")
	for body, code := range map[string]string{`{"dropId":1,"buyers":0}`: "invalid", `{"dropId":1,"buyers":20001}`: "invalid", `{"buyers":1}`: "invalid"} {
		s.refused(s.as(token, http.MethodPost, "/api/operator/rehearsals", body), http.StatusUnprocessableEntity, code)
	}
	begin.refuse = &rehearse.LiveError{Sentence: "drop 3 is on sale"}
	r := s.as(token, http.MethodPost, "/api/operator/rehearsals", `{"dropId":1,"buyers":1}`)
	s.refused(r, http.StatusConflict, "not_now")
	if !strings.Contains(r.body, "rehearsal must wait: drop 3 is on sale") {
		t.Error(r.body)
	}
	begin.refuse = rehearse.ErrRunning
	s.refused(s.as(token, http.MethodPost, "/api/operator/rehearsals", `{"dropId":1,"buyers":1}`), http.StatusConflict, "not_now")
	begin.state = rehearse.State{Err: errors.New("it rained"), Config: rehearse.Config{Drop: 1}}
	if r := s.as(token, http.MethodGet, "/api/operator/rehearsals", ""); !strings.Contains(r.body, `"failure":"it rained","past":[{"dropId":1,"buyers":0,`) {
		t.Error(r.body)
	}
}

// The simulated buyers of a rehearsal show up in no figure of the service, whatever they ask for.
func TestFigures_LeaveRehearsalsOut(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", `{"name":"Rehearsal of 7","price":1,"total_stock":2,"start_time":"2020-01-01T00:00:00Z"}`)
	s.as("", http.MethodPatch, "/api/drops/1", `{"hidden":true}`)
	play := func() {
		t.Helper()
		bought := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":1}`)
		mustPost[json.RawMessage](s, "/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, bought.ID))
		held := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":2}`)
		s.refused(s.post("/api/drops/reserve", `{"dropId":1,"userId":3}`), http.StatusConflict, "out_of_stock")
		s.refused(s.keyed("k", "/api/drops/reserve", `{"dropId":1,"userId":3}`), http.StatusConflict, "out_of_stock")
		mustPost[json.RawMessage](s, "/api/drops/cancel", fmt.Sprintf(`{"reservationId":%d}`, held.ID))
	}
	play()
	f := s.figures("")
	if !f.Drops[0].Rehearsal {
		t.Errorf("the copy is not called a rehearsal: %+v", f.Drops[0])
	}
	for _, timing := range f.Service.Timings {
		if timing.Count != 0 {
			t.Errorf("a rehearsal is in the timings: %+v", timing)
		}
	}
	if f.Service.Holds.Paid != 0 || f.Service.Holds.Released != 0 {
		t.Errorf("a rehearsal is in the holds: %+v", f.Service.Holds)
	}
	if len(f.Service.Refusals) != 0 {
		t.Errorf("a rehearsal is in the refusals: %+v", f.Service.Refusals)
	}
	s.as("", http.MethodPatch, "/api/drops/1", `{"name":"Real","hidden":false}`)
	mustPost[dropJSON](s, "/api/drops/1/restock", `{"add":1}`)
	play()
	f = s.figures("")
	if got := fmt.Sprint(f.Service.Refusals); f.Drops[0].Rehearsal || got != "[{out_of_stock 2}]" || f.Service.Holds.Paid != 1 || f.Service.Holds.Released != 1 || !strings.Contains(fmt.Sprint(f.Service.Timings), "{reserve 4 ") {
		t.Errorf("a real drop's calls are %+v", f.Service)
	}
}
