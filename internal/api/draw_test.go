package api_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/shop/drawing"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/pipes"
	"sneakerdrop/internal/testing/stores"
)

type inDraw struct {
	ID      int64          `json:"id"`
	UserID  int64          `json:"userId"`
	Sizes   []string       `json:"sizes"`
	Status  string         `json:"status"`
	Reason  string         `json:"reason"`
	Receipt jsontext.Value `json:"receipt"`
	Result  *struct {
		Won   bool   `json:"won"`
		Size  string `json:"size"`
		Place int    `json:"place"`
	} `json:"result"`
}

type entriesJSON struct {
	Entries []inDraw `json:"entries"`
	Next    *int64   `json:"next"`
}

// knownSeed is a seed, and knownCommitment its commitment: those of internal/draw/testdata/record-1.json.
const (
	knownSeed       = "e349b6a7849927d6b0072dca7e2f928998f54357c430d179ac9913d4bc5f058a"
	knownCommitment = "c6ce25bd0bb2d8fdd02d273df93f7bebc3d6650cd231cc9d8badd191b2175661"
)

// drawBody is a drop with a draw that is open now and closes in an hour. more are further members of draw.
func drawBody(more string) string {
	return fmt.Sprintf(`{"name":"drawn","price":1,"total_stock":1,"draw":{%s%s}}`, openNow(), more)
}

func sizedDrawBody(more string) string {
	return fmt.Sprintf(`{"name":"drawn","price":1,"sizes":[{"size":"9","stock":1},{"size":"9.5","stock":1}],"draw":{%s%s}}`, openNow(), more)
}

func openNow() string {
	now := time.Now().UTC()
	return fmt.Sprintf(`"opens":%q,"closes":%q`, now.Add(-time.Hour).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339))
}

// openDraws makes what the examples of a call about draws need.
func openDraws(s *shop, call string) {
	s.Helper()
	mustPost[dropJSON](s, "/api/drops/create", drawBody(`,"seed_commitment":"`+knownCommitment+`"`))
	mustPost[dropJSON](s, "/api/drops/create", sizedDrawBody(""))
	if call != "enter-draw" {
		s.ok(s.post("/api/drops/enter", `{"dropId":1,"userId":3}`))
		s.ok(s.post("/api/drops/enter", `{"dropId":2,"userName":"Ann","email":"ann@example.com","sizes":[9]}`))
	}
	if call == "reveal-draw" {
		s.closeDraw(1)
	}
}

// closeDraw moves the clock beyond the close of a draw that is open for an hour, and closes it.
func (s *shop) closeDraw(id drop.ID) {
	s.Helper()
	s.ahead.Store(2 * time.Hour.Milliseconds())
	if d, err := s.engine.CloseDraw(s.Context(), id); err != nil || d.DrawState.Phase != drop.Drawing {
		s.Fatalf("close the draw: %+v, %v", d.DrawState, err)
	}
}

// withDesk has a desk that carries out draws while the test runs.
func withDesk(tb testing.TB) option {
	return func(c *api.Config) {
		desk := drawing.New(c.Engine, drawing.Options{Logger: c.Log})
		c.Draws = desk
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		tb.Cleanup(func() { stop(); <-done })
		go func() {
			defer close(done)
			desk.Run(ctx)
		}()
	}
}

// result waits for the record of a draw, and checks it as anybody can.
func (s *shop) result(id int) *draw.Record {
	s.Helper()
	var r reply
	await.Until(s, "the record of the draw", func() bool {
		r = s.get(fmt.Sprintf("/api/drops/%d/draw", id))
		return r.status == http.StatusOK && strings.Contains(r.body, `"winners":`) && strings.Contains(s.get(fmt.Sprintf("/api/drops/%d", id)).body, `"phase":"drawn"`)
	})
	record, err := draw.Parse([]byte(r.body))
	if err == nil {
		err = record.Verify()
	}
	if err != nil {
		s.Fatalf("the record is wrong: %v\n%s", err, r.body)
	}
	return record
}

