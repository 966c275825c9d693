package api_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store/memory"
)

func inCurrency(code string, decimals int) option {
	return func(c *api.Config) { c.Currency = drop.Currency{Code: code, Decimals: decimals} }
}

func dropAt(price string) string {
	return `{"name":"n","price":` + price + `,"total_stock":9,"start_time":"2026-01-31T10:00:00Z"}`
}

var priceOf = regexp.MustCompile(`"price":([^,}]*)`)

// A price must fit the decimals of the shop's currency when a drop is created or changed. No record rounds it.
func TestPrice_HasTheDecimalsOfTheCurrency(t *testing.T) {
	for _, c := range []struct {
		code     string
		decimals int
		most     string
		rule     string
		taken    map[string]string
		refused  []string
	}{
		{
			"JPY", 0, "99999999", "must be a whole number, as JPY has no decimals",
			map[string]string{"12000": "12000", "0": "0", "12000.0": "12000", "1.2e4": "12000", "99999999": "99999999"},
			[]string{"12000.5", "0.01", "1e-1", "12000.01", `"12000"`, "true", "[]"},
		},
		{
			"USD", 2, "99999999.99", "must be a number with at most two decimals",
			map[string]string{"119.95": "119.95", "119.90": "119.9", "99999999.99": "99999999.99"},
			[]string{"119.995", "0.001", `"119"`},
		},
		{
			"KWD", 3, "99999999.99", "must be a number with at most three decimals",
			map[string]string{"119.995": "119.995", "0.001": "0.001", "119.950": "119.95", "120": "120", "99999999.989": "99999999.989"},
			[]string{"119.9951", "0.0001", "{}"},
		},
		{
			"CLF", 4, "99999999.99", "must be a number with at most four decimals",
			map[string]string{"3.1415": "3.1415", "0.0001": "0.0001", "3.10": "3.1"},
			[]string{"3.14159", "1e-5"},
		},
	} {
		t.Run(c.code, func(t *testing.T) {
			s := newShop(t, inCurrency(c.code, c.decimals))
			for given, want := range c.taken {
				made := mustPost[dropJSON](s, "/api/drops/create", dropAt(given))
				path := fmt.Sprintf("/api/drops/%d", made.ID)
				s.ok(s.patch(path, `{"price":1}`))
				if r := s.ok(s.patch(path, `{"price":`+given+`}`)); priceOf.FindStringSubmatch(r.body)[1] != want {
					t.Errorf("%s: %s, want %s", given, r.body, want)
				}
				held := mustPost[reservationJSON](s, "/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,"userId":3}`, made.ID))
				for _, r := range []reply{
					s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held.ID)), s.get(path), s.get(path + "/purchases"), s.get("/api/operator/figures"),
				} {
					if !strings.Contains(s.ok(r).body, `"price":`+want+`,`) {
						t.Errorf("%s is not in %s", want, r.body)
					}
				}
				if csv := s.ok(s.get(path + "/purchases?format=csv")); !strings.Contains(csv.body, ","+want+",2") {
					t.Errorf("%s is not in %s", want, csv.body)
				}
			}
			for _, given := range c.refused {
				for _, r := range []reply{s.post("/api/drops/create", dropAt(given)), s.patch("/api/drops/1", `{"price":`+given+`}`)} {
					if e := s.refused(r, 422, "invalid"); e.Field != "price" || e.Error != "price "+c.rule {
						t.Errorf("%s: %+v", given, e)
					}
				}
			}
			for _, given := range []string{"-1", "100000000", "1e300", "-1e300"} {
				if e := s.refused(s.post("/api/drops/create", dropAt(given)), 422, "invalid"); e.Error != "price must be from 0 to "+c.most {
					t.Errorf("%s: %+v", given, e)
				}
			}
			s.refused(s.patch("/api/drops/1", `{"price":null}`), 422, "invalid")
		})
	}
}

// If a shop changes its currency, stored prices keep their value, and everything else of these drops can still be
// changed.
func TestPrice_OfAnotherCurrencyStaysAsItIs(t *testing.T) {
	kept := memory.New(clockOf(new(atomic.Int64)))
	before := newShopOn(t, kept, new(atomic.Int64), inCurrency("KWD", 3))
	mustPost[dropJSON](before, "/api/drops/create", dropAt("119.995"))
	s := newShopOn(t, kept, new(atomic.Int64), inCurrency("JPY", 0))
	if r := s.ok(s.patch("/api/drops/1", `{"name":"renamed"}`)); !strings.Contains(r.body, `"price":119.995,`) {
		t.Error(r.body)
	}
	held := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	if r := s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held.ID))); !strings.Contains(r.body, `"price":119.995,`) {
		t.Error(r.body)
	}
	if r := s.ok(s.get("/api/drops/1/audit")); !strings.Contains(r.body, `"clean":true`) {
		t.Error(r.body)
	}
}

func TestOpenAPI_SaysWhatPricesAre(t *testing.T) {
	for _, c := range []struct {
		code     string
		decimals int
		want     []string
	}{
		{"USD", 2, []string{
			`"price":{"description":"In USD, at most two decimals","maximum":99999999.99,"minimum":0,"type":"number"}`,
			`"price":{"description":"In USD, at most two decimals. Fixed once a unit is held or sold",`, `"price":{"description":"In USD",`, `"price":119.99,`,
		}},
		{"JPY", 0, []string{
			`"price":{"description":"In JPY, no decimals","maximum":99999999,"minimum":0,"multipleOf":1,"type":"number"}`, `"price":{"description":"In JPY",`, `"price":119,`,
		}},
		{"KWD", 3, []string{`"price":{"description":"In KWD, at most three decimals","maximum":99999999.99,`, `"price":119.99,`}},
	} {
		s := newShop(t, inCurrency(c.code, c.decimals))
		document := s.ok(s.do(s.request(http.MethodGet, "/openapi.json", ""))).body
		for _, want := range c.want {
			if !strings.Contains(document, want) {
				t.Errorf("%s: the document has no %s: %s", c.code, want, regexp.MustCompile(`"price":\{[^}]*\}`).FindAllString(document, -1))
			}
		}
		if c.decimals == 0 && regexp.MustCompile(`"price":\d+\.\d`).MatchString(document) {
			t.Errorf("%s: an example has decimals", c.code)
		}
	}
}
