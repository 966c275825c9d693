package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// keyed posts under an Idempotency-Key.
func (s *shop) keyed(key, path, body string) reply {
	s.Helper()
	req := s.request(http.MethodPost, path, body)
	req.Header.Set("Idempotency-Key", key)
	return s.do(req)
}

// keyCall is a POST with a change that makes it a different request under the same key ("": there is none).
type keyCall struct{ name, path, body, other string }

// keyCalls are calls that succeed once on a shop from openForKeys.
var keyCalls = []keyCall{
	{"create", "/api/drops/create", createBody, sizedBody},
	{"users", "/api/users", `{"username":"Ann","email":"ann@example.com"}`, `{"username":"Ann"}`},
	{"reserve", "/api/drops/reserve", `{"dropId":1,"userId":3}`, `{"dropId":1,"userId":4}`},
	{"reserve in a size", "/api/drops/reserve", `{"dropId":2,"userId":3,"size":9.5}`, `{"dropId":2,"userId":3,"size":"9"}`},
	{"reserve by name", "/api/drops/reserve", `{"dropId":1,"userName":"Bob","email":"bob@example.com"}`, `{"dropId":1,"userName":"Carl"}`},
	{"purchase", "/api/drops/purchase", `{"reservationId":4294967297}`, `{"reservationId":4294967298}`},
	{"cancel", "/api/drops/cancel", `{"reservationId":4294967297}`, `{"reservationId":4294967298}`},
	{"restock", "/api/drops/1/restock", `{"add":3}`, `{"add":4}`},
	{"restock in a size", "/api/drops/2/restock", `{"add":1,"size":"9"}`, `{"add":1,"size":"9.5"}`},
	{"return", "/api/purchases/12884901889/return", `{"restock":true}`, `{"restock":false}`},
	{"join", "/api/drops/waitlist", `{"dropId":4,"userId":3}`, `{"dropId":4,"userId":4}`},
	{"leave", "/api/drops/waitlist/leave", `{"entryId":17179869185}`, `{"entryId":17179869186}`},
	{"enter", "/api/drops/enter", `{"dropId":5,"userId":3}`, `{"dropId":5,"userId":4}`},
	{"withdraw", "/api/drops/withdraw", `{"dropId":5,"userId":1}`, `{"dropId":5,"userId":2}`},
	{"remove", "/api/drops/5/remove", `{"entryId":21474836482,"reason":"x"}`, `{"entryId":21474836482,"reason":"y"}`},
	{"codes", "/api/drops/1/codes", `{"codes":["FRIENDS-2026"],"starts":"2026-01-31T10:00:00Z","ends":"9998-01-31T10:00:00Z"}`, `{"codes":["FRIENDS-2027"],"starts":"2026-01-31T10:00:00Z","ends":"9998-01-31T10:00:00Z"}`},
	{"list", "/api/drops/1/codes", `{"list":"3\n","starts":"2026-01-31T10:00:00Z","ends":"9998-01-31T10:00:00Z"}`, `{"list":"4\n","starts":"2026-01-31T10:00:00Z","ends":"9998-01-31T10:00:00Z"}`},
	{"end codes", "/api/drops/2/codes/end", `{"access":1}`, `{"access":2}`},
	{"pause", "/api/drops/1/pause", `{}`, ""},
	{"resume", "/api/drops/1/resume", ``, ""},
}