func (s *shop) receipt(e *inDraw) *draw.Receipt {
	s.Helper()
	r, err := draw.ParseReceipt(append(e.Receipt, '\n'))
	if err != nil {
		s.Fatalf("%s: %v", e.Receipt, err)
	}
	return r
}

// The whole way over HTTP: five buyers want one pair of each of two sizes.
func TestDraw_FromTheFirstEntryToThePurchase(t *testing.T) {
	s := newShop(t, withDesk(t))
	s.ok(s.post("/api/drops/create", sizedDrawBody(`,"pay_within":120`)))
	for _, phase := range []string{`"phase":"open"`, `"pay_within":120`, `"entered":0`} {
		if r := s.get("/api/drops"); !strings.Contains(r.body, phase) {
			t.Errorf("%s lacks %s", r.body, phase)
		}
	}
	var entries []inDraw
	for user := 1; user <= 5; user++ {
		e := mustPost[inDraw](s, "/api/drops/enter", fmt.Sprintf(`{"dropId":1,"userId":%d,"sizes":["9.5","9"]}`, user))
		if e.Status != "entered" || fmt.Sprint(e.Sizes) != "[9.5 9]" || e.Result != nil {
			t.Errorf("entered: %+v", e)
		}
		entries = append(entries, e)
	}
	for _, path := range []string{"/api/drops/reserve", "/api/drops/waitlist"} {
		code := map[string]string{"/api/drops/reserve": "draw_open", "/api/drops/waitlist": "no_waitlist"}[path]
		s.refused(s.post(path, `{"dropId":1,"userId":1,"size":"9"}`), 409, code)
	}
	s.refused(s.post("/api/drops/enter", `{"dropId":1,"userId":1,"sizes":["9"]}`), 409, "entered")
	if e := mustPost[inDraw](s, "/api/drops/withdraw", `{"dropId":1,"userId":1}`); e.Status != "withdrawn" || e.ID != entries[0].ID {
		t.Errorf("withdrew: %+v", e)
	}
	if e := mustPost[inDraw](s, "/api/drops/1/remove", fmt.Sprintf(`{"entryId":%d,"reason":"Entered twice"}`, entries[1].ID)); e.Status != "removed" || e.Reason != "Entered twice" || e.Receipt != nil {
		t.Errorf("removed: %+v", e)
	}
	s.refused(s.post("/api/drops/enter", `{"dropId":1,"userId":2,"sizes":["9"]}`), 409, "removed")
	s.closeDraw(1)
	s.refused(s.post("/api/drops/enter", `{"dropId":1,"userId":6,"sizes":["9"]}`), 409, "draw_closed")
	s.refused(s.post("/api/drops/withdraw", `{"dropId":1,"userId":3}`), 409, "draw_closed")
	s.refused(s.post("/api/drops/1/remove", fmt.Sprintf(`{"entryId":%d,"reason":"late"}`, entries[2].ID)), 409, "draw_closed")
	record := s.result(1)
	if record.Count != 5 || len(record.Winners) != 2 || len(record.RunnersUp) != 1 || !record.Entries[0].Withdrawn || record.Entries[1].Removed != "Entered twice" {
		t.Errorf("the record: %+v", record)
	}
	s.checkResults(record, entries)
}

