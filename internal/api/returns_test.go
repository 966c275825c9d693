package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/testing/stores"
)

// A unit that comes back is on sale again in the answer, in the lists, files and the feed. The money is another thing.
func TestReturn_ThePairIsOnSaleAgain(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", sizedBody)
	sold := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3,"size":"9.5"}`)
	s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, sold.ID)))
	before := decoded[dropJSON](t, s.ok(s.get("/api/drops/1")))
	r := s.ok(s.post("/api/purchases/4294967297/return", `{"restock":true,"reason":"wrong size"}`))
	for _, want := range []string{`"id":4294967297`, `"dropId":1`, `"userId":3`, `"size":"9.5"`, `"returned":"restocked"`, `"returnedAt":"20`} {
		if !strings.Contains(r.body, want) {
			t.Errorf("the answer has no %s: %s", want, r.body)
		}
	}
	after := decoded[dropJSON](t, s.ok(s.get("/api/drops/1")))
	if after.AvailableStock != before.AvailableStock+1 || after.TotalStock != before.TotalStock || after.Version != before.Version+1 {
		t.Errorf("%+v, and before %+v", after, before)
	}
	if again := s.ok(s.post("/api/purchases/4294967297/return", `{"restock":true}`)); again.body != r.body {
		t.Errorf("again: %s", again.body)
	}
	if got := decoded[dropJSON](t, s.ok(s.get("/api/drops/1"))); got.Version != after.Version {
		t.Errorf("a repeated call changed the drop: %+v", got)
	}
	s.refused(s.post("/api/purchases/4294967297/return", `{"restock":false}`), http.StatusConflict, "already_returned")
	for path, want := range map[string]string{
		"/api/drops/1/purchases":                 `"returned":"restocked","returnedAt":"`,
		"/api/operator/purchases":                `"returned":"restocked","returnedAt":"`,
		"/api/drops/1/purchases?format=csv":      ",restocked,20",
		"/api/drops/1/ledger":                    `"reason":"returned","size":"9.5","units":1`,
		"/api/events?type=purchase.returned":     `"purchaseId":4294967297,"reservationId":4294967297,"userId":3`,
		"/api/events?after=&type=drop.updated":   `"events":[]`,
		"/api/drops/1/audit":                     `"clean":true`,
		"/api/events?drop=1&type=hold.cancelled": `"events":[]`,
	} {
		if body := s.ok(s.get(path)).body; !strings.Contains(body, want) {
			t.Errorf("%s has no %s: %s", path, want, body)
		}
	}
	d := s.document()
	for call, path := range map[string]string{
		"/api/drops/{id}/purchases": "/api/drops/1/purchases", "/api/operator/purchases": "/api/operator/purchases", "/api/events": "/api/events",
		"/api/drops/{id}/ledger": "/api/drops/1/ledger", "/api/operator/figures": "/api/operator/figures", "/api/operator/buyers/{id}": "/api/operator/buyers/3",
	} {
		d.validate(t, d.Paths[call]["get"].Responses["200"].Content["application/json"].Schema, json.RawMessage(s.ok(s.get(path)).body))
	}
	again := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":4,"size":"9.5"}`)
	s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, again.ID)))
}

// A unit that is written off leaves the stock.
func TestReturn_AWornPairIsWrittenOff(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	sold := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, sold.ID)))
	before := decoded[dropJSON](t, s.ok(s.get("/api/drops/1")))
	r := s.ok(s.post("/api/purchases/4294967297/return", `{"restock":false}`))
	after := decoded[dropJSON](t, s.ok(s.get("/api/drops/1")))
	if !strings.Contains(r.body, `"returned":"written_off"`) || after.AvailableStock != before.AvailableStock || after.TotalStock != before.TotalStock-1 {
		t.Errorf("%s: %+v, and before %+v", r.body, after, before)
	}
	for path, want := range map[string]string{
		"/api/drops/1/audit":                 `"clean":true,"reservations":1,"purchases":1,"ledger_entries":4,"waitlist_entries":0,"waiting":0,"held":0,"paying":0,"written_off":1`,
		"/api/events?type=purchase.returned": `"returned":"written_off"`,
		"/api/drops/1/ledger":                `"reason":"written_off","size":null,"units":1`,
	} {
		if body := s.ok(s.get(path)).body; !strings.Contains(body, want) {
			t.Errorf("%s has no %s: %s", path, want, body)
		}
	}
}

