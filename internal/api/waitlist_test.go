package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/operator"
)

// waitBody makes a drop with a waitlist and without units.
const waitBody = `{"name":"waited for","price":1,"total_stock":0,"start_time":"2026-01-31T10:00:00Z","waitlist":true}`

type placeJSON struct {
	ID          int64            `json:"id"`
	UserID      int64            `json:"userId"`
	Username    string           `json:"username"`
	Status      string           `json:"status"`
	Position    int64            `json:"position"`
	Reason      string           `json:"reason"`
	Reservation *reservationJSON `json:"reservation"`
}

type placesJSON struct {
	Waiting int64       `json:"waiting"`
	Entries []placeJSON `json:"entries"`
	Next    *int64      `json:"next"`
}

func TestWaitlist_OnTheWire(t *testing.T) {
	s := newShop(t)
	const drop1 = `{"id":1,"name":"waited for","price":1,"total_stock":%d,"available_stock":0,"start_time":"2026-01-31T10:00:00.000Z",` +
		`"image_url":null,"limit_per_user":null,"paused":false,"version":%d,"waitlist":true,"offer_for":%d,"max_waiting":10000,%s"waiting":%d,"purchases":[],"Purchases":[]}`
	s.answers(s.post("/api/drops/create", waitBody), fmt.Sprintf(drop1, 0, 1, 600, "", 0))
	const entry1 = `{"id":4294967297,"dropId":1,"userId":3,"status":"waiting","position":1,"createdAt":T}`
	s.answers(s.post("/api/drops/waitlist", `{"dropId":1,"userId":3}`), entry1)
	s.answers(s.post("/api/drops/waitlist", `{"dropId":1,"userId":3}`), entry1)
	s.answers(s.post("/api/drops/waitlist", `{"dropId":1,"userName":"Ann","email":"ann@example.com","size":"a note"}`),
		`{"id":4294967298,"dropId":1,"userId":1099511627776,"size":"a note","status":"waiting","position":2,"createdAt":T}`)
	s.answers(s.get("/api/drops/1"), fmt.Sprintf(drop1, 0, 3, 600, "", 2))
	if e := s.refused(s.post("/api/drops/reserve", `{"dropId":1,"userId":4}`), 409, "waitlist"); e.Waiting != 2 {
		t.Errorf("%+v, want 2 waiting", e)
	}
	s.answers(s.get("/api/drops/1/waitlist?userId=3"), `{"waiting":2,"entries":[`+entry1+`],"next":null}`)
	s.answers(s.patch("/api/drops/1", `{"offer_for":60,"offers_count":true}`), fmt.Sprintf(drop1, 0, 4, 60, `"offers_count":true,`, 2))
	s.answers(s.post("/api/drops/1/restock", `{"add":1}`), fmt.Sprintf(drop1, 1, 5, 60, `"offers_count":true,`, 1))
	const offer = `{"id":4294967297,"dropId":1,"userId":3,"status":"active","expires_at":T,"createdAt":T,"offer":true}`
	const offered = `{"id":4294967297,"dropId":1,"userId":3,"status":"offered","createdAt":T,"endedAt":T,"reservationId":4294967297,"reservation":` + offer + `}`
	endless := func(r reply) reply { // the tests' clock may move on between two calls
		r.body = strings.ReplaceAll(masked(r.body), `"endedAt":"`+endedAt(r.body)+`"`, `"endedAt":T`)
		return r
	}
	s.answers(endless(s.get("/api/drops/1/waitlist?userId=3")), `{"waiting":1,"entries":[`+offered+`],"next":null}`)
	s.answers(s.get("/api/users/3/reservations"), `[`+offer+`]`)
	s.refused(s.post("/api/drops/waitlist/leave", `{"entryId":4294967297}`), 409, "offered")
	s.refused(s.post("/api/drops/waitlist/leave", `{"entryId":4294967299}`), 404, "entry_not_found")
	s.answers(s.post("/api/drops/cancel", `{"reservationId":4294967297}`), strings.Replace(offer, "active", "cancelled", 1))
	if got := decoded[placesJSON](t, s.get("/api/drops/1/waitlist?userId=1099511627776")); got.Waiting != 0 || len(got.Entries) != 1 || got.Entries[0].Status != "offered" {
		t.Errorf("after the first declined, the second has %+v", got)
	}
	held := mustPost[placeJSON](s, "/api/drops/waitlist", `{"dropId":1,"userId":5}`)
	s.answers(endless(s.post("/api/drops/waitlist/leave", fmt.Sprintf(`{"entryId":%d}`, held.ID))),
		`{"id":4294967299,"dropId":1,"userId":5,"status":"left","createdAt":T,"endedAt":T}`)
	s.ok(s.patch("/api/drops/1", `{"waitlist":false}`))
	s.refused(s.post("/api/drops/waitlist", `{"dropId":1,"userId":6}`), 409, "no_waitlist")
	if r := s.get("/api/drops/1"); strings.Contains(r.body, "wait") && !strings.Contains(r.body, "waited for") || strings.Contains(r.body, "offer") {
		t.Errorf("without a waitlist: %s", r.body)
	}
}

