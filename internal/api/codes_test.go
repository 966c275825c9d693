package api_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/store/sqlite"
	"sneakerdrop/internal/testing/await"
)

type (
	accessJSON struct {
		Access   int      `json:"access"`
		Kind     string   `json:"kind"`
		Name     string   `json:"name"`
		Sizes    []string `json:"sizes"`
		Starts   string   `json:"starts"`
		Ends     string   `json:"ends"`
		Uses     int      `json:"uses"`
		PerBuyer int      `json:"per_buyer"`
		Units    int64    `json:"units"`
		Kept     int64    `json:"kept"`
		Passes   int      `json:"passes"`
		Used     int64    `json:"used"`
		State    string   `json:"state"`
	}
	madeJSON struct {
		Access accessJSON `json:"access"`
		Codes  []string   `json:"codes"`
	}
	accessesJSON struct {
		Accesses []accessJSON `json:"accesses"`
	}
)

// inAnHour is when the drops of these tests start.
func inAnHour() string { return time.Now().Add(time.Hour).UTC().Format(time.RFC3339) }

func earlyBody(stock int) string {
	return fmt.Sprintf(`{"name":"early","price":1,"total_stock":%d,"start_time":%q}`, stock, inAnHour())
}

func sizedEarlyBody() string {
	return fmt.Sprintf(`{"name":"early","price":1,"sizes":[{"size":"9","stock":3},{"size":"9.5","stock":3}],"start_time":%q}`, inAnHour())
}

// onStores runs a test on the stores that need no server.
func onStores(t *testing.T, test func(t *testing.T, s *shop)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		ahead := new(atomic.Int64)
		test(t, newShopOn(t, memory.New(clockOf(ahead)), ahead, limitedTo(t, "off", "127.0.0.0/8", "::1/128")))
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		ahead := new(atomic.Int64)
		file, err := sqlite.Open(filepath.Join(t.TempDir(), "shop.db"), sqlite.Options{Now: clockOf(ahead)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		if _, _, err = file.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(t, newShopOn(t, file, ahead, limitedTo(t, "off", "127.0.0.0/8", "::1/128")))
	})
}

// codes makes an early access, which must succeed.
func (s *shop) codes(drop int, body string) madeJSON {
	s.Helper()
	r := s.post(fmt.Sprintf("/api/drops/%d/codes", drop), body)
	if r.status != http.StatusCreated {
		s.Fatalf("%s: %d %s", body, r.status, r.body)
	}
	return decoded[madeJSON](s, r)
}

func (s *shop) accesses(drop int) []accessJSON {
	s.Helper()
	return decoded[accessesJSON](s, s.ok(s.get(fmt.Sprintf("/api/drops/%d/codes", drop)))).Accesses
}

// with reserves a unit of drop 1 for a buyer who shows a code ("": none), from an address of that buyer.
func (s *shop) with(code string, user int, more ...string) reply {
	s.Helper()
	body := fmt.Sprintf(`{"dropId":1,"userId":%d`, user)
	if code != "" {
		body += fmt.Sprintf(`,"code":%q`, code)
	}
	return s.from(fmt.Sprintf("198.51.100.%d", user), http.MethodPost, "/api/drops/reserve", body+strings.Join(more, "")+"}")
}

// later moves the clock, and lets a batch see it.
func (s *shop) later(by time.Duration) {
	s.Helper()
	s.ahead.Add(by.Milliseconds())
	s.ok(s.post("/api/drops/1/resume", ""))
}