// checkResults checks that each buyer is told what the record says, and that the winners can buy.
func (s *shop) checkResults(record *draw.Record, entries []inDraw) {
	s.Helper()
	bought := 0
	for i := range entries {
		receipt := s.receipt(&entries[i])
		if text, err := receipt.Encode(); err != nil || string(text) != string(entries[i].Receipt)+"\n" {
			s.Errorf("the receipt %s is not %s, %v", entries[i].Receipt, text, err)
		}
		came, err := record.Find(receipt)
		if err != nil {
			s.Fatal(err)
		}
		got := decoded[entriesJSON](s, s.get(fmt.Sprintf("/api/drops/1/entries?userId=%d", entries[i].UserID))).Entries[0]
		if i < 2 { // withdrawn, removed
			if got.Result != nil || !came.Withdrawn && came.Removed == "" {
				s.Errorf("%+v, the record says %+v", got, came)
			}
			continue
		}
		if got.Result == nil || got.Result.Won != came.Won || got.Result.Size != came.Size || got.Result.Place != came.Place {
			s.Fatalf("%+v, the record says %+v", got, came)
		}
		if !came.Won {
			continue
		}
		var held []reservationJSON
		await.Until(s, "the winner's offer", func() bool { // the batch after the last place in line makes it
			held = decoded[[]reservationJSON](s, s.get(fmt.Sprintf("/api/users/%d/reservations", got.UserID)))
			return len(held) > 0
		})
		if len(held) != 1 || !held[0].Offer || held[0].Size != came.Size {
			s.Fatalf("a winner of size %s holds %+v", came.Size, held)
		}
		s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held[0].ID)))
		bought++
	}
	if bought != 2 {
		s.Errorf("%d winners bought", bought)
	}
}

// The record is sent byte for byte, also compressed, and not again to those who have it.
func TestDraw_TheRecordIsSentAsItIsKept(t *testing.T) {
	s := newShop(t, withDesk(t))
	s.ok(s.post("/api/drops/create", drawBody("")))
	for user := 1; user <= 40; user++ {
		s.ok(s.post("/api/drops/enter", fmt.Sprintf(`{"dropId":1,"userId":%d}`, user)))
	}
	before := s.get("/api/drops/1/draw")
	s.closeDraw(1)
	record := s.result(1)
	want, err := record.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, accept := range []string{"", "gzip"} {
		req := s.request(http.MethodGet, "/api/drops/1/draw", "")
		if accept != "" {
			req.Header.Set("Accept-Encoding", accept)
		}
		r := s.do(req)
		body := []byte(r.body)
		if r.header.Get("Content-Encoding") != accept || r.header.Get("ETag") == before.header.Get("ETag") {
			t.Fatalf("%q: %v", accept, r.header)
		}
		if accept == "gzip" {
			z, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if body, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(body, want) {
			t.Errorf("%q: %s is not %s", accept, body, want)
		}
		req = s.request(http.MethodGet, "/api/drops/1/draw", "")
		req.Header.Set("Accept-Encoding", accept)
		req.Header.Set("If-None-Match", r.header.Get("ETag"))
		if again := s.do(req); again.status != http.StatusNotModified || again.body != "" {
			t.Errorf("%q: again: %d %s", accept, again.status, again.body)
		}
	}
	if r := s.do(s.request(http.MethodHead, "/api/drops/1/draw", "")); r.status != 200 || r.body != "" {
		t.Errorf("HEAD: %d %s", r.status, r.body)
	}
}

func TestDraw_ADropWithoutOneIsAnsweredAsBefore(t *testing.T) {
	s := newShop(t)
	s.ok(s.post("/api/drops/create", strings.TrimSuffix(createBody, "}")+`,"draw":null}`))
	for _, path := range []string{"/api/drops", "/api/drops/1", "/api/operator/figures"} {
		if r := s.get(path); strings.Contains(r.body, "draw") {
			t.Errorf("%s: %s", path, r.body)
		}
	}
	s.refused(s.get("/api/drops/1/draw"), 404, "no_draw")
	s.refused(s.get("/api/drops/1/entries"), 404, "no_draw")
	s.refused(s.post("/api/drops/enter", `{"dropId":1,"userId":1}`), 404, "no_draw")
	s.refused(s.post("/api/drops/withdraw", `{"dropId":1,"userId":1}`), 404, "no_draw")
	s.refused(s.post("/api/drops/1/remove", `{"entryId":4294967297,"reason":"x"}`), 404, "no_draw")
	s.refused(s.post("/api/drops/1/reveal", `{"seed":"`+knownSeed+`"}`), 404, "no_draw")
	s.refused(s.get("/api/drops/9/draw"), 404, "drop_not_found")
}

// The phase follows the clock, also in the list, which is kept. In simulated time.
func TestDraw_ThePhaseFollowsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShopAt(t, pipes.Listen(), memory.New(stores.Now), new(atomic.Int64))
		now := time.Now().UTC()
		s.ok(s.post("/api/drops/create", fmt.Sprintf(`{"name":"soon","price":1,"total_stock":1,"draw":{"opens":%q,"closes":%q}}`,
			now.Add(time.Minute).Format(time.RFC3339Nano), now.Add(2*time.Minute).Format(time.RFC3339Nano))))
		for _, phase := range []string{"soon", "open", "closed"} {
			for _, later := range []time.Duration{time.Minute - time.Millisecond, time.Millisecond} { // from the first to the last moment
				for _, path := range []string{"/api/drops", "/api/drops/1", "/api/drops/1/draw"} {
					if r := s.get(path); !strings.Contains(r.body, `"phase":"`+phase+`"`) {
						t.Errorf("%s at %s: %s is not %s", path, time.Since(now), r.body, phase)
					}
				}
				time.Sleep(later)
			}
		}
	})
}

