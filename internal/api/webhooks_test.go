package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/events/webhooks"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

// receiver is a Poster that delivers everything.
type receiver struct{}

func (receiver) Send(context.Context, string, webhooks.Message) webhooks.Attempt {
	return webhooks.Attempt{At: time.Now(), Outcome: webhooks.Delivered, Status: 200, Answer: "ok"}
}

// newPostingShop is newShop with a receiver of test messages.
func newPostingShop(tb testing.TB, send poster) *shop {
	tb.Helper()
	ahead := new(atomic.Int64)
	st := memory.New(clockOf(ahead))
	return newShopOn(tb, st, ahead, func(c *api.Config) { c.Endpoints = webhooks.NewEndpoints(st, c.Feed, send, false) })
}

type poster func() webhooks.Attempt

func (p poster) Send(context.Context, string, webhooks.Message) webhooks.Attempt { return p() }

type webhookJSON struct {
	ID          int64    `json:"id"`
	URL         string   `json:"url"`
	Description string   `json:"description"`
	Types       []string `json:"types"`
	Drops       []int64  `json:"drops"`
	Status      string   `json:"status"`
	Disabled    *string  `json:"disabled_reason"`
	DisabledAt  *string  `json:"disabled_at"`
	OldUntil    *string  `json:"old_secret_until"`
	Failing     *string  `json:"failing_since"`
	Next        *string  `json:"next_attempt_at"`
	Succeeded   *string  `json:"last_success_at"`
	Lag         struct {
		Events  int64   `json:"events"`
		Seconds float64 `json:"seconds"`
	} `json:"lag"`
	Secret string `json:"secret"`
}

const (
	hooksPath = "/api/webhooks"
	hookBody  = `{"url":"https://example.com/hook"}`
)

func (s *shop) webhooks() []webhookJSON {
	s.Helper()
	return decoded[struct {
		Webhooks []webhookJSON `json:"webhooks"`
	}](s, s.ok(s.get(hooksPath))).Webhooks
}

func TestWebhooks_AreMadeListedAndDeleted(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	made := mustPost[webhookJSON](s, hooksPath, `{"url":"https://example.com/a?b=c","types":["purchase.completed","drop.updated"],"drops":[1.0],"description":" Mail  room "}`)
	if made.Description != "Mail room" || len(made.Types) != 2 || len(made.Drops) != 1 || made.Drops[0] != 1 || made.Status != "active" || !strings.HasPrefix(made.Secret, "whsec_") {
		t.Errorf("%+v", made)
	}
	mustPost[webhookJSON](s, "/API/Webhooks/", `{"url":"https://example.com/","types":null,"drops":null,"description":null}`)
	r := s.ok(s.get(hooksPath))
	if strings.Contains(r.body, "secret\":\"") || strings.Contains(r.body, "whsec_") || !strings.Contains(r.body, `"types":[],"drops":[]`) {
		t.Errorf("%s", r.body)
	}
	if all := s.webhooks(); len(all) != 2 || all[0].ID != made.ID || all[0].URL != "https://example.com/a?b=c" || all[1].Description != "" {
		t.Errorf("%+v", all)
	}
	path := fmt.Sprintf("%s/%d", hooksPath, made.ID)
	for range 2 {
		off := mustPost[webhookJSON](s, path+"/disable", "")
		if off.Status != "disabled" || off.Disabled == nil || *off.Disabled != "operator" || off.DisabledAt == nil {
			t.Errorf("%+v", off)
		}
	}
	for range 2 {
		if on := mustPost[webhookJSON](s, path+"/enable", "{}"); on.Status != "active" || on.Disabled != nil || on.DisabledAt != nil {
			t.Errorf("%+v", on)
		}
	}
	rotated := mustPost[webhookJSON](s, path+"/rotate", "")
	if rotated.Secret == made.Secret || !strings.HasPrefix(rotated.Secret, "whsec_") || rotated.OldUntil == nil {
		t.Errorf("%+v", rotated)
	}
	s.answers(s.post(path+"/replay", `{"dropId":1,"from":1}`), `{"dropId":1,"from":1,"to":1}`)
	s.answers(s.post(path+"/test", ""), `{"at":T,"event":null,"type":"webhook.test","attempt":1,"outcome":"delivered","status":200,"took_ms":0,"answer":"ok","error":null,"next_attempt_at":null}`)
	if attempts := s.ok(s.get(path + "/attempts")).body; strings.Count(attempts, `"type":"webhook.test"`) != 1 {
		t.Errorf("%s", attempts)
	}
	gone := decoded[webhookJSON](s, s.ok(s.do(s.request(http.MethodDelete, path, ""))))
	if left := s.webhooks(); gone.ID != made.ID || len(left) != 1 || left[0].ID == made.ID {
		t.Errorf("%+v, left %+v", gone, left)
	}
	s.refused(s.do(s.request(http.MethodDelete, path, "")), http.StatusNotFound, "webhook_not_found")
}