// endedAt is the first time of that name in a body.
func endedAt(body string) string {
	_, after, _ := strings.Cut(body, `"endedAt":"`)
	at, _, _ := strings.Cut(after, `"`)
	return at
}

func TestWaitlist_OfADropWithSizes(t *testing.T) {
	s := newShop(t)
	s.ok(s.post("/api/drops/create", `{"name":"sizes","price":1,"start_time":"2026-01-31T10:00:00Z","waitlist":true,"max_waiting":2,"limit_per_user":1,
		"sizes":[{"size":"8","stock":0},{"size":"9","stock":1}]}`))
	s.refused(s.post("/api/drops/waitlist", `{"dropId":1,"userId":1}`), 422, "size_required")
	s.refused(s.post("/api/drops/waitlist", `{"dropId":1,"userId":1,"size":"7"}`), 404, "size_not_found")
	at := mustPost[placeJSON](s, "/api/drops/waitlist", `{"dropId":1,"userId":1,"size":"9"}`)
	if at.Status != "offered" || at.Reservation == nil || !at.Reservation.Offer || at.Reservation.Size != "9" {
		t.Errorf("joined while a unit is available: %+v", at)
	}
	s.refused(s.post("/api/drops/waitlist", `{"dropId":1,"userId":1,"size":"8"}`), 409, "limit_reached")
	for _, user := range []int{2, 3} {
		mustPost[placeJSON](s, "/api/drops/waitlist", fmt.Sprintf(`{"dropId":1,"userId":%d,"size":8}`, user))
	}
	if e := s.refused(s.post("/api/drops/waitlist", `{"dropId":1,"userId":4,"size":"9"}`), 409, "waitlist_full"); e.Waiting != 2 {
		t.Errorf("%+v, want 2 waiting", e)
	}
	r := s.get("/api/drops/1")
	if !strings.Contains(r.body, `"waiting":2,"sizes":[{"size":"8","total_stock":0,"available_stock":0,"waiting":2},{"size":"9","total_stock":1,"available_stock":0,"waiting":0}]`) {
		t.Errorf("the drop: %s", r.body)
	}
}

func TestWaitlist_IsReadByPages(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", waitBody)
	for user := range 5 {
		mustPost[placeJSON](s, "/api/drops/waitlist", fmt.Sprintf(`{"dropId":1,"userId":%d}`, user+1))
	}
	var users []int64
	for after := int64(0); ; {
		page := decoded[placesJSON](t, s.get(fmt.Sprintf("/api/drops/1/waitlist?limit=2&after=%d", after)))
		for _, e := range page.Entries {
			users = append(users, e.UserID)
		}
		if page.Waiting != 5 || page.Next == nil {
			break
		}
		after = *page.Next
	}
	if fmt.Sprint(users) != "[1 2 3 4 5]" {
		t.Errorf("the pages have %v", users)
	}
	s.refused(s.get("/api/drops/9/waitlist"), 404, "drop_not_found")
}