// openForKeys makes a shop with two drops and two live holds in the first one. A third drop has sold a unit.
// Two buyers wait for units of a fourth one, which has none, and two are in the draw of a fifth.
func openForKeys(tb testing.TB) *shop {
	s := newShop(tb)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	mustPost[dropJSON](s, "/api/drops/create", sizedBody)
	for range 2 {
		s.ok(s.post("/api/drops/2/codes", `{"count":1,"starts":"2026-01-31T10:00:00Z","ends":"9998-01-31T10:00:00Z"}`))
	}
	mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":1}`)
	mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":2}`)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	sold := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":3,"userId":1}`)
	s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, sold.ID)))
	mustPost[dropJSON](s, "/api/drops/create", waitBody)
	for _, user := range []int{1, 2} {
		mustPost[placeJSON](s, "/api/drops/waitlist", fmt.Sprintf(`{"dropId":4,"userId":%d}`, user))
	}
	mustPost[dropJSON](s, "/api/drops/create", `{"name":"drawn","price":1,"total_stock":1,"draw":{"opens":"2026-01-31T10:00:00Z","closes":"2226-01-31T10:00:00Z","seed_commitment":"`+
		knownCommitment+`"}}`)
	for _, user := range []int{1, 2} {
		mustPost[inDraw](s, "/api/drops/enter", fmt.Sprintf(`{"dropId":5,"userId":%d}`, user))
	}
	return s
}

const replayedHeader = "Idempotent-Replayed"

// isReplay checks that an answer is marked as a kept one, or is not.
func (s *shop) isReplay(r reply, want bool) {
	s.Helper()
	if got := r.header.Values(replayedHeader); want != (len(got) == 1 && got[0] == "true") || !want && got != nil {
		s.Errorf("%d %s: %s: %q, want replayed %t", r.status, r.body, replayedHeader, got, want)
	}
}

func (s *shop) kept(key string, c keyCall) reply {
	s.Helper()
	r := s.keyed(key, c.path, c.body)
	if r.status >= http.StatusMultipleChoices {
		s.Fatalf("%s: %d %s", c.name, r.status, r.body)
	}
	return r
}

func TestKey_GivesTheFirstAnswerWhateverHasHappenedSince(t *testing.T) {
	for _, c := range keyCalls {
		t.Run(c.name, func(t *testing.T) {
			s := openForKeys(t)
			first := s.kept("k", c)
			s.isReplay(first, false)
			s.post("/api/drops/purchase", `{"reservationId":4294967297}`)
			s.post("/api/drops/reserve", `{"dropId":1,"userId":7}`)
			s.post("/api/drops/cancel", `{"reservationId":4294967297}`)
			for _, body := range []string{`{"name":"other","limit_per_user":1}`, `{"hidden":true}`, `{"archived":true}`} {
				s.ok(s.do(s.request(http.MethodPatch, "/api/drops/1", body)))
			}
			s.post("/api/drops/1/pause", "")
			s.ahead.Add(120_000) // longer than any hold lasts
			for round := range 3 {
				before := s.list().body
				again := s.kept("k", c)
				if again.body != first.body {
					t.Fatalf("round %d:\n%s\n%s", round, first.body, again.body)
				}
				s.isReplay(again, true)
				if after := s.list().body; after != before && round > 0 { // the first round's batch expires the holds
					t.Fatalf("it took effect again:\n%s\n%s", before, after)
				}
			}
			if c.other != "" {
				mismatch := s.keyed("k", c.path, c.other)
				s.refused(mismatch, 422, "idempotency_mismatch")
				s.isReplay(mismatch, false)
				if again := s.kept("k", c); again.body != first.body {
					t.Fatalf("after a mismatch: %s", again.body)
				}
			}
		})
	}
}

func (s *shop) ok(r reply) reply {
	s.Helper()
	if r.status >= http.StatusMultipleChoices {
		s.Fatalf("%d %s", r.status, r.body)
	}
	return r
}

func TestKey_TwoHundredTwinsTakeOneEffect(t *testing.T) {
	const twins = 200
	for _, c := range keyCalls {
		t.Run(c.name, func(t *testing.T) {
			s, alone := openForKeys(t), openForKeys(t)
			answers := make([]string, twins)
			var replays atomic.Int32
			start := make(chan struct{})
			var wg sync.WaitGroup
			for i := range twins {
				wg.Go(func() {
					<-start
					r := s.keyed("k", c.path, c.body)
					answers[i] = fmt.Sprint(r.status, " ", r.body)
					if r.header.Get(replayedHeader) == "true" {
						replays.Add(1)
					}
				})
			}
			close(start)
			wg.Wait()
			for _, a := range answers {
				if a != answers[0] || !strings.HasPrefix(a, "20") {
					t.Fatalf("twins got\n%s\n%s", answers[0], a)
				}
			}
			if got := replays.Load(); got != twins-1 {
				t.Errorf("%d of %d twins say that they got the first one's answer", got, twins-1)
			}
			alone.kept("k", c)
			if got, want := masked(s.list().body), masked(alone.list().body); got != want {
				t.Fatalf("after %d twins\n%s\nafter one call\n%s", twins, got, want)
			}
		})
	}
}