// What the server that delivers reports is shown.
func TestWebhooks_ShowHowDeliveriesGo(t *testing.T) {
	s := newShop(t)
	made := mustPost[webhookJSON](s, hooksPath, hookBody)
	report := webhooks.Report{
		Behind: 12, Lag: 3456, Succeeded: 1_800_000_000_000,
		Retries:  []webhooks.Retry{{Drop: 1, Seq: 2, Tries: 3, Since: 1_800_000_001_000, Next: 1_800_000_009_000}, {Drop: 2, Since: 1_800_000_002_000, Next: 1_800_000_008_000}},
		Attempts: []webhooks.Record{{At: 1_800_000_001_000, Event: "1-2", Type: "hold.created", Try: 3, Outcome: webhooks.Failed, Status: 500, Took: 7, Answer: "no", Error: "The receiver answered 500.", Next: 1_800_000_009_000}},
	}
	if err := s.store.StartDelivery(t.Context(), store.Delivery{Webhook: store.WebhookID(made.ID), Position: "x", Report: report.String()}); err != nil {
		t.Fatal(err)
	}
	got := s.webhooks()[0]
	text := func(p *string) string {
		if p == nil {
			return "null"
		}
		return *p
	}
	if got.Status != "failing" || got.Lag.Events != 12 || got.Lag.Seconds != 3.456 || text(got.Failing) != drop.Time(1_800_000_001_000).String() ||
		text(got.Next) != drop.Time(1_800_000_008_000).String() || text(got.Succeeded) != drop.Time(1_800_000_000_000).String() {
		t.Errorf("%+v", got)
	}
	want := `{"attempts":[{"at":T,"event":"1-2","type":"hold.created","attempt":3,"outcome":"failed","status":500,"took_ms":7,"answer":"no",` +
		`"error":"The receiver answered 500.","next_attempt_at":"` + drop.Time(1_800_000_009_000).String() + `"}]}`
	s.answers(s.get(fmt.Sprintf("%s/%d/attempts", hooksPath, made.ID)), want)
}