// An operator reads each buyer's name. A buyer's own entries have none.
func TestWaitlist_TheWholeLineHasNames(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", waitBody)
	for _, of := range []string{`"userName":"Ann","email":"ann@example.com"`, `"userId":7`, `"userName":"Bob"`} {
		mustPost[placeJSON](s, "/api/drops/waitlist", `{"dropId":1,`+of+`}`)
	}
	line := decoded[placesJSON](t, s.get("/api/drops/1/waitlist"))
	var names []string
	for _, e := range line.Entries {
		names = append(names, e.Username)
		if r := s.get(fmt.Sprintf("/api/drops/1/waitlist?userId=%d", e.UserID)); strings.Contains(r.body, "username") {
			t.Errorf("the own entry of user %d has a name: %s", e.UserID, r.body)
		}
	}
	if fmt.Sprint(names) != "[Ann Unknown Bob]" {
		t.Errorf("the line has %v", names)
	}
}

// Who waits is nothing that a page of any origin may read.
func TestWaitlist_IsNotForPagesOfEveryOrigin(t *testing.T) {
	s := newShop(t, func(c *api.Config) { c.AllowedOrigins = []string{"*", "https://admin.example"} })
	mustPost[dropJSON](s, "/api/drops/create", waitBody)
	mustPost[placeJSON](s, "/api/drops/waitlist", `{"dropId":1,"userId":3}`)
	for _, origin := range []string{"https://evil.example", "null"} {
		s.refused(s.fromPage("GET", "/api/drops/1/waitlist", "", "Origin", origin), 403, "cross_origin")
		s.ok(s.fromPage("GET", "/api/drops/1/waitlist?userId=3", "", "Origin", origin))
	}
	s.ok(s.fromPage("GET", "/api/drops/1/waitlist", "", "Origin", "https://admin.example"))
}

// A signed-in buyer joins, leaves and reads for themselves only.
func TestWaitlist_IsTheBuyersOwn(t *testing.T) {
	p := secretProvider(t)
	s := newShop(t, p.signIn)
	operates, _ := s.operatorToken(operator.Operator, time.Hour)
	views, _ := s.operatorToken(operator.Viewer, time.Hour)
	ann, bob := p.token("ann", nil), p.token("bob", nil)
	mustAs[dropJSON](s, operates, "POST", "/api/drops/create", waitBody)
	of := mustAs[placeJSON](s, ann, "POST", "/api/drops/waitlist", `{"dropId":1}`)
	second := mustAs[placeJSON](s, bob, "POST", "/api/drops/waitlist", `{"dropId":1}`)
	if second.Position != 2 || second.UserID == of.UserID {
		t.Errorf("the second in line: %+v", second)
	}
	leave := fmt.Sprintf(`{"entryId":%d}`, of.ID)
	s.refused(s.as(bob, "POST", "/api/drops/waitlist", fmt.Sprintf(`{"dropId":1,"userId":%d}`, of.UserID)), 403, "forbidden")
	s.refused(s.as(bob, "POST", "/api/drops/waitlist/leave", leave), 404, "entry_not_found")
	s.refused(s.as(bob, "GET", fmt.Sprintf("/api/drops/1/waitlist?userId=%d", of.UserID), ""), 403, "forbidden")
	for token, want := range map[string]int{bob: 1, views: 2, operates: 2} {
		if got := mustAs[placesJSON](s, token, "GET", "/api/drops/1/waitlist", ""); got.Waiting != 2 || len(got.Entries) != want || token == bob && got.Entries[0].ID != second.ID {
			t.Errorf("%+v, want %d entries", got, want)
		}
	}
	if got := mustAs[placesJSON](s, views, "GET", fmt.Sprintf("/api/drops/1/waitlist?userId=%d", of.UserID), ""); len(got.Entries) != 1 || got.Entries[0].Position != 1 {
		t.Errorf("what a viewer sees of one buyer: %+v", got)
	}
	if log := s.log.String(); strings.Count(log, `"call":"show-waitlist"`) != 3 {
		t.Errorf("the log has not each look of an operator:\n%s", log)
	}
	mustAs[placeJSON](s, ann, "POST", "/api/drops/waitlist/leave", leave)
	if again := mustAs[placeJSON](s, bob, "POST", "/api/drops/waitlist", `{"dropId":1}`); again.ID != second.ID || again.Position != 1 {
		t.Errorf("after the first left: %+v", again)
	}
}
