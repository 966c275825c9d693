package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/testing/stores"
)

// refundable is a shop that has sold a pair for money, and the call to refund it.
func refundable(t *testing.T) (p *till, s *shop, path string) {
	t.Helper()
	p = newTill("demo")
	s = newShop(t, p.open)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	return p, s, fmt.Sprintf("/api/purchases/%d/refund", s.paid(p, 3).Purchase.ID)
}

func TestRefund_APartAndThenTheRest(t *testing.T) {
	for _, name := range stores.Engines {
		t.Run(name, func(t *testing.T) {
			p := newTill("demo")
			s := newShopOn(t, stores.Open(t, name), new(atomic.Int64), p.open)
			mustPost[dropJSON](s, "/api/drops/create", createBody)
			sold := s.paid(p, 3)
			path := fmt.Sprintf("/api/purchases/%d/refund", sold.Purchase.ID)
			r := s.ok(s.post(path, `{"amount":20.5,"reason":"a scratch"}`))
			d := s.document()
			d.validate(t, d.Paths["/api/purchases/{id}/refund"]["post"].Responses["200"].Content["application/json"].Schema, json.RawMessage(r.body))
			got := decoded[boughtJSON](t, r)
			if got.ID != sold.Purchase.ID || got.Payment == nil || got.Payment.Refunded != 20.5 || got.Payment.Unsettled || got.Payment.Status != "captured" {
				t.Errorf("%s", r.body)
			}
			for _, amount := range []string{"99.50", "119.99", "99999999"} { // 99.49 are left
				if e := s.refused(s.post(path, `{"amount":`+amount+`}`), http.StatusUnprocessableEntity, "invalid"); e.Field != "amount" || !strings.Contains(e.Error, "99.49") {
					t.Errorf("%s: %+v", amount, e)
				}
			}
			if got := mustPost[boughtJSON](s, path, `{"amount":null}`); got.Payment.Refunded != 119.99 {
				t.Errorf("the rest: %+v", got.Payment)
			}
			s.refused(s.post(path, `{}`), http.StatusUnprocessableEntity, "invalid")
			if found := decoded[dropJSON](t, s.ok(s.get("/api/drops/1"))); found.AvailableStock != 4 {
				t.Errorf("a refund moved a unit: %+v", found)
			}
		})
	}
}

// A body without an amount refunds all that is left, so one with an amount of nothing must not.
func TestRefund_RefusesWhatIsNoAmount(t *testing.T) {
	_, s, path := refundable(t)
	for _, amount := range []string{"0", "-0", "0.00", "1e-12", "-1", "0.001", `"20"`, `""`, "true", "[]", "{}", "1e400", strings.Repeat("9", 1000)} {
		if e := s.refused(s.post(path, `{"amount":`+amount+`}`), http.StatusUnprocessableEntity, "invalid"); e.Field != "amount" {
			t.Errorf("%.20s: %+v", amount, e)
		}
	}
	for _, reason := range []string{"7", `"a\u0000"`, `"` + strings.Repeat("x", 501) + `"`} {
		if e := s.refused(s.post(path, `{"reason":`+reason+`}`), http.StatusUnprocessableEntity, "invalid"); e.Field != "reason" {
			t.Errorf("%.20s: %+v", reason, e)
		}
	}
	s.refused(s.post(path, ""), http.StatusUnsupportedMediaType, "unsupported_media_type")
	for _, id := range []string{"0", "-1", "1", "8589934593", "9223372036854775808"} {
		s.refused(s.post("/api/purchases/"+id+"/refund", "{}"), http.StatusNotFound, "purchase_not_found")
	}
	s.refused(s.post("/api/purchases/one/refund", "{}"), http.StatusUnprocessableEntity, "invalid")
	if got := decoded[shownJSON](t, s.ok(s.get("/api/payments/1"))); got.Payment.Refunded != 0 {
		t.Errorf("a refused refund moved money: %+v", got)
	}
}