func TestKey_RetryAfterASelloutAPauseAndTheHoldsEnd(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", `{"name":"one","price":1,"total_stock":1,"start_time":"2026-01-31T10:00:00Z"}`)
	const body = `{"dropId":1,"userId":3}`
	first := s.ok(s.keyed("k", "/api/drops/reserve", body))
	same := func(when string) {
		t.Helper()
		if r := s.keyed("k", "/api/drops/reserve", body); r.body != first.body || r.status != 200 {
			t.Fatalf("%s: %d %s, first %s", when, r.status, r.body, first.body)
		}
	}
	s.refused(s.post("/api/drops/reserve", body), 409, "out_of_stock")
	s.refused(s.keyed("k2", "/api/drops/reserve", body), 409, "out_of_stock")
	same("sold out")
	s.ok(s.post("/api/drops/1/pause", ""))
	s.refused(s.post("/api/drops/reserve", body), 409, "paused")
	same("paused")
	s.ahead.Add(60_000)
	same("the hold has ended")
	s.refused(s.post("/api/drops/purchase", `{"reservationId":4294967297}`), 410, "reservation_expired")
	s.ok(s.post("/api/drops/1/resume", ""))
	s.ok(s.post("/api/drops/reserve", `{"dropId":1,"userId":9}`))
	same("somebody else has the unit")
}

func TestKey_ARefusalIsNotKept(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", `{"name":"none","price":1,"total_stock":0,"start_time":"2026-01-31T10:00:00Z"}`)
	const body = `{"dropId":1,"userId":3}`
	for range 2 {
		s.refused(s.keyed("k", "/api/drops/reserve", body), 409, "out_of_stock")
	}
	s.refused(s.keyed("k", "/api/drops/1/restock", `{"add":-1}`), 409, "stock_in_use")
	s.refused(s.keyed("k", "/api/drops/9/pause", ``), 404, "drop_not_found")
	s.ok(s.keyed("k", "/api/drops/1/restock", `{"add":1}`)) // another body is accepted, because nothing was kept
	first := s.ok(s.keyed("k", "/api/drops/reserve", body))
	if again := s.ok(s.keyed("k", "/api/drops/reserve", body)); again.body != first.body {
		t.Errorf("got %s, then %s", first.body, again.body)
	}
	s.refused(s.keyed("k", "/api/drops/reserve", `{"dropId":1,"userId":4}`), 422, "idempotency_mismatch")
}

func TestKey_CountsForOneDropAndOneOperation(t *testing.T) {
	s := newShop(t)
	for _, c := range []keyCall{
		{path: "/api/drops/create", body: createBody},
		{path: "/api/users", body: `{"username":"Ann"}`},
		{path: "/api/drops/reserve", body: `{"dropId":1,"userId":3}`},
		{path: "/api/drops/purchase", body: `{"reservationId":4294967297}`},
		{path: "/api/drops/1/restock", body: `{"add":1}`},
		{path: "/api/drops/1/pause"},
		{path: "/api/drops/1/resume"},
	} {
		s.ok(s.keyed("k", c.path, c.body))
	}
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	if r := s.ok(s.keyed("k", "/api/drops/reserve", `{"dropId":2,"userId":4}`)); !strings.Contains(r.body, `"dropId":2,"userId":4`) {
		t.Error(r.body)
	}
	s.ok(s.keyed("k", "/api/drops/cancel", `{"reservationId":8589934593}`))
	s.ok(s.keyed("k", "/api/drops/2/restock", `{"add":2}`))
	drops := decoded[[]dropJSON](t, s.list())
	if len(drops) != 2 || drops[0].TotalStock != 6 || drops[0].AvailableStock != 5 || drops[1].TotalStock != 7 || drops[1].AvailableStock != 7 {
		t.Errorf("got %+v", drops)
	}
}

