package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/limit"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/testing/stores"
)

type meJSON struct {
	ID       int64   `json:"id"`
	Username string  `json:"username"`
	Email    *string `json:"email"`
}

// guarded is a shop with identity, a drop, two buyers and an operator.
type guarded struct {
	*shop
	p               *provider
	ann, bob, admin string // their tokens
	annID, bobID    int64
	adminToken      operator.TokenID
}

func newGuarded(t testing.TB, options ...option) *guarded {
	t.Helper()
	p := secretProvider(t)
	return guard(p, newShop(t, append(options, p.signIn)...))
}

func guard(p *provider, s *shop) *guarded {
	s.Helper()
	g := &guarded{shop: s, p: p, ann: p.token("ann", nil), bob: p.token("bob", nil)}
	g.admin, g.adminToken = s.operatorToken(operator.Operator, time.Hour)
	mustAs[dropJSON](s, g.admin, "POST", "/api/drops/create", strings.Replace(createBody, `"total_stock":5`, `"total_stock":5000`, 1))
	g.annID = mustAs[meJSON](s, g.ann, "GET", "/api/users/me", "").ID
	g.bobID = mustAs[meJSON](s, g.bob, "GET", "/api/users/me", "").ID
	return g
}

func (g *guarded) reserve(token string) reservationJSON {
	g.Helper()
	return mustAs[reservationJSON](g.shop, token, "POST", "/api/drops/reserve", `{"dropId":1}`)
}

func TestBuyer_IsWhomTheTokenNames(t *testing.T) {
	g := newGuarded(t)
	if g.annID == g.bobID || g.annID < int64(drop.FirstAllocatedUser) {
		t.Fatalf("users %d and %d", g.annID, g.bobID)
	}
	me := mustAs[meJSON](g.shop, g.ann, "GET", "/api/users/me", "")
	if me.Username != "ann Smith" || me.Email == nil || *me.Email != "ann@example.com" {
		t.Errorf("me: %+v", me)
	}
	for _, body := range []string{
		`{"dropId":1}`, fmt.Sprintf(`{"dropId":1,"userId":%d}`, g.annID), `{"dropId":1,"userName":"Bob","email":"bob@example.com"}`,
		`{"dropId":1,"userId":null,"userName":"bob Smith"}`,
	} {
		r := mustAs[reservationJSON](g.shop, g.ann, "POST", "/api/drops/reserve", body)
		if r.UserID != g.annID {
			t.Errorf("%s: for user %d, want %d", body, r.UserID, g.annID)
		}
	}
	for _, body := range []string{fmt.Sprintf(`{"dropId":1,"userId":%d}`, g.bobID), `{"dropId":1,"userId":3}`, `{"dropId":1,"userId":-1}`} {
		e := g.refused(g.as(g.ann, "POST", "/api/drops/reserve", body), http.StatusForbidden, "forbidden")
		if e.Field != "userId" {
			t.Errorf("%s: field %q", body, e.Field)
		}
	}
	again := g.p.token("ann", claims{"exp": time.Now().Add(2 * time.Hour).Unix()})
	if id := mustAs[meJSON](g.shop, again, "GET", "/api/users/me", "").ID; id != g.annID {
		t.Errorf("another token of the same buyer: user %d", id)
	}
}

func TestBuyer_ByTheShopsOwnNumber(t *testing.T) {
	p := secretProvider(t)
	p.config.NumberClaim = "shop_id"
	s := newShop(t, p.signIn)
	token := p.token("ann", claims{"shop_id": 77})
	if me := mustAs[meJSON](s, token, "GET", "/api/users/me", ""); me.ID != 77 {
		t.Errorf("me: %+v", me)
	}
	s.refused(s.as(p.token("ann", nil), "GET", "/api/users/me", ""), http.StatusUnauthorized, "invalid_token")
	admin, _ := s.operatorToken(operator.Operator, 0)
	mustAs[dropJSON](s, admin, "POST", "/api/drops/create", createBody)
	if r := mustAs[reservationJSON](s, token, "POST", "/api/drops/reserve", `{"dropId":1,"userId":77}`); r.UserID != 77 {
		t.Errorf("reserved for %d", r.UserID)
	}
	if list := mustAs[[]reservationJSON](s, token, "GET", "/api/users/77/reservations", ""); len(list) != 1 {
		t.Errorf("reservations: %+v", list)
	}
}