func TestRefund_OfASaleThatWasPaidElsewhere(t *testing.T) {
	g := newGuarded(t, paying)
	held := g.reserve(g.ann)
	sold := mustAs[receiptJSON](g.shop, g.admin, "POST", "/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held.ID)).Purchase
	e := g.refused(g.as(g.admin, "POST", fmt.Sprintf("/api/purchases/%d/refund", sold.ID), "{}"), http.StatusNotFound, "payment_not_found")
	if !strings.Contains(e.Error, "where they paid") {
		t.Errorf("%+v", e)
	}
}

// A call that is repeated under its key refunds once. A call without a key is another refund.
func TestRefund_OnceForEachKey(t *testing.T) {
	_, s, path := refundable(t)
	first := s.ok(s.keyed("k", path, `{"amount":20}`))
	for range 2 {
		again := s.ok(s.keyed("k", path, `{"amount":20}`))
		if s.isReplay(again, true); again.body != first.body {
			t.Errorf("again: %s, first %s", again.body, first.body)
		}
	}
	for _, body := range []string{`{"amount":21}`, `{}`, `{"amount":20,"reason":"x"}`} {
		s.refused(s.keyed("k", path, body), http.StatusUnprocessableEntity, "idempotency_mismatch")
	}
	if got := mustPost[boughtJSON](s, path, `{"amount":20}`); got.Payment.Refunded != 40 {
		t.Errorf("%+v", got.Payment)
	}
}

// If the provider does not answer, nobody has to ask again: twice would be two refunds. The server does.
func TestRefund_IsUnderWayWhileTheProviderIsAway(t *testing.T) {
	p, s, path := refundable(t)
	p.fails["refund"] = errors.New("the line is dead")
	for range 2 {
		got := decoded[boughtJSON](t, s.ok(s.keyed("k", path, `{"amount":20}`))).Payment
		if got.Refunded != 20 || !got.Unsettled {
			t.Errorf("%+v", got)
		}
	}
	s.refused(s.keyed("other", path, `{"amount":20}`), http.StatusServiceUnavailable, "payment_provider_unreachable")
	delete(p.fails, "refund")
	if got := decoded[shownJSON](t, s.ok(s.get("/api/payments/1"))).Payment; got.Refunded != 20 || got.Unsettled {
		t.Errorf("after the provider is back: %+v", got)
	}
	if got := decoded[boughtJSON](t, s.ok(s.keyed("other", path, `{"amount":20}`))).Payment; got.Refunded != 40 || got.Unsettled {
		t.Errorf("the second refund: %+v", got)
	}
}

// A caller who goes away, and asks again under the same key, refunds once.
func TestRefund_OfACallerWhoGoesAway(t *testing.T) {
	p, s, path := refundable(t)
	p.came, p.goOn = make(chan struct{}, 1), make(chan struct{})
	ctx, leave := context.WithCancel(t.Context())
	req := s.request(http.MethodPost, path, `{"amount":20}`).WithContext(ctx)
	req.Header.Set("Idempotency-Key", "k")
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if r, err := s.client.Do(req); err == nil {
			_ = r.Body.Close()
		}
	}()
	<-p.came
	leave()
	<-gone
	close(p.goOn)
	if got := decoded[boughtJSON](t, s.ok(s.keyed("k", path, `{"amount":20}`))).Payment; got.Refunded != 20 || got.Unsettled {
		t.Errorf("%+v", got)
	}
}

// An operator reads why the provider said no.
func TestRefund_TheProvidersNo(t *testing.T) {
	p, s, path := refundable(t)
	p.fails["refund"] = &payment.RefusedError{Code: "charge_disputed", Reason: "the bank has the money back already"}
	e := s.refused(s.post(path, "{}"), http.StatusPaymentRequired, "payment_failed")
	if !strings.Contains(e.Error, "the bank has the money back already") {
		t.Errorf("%+v", e)
	}
	if got := decoded[shownJSON](t, s.ok(s.get("/api/payments/1"))).Payment; got.Refunded != 0 || got.Unsettled {
		t.Errorf("%+v", got)
	}
}

// The entry in the operators' log says what was refunded, why, and which payment it was.
func TestRefund_IsInTheOperatorsLog(t *testing.T) {
	p := newTill("demo")
	g := newGuarded(t, p.open)
	held := g.reserve(g.ann)
	begun := mustAs[checkoutJSON](g.shop, g.ann, "POST", "/api/drops/checkout", checkoutBody(held.ID))
	p.pay(t, *begun.URL)
	sold := mustAs[shownJSON](g.shop, g.ann, "GET", fmt.Sprintf("/api/payments/%d", begun.Payment.ID), "").Purchase
	body := `{"amount":20,"reason":"a scratch"}`
	mustAs[boughtJSON](g.shop, g.admin, "POST", fmt.Sprintf("/api/purchases/%d/refund", sold.ID), body)
	last := g.log("?limit=1&drop=1").Actions[0]
	want := fmt.Sprintf("purchase %d %s", sold.ID, body)
	if last.Call != "refund-purchase" || last.Detail != want || last.Outcome == nil || *last.Outcome != fmt.Sprintf("ok, payment %d", begun.Payment.ID) {
		t.Errorf("%+v", last)
	}
}

func TestRefund_TwinsUnderOneKeyAreOne(t *testing.T) {
	_, s, path := refundable(t)
	answers := make([]string, 50)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = s.keyed("k", path, `{"amount":1}`).body })
	}
	wg.Wait()
	for _, a := range answers {
		if a != answers[0] || !strings.Contains(a, `"refunded":1,`) {
			t.Fatalf("twins got\n%s\n%s", answers[0], a)
		}
	}
}
