package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/drop"
)

// askedFrom begins a checkout as a page of shop.test does, with that return_url. header lists names and values.
func (s *shop) askedFrom(reservation int64, back string, header ...string) reply {
	s.Helper()
	text, err := json.Marshal(back)
	if err != nil {
		s.Fatal(err)
	}
	req := s.request(http.MethodPost, "/api/drops/checkout", fmt.Sprintf(`{"reservationId":%d,"return_url":%s}`, reservation, text))
	req.Host = "shop.test"
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return s.do(req)
}

func TestReturnURL_LeadsToAPageOfTheShop(t *testing.T) {
	p := newTill("demo")
	s := newShop(t, p.open, func(c *api.Config) {
		c.AllowedOrigins = []string{"*", "https://other.test", "https://*.pages.test"}
	})
	mustPost[dropJSON](s, "/api/drops/create", strings.Replace(createBody, `"total_stock":5`, `"total_stock":1000`, 1))
	long := "https://shop.test/" + strings.Repeat("x", 2000-len("https://shop.test/"))
	user := 0
	held := func() int64 {
		user++
		return mustPost[reservationJSON](s, "/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":%d}`, user)).ID
	}
	for _, c := range []struct {
		given, want string
		header      []string
	}{
		{"/", "http://shop.test/", nil},
		{"/drops/7?a=b#c", "http://shop.test/drops/7?a=b#c", nil},
		{"/drops/7", "https://shop.test/drops/7", []string{"Origin", "https://shop.test"}},
		{"/drops/7", "https://shop.test/drops/7", []string{"X-Forwarded-Proto", "https"}},
		{"/drops/7", "https://shop.test/drops/7", []string{"X-Forwarded-Proto", "HTTPS, http"}},
		{"/drops/7", "http://shop.test/drops/7", []string{"Origin", "https://evil.test"}},
		{"/drops/7", "http://shop.test/drops/7", []string{"X-Forwarded-Proto", "gopher"}},
		{"https://shop.test/drops/7", "https://shop.test/drops/7", nil},
		{"http://SHOP.test", "http://SHOP.test", nil},
		{"https://other.test/a", "https://other.test/a", nil},
		{"https://a.pages.test/", "https://a.pages.test/", nil},
		{"/?p={payment}&again={payment}", "http://shop.test/?p=%d&again=%d", nil},
		{"/%C3%A9?x=%5C", "http://shop.test/%C3%A9?x=%5C", nil},
		{long, long, nil},
	} {
		begun := decoded[checkoutJSON](t, s.ok(s.askedFrom(held(), c.given, c.header...)))
		want := strings.ReplaceAll(c.want, "%d", strconv.FormatInt(begun.Payment.ID, 10))
		if got := p.orders[len(p.orders)-1].ReturnURL; got != want {
			t.Errorf("%s with %v leads to %s, want %s", c.given, c.header, got, want)
		}
	}
	reservation, orders := held(), len(p.orders)
	for _, given := range []string{
		"", "drops/7", "//evil.test/x", `/\evil.test`, `https:\\shop.test`, "https:/shop.test", "https:shop.test", "javascript:alert(1)", "ftp://shop.test/",
		"data:text/html,x", "https://", "https:///x", "https://evil.test/", "https://shop.test.evil.test/", "https://evilshop.test/", "https://shop.test@evil.test/",
		"https://shop.test:8443/", "https://ann@shop.test/", "http://other.test/", "https://pages.test/", "https://other.test:444/", "http://localhost/", "http://127.0.0.1/",
		"https://{payment}.pages.test/", "/a b", "/a\nb", "/\x00", "/é", "https://shop.test/é", " /", "/ ", "https://shop.test/%zz\x7f", long + "x",
		"/" + strings.Repeat("x", 1999), "https://[::1", "?a=b", "#a", "null",
	} {
		e := s.refused(s.askedFrom(reservation, given), http.StatusUnprocessableEntity, "invalid")
		if e.Field != "return_url" || !strings.HasPrefix(e.Error, "return_url must ") {
			t.Errorf("%q: %+v", given, e)
		}
	}
	if len(p.orders) != orders {
		t.Error("a payment began without a way back")
	}
	if found, err := s.store.NewestPayments(t.Context(), drop.PaymentID(0), 1000); err != nil || len(found) != orders {
		t.Errorf("%d payments, want %d: %v", len(found), orders, err)
	}
}

// While a shop is made, its pages are on another port of the same machine.
func TestReturnURL_OnThisMachineEveryPort(t *testing.T) {
	p := newTill("demo")
	s := newShop(t, p.open)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	held := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	s.refused(s.post("/api/drops/checkout", fmt.Sprintf(`{"reservationId":%d,"return_url":"https://shop.test/"}`, held.ID)), http.StatusUnprocessableEntity, "invalid")
	mustPost[checkoutJSON](s, "/api/drops/checkout", fmt.Sprintf(`{"reservationId":%d,"return_url":"http://localhost:5173/"}`, held.ID))
	if got := p.orders[0].ReturnURL; got != "http://localhost:5173/" {
		t.Error(got)
	}
}