func TestCodes_AreMadeAndShownOnce(t *testing.T) {
	onStores(t, func(t *testing.T, s *shop) {
		mustPost[dropJSON](s, "/api/drops/create", earlyBody(5))
		const body = `{"name":"Newsletter","count":100,"uses":2,"per_buyer":1,"units":3}`
		first := s.keyed("k", "/api/drops/1/codes", body)
		made := decoded[madeJSON](t, first)
		if first.status != http.StatusCreated || len(made.Codes) != 100 || len(slices.Compact(slices.Sorted(slices.Values(made.Codes)))) != 100 {
			t.Fatalf("%d %s", first.status, first.body)
		}
		for _, code := range made.Codes {
			if !regexp.MustCompile(`^([0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{4}$`).MatchString(code) {
				t.Errorf("the code %q", code)
			}
		}
		want := accessJSON{Access: 1, Kind: "codes", Name: "Newsletter", Uses: 2, PerBuyer: 1, Units: 3, Kept: 3, Passes: 100, State: "open"}
		want.Starts, want.Ends = made.Access.Starts, decoded[struct {
			Starts string `json:"start_time"`
		}](t, s.get("/api/drops/1")).Starts
		if fmt.Sprint(made.Access) != fmt.Sprint(want) {
			t.Errorf("made %+v\nwant %+v", made.Access, want)
		}
		again := s.keyed("k", "/api/drops/1/codes", body)
		s.isReplay(first, false)
		s.isReplay(again, true)
		if got := decoded[madeJSON](t, again); again.status != http.StatusCreated || got.Codes != nil || fmt.Sprint(got.Access) != fmt.Sprint(want) || strings.Contains(again.body, "codes\":[") {
			t.Errorf("a repeated call: %d %s", again.status, again.body)
		}
		s.refused(s.keyed("k", "/api/drops/1/codes", `{"count":99}`), 422, "idempotency_mismatch")
		if got := s.accesses(1); len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
			t.Errorf("the list has %+v", got)
		}
		for _, shown := range []string{s.get("/api/drops/1/codes").body, s.get("/api/drops").body, s.log.String()} {
			if strings.Contains(shown, made.Codes[0]) {
				t.Errorf("a code is shown once more: %s", shown)
			}
		}
		s.ok(s.with(strings.ToLower(strings.ReplaceAll(made.Codes[7], "-", " ")), 1))
	})
}

func TestCodes_LetInBeforeTheStart(t *testing.T) {
	onStores(t, func(t *testing.T, s *shop) {
		mustPost[dropJSON](s, "/api/drops/create", sizedEarlyBody())
		if e := s.refused(s.with("", 1, `,"size":"9"`), 409, "not_started"); e.StartsAt == "" {
			t.Errorf("%+v", e)
		}
		s.codes(1, `{"codes":["Friends 2026"],"uses":2,"sizes":["9"]}`)
		if e := s.refused(s.with("", 1, `,"size":"9"`), 409, "code_required"); e.StartsAt == "" || e.StartsIn < 3_500_000 || e.StartsIn > 3_600_000 {
			t.Errorf("%+v", e)
		}
		s.refused(s.with("", 1, `,"size":"9.5"`), 409, "not_started")
		s.refused(s.with("friends2026", 1, `,"size":"9.5"`), 409, "code_invalid")
		first := decoded[reservationJSON](t, s.ok(s.with("friends-2026", 1, `,"size":"9"`)))
		s.ok(s.with("FRIENDS2026", 2, `,"size":"9"`))
		s.refused(s.with("FRIENDS2026", 3, `,"size":"9"`), 409, "code_invalid")
		s.ok(s.post("/api/drops/cancel", fmt.Sprintf(`{"reservationId":%d}`, first.ID))) // gives its use back
		s.ok(s.with("FRIENDS2026", 3, `,"size":"9"`))
		s.refused(s.with("FRIENDS2026", 4, `,"size":"9"`), 409, "code_invalid")
		if got := s.accesses(1)[0]; got.Used != 2 || fmt.Sprint(got.Sizes) != "[9]" || got.Kept != 0 || got.Units != 0 {
			t.Errorf("%+v", got)
		}
		s.later(time.Hour)
		s.ok(s.with("", 4, `,"size":"9"`))
		s.ok(s.with("WRONG2026", 5, `,"size":"9"`))                                               // needed by nobody now
		await.Until(t, "the state over", func() bool { return s.accesses(1)[0].State == "over" }) // by the server's idea of the clock
	})
}