func TestBuyer_SeesAndEndsItsOwnReservationsAlone(t *testing.T) {
	g := newGuarded(t)
	hers := g.reserve(g.ann)
	body := fmt.Sprintf(`{"reservationId":%d}`, hers.ID)
	for _, path := range []string{"/api/drops/purchase", "/api/drops/cancel"} {
		theirs := g.as(g.bob, "POST", path, body)
		g.refused(theirs, http.StatusNotFound, "reservation_not_found")
		if none := g.as(g.bob, "POST", path, `{"reservationId":4294968000}`); none.body != theirs.body {
			t.Errorf("%s: another's is answered %s, one that is not there %s", path, theirs.body, none.body)
		}
	}
	annsList, bobsList := fmt.Sprintf("/api/users/%d/reservations", g.annID), fmt.Sprintf("/api/users/%d/reservations", g.bobID)
	if list := mustAs[[]reservationJSON](g.shop, g.ann, "GET", annsList, ""); len(list) != 1 || list[0].Status != "active" {
		t.Errorf("hers: %+v", list)
	}
	if list := mustAs[[]reservationJSON](g.shop, g.bob, "GET", bobsList, ""); len(list) != 0 {
		t.Errorf("his: %+v", list)
	}
	g.refused(g.as(g.bob, "GET", annsList, ""), http.StatusNotFound, "user_not_found")
	mustAs[map[string]any](g.shop, g.ann, "POST", "/api/drops/purchase", body)
	for _, path := range []string{"/api/drops/purchase", "/api/drops/cancel"} { // the same goes for a purchased one
		g.refused(g.as(g.bob, "POST", path, body), http.StatusNotFound, "reservation_not_found")
	}
}

func TestBuyer_KeysAreEachOnesOwn(t *testing.T) {
	g := newGuarded(t)
	reserve := func(token string) reply {
		req := g.request("POST", "/api/drops/reserve", `{"dropId":1}`)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Idempotency-Key", "the-same")
		return g.do(req)
	}
	first, other := decoded[reservationJSON](t, reserve(g.ann)), decoded[reservationJSON](t, reserve(g.bob))
	if first.UserID != g.annID || other.UserID != g.bobID || first.ID == other.ID {
		t.Errorf("one key of two buyers: %+v and %+v", first, other)
	}
	if again := decoded[reservationJSON](t, reserve(g.ann)); again != first {
		t.Errorf("again: %+v, want %+v", again, first)
	}
}

