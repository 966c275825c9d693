package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/pipes"
	"sneakerdrop/internal/testing/stores"
)

type newestJSON struct {
	Purchases []struct {
		ID       int64   `json:"id"`
		Username string  `json:"username"`
		Email    *string `json:"email"`
	} `json:"purchases"`
	Next   *int64 `json:"next"`
	Newest *int64 `json:"newest"`
}

// numbers returns the numbers of the purchases within their drop.
func (n *newestJSON) numbers() []int64 {
	found := []int64{}
	for _, p := range n.Purchases {
		found = append(found, p.ID&0xffffffff)
	}
	return found
}

func (s *shop) newest(query string) *newestJSON {
	s.Helper()
	found := decoded[newestJSON](s, s.ok(s.get("/api/drops/2/purchases?order=newest"+query)))
	return &found
}

func idOf(number int64) string { return strconv.FormatInt(2<<32+number, 10) }

func TestPurchases_NewestFirst(t *testing.T) {
	s := newShop(t)
	s.soldTo(createBody, `"userId":3`)
	s.soldTo(`{"name":"n","price":1,"total_stock":50,"start_time":"2026-01-31T10:00:00Z"}`, slices.Repeat([]string{`"userId":3`}, 7)...)
	for query, want := range map[string]string{
		"":                                 `{"purchases":[7 6 5 4 3 2 1],"next":0,"newest":7}`,
		"&limit=7":                         `{"purchases":[7 6 5 4 3 2 1],"next":0,"newest":7}`,
		"&limit=3":                         `{"purchases":[7 6 5],"next":5,"newest":7}`,
		"&limit=3&before=" + idOf(5):       `{"purchases":[4 3 2],"next":2,"newest":4}`,
		"&limit=3&before=" + idOf(2):       `{"purchases":[1],"next":0,"newest":1}`,
		"&before=" + idOf(1):               `{"purchases":[],"next":0,"newest":0}`,
		"&before=1":                        `{"purchases":[],"next":0,"newest":0}`,
		"&before=9007199254740991&limit=1": `{"purchases":[7],"next":7,"newest":7}`,
		"&after=" + idOf(5):                `{"purchases":[7 6],"next":0,"newest":7}`,
		"&after=" + idOf(7):                `{"purchases":[],"next":0,"newest":7}`,
		"&after=9007199254740991":          `{"purchases":[],"next":0,"newest":7}`,
		"&limit=2&after=" + idOf(4):        `{"purchases":[7 6],"next":6,"newest":7}`,
		"&limit=2&after=" + idOf(5):        `{"purchases":[7 6],"next":0,"newest":7}`,
		"&before=" + idOf(6) + "&after=8589934594": `{"purchases":[5 4 3],"next":0,"newest":5}`,
		"&format=json&limit=1":                     `{"purchases":[7],"next":7,"newest":7}`,
		"&q=":                                      `{"purchases":[7 6 5 4 3 2 1],"next":0,"newest":7}`,
		"&q=%20%C2%A0%E2%80%8B&limit=1":            `{"purchases":[7],"next":7,"newest":7}`,
	} {
		found := s.newest(query)
		number := func(id *int64) int64 {
			if id == nil {
				return 0
			}
			return *id & 0xffffffff
		}
		if got := fmt.Sprintf(`{"purchases":%v,"next":%d,"newest":%d}`, found.numbers(), number(found.Next), number(found.Newest)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if plain := s.ok(s.get("/api/drops/2/purchases?order=oldest&limit=1")); strings.Contains(plain.body, "newest") || !strings.Contains(plain.body, `"next":8589934593`) {
		t.Errorf("in the order of the contract: %s", plain.body)
	}
	s.refused(s.get("/api/drops/3/purchases?order=newest"), 404, "drop_not_found")
	s.refused(s.get("/api/drops/3/purchases?order=newest&q=ann"), 404, "drop_not_found")
}

// A search finds buyers by any part of a name or email, and purchases by any number that somebody may know.
func TestPurchases_Search(t *testing.T) {
	s := newShop(t)
	s.soldTo(createBody, `"userId":3`, `"userId":3`, `"userId":3`) // so that all reservations and purchases of drop 2 have other numbers than these
	s.soldTo(`{"name":"n","price":1,"total_stock":50,"start_time":"2026-01-31T10:00:00Z"}`,
		`"userName":"Ann Smith","email":"Ann.Smith@Example.com"`, // 1
		`"userId":77`, // 2
		`"userName":"José Ünlü","email":"mik@éxample.org"`,      // 3
		`"userName":"山田 太郎"`,                                    // 4
		`"userName":"Straße 9"`,                                 // 5
		`"userName":"ann-marie","email":"a+b_c%25@example.com"`, // 6
		`"userName":"O'Neill \\ \"x\" ; DROP","userId":null`,    // 7
	)
	reserved := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":2,"userId":88}`) // 8, not purchased
	bought := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":2,"userId":99}`)   // reservation 9 is purchase 8
	s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, bought.ID)))
	for q, want := range map[string][]int64{
		"ann": {6, 1}, "ANN": {6, 1}, "  ann\t": {6, 1}, "\u200bann\ufeff": {6, 1}, "ａｎｎ": {6, 1}, "ann smith": {1}, "smith ann": {1}, "smith  example.com": {1},
		"ann bob": {}, "ann.smith@example.com": {1}, "XAMPLE.ORG": {3}, "éxample": {3}, "@e\u0301XAMPLE": {3}, "@example.com": {6, 1}, "josé": {3}, "JOSÉ": {3}, "Jose\u0301": {3}, "ünlü": {3},
		"MİK@": {}, "mi\u212a@": {}, "MIK@": {3}, "太郎": {4}, "山田太郎": {}, "STRASSE": {5}, "%": {6}, "_": {6}, "+b": {6}, "'": {7}, `\`: {7}, ";": {7}, "*": {}, ".*": {},
		"unknown": {8, 2}, "\x00": {8, 7, 6, 5, 4, 3, 2, 1}, "zzz": {}, strings.Repeat("x", 254): {}, "ann\x00smith": {1},
		"1": {1}, "8": {8}, "9": {5}, "#8": {8}, "0008": {8}, "2-8": {8}, "#2-8": {8}, "1-8": {}, "2-": {}, "-8": {}, "2-8-1": {}, "２-８": {8},
		"77": {2}, "99": {8}, "88": {}, idOf(3): {3}, strconv.FormatInt(bought.ID, 10): {8}, strconv.FormatInt(reserved.ID, 10): {8}, // the numbers of a purchase and of another reservation
		strconv.FormatInt(1<<40, 10): {1}, "4294967297": {}, "9007199254740992": {}, "18446744073709551616": {}, "0": {}, "1.0": {}, "1e1": {}, "1 1": {},
	} {
		found := s.newest("&q=" + url.QueryEscape(q))
		if !slices.Equal(found.numbers(), want) {
			t.Errorf("%q: %v, want %v", q, found.numbers(), want)
		}
	}
	page := s.newest("&q=an&limit=1")
	if !slices.Equal(page.numbers(), []int64{6}) || page.Next == nil {
		t.Fatalf("the first page: %+v", page)
	}
	if page = s.newest(fmt.Sprintf("&q=an&limit=1&before=%d", *page.Next)); !slices.Equal(page.numbers(), []int64{1}) || page.Next != nil {
		t.Errorf("the second page: %+v", page)
	}
	if page = s.newest("&q=ann&after=" + idOf(1)); !slices.Equal(page.numbers(), []int64{6}) || *page.Newest != 2<<32+8 {
		t.Errorf("what came later: %+v", page)
	}
}

func TestPurchases_SearchRefusesWhatItCannotRead(t *testing.T) {
	s := newShop(t)
	s.soldTo(createBody, `"userId":3`)
	for query, field := range map[string]string{
		"order=": "order", "order=NEWEST": "order", "order=desc": "order", "order=newest&order=newest": "order", "order=newest,oldest": "order",
		"before=5": "before", "order=oldest&before=5": "before", "order=newest&before=0": "before", "order=newest&before=-1": "before", "order=newest&before=": "before",
		"order=newest&before=9007199254740992": "before", "order=newest&before=1&before=2": "before", "order=newest&before=x": "before",
		"q=ann": "q", "order=oldest&q=ann": "q", "q=": "q", "order=newest&q=a&q=b": "q", "order=newest&q=%ff": "q", "order=newest&q=" + strings.Repeat("x", 255): "q",
		"order=newest&q=" + strings.Repeat("%C3%A9", 255): "q", "order=newest&q=%zz": "query", "order=newest;q=a": "query",
		"order=newest&format=csv": "order", "order=newest&limit=0": "limit", "order=newest&limit=1001": "limit", "order=newest&after=-1": "after",
	} {
		if e := s.refused(s.get("/api/drops/1/purchases?"+query), 422, "invalid"); e.Field != field {
			t.Errorf("%s: names %s (%s), want %s", query, e.Field, e.Error, field)
		}
	}
	s.ok(s.get("/api/drops/1/purchases?order=newest&q=" + strings.Repeat("%F0%9F%91%9F", 254)))
}

// longSale is a drop with many purchases. It makes up each page when asked for it.
type longSale struct {
	store.Store
	all   int64
	slow  time.Duration
	pages atomic.Int64
	most  atomic.Int64
}

func (l *longSale) NewestPurchases(ctx context.Context, id drop.ID, before drop.PurchaseID, limit int) ([]store.Sale, error) {
	l.pages.Add(1)
	l.most.Store(max(l.most.Load(), int64(limit)))
	select {
	case <-time.After(l.slow):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	at := l.all
	if before > 0 {
		at = min(at, int64(before)&0xffffffff-1)
	}
	var page []store.Sale
	for ; at > 0 && len(page) < limit; at-- {
		page = append(page, store.Sale{
			Purchase: drop.Purchase{ID: drop.NewPurchaseID(id, uint32(at)), ReservationID: drop.NewReservationID(id, uint32(at)), UserID: drop.UserID(at + 1_000_000)},
			Username: fmt.Sprintf("Búyer %d", at), Email: fmt.Sprintf("b%d@example.com", at),
		})
	}
	return page, nil
}

func newLongSale(t *testing.T, at *pipes.Listener, l *longSale) *shop {
	l.Store = memory.New(stores.Now)
	return newShopAt(t, at, l, new(atomic.Int64))
}

// A search through 100,000 purchases reads them in short pages, and answers with one page.
func TestPurchases_SearchReadsShortPages(t *testing.T) {
	l := &longSale{all: 100_000}
	s := newLongSale(t, nil, l)
	find := func(query string) (found []int64, next *int64) {
		at := ""
		for range 200 { // on a busy machine the answer comes in parts
			page := s.newest(query + at)
			found = append(found, page.numbers()...)
			if next = page.Next; next == nil || len(found) > 0 {
				break
			}
			at = fmt.Sprintf("&before=%d", *next)
		}
		return found, next
	}
	if found, next := find("&q=b7@example.com"); !slices.Equal(found, []int64{7}) {
		t.Errorf("found %v, next %v", found, next)
	}
	if found, next := find("&q=nobody"); found != nil || next != nil {
		t.Errorf("found %v, next %v", found, next)
	}
	if found, _ := find("&q=buyer"); found != nil { // without the accent
		t.Errorf("found %v", found)
	}
	if found, next := find("&q=B%C3%9AYER&limit=1000"); len(found) != 1000 || next == nil || *next&0xffffffff != 99_001 {
		t.Errorf("found %d, next %v", len(found), next)
	}
	if l.most.Load() > 1001 {
		t.Errorf("one read was of %d purchases", l.most.Load())
	}
}

// A long search answers in parts: with what it has found, and where to continue. In simulated time.
func TestPurchases_SearchTakesNoLongerThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &longSale{all: 100_000, slow: 600 * time.Millisecond}
		s := newLongSale(t, pipes.Listen(), l)
		begun := time.Now()
		page := s.newest("&q=b98765@")
		if took := time.Since(begun); took > 5*time.Second || l.pages.Load() > 2 {
			t.Errorf("it took %s and %d pages", took, l.pages.Load())
		}
		if page.Next == nil || *page.Next&0xffffffff < 98_001 {
			t.Errorf("it goes on at %v", page.Next)
		}
	})
}

// The name that an operator searched for is personal, and the log is never deleted. So the log only says that there
// was a search.
func TestPurchases_TheLogDoesNotSayWhoWasSearchedFor(t *testing.T) {
	s := newShop(t, secretProvider(t).signIn)
	token, _ := s.operatorToken(operator.Viewer, time.Hour)
	for query, want := range map[string]string{
		"order=newest&q=ann%40example.com&limit=5": "order=newest&q=…&limit=5", "order=newest&%71=ann": "order=newest&q=…", "q=ann;q=ann": "not well-formed", "after=5": "after=5",
		"order=newest&q=ann&%zz=ann": "not well-formed",
	} {
		s.as(token, http.MethodGet, "/api/drops/1/purchases?"+query, "")
		var log struct{ Actions []struct{ Detail string } }
		if err := json.Unmarshal([]byte(s.as(token, http.MethodGet, "/api/operator/log?limit=1", "").body), &log); err != nil {
			t.Fatal(err)
		}
		if len(log.Actions) != 1 || log.Actions[0].Detail != want {
			t.Errorf("%s: the log has %+v, want %s", query, log.Actions, want)
		}
	}
}