func TestCodes_EachBuyerHasALimit(t *testing.T) {
	onStores(t, func(t *testing.T, s *shop) {
		mustPost[dropJSON](s, "/api/drops/create", earlyBody(9))
		s.codes(1, `{"codes":["FRIENDS-1","FRIENDS-2"],"uses":9,"per_buyer":2}`)
		s.ok(s.with("FRIENDS-1", 1))
		s.ok(s.with("FRIENDS-2", 1))
		if e := s.refused(s.with("FRIENDS-2", 1), 409, "limit_reached"); e.Limit != 2 || e.Used != 2 {
			t.Errorf("%+v", e)
		}
		s.ok(s.with("FRIENDS-1", 2))
	})
}

// Nobody learns from an answer which codes there are: the same status, headers and bytes.
func TestCodes_OneThatIsNotGoodIsToldNothing(t *testing.T) {
	onStores(t, func(t *testing.T, s *shop) {
		mustPost[dropJSON](s, "/api/drops/create", sizedEarlyBody())
		later, before := time.Now().Add(30*time.Minute).UTC().Format(time.RFC3339), time.Now().Add(time.Minute).UTC().Format(time.RFC3339)
		s.codes(1, `{"codes":["USED-UP","GOOD-ONE"],"sizes":["9"]}`)
		s.codes(1, fmt.Sprintf(`{"codes":["NOT-YET"],"starts":%q}`, later))
		s.codes(1, fmt.Sprintf(`{"codes":["OVER-NOW"],"ends":%q}`, before))
		s.codes(1, `{"codes":["ENDED-NOW"]}`)
		s.ok(s.post("/api/drops/1/codes/end", `{"access":4}`))
		s.later(2 * time.Minute)
		s.ok(s.with("USED-UP", 1, `,"size":"9"`))
		answers := make(map[string]string)
		for i, code := range []string{
			"WRONG-ONE", "USED-UP", "NOT-YET", "OVER-NOW", "ENDED-NOW", "?", " ", "-", "\u0000\u202e", "🐍", strings.Repeat("-", 100) + "GOODONE", strings.Repeat("A", 60_000),
		} {
			for _, key := range []string{"", "k"} {
				encoded, err := json.Marshal(code)
				if err != nil {
					t.Fatal(err)
				}
				req := s.request(http.MethodPost, "/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":%d,"size":"9","code":%s}`, i+10, encoded))
				req.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i+10))
				if key != "" {
					req.Header.Set("Idempotency-Key", key+strconv.Itoa(i))
				}
				r := s.do(req)
				r.header.Del("Date")
				r.header.Del("X-Request-Id")
				answers[fmt.Sprint(r)] = code
			}
		}
		if len(answers) != 1 {
			t.Errorf("the answers differ: %.2000v", answers)
		}
		for answer := range answers {
			if !strings.Contains(answer, `"code":"code_invalid"`) || !strings.HasPrefix(answer, "{409 ") {
				t.Error(answer)
			}
		}
		s.ok(s.with("GOOD-ONE", 2, `,"size":"9"`))
	})
}

func TestCodes_AListIsReadAsProgramsWriteIt(t *testing.T) {
	hash := sha256.Sum256([]byte("ann@example.com"))
	hexed := hex.EncodeToString(hash[:])
	cases := map[string]struct {
		list string
		want string // who may come in: 3, Ann and Bob
	}{
		"numbers and emails":  {"3\nann@example.com", "3 ann"},
		"hashes":              {hexed + "\n" + strings.ToUpper(hexed), "ann"},
		"other letter case":   {" ANN@Example.COM \n", "ann"},
		"header":              {"user_id,name\n3,Carl\n", "3"},
		"header of a hash":    {"SHA-256 of the email\n" + hexed, "ann"},
		"CRLF":                {"email\r\nann@example.com\r\nbob@example.com\r\n", "ann bob"},
		"CR":                  {"email\rann@example.com\rbob@example.com", "ann bob"},
		"BOM":                 {"\ufeff3\nbob@example.com\n", "3 bob"},
		"BOM and header":      {"\ufeffemail\r\nann@example.com", "ann"},
		"twice":               {"3\n3\nann@example.com\n" + hexed + "\nANN@example.com", "3 ann"},
		"quotes":              {"\"Email, if any\",Note\n\"ann@example.com\",\"a \"\"note\"\"\nover, lines\"\n3,x", "3 ann"},
		"semicolons":          {"E-Mail;Vorname\nann@example.com;Ann, A.\n3;;\n", "3 ann"},
		"tabs":                {"3\tCarl, C.\nbob@example.com\tBob", "3 bob"},
		"empty lines":         {"\n\nemail\n\n3\n\n,,\nbob@example.com\n\n", "3 bob"},
		"a row of separators": {"3,,,\n,,,\nbob@example.com,,,", "3 bob"},
	}
	onStores(t, func(t *testing.T, s *shop) {
		for name, c := range cases {
			id := mustPost[dropJSON](s, "/api/drops/create", earlyBody(9)).ID
			body, err := json.Marshal(map[string]string{"list": c.list})
			if err != nil {
				t.Fatal(err)
			}
			made := s.codes(int(id), string(body))
			if made.Access.Kind != "list" || made.Access.Passes != len(strings.Fields(c.want)) || made.Codes != nil {
				t.Errorf("%s: %+v", name, made)
			}
			var in []string
			for _, buyer := range []struct{ name, body string }{
				{"3", `"userId":3`}, {"ann", `"userName":"x","email":"ann@example.com"`}, {"bob", `"userName":"x","email":"bob@example.com"`},
			} {
				if r := s.post("/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,%s}`, id, buyer.body)); r.status == http.StatusOK {
					in = append(in, buyer.name)
				} else {
					s.refused(r, 409, "code_required")
				}
			}
			if strings.Join(in, " ") != c.want {
				t.Errorf("%s: %q came in, want %q", name, in, c.want)
			}
		}
	})
}