func TestDraw_TheShopRevealsItsSeed(t *testing.T) {
	s := newShop(t, withDesk(t))
	s.ok(s.post("/api/drops/create", drawBody(`,"seed_commitment":"`+knownCommitment+`"`)))
	s.ok(s.post("/api/drops/enter", `{"dropId":1,"userId":1}`))
	seed := `{"seed":"` + knownSeed + `"}`
	s.refused(s.post("/api/drops/1/reveal", seed), 409, "draw_open")
	s.closeDraw(1)
	for field, body := range map[string]string{
		"seed":              `{}`,
		"seed ":             `{"seed":"` + strings.ToUpper(knownSeed) + `"}`,
		"seed  ":            `{"seed":"` + knownCommitment + `"}`,
		"beacon":            `{"beacon":{"signature":"00"}}`,
		"beacon.signature":  `{"beacon":{}}`,
		"beacon.signature ": `{"beacon":{"signature":"0"}}`,
		"beacon.randomness": `{"beacon":{"signature":"00","randomness":"` + knownSeed + `"}}`,
	} {
		if e := s.refused(s.post("/api/drops/1/reveal", body), 422, "invalid"); e.Field != strings.TrimSpace(field) || strings.Contains(e.Error, knownSeed) {
			t.Errorf("%s: %+v", body, e)
		}
	}
	for range 2 {
		s.ok(s.post("/api/drops/1/reveal", seed))
	}
	if record := s.result(1); record.Commitment.String() != knownCommitment || len(record.Winners) != 1 {
		t.Errorf("%+v", record)
	}
	if log := s.log.String(); strings.Contains(log, knownSeed) {
		t.Error("the log has the seed")
	}
}