func TestBuyer_NamesAreShownAsTheShopWants(t *testing.T) {
	for style, want := range map[drop.NameStyle]string{"": "a.", drop.FullName: "ann Smith", drop.NoName: "Anonymous"} {
		g := newGuarded(t, func(c *api.Config) { c.BuyerNames = style })
		hers := g.reserve(g.ann)
		mustAs[map[string]any](g.shop, g.ann, "POST", "/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, hers.ID))
		for _, path := range []string{"/api/drops", "/api/drops/1"} {
			body := g.get(path).body
			if strings.Count(body, `"`+want+`"`) != 4 || want != "ann Smith" && strings.Contains(body, "Smith") {
				t.Errorf("style %q: %s", style, body)
			}
		}
		if sales := g.as(g.admin, "GET", "/api/drops/1/purchases", "").body; !strings.Contains(sales, `"ann Smith"`) {
			t.Errorf("for fulfilment: %s", sales)
		}
	}
}

// If claims tell a given name from a family name, everybody sees that form, until a token comes without them.
func TestBuyer_PublicNamesAreOfTheClaims(t *testing.T) {
	both := map[string]any{"given_name": "Ann", "family_name": "Smith"}
	whole := map[string]any{"given_name": "ann Smith", "family_name": "Smith"}
	for _, name := range stores.Engines {
		for style, wanted := range map[drop.NameStyle][]string{
			"": {"Ann S.", "a."}, drop.InitialName: {"Ann S.", "a."}, drop.FullName: {"ann Smith", "ann Smith"}, drop.NoName: {"Anonymous", "Anonymous"},
		} {
			t.Run(name+" "+string(style), func(t *testing.T) {
				p := secretProvider(t)
				g := guard(p, newShopOn(t, stores.Open(t, name), new(atomic.Int64), p.signIn, func(c *api.Config) { c.BuyerNames = style }))
				for n, claims := range []map[string]any{nil, both, whole, both, nil} {
					token := p.token("ann", claims)
					body := fmt.Sprintf(`{"reservationId":%d}`, mustAs[reservationJSON](g.shop, token, "POST", "/api/drops/reserve", `{"dropId":1}`).ID)
					mustAs[map[string]any](g.shop, token, "POST", "/api/drops/purchase", body)
					want := wanted[1-n%2]
					shown := decoded[struct {
						Purchases []struct {
							Username string `json:"username"`
						} `json:"purchases"`
					}](t, g.get("/api/drops/1"))
					if newest := shown.Purchases[0].Username; newest != want {
						t.Errorf("claims %v: %q, want %q", claims, newest, want)
					}
				}
				for _, path := range []string{"/api/drops/1/purchases", "/api/drops/1/purchases?format=csv"} {
					if sales := g.as(g.admin, "GET", path, "").body; strings.Count(sales, "ann Smith") != 5 || strings.Contains(sales, "Ann S.") {
						t.Errorf("for fulfilment: %s", sales)
					}
				}
			})
		}
	}
}

func TestBuyer_IsLimitedWhateverItsAddress(t *testing.T) {
	rules, err := limit.ParseRules("buy=0.01/2,read=0.01/3")
	if err != nil {
		t.Fatal(err)
	}
	g := newGuarded(t, limitedTo(t, "buy=1000/1000", "127.0.0.0/8"), func(c *api.Config) { c.BuyerLimits = rules })
	from := func(token, address string) reply {
		req := g.request("POST", "/api/drops/reserve", `{"dropId":1}`)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("X-Forwarded-For", address)
		return g.do(req)
	}
	for i := range 2 {
		r := from(g.ann, fmt.Sprintf("192.0.2.%d", i))
		if policies := r.header.Values("RateLimit-Policy"); r.status != http.StatusOK || len(policies) != 2 || policies[1] != `"buy-buyer";q=2;w=200` {
			t.Errorf("call %d: %d, %s", i, r.status, policies)
		}
	}
	r := from(g.ann, "192.0.2.9")
	g.refused(r, http.StatusTooManyRequests, "rate_limited")
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if r := from(g.bob, "192.0.2.9"); r.status != http.StatusOK {
		t.Errorf("another buyer: %d %s", r.status, r.body)
	}
	if metrics := g.as(g.admin, "GET", "/metrics", "").body; !strings.Contains(metrics, `sneakerdrop_rate_limited_total{caller="buyer",class="buy"} 1`) {
		t.Error("not counted")
	}
}

// No answer reveals whether a reservation is another buyer's or does not exist.
// TestIDOR_TakesAsLongForOthersAsForNone checks the time.
func TestIDOR_OthersAnswerLikeNone(t *testing.T) {
	for _, name := range stores.Engines {
		t.Run(name, func(t *testing.T) {
			g, middle := amongMany(t, name)
			before := g.stock()
			answers := make(map[string]map[string]int) // by path: the answers with their counts
			paths := []string{"/api/drops/purchase", "/api/drops/cancel"}
			every := int64(5)
			if name == "memory" {
				every = 1
			}
			for distance := int64(0); distance < 1000; distance += every {
				for _, id := range []int64{middle - 1000 + distance, middle + 1000 - distance} {
					body := fmt.Sprintf(`{"reservationId":%d}`, id)
					for _, path := range paths {
						count(answers, path, g.as(g.bob, "POST", path, body))
					}
					if distance%20 == 0 {
						count(answers, "/purchase with a key", g.asOnce(g.bob, fmt.Sprint("key-", id), "/api/drops/purchase", body))
					}
				}
				for _, id := range []int64{g.bobID + 1 + distance, g.bobID - 1 - distance} {
					count(answers, "/reservations", g.as(g.bob, "GET", fmt.Sprintf("/api/users/%d/reservations", id), ""))
				}
			}
			for path, seen := range answers {
				if len(seen) != 1 {
					t.Errorf("%s is answered in %d ways: %v", path, len(seen), seen)
				}
			}
			if after := g.stock(); after != before {
				t.Errorf("the stock went from %s to %s", before, after)
			}
		})
	}
}

// amongMany is a shop in which one live hold of Ann's is among 600 reservations of hers that expired or were paid.
func amongMany(t *testing.T, engine string) (g *guarded, middle int64) {
	t.Helper()
	p := secretProvider(t)
	g = guard(p, newShopOn(t, stores.Open(t, engine), new(atomic.Int64), p.signIn))
	const each = 300
	g.reserveAndEnd(each)
	middle = g.reserve(g.ann).ID
	g.reserveAndEnd(each)
	return g, middle
}

// reserveAndEnd reserves for Ann. She purchases a third of the units and cancels another third.
func (g *guarded) reserveAndEnd(n int) {
	g.Helper()
	for i := range n {
		body := fmt.Sprintf(`{"reservationId":%d}`, g.reserve(g.ann).ID)
		switch i % 3 {
		case 1:
			mustAs[map[string]any](g.shop, g.ann, "POST", "/api/drops/purchase", body)
		case 2:
			mustAs[map[string]any](g.shop, g.ann, "POST", "/api/drops/cancel", body)
		}
	}
}

// asOnce makes a call with a token and an idempotency key.
func (g *guarded) asOnce(token, key, path, body string) reply {
	g.Helper()
	req := g.request("POST", path, body)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Idempotency-Key", key)
	return g.do(req)
}

func (g *guarded) stock() string {
	d := decoded[dropJSON](g, g.get("/api/drops/1"))
	return fmt.Sprintf("%d of %d, version %d", d.AvailableStock, d.TotalStock, d.Version)
}

// count counts an answer by its status, its body, and its headers, except for those that differ each time.
func count(answers map[string]map[string]int, path string, r reply) {
	if answers[path] == nil {
		answers[path] = make(map[string]int)
	}
	h := r.header.Clone()
	h.Del("Date")
	h.Del("X-Request-Id")
	answers[path][fmt.Sprint(r.status, h, r.body)]++
}

// A body can set only what its caller may set. Other members of the answers cannot be set from outside, in any
// spelling.
func TestBodies_SetNothingElse(t *testing.T) {
	g := newGuarded(t)
	hers := g.reserve(g.bob)
	all := fmt.Sprintf(`"id":77,"reservationId":%d,"available_stock":9,"total_stock":9,"version":99,"seq":1,"created_at":1,"purchases":[],`+
		`"status":"completed","expires_at":"2099-01-01T00:00:00.000Z","createdAt":"2020-01-01T00:00:00.000Z","price":0.01,`+
		`"userID":%d,"user_id":%d,"buyer":%d,"owner":0,"username":"Bob","role":"operator","hold":86400`, hers.ID, g.bobID, g.bobID, g.bobID)
	made := mustAs[reservationJSON](g.shop, g.ann, "POST", "/api/drops/reserve", `{"dropId":1,`+all+`}`)
	expires, err := time.Parse(time.RFC3339, made.ExpiresAt)
	if err != nil || made.UserID != g.annID || made.Status != "active" || made.ID != hers.ID+1 || time.Until(expires) > 2*time.Minute {
		t.Errorf("reserved %+v", made)
	}
	own := strings.Replace(all, fmt.Sprintf(`"reservationId":%d`, hers.ID), fmt.Sprintf(`"reservationId":%d`, made.ID), 1)
	bought := g.as(g.ann, "POST", "/api/drops/purchase", `{`+own+`}`)
	if bought.status != http.StatusOK || !strings.Contains(bought.body, `"price":119.99`) || !strings.Contains(bought.body, fmt.Sprintf(`"userId":%d`, g.annID)) {
		t.Errorf("bought %s", bought.body)
	}
	before := decoded[dropJSON](t, g.get("/api/drops/1"))
	for _, call := range [][2]string{{"PATCH", "/api/drops/1"}, {"POST", "/api/drops/1/pause"}, {"POST", "/api/drops/1/resume"}} {
		mustAs[dropJSON](g.shop, g.admin, call[0], call[1], `{`+strings.Replace(all, `"price":0.01,`, "", 1)+`}`)
	}
	after := decoded[dropJSON](t, g.get("/api/drops/1"))
	if after.ID != 1 || after.AvailableStock != before.AvailableStock || after.TotalStock != before.TotalStock || after.Version > before.Version+3 {
		t.Errorf("%+v, before %+v", after, before)
	}
}