func TestPurchase_RetriedByKeyAndWithoutIsOne(t *testing.T) {
	s := openForKeys(t)
	const path, body = "/api/drops/purchase", `{"reservationId":4294967297}`
	first := s.ok(s.post(path, body))
	for i, key := range []string{"a", "a", "b", "", "a"} {
		r := s.post(path, body)
		if key != "" {
			r = s.keyed(key, path, body)
		}
		if r.status != 200 || r.body != first.body {
			t.Fatalf("key %q: %d %s, first %s", key, r.status, r.body, first.body)
		}
		s.isReplay(r, i == 1 || i == 4) // the others are repeatable by nature, not because of the key
	}
	if got := decoded[salesJSON](t, s.get("/api/drops/1/purchases")); len(got.Purchases) != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestKey_OnlyAKeptAnswerSaysThatItIsOne(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", `{"name":"one each","price":1,"total_stock":9,"start_time":"2026-01-31T10:00:00Z","limit_per_user":1}`)
	const path, body = "/api/drops/reserve", `{"dropId":1,"userId":3}`
	first := s.ok(s.keyed("a", path, body))
	for _, key := range []string{"", "b", "c"} { // the hold that exists, because of the limit
		r := s.post(path, body)
		if key != "" {
			r = s.keyed(key, path, body)
		}
		if s.isReplay(s.ok(r), false); r.body != first.body {
			t.Errorf("key %q: %s", key, r.body)
		}
	}
	s.isReplay(s.ok(s.keyed("b", path, body)), true)
	for range 2 {
		refused := s.keyed("d", "/api/drops/purchase", `{"reservationId":1}`)
		s.refused(refused, 404, "reservation_not_found")
		s.isReplay(refused, false)
	}
	for range 2 { // finds the same buyer
		s.isReplay(s.ok(s.post("/api/users", `{"username":"Ann"}`)), false)
	}
}

func TestKey_BrowsersMayReadThatAnAnswerIsAKeptOne(t *testing.T) {
	s := newShop(t)
	req := s.request(http.MethodPost, "/api/drops/create", createBody)
	req.Header.Set("Origin", "https://shop.example")
	if got := s.do(req).header.Get("Access-Control-Expose-Headers"); !strings.Contains(strings.ToLower(got), strings.ToLower(replayedHeader)) {
		t.Errorf("exposed: %s", got)
	}
}

func TestKey_OfEverySpellingOfOneRequest(t *testing.T) {
	s := openForKeys(t)
	first := s.ok(s.keyed("k", "/api/drops/reserve", `{"dropId":2,"userId":3,"size":"9.5"}`))
	for _, body := range []string{`{ "size" : 9.50, "userId": 3.0, "dropId": 2e0 }`, `{"dropId":2,"userId":3,"size":9.5,"x":1}`} {
		if r := s.ok(s.keyed("k", "/api/drops/reserve", body)); r.body != first.body {
			t.Errorf("%s: %s, first %s", body, r.body, first.body)
		}
	}
}

func TestKey_MayHaveEveryVisibleCharacter(t *testing.T) {
	s := newShop(t)
	var all strings.Builder
	for c := '!'; c <= '~'; c++ {
		all.WriteRune(c)
	}
	for i, key := range []string{all.String(), "x", strings.Repeat("y", 255), ",", `"a"`, "k", "K"} {
		s.ok(s.keyed(key, "/api/drops/create", createBody))
		s.ok(s.keyed(key, "/api/drops/create", createBody))
		if got := len(decoded[[]dropJSON](t, s.list())); got != i+1 {
			t.Fatalf("key %q: %d drops", key, got)
		}
	}
}