func TestWebhooks_RefuseWhatTheyCannotDo(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	for body, field := range map[string]string{
		`{}`: "url", `{"url":null}`: "url", `{"url":7}`: "url", `{"url":"http://example.com/"}`: "url", `{"url":"https://127.0.0.1/"}`: "url", `{"url":"https://localhost/"}`: "url",
		`{"url":"https://example.com/","types":"purchase.completed"}`: "types", `{"url":"https://example.com/","types":["bought"]}`: "types",
		`{"url":"https://example.com/","types":[null]}`: "types", `{"url":"https://example.com/","types":["drop.created","drop.created"]}`: "types",
		`{"url":"https://example.com/","drops":[2]}`: "drops", `{"url":"https://example.com/","drops":["1"]}`: "drops[0]", `{"url":"https://example.com/","drops":[1,1]}`: "drops",
		`{"url":"https://example.com/","drops":[null]}`: "drops[0]", `{"url":"https://example.com/","description":"` + strings.Repeat("x", 201) + `"}`: "description",
		`{"url":"https://example.com/","description":7}`: "description", `{"url":"https://example.com/","description":"a\u202eb"}`: "description",
	} {
		if e := s.refused(s.post(hooksPath, body), http.StatusUnprocessableEntity, "invalid"); e.Field != field {
			t.Errorf("%s: names %s (%s), want %s", body, e.Field, e.Error, field)
		}
	}
	if all := s.webhooks(); len(all) != 0 {
		t.Fatalf("%+v", all)
	}
	mustPost[webhookJSON](s, hooksPath, hookBody)
	for body, field := range map[string]string{
		`{}`: "dropId", `{"dropId":1}`: "from", `{"dropId":1,"from":0}`: "from", `{"dropId":1,"from":2}`: "from", `{"dropId":1,"from":1,"to":0}`: "to", `{"dropId":1,"from":1,"to":-1}`: "to",
		`{"dropId":1,"from":1,"to":2}`: "to", `{"dropId":9,"from":1}`: "dropId", `{"dropId":"1","from":1}`: "dropId", `{"dropId":1,"from":1.5}`: "from", `{"dropId":1,"from":1,"to":200000}`: "to",
		`{"dropId":1e400,"from":1}`: "dropId", `{"dropId":1,"from":1e400}`: "from",
	} {
		if e := s.refused(s.post(hooksPath+"/1/replay", body), http.StatusUnprocessableEntity, "invalid"); e.Field != field {
			t.Errorf("%s: names %s (%s), want %s", body, e.Field, e.Error, field)
		}
	}
	if left, err := s.store.Replays(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("%+v, %v", left, err)
	}
	for _, c := range []struct{ method, after, body string }{
		{"DELETE", "", ""}, {"POST", "/rotate", ""}, {"POST", "/test", ""}, {"POST", "/enable", ""}, {"POST", "/disable", ""}, {"GET", "/attempts", ""}, {"POST", "/replay", `{"dropId":1,"from":1}`},
	} {
		for _, id := range []string{"0", "-1", "2", "9007199254740992", "99999999999999999999"} {
			s.refused(s.do(s.request(c.method, hooksPath+"/"+id+c.after, c.body)), http.StatusNotFound, "webhook_not_found")
		}
		for _, id := range []string{"x", "1.5", "01", "+1"} {
			if e := s.refused(s.do(s.request(c.method, hooksPath+"/"+id+c.after, c.body)), http.StatusUnprocessableEntity, "invalid"); e.Field != "id" {
				t.Errorf("%s: %+v", id, e)
			}
		}
	}
}