func TestCodes_ABadLineIsNamedByItsNumber(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", earlyBody(9))
	for list, line := range map[string]int{
		"3\nann":                            2,
		"3\r\nann@\r\n4":                    2,
		"email\n\n3\n\nann at example.com":  5,
		"0":                                 1,
		"3\n9007199254740992":               2,
		"3\n12345678901234567890123":        2,
		"3\n-4":                             2,
		"3\n4.5":                            2,
		"3\n,ann@example.com":               2,
		"\"a\nb\",x\n3\n\"c\nd\",x":         4, // a cell of two lines
		"3\n\"4":                            2,
		"3\n4\n5\"":                         3,
		"email\n" + strings.Repeat("a", 63): 2,
		strings.Repeat("a", 63):             1, // too long for a header
		"email\n" + strings.Repeat("g", 64): 2,
		strings.Repeat("3\n", 5000) + "secret-one\n": 5001,
	} {
		body, err := json.Marshal(map[string]string{"list": list})
		if err != nil {
			t.Fatal(err)
		}
		e := s.refused(s.post("/api/drops/1/codes", string(body)), 422, "invalid")
		if e.Field != "list" || !regexp.MustCompile(fmt.Sprintf(`\bline %d\b`, line)).MatchString(e.Error) || strings.Contains(e.Error, "secret-one") {
			t.Errorf("%.80q: %+v, want line %d", list, e, line)
		}
	}
	if got := s.accesses(1); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// An early access gets more codes or buyers, and keeps its terms.
func TestCodes_CanBecomeMore(t *testing.T) {
	onStores(t, func(t *testing.T, s *shop) {
		mustPost[dropJSON](s, "/api/drops/create", earlyBody(9))
		s.codes(1, `{"list":"1","uses":2,"per_buyer":2}`)
		s.codes(1, `{"count":1}`)
		if more := s.codes(1, `{"access":1,"list":"1\n2\nann@example.com"}`); more.Access.Passes != 3 || more.Access.Uses != 2 || more.Access.PerBuyer != 2 {
			t.Errorf("%+v", more)
		}
		if more := s.codes(1, `{"access":2,"count":5}`); more.Access.Passes != 6 || len(more.Codes) != 5 || more.Access.Access != 2 {
			t.Errorf("%+v", more)
		}
		s.ok(s.with("", 2))
		s.ok(s.post("/api/drops/reserve", `{"dropId":1,"userName":"Ann","email":"ann@example.com"}`))
		for _, c := range []struct {
			status            int
			code, field, body string
		}{
			{422, "invalid", "access", `{"access":1,"count":1}`},
			{422, "invalid", "access", `{"access":2,"list":"3"}`},
			{422, "invalid", "uses", `{"access":2,"count":1,"uses":2}`},
			{422, "invalid", "sizes", `{"access":2,"count":1,"sizes":[]}`},
			{404, "access_not_found", "", `{"access":3,"count":1}`},
			{404, "access_not_found", "", `{"access":0,"count":1}`},
			{422, "invalid", "count", `{}`},
			{422, "invalid", "count", `{"count":1,"list":"3"}`},
		} {
			if e := s.refused(s.post("/api/drops/1/codes", c.body), c.status, c.code); e.Field != c.field {
				t.Errorf("%s: %+v", c.body, e)
			}
		}
		s.ok(s.post("/api/drops/1/codes/end", `{"access":2}`))
		if e := s.refused(s.post("/api/drops/1/codes", `{"access":2,"count":1}`), 409, "fixed"); e.Field != "access" {
			t.Errorf("%+v", e)
		}
		if e := s.refused(s.post("/api/drops/1/codes", `{"count":1,"units":8}`), 409, "stock_in_use"); e.Available == nil || *e.Available != 7 || !strings.Contains(e.Error, "keep") {
			t.Errorf("%+v", e)
		}
		for range 48 {
			s.codes(1, `{"count":1}`)
		}
		if e := s.refused(s.post("/api/drops/1/codes", `{"count":1}`), 409, "limit_reached"); e.Limit != 50 || strings.Contains(e.Error, "user") {
			t.Errorf("%+v", e)
		}
	})
}

// What is kept is for nobody else, also after the start, and goes back at the end.
func TestCodes_UnitsAreKeptUntilTheEnd(t *testing.T) {
	onStores(t, func(t *testing.T, s *shop) {
		mustPost[dropJSON](s, "/api/drops/create", earlyBody(5))
		ends := time.Now().Add(2 * time.Hour).UTC().Format(time.RFC3339)
		s.codes(1, fmt.Sprintf(`{"codes":["FRIENDS-1"],"uses":9,"units":2,"ends":%q}`, ends))
		s.codes(1, fmt.Sprintf(`{"list":"7","units":2,"ends":%q}`, ends))
		available := func(want int64) {
			t.Helper()
			if got := decoded[dropJSON](t, s.get("/api/drops/1")); got.AvailableStock != want || got.TotalStock != 5 {
				t.Errorf("%+v, want %d available", got, want)
			}
		}
		available(1)
		s.ok(s.with("FRIENDS-1", 1))
		s.later(time.Hour + time.Minute)
		available(1)
		s.ok(s.with("", 2))
		s.refused(s.with("", 3), 409, "out_of_stock")
		s.ok(s.with("FRIENDS-1", 3)) // the first hold is over by now, so two were kept
		s.ok(s.with("FRIENDS-1", 4))
		s.refused(s.with("FRIENDS-1", 5), 409, "out_of_stock")
		s.ok(s.with("", 7)) // on the list
		if got := s.accesses(1); got[0].Kept != 0 || got[0].Used != 2 || got[1].Kept != 1 || got[1].Used != 1 || got[1].State != "open" {
			t.Errorf("%+v", got)
		}
		ended := decoded[madeJSON](t, s.ok(s.post("/api/drops/1/codes/end", `{"access":2}`))).Access
		if ended.State != "over" || ended.Kept != 0 || ended.Used != 1 {
			t.Errorf("%+v", ended)
		}
		available(1)
		if again := decoded[madeJSON](t, s.ok(s.post("/api/drops/1/codes/end", `{"access":2}`))).Access; fmt.Sprint(again) != fmt.Sprint(ended) {
			t.Errorf("%+v, then %+v", ended, again)
		}
		s.later(time.Minute) // holds end: their units are kept again for the first access only
		if got := s.accesses(1); got[0].Kept != 2 || got[1].Kept != 0 {
			t.Errorf("%+v", got)
		}
		available(3)
		s.later(time.Hour)
		available(5)
		if got := s.accesses(1); got[0].Kept != 0 || got[0].Used != 0 {
			t.Errorf("%+v", got)
		}
		ledger := s.get("/api/drops/1/ledger").body
		for _, reason := range []string{"access_kept", "access_freed"} {
			if !strings.Contains(ledger, `"reason":"`+reason+`"`) {
				t.Errorf("the ledger has no %s: %s", reason, ledger)
			}
		}
	})
}

func TestCodes_LetIntoTheDrawEarly(t *testing.T) {
	onStores(t, func(t *testing.T, s *shop) {
		opens, closes := time.Now().Add(time.Hour).UTC().Format(time.RFC3339), time.Now().Add(2*time.Hour).UTC().Format(time.RFC3339)
		s.ok(s.post("/api/drops/create", fmt.Sprintf(`{"name":"drawn","price":1,"total_stock":2,"draw":{"opens":%q,"closes":%q}}`, opens, closes)))
		enter := func(user int, code string) reply {
			return s.post("/api/drops/enter", fmt.Sprintf(`{"dropId":1,"userId":%d%s}`, user, code))
		}
		s.refused(enter(1, ""), 409, "not_started")
		s.codes(1, `{"codes":["FRIENDS-1"]}`)
		s.codes(1, `{"list":"7"}`)
		if e := s.refused(enter(1, ""), 409, "code_required"); e.StartsAt != strings.TrimSuffix(opens, "Z")+".000Z" {
			t.Errorf("%+v", e)
		}
		s.refused(enter(1, `,"code":"WRONG-1"`), 409, "code_invalid")
		first := decoded[inDraw](t, s.ok(enter(1, `,"code":"friends 1"`)))
		if first.Status != "entered" {
			t.Errorf("%+v", first)
		}
		s.ok(enter(1, "")) // is in
		s.ok(enter(7, ""))
		used, wrong := s.refused(enter(2, `,"code":"FRIENDS-1"`), 409, "code_invalid"), s.refused(enter(2, `,"code":"WRONG-1"`), 409, "code_invalid")
		if used != wrong {
			t.Errorf("%+v and %+v", used, wrong)
		}
		s.ok(s.post("/api/drops/withdraw", `{"dropId":1,"userId":1}`)) // gives the use back
		s.ok(enter(2, `,"code":"FRIENDS-1"`))
		s.later(time.Hour)
		s.ok(enter(3, ""))
	})
}

// A code of ten uses and five hundred buyers at once: ten get in, and no more than ten are told that it is not good.
func TestCodes_AreNeverUsedMoreOften(t *testing.T) {
	onStores(t, func(t *testing.T, s *shop) {
		mustPost[dropJSON](s, "/api/drops/create", earlyBody(500))
		s.codes(1, `{"codes":["FRIENDS-1"],"uses":10}`)
		var mu sync.Mutex
		count := make(map[string]int)
		var all sync.WaitGroup
		for user := range 500 {
			all.Go(func() {
				r := s.post("/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":%d,"code":"FRIENDS-1"}`, user+1))
				mu.Lock()
				defer mu.Unlock()
				count[cmp.Or(decoded[errorJSON](t, r).Code, "in")]++
			})
		}
		all.Wait()
		if got := s.accesses(1)[0]; count["in"] != 10 || got.Used != 10 || count["code_invalid"] > 10 || count["in"]+count["code_invalid"]+count["rate_limited"] != 500 {
			t.Errorf("%v, %+v", count, got)
		}
	})
}

// After ten wrong codes in a minute, an address and a signed-in buyer can show none, also no good one.
func TestCodes_WrongOnesAreLimited(t *testing.T) {
	g := newGuarded(t, limitedTo(t, "off", "127.0.0.0/8", "::1/128"))
	mustAs[dropJSON](g.shop, g.admin, "POST", "/api/drops/create", earlyBody(9))
	if r := g.as(g.admin, "POST", "/api/drops/2/codes", `{"codes":["FRIENDS-1"],"uses":9}`); r.status != http.StatusCreated {
		t.Fatalf("%d %s", r.status, r.body)
	}
	show := func(token, address, code string) reply {
		t.Helper()
		body := `{"dropId":2}`
		if code != "" {
			body = fmt.Sprintf(`{"dropId":2,"code":%q}`, code)
		}
		req := g.request(http.MethodPost, "/api/drops/reserve", body)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("X-Forwarded-For", address)
		return g.do(req)
	}
	limited := func(r reply) {
		t.Helper()
		g.refused(r, http.StatusTooManyRequests, "rate_limited")
		if after, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || after < 1 || after > 60 || !strings.Contains(r.body, `"retry_in_ms":`) {
			t.Errorf("%v %s", r.header, r.body)
		}
	}
	for i := range 10 { // one buyer from many addresses
		g.refused(show(g.ann, fmt.Sprintf("198.51.100.%d", i+1), "WRONG-1"), 409, "code_invalid")
	}
	limited(show(g.ann, "198.51.100.50", "WRONG-1"))
	limited(show(g.ann, "198.51.100.50", "FRIENDS-1"))
	g.refused(show(g.ann, "198.51.100.50", ""), 409, "code_required") // shows none
	g.ok(show(g.bob, "198.51.100.1", "FRIENDS-1"))
	for i := range 10 { // many buyers from one address
		buyer := g.p.token(fmt.Sprintf("buyer%d", i), nil)
		g.refused(show(buyer, "198.51.100.99", "WRONG-1"), 409, "code_invalid")
	}
	limited(show(g.bob, "198.51.100.99", "WRONG-1"))
	limited(show(g.bob, "198.51.100.99", "FRIENDS-1"))
	g.ok(show(g.bob, "198.51.100.98", "FRIENDS-1"))
	metrics := g.as(g.admin, "GET", "/metrics", "").body
	for _, caller := range []string{"address", "buyer"} {
		if !strings.Contains(metrics, `sneakerdrop_rate_limited_total{caller="`+caller+`",class="code"} 2`) {
			t.Errorf("the refusals of each %s are not counted", caller)
		}
	}
}

// No log has a code, nor who is on a list: neither the server's nor the operators', also not of faulty calls.
func TestCodes_NoLogHasThem(t *testing.T) {
	g := newGuarded(t)
	mustAs[dropJSON](g.shop, g.admin, "POST", "/api/drops/create", earlyBody(9))
	const path = "/api/drops/2/codes"
	made := decoded[madeJSON](t, g.as(g.admin, "POST", path, `{"name":"Newsletter","count":2,"units":1,"starts":"2026-01-31T10:00:00Z","sizes":null}`))
	for _, body := range []string{
		`{"codes":["SECRET-1","SECRET-2"],"uses":3}`, `{"codes":["SECRET-3","secret 3"]}`, `{"codes":["SECRET/4"]}`, `{"codes":"SECRET-5"}`, `{"codes":["SECRET-6"]`,
		`{"Codes":["SECRET-7"],"note":"SECRET-8"}`, `{"list":"email\nsecret-9@example.com\nsecret-10"}`, `{"list":"secret-11@example.com\r\n3\r\n"}`,
		`{"access":1,"count":1,"list":"secret-12@example.com"}`,
	} {
		g.as(g.admin, "POST", path, body)
	}
	g.as(g.admin, "POST", path, `{"codes":["SECRET-13","`+strings.Repeat("A", 3<<20)+`"]}`)
	for _, code := range []string{"SECRET-1", "SECRET-14", made.Codes[0]} {
		g.as(g.ann, "POST", "/api/drops/reserve", fmt.Sprintf(`{"dropId":2,"code":%q}`, code))
		g.as(g.ann, "POST", "/api/drops/reserve", fmt.Sprintf(`{"dropId":77,"code":%q}`, code))
		g.as(g.admin, "POST", "/api/drops/reserve", fmt.Sprintf(`{"dropId":2,"code":%q}`, code))
	}
	entries := g.log("?drop=2").Actions
	text := g.shop.log.String() + fmt.Sprint(entries)
	for _, secret := range []string{"SECRET", "secret", made.Codes[0], made.Codes[1], strings.ReplaceAll(made.Codes[0], "-", "")} {
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("a log has %s: …%.300s", secret, text[max(0, i-200):])
		}
	}
	slices.Reverse(entries)
	want := []string{
		`{"count":2,"name":"Newsletter","starts":"2026-01-31T10:00:00.000Z","units":1} ok, access 1`,
		`{"uses":3,"codes":2} ok, access 2`, `{"codes":2} invalid`, `{"codes":1} invalid`, `not well-formed invalid`, `not well-formed bad_json`, `{} invalid`,
		`{"lines":3} invalid`, `{"lines":2} ok, access 3`, `{"access":1,"count":1,"lines":1} invalid`, `not well-formed too_large`,
	}
	if len(entries) != len(want) {
		t.Fatalf("%+v", entries)
	}
	for i, e := range entries {
		if got := e.Detail + " " + *e.Outcome; e.Call != "add-codes" || got != want[i] {
			t.Errorf("entry %d of %s: %s\nwant %s", i, e.Call, got, want[i])
		}
	}
}

// Answers about drops without early access are as before, byte for byte. Watchers hear when it changes.
func TestCodes_DropsSayWhenEarlyAccessIs(t *testing.T) {
	s := newShop(t)
	s.answers(s.post("/api/drops/create", laterBody), laterDrop)
	if r := s.get("/api/drops"); strings.Contains(r.body, "early") {
		t.Errorf("%s", r.body)
	}
	early := func(want string) {
		t.Helper()
		for _, path := range []string{"/api/drops", "/api/drops/1"} {
			if r := s.get(path); !strings.Contains(r.body, `"early":`+want) {
				t.Errorf("%s: %s\nwant %s", path, r.body, want)
			}
		}
	}
	s.codes(1, `{"list":"3","starts":"2026-02-01T00:00:00Z"}`)
	early(`{"starts":"2026-02-01T00:00:00.000Z","ends":"9998-01-31T10:00:00.000Z","codes":false}`)
	s.codes(1, `{"count":1,"starts":"2026-01-01T00:00:00Z","ends":"9998-01-01T00:00:00Z"}`)
	early(`{"starts":"2026-01-01T00:00:00.000Z","ends":"9998-01-31T10:00:00.000Z","codes":true}`)
	s.codes(1, `{"count":1,"starts":"9998-06-01T00:00:00Z","ends":"9998-07-01T00:00:00Z"}`)
	early(`{"starts":"2026-01-01T00:00:00.000Z","ends":"9998-07-01T00:00:00.000Z","codes":true}`)
	for i, state := range []string{"open", "open", "soon"} {
		if got := s.accesses(1)[i]; got.State != state || got.Access != i+1 {
			t.Errorf("%+v, want %s", got, state)
		}
	}
}