func TestReturn_OfNoPurchaseIsRefused(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	for _, id := range []string{"0", "-1", "1", "4294967297", "8589934593", "9007199254740991", "9223372036854775808", strings.Repeat("9", 300)} {
		s.refused(s.post("/api/purchases/"+id+"/return", `{"restock":true}`), http.StatusNotFound, "purchase_not_found")
	}
	s.refused(s.post("/api/purchases/one/return", `{"restock":true}`), http.StatusUnprocessableEntity, "invalid")
}

// A unit that was taken back is no longer sold, but its purchase stays: what counts stock and what counts purchases
// must not be taken for each other.
func TestReturn_FiguresTellUnitsFromPurchases(t *testing.T) {
	for _, name := range stores.Engines {
		t.Run(name, func(t *testing.T) {
			s := newShopOn(t, stores.Open(t, name), new(atomic.Int64))
			mustPost[dropJSON](s, "/api/drops/create", `{"name":"Air","price":119.99,"total_stock":10,"start_time":"2020-01-01T00:00:00Z"}`)
			check := func(when, stock string, purchases int64) {
				t.Helper()
				f := s.figures("").Drops[0]
				if got := fmt.Sprint(f.Total, f.Available, f.Held, f.Sold, f.Returned); got != stock {
					t.Errorf("%s: total, available, held, sold, returned are %s, want %s", when, got, stock)
				}
				list := decoded[soldPageJSON](t, s.get("/api/drops/1/purchases"))
				if n := int64(len(list.Purchases)); n != purchases || f.Sold+f.Returned != n {
					t.Errorf("%s: %d purchases in the list, %d sold and %d returned; want %d", when, n, f.Sold, f.Returned, purchases)
				}
				want := fmt.Sprint(purchases, float64(purchases*11999)/100)
				if got := s.soldSince(time.Unix(0, 0)); fmt.Sprint(got.Units, got.Revenue) != want {
					t.Errorf("%s: purchased units and what buyers paid are %d %g, want %s", when, got.Units, got.Revenue, want)
				}
			}
			for buyer := range 6 {
				s.sell(1, buyer+1)
			}
			check("sold", "10 4 0 6 0", 6)
			s.ok(s.post("/api/purchases/4294967297/return", `{"restock":true}`))
			check("one taken back", "10 5 0 5 1", 6)
			s.ok(s.post("/api/purchases/4294967298/return", `{"restock":false}`))
			check("one written off", "9 5 0 4 2", 6)
			s.sell(1, 7)
			check("one sold again", "9 4 0 5 2", 7)
			for id := 3; id <= 7; id++ {
				s.ok(s.post(fmt.Sprintf("/api/purchases/%d/return", 1<<32+id), `{"restock":true}`))
			}
			check("all taken back", "9 9 0 0 7", 7)
			if e := s.refused(s.patch("/api/drops/1", `{"price":1}`), http.StatusConflict, "fixed"); e.Field != "price" {
				t.Errorf("the price of seven purchases may change: %+v", e)
			}
		})
	}
}

func TestReturn_IsInTheBuyersHistory(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	s.sell(1, 3)
	s.sell(1, 4)
	back := s.ok(s.post("/api/purchases/4294967298/return", `{"restock":false}`)).body
	_, at, _ := strings.Cut(back, `"returnedAt":"`)
	if body := s.ok(s.get("/api/operator/buyers/4")).body; !strings.Contains(body, `"returned":"written_off","returnedAt":"`+at[:24]+`"}`) {
		t.Errorf("the history lacks %s: %s", at, body)
	}
	if body := s.ok(s.get("/api/operator/buyers/3")).body; strings.Contains(body, "returned") {
		t.Errorf("the buyer has the unit: %s", body)
	}
}