// A retry after a lost answer has no second effect, and gets the same secret.
func TestWebhooks_ARetryHasNoSecondEffect(t *testing.T) {
	var mu sync.Mutex
	sent := 0
	s := newPostingShop(t, func() webhooks.Attempt {
		mu.Lock()
		defer mu.Unlock()
		sent++
		return webhooks.Attempt{At: time.Now(), Outcome: webhooks.Delivered, Status: 200 + sent}
	})
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	mustPost[webhookJSON](s, hooksPath, hookBody)
	for _, c := range []keyCall{
		{"create", hooksPath, hookBody, `{"url":"https://example.com/other"}`},
		{"rotate", hooksPath + "/1/rotate", "", ""},
		{"test", hooksPath + "/1/test", "{}", ""},
		{"replay", hooksPath + "/1/replay", `{"dropId":1,"from":1,"to":1}`, `{"dropId":1,"from":1,"to":null}`},
	} {
		answers := make([]reply, 8)
		var all sync.WaitGroup
		for i := range answers { // twins wait for the first one
			all.Go(func() { answers[i] = s.keyed("k", c.path, c.body) })
		}
		all.Wait()
		firsts := 0
		for _, r := range answers {
			if r.status != http.StatusOK || r.body != answers[0].body {
				t.Fatalf("%s: %d %s, and %s", c.name, r.status, r.body, answers[0].body)
			}
			if r.header.Get(replayedHeader) == "" {
				firsts++
			}
		}
		if firsts != 1 {
			t.Errorf("%s took effect %d times", c.name, firsts)
		}
		if other := s.keyed("k2", c.path, c.body); c.name != "replay" && other.body == answers[0].body {
			t.Errorf("%s: another key got %s", c.name, other.body)
		}
		if c.other != "" {
			s.refused(s.keyed("k", c.path, c.other), http.StatusUnprocessableEntity, "idempotency_mismatch")
		}
	}
	if n := len(s.webhooks()); n != 3 || sent != 2 {
		t.Errorf("%d webhooks, %d test messages", n, sent)
	}
	if left, err := s.store.Replays(t.Context()); err != nil || len(left) != 2 {
		t.Errorf("%+v, %v", left, err)
	}
	s.refused(s.keyed("bad", hooksPath, `{"url":"http://example.com"}`), http.StatusUnprocessableEntity, "invalid")
	s.ok(s.keyed("bad", hooksPath, hookBody)) // a refusal is not kept
}

func TestWebhooks_OnlySoManyAreTestedAtOnce(t *testing.T) {
	const most = 16
	arrived, goOn := make(chan struct{}), make(chan struct{})
	s := newPostingShop(t, func() webhooks.Attempt {
		arrived <- struct{}{}
		<-goOn
		return webhooks.Attempt{At: time.Now(), Outcome: webhooks.Delivered}
	})
	mustPost[webhookJSON](s, hooksPath, hookBody)
	var all sync.WaitGroup
	for range most {
		all.Go(func() { s.ok(s.post(hooksPath+"/1/test", "")) })
	}
	for range most {
		<-arrived
	}
	s.refused(s.post(hooksPath+"/1/test", ""), http.StatusServiceUnavailable, "overloaded")
	close(goOn)
	all.Wait()
}

// The operators' log says who did what, and never a secret.
func TestWebhooks_AreInTheOperatorsLog(t *testing.T) {
	g := lasting(newGuarded(t))
	made := mustAs[webhookJSON](g.shop, g.admin, "POST", hooksPath, hookBody)
	path := fmt.Sprintf("%s/%d", hooksPath, made.ID)
	second := mustAs[webhookJSON](g.shop, g.admin, "POST", path+"/rotate", "")
	g.as(g.admin, "POST", path+"/replay", `{"dropId":1,"from":1}`)
	g.as(g.admin, "DELETE", path, "")
	g.as(g.admin, "DELETE", path, "")
	g.as(g.admin, "GET", hooksPath, "")
	log := g.log("").Actions
	outcome := fmt.Sprintf("ok, webhook %d", made.ID)
	for i, want := range []struct{ call, detail, outcome string }{
		{"delete-webhook", fmt.Sprint("webhook ", made.ID), "webhook_not_found"},
		{"delete-webhook", fmt.Sprint("webhook ", made.ID), outcome},
		{"replay-webhook", fmt.Sprintf(`webhook %d {"dropId":1,"from":1}`, made.ID), outcome},
		{"rotate-webhook", fmt.Sprint("webhook ", made.ID), outcome},
		{"create-webhook", hookBody, outcome},
	} {
		if a := log[i]; a.Call != want.call || a.Detail != want.detail || a.Outcome == nil || *a.Outcome != want.outcome || a.DropID != nil {
			t.Errorf("%+v, want %+v", a, want)
		}
	}
	if text := g.as(g.admin, "GET", "/api/operator/log", "").body + g.shop.log.String(); strings.Contains(text, made.Secret) || strings.Contains(text, second.Secret) {
		t.Error("a secret is in a log")
	}
}