func TestDraw_TermsAreChecked(t *testing.T) {
	s := newShop(t)
	const times = `"opens":"2030-01-01T00:00:00Z","closes":"2030-01-02T00:00:00Z"`
	body := func(draw string) string {
		return fmt.Sprintf(`{"name":"n","price":1,"total_stock":1,"draw":{%s}}`, draw)
	}
	for _, c := range []struct{ field, draw string }{
		{"draw.opens", `"closes":"2030-01-02T00:00:00Z"`},
		{"draw.opens", `"opens":5,"closes":"2030-01-02T00:00:00Z"`},
		{"draw.closes", `"opens":"2030-01-02T00:00:00Z"`},
		{"draw.closes", `"opens":"2030-01-02T00:00:00Z","closes":"2030-01-02T00:00:00Z"`},
		{"draw.closes", `"opens":"1970-01-01T00:00:00Z","closes":"1970-01-01T00:00:00Z"`},
		{"draw.pay_within", times + `,"pay_within":9`},
		{"draw.pay_within", times + `,"pay_within":0`},
		{"draw.pay_within", times + `,"pay_within":86401`},
		{"draw.pay_within", times + `,"pay_within":"60"`},
		{"draw.seed_commitment", times + `,"seed_commitment":""`},
		{"draw.seed_commitment", times + `,"seed_commitment":"` + knownCommitment[1:] + `"`},
		{"draw.seed_commitment", times + `,"seed_commitment":"` + strings.ToUpper(knownCommitment) + `"`},
		{"draw.seed_commitment", times + `,"seed_commitment":"` + strings.Repeat("0", 64) + `"`},
		{"draw.seed_commitment", times + `,"seed_commitment":7`},
		{"draw.beacon", times + `,"beacon":""`},
		{"draw.beacon", times + `,"beacon":"mine","round":1`},
		{"draw.beacon", times + `,"round":5`},
		{"draw.round", times + `,"beacon":"quicknet"`},
		{"draw.round", times + `,"beacon":"quicknet","round":0`},
		{"draw.round", times + `,"beacon":"quicknet","round":1`},
		{"draw.round", times + `,"beacon":"quicknet","round":66907012`}, // the last before the close
		{"draw.round", times + `,"beacon":"default","round":9007199254740992`},
	} {
		if e := s.refused(s.post("/api/drops/create", body(c.draw)), 422, "invalid"); e.Field != c.field {
			t.Errorf("%s: %+v", c.draw, e)
		}
	}
	r := s.post("/api/drops/create", `{"name":"n","price":1,"total_stock":1,"start_time":"2030-01-01T12:00:00Z","draw":{`+times+`}}`)
	if e := s.refused(r, 422, "invalid"); e.Field != "start_time" {
		t.Errorf("%+v", e)
	}
	if e := s.refused(s.post("/api/drops/create", `{"name":"n","price":1,"total_stock":1,"draw":[]}`), 422, "invalid"); e.Field != "draw" {
		t.Errorf("%+v", e)
	}
	s.ok(s.post("/api/drops/create", body(times+`,"beacon":"quicknet","round":90000000`)))
	if r := s.get("/api/drops/1"); !strings.Contains(r.body, `"start_time":"2030-01-02T00:00:00.000Z"`) || !strings.Contains(r.body, `"beacon":"quicknet","round":90000000,"phase":"soon"`) {
		t.Errorf("%s", r.body)
	}
	if e := s.refused(s.post("/api/drops/enter", `{"dropId":1,"userId":1}`), 409, "not_started"); e.StartsAt != "2030-01-01T00:00:00.000Z" {
		t.Errorf("%+v", e)
	}
}

func TestDraw_SizesAreChecked(t *testing.T) {
	s := newShop(t)
	s.ok(s.post("/api/drops/create", sizedDrawBody("")))
	many := "[" + strings.TrimSuffix(strings.Repeat(`"9",`, 101), ",") + "]"
	for _, c := range []struct {
		sizes, code, field string
		status             int
	}{
		{`[]`, "size_required", "sizes", 422},
		{`null`, "size_required", "sizes", 422},
		{`["7"]`, "size_not_found", "sizes", 404},
		{`["9","7"]`, "size_not_found", "sizes", 404},
		{`["9","9"]`, "invalid", "sizes", 422},
		{`["9",9]`, "invalid", "sizes", 422},
		{`["9","9.5","9"]`, "invalid", "sizes", 422},
		{`"9"`, "invalid", "sizes", 422},
		{`{}`, "invalid", "sizes", 422},
		{`[true]`, "invalid", "sizes[0]", 422},
		{`["9",null]`, "invalid", "sizes[1]", 422},
		{`[["9"]]`, "invalid", "sizes[0]", 422},
		{`[""]`, "invalid", "sizes[0]", 422},
		{`["9","\u0000"]`, "invalid", "sizes[1]", 422},
		{many, "invalid", "sizes", 422},
	} {
		if e := s.refused(s.post("/api/drops/enter", `{"dropId":1,"userName":"Ann","sizes":`+c.sizes+`}`), c.status, c.code); e.Field != c.field {
			t.Errorf("%s: %+v", c.sizes, e)
		}
	}
	if _, err := s.store.User(s.Context(), drop.FirstAllocatedUser); drop.CodeOf(err) != drop.CodeUserNotFound {
		t.Errorf("a refused call made a user: %v", err)
	}
	for _, c := range []struct{ field, body string }{
		{"reason", `{"entryId":4294967297}`},
		{"entryId", `{"reason":"x"}`},
		{"reason", `{"entryId":4294967297,"reason":" "}`},
		{"reason", `{"entryId":4294967297,"reason":"` + strings.Repeat("x", 201) + `"}`},
		{"reason", `{"entryId":4294967297,"reason":5}`},
		{"entryId", `{"entryId":"x","reason":"x"}`},
	} {
		s.post("/api/drops/enter", `{"dropId":1,"userId":1,"sizes":["9"]}`)
		if e := s.refused(s.post("/api/drops/1/remove", c.body), 422, "invalid"); e.Field != c.field {
			t.Errorf("%s: %+v", c.body, e)
		}
	}
	s.ok(s.post("/api/drops/create", drawBody("")))
	s.refused(s.post("/api/drops/2/remove", `{"entryId":4294967297,"reason":"of another drop"}`), 404, "entry_not_found")
	s.refused(s.post("/api/drops/withdraw", `{"dropId":1,"userId":9}`), 404, "entry_not_found")
}

func TestDraw_EntriesAreReadByPages(t *testing.T) {
	s := newShop(t, func(c *api.Config) { c.AllowedOrigins = []string{"*"} })
	s.ok(s.post("/api/drops/create", drawBody("")))
	for user := 1; user <= 5; user++ {
		s.ok(s.post("/api/drops/enter", fmt.Sprintf(`{"dropId":1,"userId":%d}`, user)))
	}
	var users []int64
	for after := int64(0); ; {
		page := decoded[entriesJSON](t, s.get(fmt.Sprintf("/api/drops/1/entries?limit=2&after=%d", after)))
		for _, e := range page.Entries {
			users = append(users, e.UserID)
			if e.Receipt != nil {
				t.Errorf("the list of all has the receipt %s", e.Receipt)
			}
		}
		if page.Next == nil {
			break
		}
		after = *page.Next
	}
	if fmt.Sprint(users) != "[1 2 3 4 5]" {
		t.Errorf("the pages have %v", users)
	}
	s.refused(s.fromPage("GET", "/api/drops/1/entries", "", "Origin", "https://evil.example"), 403, "cross_origin")
	s.ok(s.fromPage("GET", "/api/drops/1/entries?userId=3", "", "Origin", "https://evil.example"))
}

// A signed-in buyer enters, withdraws and reads for themselves only. Operators get no receipts.
func TestDraw_IsTheBuyersOwn(t *testing.T) {
	p := secretProvider(t)
	s := newShop(t, p.signIn)
	operates, _ := s.operatorToken(operator.Operator, time.Hour)
	ann, bob := p.token("ann", nil), p.token("bob", nil)
	mustAs[dropJSON](s, operates, "POST", "/api/drops/create", drawBody(""))
	of := mustAs[inDraw](s, ann, "POST", "/api/drops/enter", `{"dropId":1}`)
	mustAs[inDraw](s, bob, "POST", "/api/drops/enter", `{"dropId":1}`)
	if of.Receipt == nil {
		t.Error("the buyer gets no receipt")
	}
	theirs := fmt.Sprintf(`{"dropId":1,"userId":%d}`, of.UserID)
	for _, path := range []string{"/api/drops/enter", "/api/drops/withdraw"} {
		s.refused(s.as(bob, "POST", path, theirs), 403, "forbidden")
	}
	s.refused(s.as(bob, "GET", fmt.Sprintf("/api/drops/1/entries?userId=%d", of.UserID), ""), 403, "forbidden")
	if got := mustAs[entriesJSON](s, bob, "GET", "/api/drops/1/entries", ""); len(got.Entries) != 1 || got.Entries[0].UserID == of.UserID || got.Entries[0].Receipt == nil {
		t.Errorf("bob reads %+v", got)
	}
	for _, query := range []string{"", fmt.Sprintf("?userId=%d", of.UserID)} {
		for _, e := range mustAs[entriesJSON](s, operates, "GET", "/api/drops/1/entries"+query, "").Entries {
			if e.Receipt != nil {
				t.Errorf("an operator gets the receipt %s", e.Receipt)
			}
		}
	}
}

// A draw has room for 200,000 entries. Whoever comes later is refused, and nothing changes.
func TestDraw_IsFull(t *testing.T) {
	now := drop.TimeOf(time.Now())
	spec := drop.Spec{Name: "full", Price: 100, TotalStock: new(int64), Draw: drop.Draw{
		Opens: now - 1, Closes: now + drop.Time(time.Hour.Milliseconds()), PayWithin: 10, Commitment: drop.Hash(draw.Commit(draw.Seed{7})),
	}}
	spec.StartTime = spec.Draw.Closes
	state, _ := spec.Create(1, now, drop.BatchID{1})
	state.DrawState.Entered = drop.MaxEntries - 1
	ahead := new(atomic.Int64)
	kept := memory.New(clockOf(ahead))
	err := kept.Import(t.Context(), store.IntoNothing, func(put func(store.Row) error) error {
		secrets := store.Draw{Secrets: drop.DrawSecrets{Key: make([]byte, 32)}}
		return cmp.Or(put(store.Row{Drop: 1, Value: state}), put(store.Row{Drop: 1, Value: secrets}))
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newShopOn(t, kept, ahead)
	mustPost[inDraw](s, "/api/drops/enter", `{"dropId":1,"userId":1}`)
	before := s.get("/api/drops/1").body
	s.refused(s.post("/api/drops/enter", `{"dropId":1,"userId":2}`), 409, "draw_full")
	if after := s.get("/api/drops/1").body; after != before || !strings.Contains(after, `"entered":200000`) {
		t.Errorf("%s became %s", before, after)
	}
	if r := s.get("/api/drops/1/entries?userId=2"); r.body != `{"entries":[],"next":null}` {
		t.Error(r.body)
	}
	mustPost[inDraw](s, "/api/drops/enter", `{"dropId":1,"userId":1}`) // who is in stays in
}

// damagedEntry is a store in which each entry of a draw names sizes that its drop does not have.
type damagedEntry struct{ store.Store }

func (d damagedEntry) DrawEntries(ctx context.Context, id drop.ID, after drop.EntryID, limit int) ([]drop.DrawEntry, error) {
	found, err := d.Store.DrawEntries(ctx, id, after, limit)
	for i := range found {
		found[i].Sizes = "2,1,-1"
	}
	return found, err
}

// Operators can list an entry that is damaged.
func TestDraw_AnEntryWithUnknownSizesIsListed(t *testing.T) {
	ahead := new(atomic.Int64)
	s := newShopOn(t, damagedEntry{memory.New(clockOf(ahead))}, ahead)
	mustPost[dropJSON](s, "/api/drops/create", sizedDrawBody(""))
	mustPost[inDraw](s, "/api/drops/enter", `{"dropId":1,"userId":1,"sizes":["9"]}`)
	if r := s.ok(s.get("/api/drops/1/entries")); !strings.Contains(r.body, `"sizes":["9.5"]`) {
		t.Error(r.body)
	}
}
