package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/limit"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/payment/demo"
	"sneakerdrop/internal/shop/checkout"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/stores"
)

// till is a payment provider whose buyers pay when the test says so. It also sends notifications: their signature is
// the word genuine.
type till struct {
	*demo.Provider

	name    string
	service *checkout.Service
	// fails has the error of the next calls of a method, until it is deleted.
	fails map[string]error
	// says, if set, is what Find finds.
	says *payment.Found
	// came, if set, hears of each refund that the server wants, which then waits for goOn.
	came, goOn chan struct{}
	orders     []payment.Order
}

func newTill(name string) *till {
	return &till{Provider: demo.New(demo.Options{URL: "https://pay.example/"}), name: name, fails: map[string]error{}}
}

// open lets a shop take payments at the till.
func (p *till) open(c *api.Config) {
	settings := checkout.Settings{PayWithin: 10 * time.Minute, ClaimFor: time.Hour, Currency: drop.Currency{Code: "USD", Decimals: 2}}
	p.service = checkout.New(settings, c.Engine, p, slog.New(slog.DiscardHandler), stores.Now)
	c.Checkout = p.service
}

// paying lets a shop take payments where a test does not pay.
func paying(c *api.Config) { newTill("stripe").open(c) }

func (p *till) Name() string { return p.name }

func (p *till) Start(ctx context.Context, o payment.Order) (payment.Checkout, error) {
	if err := p.fails["start"]; err != nil {
		return payment.Checkout{}, err
	}
	p.orders = append(p.orders, o)
	return p.Provider.Start(ctx, o)
}

func (p *till) Find(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	if err := p.fails["find"]; err != nil {
		return payment.Found{}, err
	}
	if p.says != nil {
		return *p.says, nil
	}
	return p.Provider.Find(ctx, ref)
}

func (p *till) Refund(ctx context.Context, ref payment.Ref, r payment.Refund) (payment.Found, error) {
	if p.came != nil {
		select {
		case p.came <- struct{}{}:
		default: // only the first is waited for
		}
		select {
		case <-p.goOn:
		case <-ctx.Done():
		}
	}
	if err := p.fails["refund"]; err != nil {
		return payment.Found{}, err
	}
	return p.Provider.Refund(ctx, ref, r)
}

func (*till) Read(header http.Header, body []byte, _ time.Time) (payment.Notice, error) {
	if header.Get("Signature") != "genuine" {
		return payment.Notice{}, payment.ErrForged
	}
	var in struct{ Payment payment.ID }
	if err := json.Unmarshal(body, &in); err != nil {
		return payment.Notice{}, payment.ErrMalformed
	}
	return payment.Notice{ID: "1", Refs: []payment.Ref{{ID: in.Payment}}}, nil
}

// pay is what a buyer does at the page of a payment.
func (p *till) pay(tb testing.TB, address string) {
	tb.Helper()
	p.payWith(tb, address, demo.CardPays)
}

func (p *till) payWith(tb testing.TB, address, card string) {
	tb.Helper()
	form := url.Values{"do": {"pay"}, "card": {card}}
	req := httptest.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	p.Handler().ServeHTTP(w, req)
	if w.Code != http.StatusSeeOther {
		tb.Fatalf("the buyer cannot pay at %s: %d %s", address, w.Code, w.Body)
	}
}

type (
	checkoutJSON struct {
		URL       *string   `json:"url"`
		ExpiresAt time.Time `json:"expires_at"`
		Payment   struct {
			ID     int64  `json:"id"`
			Status string `json:"status"`
		} `json:"payment"`
	}
	paymentJSON struct {
		ID        int64   `json:"id"`
		Status    string  `json:"status"`
		Unsettled bool    `json:"unsettled"`
		Amount    float64 `json:"amount"`
		Currency  string  `json:"currency"`
		Refunded  float64 `json:"refunded"`
		Provider  string  `json:"provider"`
		Number    *string `json:"number"`
	}
	boughtJSON struct {
		ID      int64        `json:"id"`
		Payment *paymentJSON `json:"payment"`
	}
	receiptJSON struct {
		Purchase boughtJSON `json:"purchase"`
	}
	shownJSON struct {
		Payment       paymentJSON `json:"payment"`
		DropID        int64       `json:"dropId"`
		ReservationID int64       `json:"reservationId"`
		UserID        int64       `json:"userId"`
		Purchase      *boughtJSON `json:"purchase"`
	}
)

func checkoutBody(reservation int64) string {
	return fmt.Sprintf(`{"reservationId":%d,"return_url":"/drops/1?payment={payment}"}`, reservation)
}

// paid sells a unit of drop 1 to a buyer who pays, and returns the payment and the purchase.
func (s *shop) paid(p *till, user int) shownJSON {
	s.Helper()
	held := mustPost[reservationJSON](s, "/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":%d}`, user))
	begun := mustPost[checkoutJSON](s, "/api/drops/checkout", checkoutBody(held.ID))
	p.pay(s, *begun.URL)
	got := decoded[shownJSON](s, s.ok(s.get(fmt.Sprintf("/api/payments/%d", begun.Payment.ID))))
	if got.Payment.Status != "captured" || got.Purchase == nil {
		s.Fatalf("%+v", got)
	}
	return got
}

func TestCheckout_APairIsSoldForMoney(t *testing.T) {
	for _, name := range stores.Engines {
		t.Run(name, func(t *testing.T) {
			p := newTill("demo")
			s := newShopOn(t, stores.Open(t, name), new(atomic.Int64), p.open)
			d := s.document()
			mustPost[dropJSON](s, "/api/drops/create", sizedBody)
			held := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userName":"Ann","email":"ann@example.com","size":9.5}`)
			e := s.refused(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held.ID)), http.StatusPaymentRequired, "payment_required")
			if !strings.Contains(e.Error, "POST /api/drops/checkout") {
				t.Errorf("the refusal does not say what to do: %s", e.Error)
			}
			r := s.ok(s.post("/api/drops/checkout", checkoutBody(held.ID)))
			d.validate(t, d.Paths["/api/drops/checkout"]["post"].Responses["200"].Content["application/json"].Schema, json.RawMessage(r.body))
			begun := decoded[checkoutJSON](t, r)
			if begun.URL == nil || begun.Payment.Status != "open" || time.Until(begun.ExpiresAt) < 9*time.Minute {
				t.Fatalf("%s", r.body)
			}
			o := p.orders[0]
			if o.Description != "Court Runner, 9.5" || o.Email != "ann@example.com" || !strings.HasPrefix(o.ReturnURL, s.url+"/drops/1?payment=") || o.Amount != 90_00 {
				t.Errorf("the provider was told %+v", o)
			}
			if again := s.ok(s.post("/api/drops/checkout", checkoutBody(held.ID))); again.body != r.body {
				t.Errorf("a second call: %s, the first %s", again.body, r.body)
			}
			show := fmt.Sprintf("/api/payments/%d", begun.Payment.ID)
			if got := decoded[shownJSON](t, s.ok(s.get(show))); got.Payment.Status != "open" || !got.Payment.Unsettled || got.Purchase != nil ||
				got.DropID != 1 || got.ReservationID != held.ID || got.UserID != held.UserID {
				t.Errorf("before the buyer paid: %+v", got)
			}
			p.pay(t, *begun.URL)
			r = s.ok(s.get(show))
			d.validate(t, d.Paths["/api/payments/{id}"]["get"].Responses["200"].Content["application/json"].Schema, json.RawMessage(r.body))
			got := decoded[shownJSON](t, r)
			if got.Payment.Status != "captured" || got.Payment.Unsettled || got.Payment.Amount != 90 || got.Payment.Currency != "USD" ||
				got.Payment.Number == nil || !strings.HasPrefix(*got.Payment.Number, "DEMO-") || got.Purchase == nil {
				t.Fatalf("after the buyer paid: %s", r.body)
			}
			r = s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held.ID)))
			d.validate(t, d.Paths["/api/drops/purchase"]["post"].Responses["200"].Content["application/json"].Schema, json.RawMessage(r.body))
			receipt := decoded[receiptJSON](t, r).Purchase
			if receipt.ID != got.Purchase.ID || receipt.Payment == nil || receipt.Payment.ID != got.Payment.ID {
				t.Errorf("a purchase after the payment: %s", r.body)
			}
			s.refused(s.post("/api/drops/checkout", checkoutBody(held.ID)), http.StatusConflict, "already_purchased")
			back := decoded[boughtJSON](t, s.ok(s.post(fmt.Sprintf("/api/purchases/%d/return", receipt.ID), `{"restock":true}`)))
			if back.Payment == nil || back.Payment.Refunded != 0 {
				t.Errorf("a return moves no money: %+v", back)
			}
		})
	}
}

// A provider that authorises at once has nothing for the buyer to do.
func TestCheckout_OfAPaymentAtOnceHasNoPage(t *testing.T) {
	p := newTill("demo")
	p.Provider = demo.New(demo.Options{URL: "https://pay.example/", AtOnce: true})
	s := newShop(t, p.open)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	held := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	if got := mustPost[checkoutJSON](s, "/api/drops/checkout", checkoutBody(held.ID)); got.URL != nil || got.Payment.Status != "captured" {
		t.Errorf("%+v", got)
	}
}

// While the money is on its way, there is nothing more to pay.
func TestCheckout_OfMoneyOnItsWayHasNoPage(t *testing.T) {
	p := newTill("demo")
	s := newShop(t, p.open)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	held := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	begun := mustPost[checkoutJSON](s, "/api/drops/checkout", checkoutBody(held.ID))
	p.payWith(t, *begun.URL, demo.CardLate)
	if got := decoded[shownJSON](t, s.ok(s.get(fmt.Sprintf("/api/payments/%d", begun.Payment.ID)))); got.Payment.Status != "pending" {
		t.Fatalf("%+v", got)
	}
	if got := mustPost[checkoutJSON](s, "/api/drops/checkout", checkoutBody(held.ID)); got.URL != nil || got.Payment.Status != "pending" {
		t.Errorf("%+v", got)
	}
}

// The demo provider's page is one of this server, and a page of another origin must find it too.
func TestCheckout_TheAddressIsWhole(t *testing.T) {
	p := newTill("demo")
	p.Provider = demo.New(demo.Options{URL: "/demo-payment/"})
	s := newShop(t, p.open)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	held := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	if got := mustPost[checkoutJSON](s, "/api/drops/checkout", checkoutBody(held.ID)); got.URL == nil || !strings.HasPrefix(*got.URL, s.url+"/demo-payment/") {
		t.Errorf("%+v", got)
	}
}

// A buyer sees what was last known of a payment that needs a person.
func TestPayment_IsShownAlsoIfItCannotGoOn(t *testing.T) {
	p := newTill("external")
	s := newShop(t, p.open)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	sold := s.paid(p, 3)
	p.says = &payment.Found{ID: payment.ID(sold.Payment.ID), State: payment.Voided}
	s.ok(s.notify("/api/payments/external", "genuine", fmt.Sprintf(`{"payment":%d}`, sold.Payment.ID)))
	got := decoded[shownJSON](t, s.ok(s.get(fmt.Sprintf("/api/payments/%d", sold.Payment.ID))))
	if got.Payment.Status != "captured" || !got.Payment.Unsettled || got.Purchase == nil {
		t.Errorf("%+v", got)
	}
}

func TestCheckout_Refusals(t *testing.T) {
	p := newTill("demo")
	s := newShop(t, p.open)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	held := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	for _, id := range []int64{0, -1, 1, 1<<32 + 2, 2 << 32, 1<<53 - 1} {
		s.refused(s.post("/api/drops/checkout", checkoutBody(id)), http.StatusNotFound, "reservation_not_found")
	}
	for _, id := range []string{"0", "-1", "1", "9223372036854775808"} {
		s.refused(s.get("/api/payments/"+id), http.StatusNotFound, "payment_not_found")
	}
	s.refused(s.get("/api/payments/one"), http.StatusUnprocessableEntity, "invalid")

	p.fails["start"] = errors.New("the line is dead")
	r := s.post("/api/drops/checkout", checkoutBody(held.ID))
	s.refused(r, http.StatusServiceUnavailable, "payment_provider_unreachable")
	if r.header.Get("Retry-After") == "" {
		t.Error("nothing says when to try again")
	}
	p.fails["start"] = &payment.RefusedError{Code: "card_country", Reason: "no cards from there"}
	s.refused(s.post("/api/drops/checkout", checkoutBody(held.ID)), http.StatusPaymentRequired, "payment_failed")
	delete(p.fails, "start")
	begun := mustPost[checkoutJSON](s, "/api/drops/checkout", checkoutBody(held.ID))
	p.fails["find"] = errors.New("the line is dead")
	if got := decoded[shownJSON](t, s.ok(s.get(fmt.Sprintf("/api/payments/%d", begun.Payment.ID)))); got.Payment.Status != "open" {
		t.Errorf("a buyer who comes back while the provider is away: %+v", got)
	}
	delete(p.fails, "find")

	mustPost[reservationJSON](s, "/api/drops/cancel", fmt.Sprintf(`{"reservationId":%d}`, held.ID))
	s.refused(s.post("/api/drops/checkout", checkoutBody(held.ID)), http.StatusGone, "reservation_cancelled")
}

// Nobody pays in a rehearsal, and its simulated buyers purchase as in a shop without payments.
func TestCheckout_ARehearsalMovesNoMoney(t *testing.T) {
	s := newShop(t, newTill("demo").open)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	mustPost[dropJSON](s, "/api/drops/create", fmt.Sprintf(
		`{"name":%q,"price":1,"total_stock":5,"start_time":"2026-01-31T10:00:00Z","hidden":true}`, drop.RehearsalName(1)))
	held := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":2,"userId":3}`)
	s.refused(s.post("/api/drops/checkout", checkoutBody(held.ID)), http.StatusNotFound, "reservation_not_found")
	s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held.ID)))
}

// With sign-in each buyer pays for their own pairs and sees their own payments.
func TestCheckout_IsForTheBuyerAlone(t *testing.T) {
	identity, p := secretProvider(t), newTill("demo")
	s := newShop(t, identity.signIn, p.open)
	admin, _ := s.operatorToken(operator.Operator, time.Hour)
	ann, bob := identity.token("ann", claims{"email": "ann@example.com", "email_verified": true}), identity.token("bob", nil)
	mustAs[dropJSON](s, admin, "POST", "/api/drops/create", createBody)
	held := mustAs[reservationJSON](s, ann, "POST", "/api/drops/reserve", `{"dropId":1}`)
	s.refused(s.as(bob, "POST", "/api/drops/checkout", checkoutBody(held.ID)), http.StatusNotFound, "reservation_not_found")
	s.refused(s.as(admin, "POST", "/api/drops/checkout", checkoutBody(held.ID)), http.StatusForbidden, "forbidden")
	begun := mustAs[checkoutJSON](s, ann, "POST", "/api/drops/checkout", checkoutBody(held.ID))
	if got := p.orders[0].Email; got != "ann@example.com" {
		t.Errorf("the provider fills in %q", got)
	}
	show := fmt.Sprintf("/api/payments/%d", begun.Payment.ID)
	s.refused(s.as(bob, "GET", show, ""), http.StatusNotFound, "payment_not_found")
	s.refused(s.as(admin, "GET", show, ""), http.StatusForbidden, "forbidden")
	if got := mustAs[shownJSON](s, ann, "GET", show, ""); got.Payment.Status != "open" {
		t.Errorf("%+v", got)
	}
}

// An operator records a sale that was paid for elsewhere. That is in the operators' log; buyers' tries are not.
func TestPurchase_AnOperatorRecordsWhatWasPaidElsewhere(t *testing.T) {
	p := newTill("demo")
	g := newGuarded(t, p.open)
	ann := g.ann
	views, _ := g.operatorToken(operator.Viewer, time.Hour)
	held := mustAs[reservationJSON](g.shop, ann, "POST", "/api/drops/reserve", `{"dropId":1}`)
	body := fmt.Sprintf(`{"reservationId":%d}`, held.ID)
	before := g.log("?limit=1").Actions[0].ID
	lines := strings.Count(g.shop.log.String(), "operator call")
	g.refused(g.as(ann, "POST", "/api/drops/purchase", body), http.StatusPaymentRequired, "payment_required")
	g.refused(g.as(views, "POST", "/api/drops/purchase", body), http.StatusForbidden, "forbidden")
	if last := g.log("?limit=1").Actions[0]; last.ID != before || strings.Count(g.shop.log.String(), "operator call") != lines {
		t.Errorf("what was refused is in a log: %+v", last)
	}
	sold := mustAs[receiptJSON](g.shop, g.admin, "POST", "/api/drops/purchase", body).Purchase
	if sold.ID == 0 || sold.Payment != nil {
		t.Errorf("%+v", sold)
	}
	last := g.log("?limit=1&drop=1").Actions[0]
	if last.Call != "purchase" || last.Detail != body || last.Outcome == nil || *last.Outcome != fmt.Sprintf("ok, purchase %d", sold.ID) {
		t.Errorf("%+v", last)
	}
	g.refused(g.as(g.admin, "POST", "/api/drops/purchase", `{"reservationId":1}`), http.StatusNotFound, "reservation_not_found")
	if last := g.log("?limit=1").Actions[0]; last.DropID != nil || last.Outcome == nil || *last.Outcome != "reservation_not_found" {
		t.Errorf("%+v", last)
	}
	again := mustAs[receiptJSON](g.shop, ann, "POST", "/api/drops/purchase", body).Purchase
	if again.ID != sold.ID {
		t.Errorf("the buyer's own call: %+v", again)
	}
}

func TestPurchase_WithoutPaymentsOperatorsDoNotPurchase(t *testing.T) {
	g := newGuarded(t)
	g.refused(g.as(g.admin, "POST", "/api/drops/purchase", `{"reservationId":4294967297}`), http.StatusForbidden, "forbidden")
	s := newShop(t)
	s.refused(s.post("/api/drops/checkout", "{}"), http.StatusMethodNotAllowed, "method_not_allowed") // as for any drop's number
	for _, path := range []string{"/api/payments/stripe", "/api/payments/external", "/api/purchases/4294967297/refund"} {
		s.refused(s.post(path, "{}"), http.StatusNotFound, "route_not_found")
	}
	s.refused(s.get("/api/payments"), http.StatusNotFound, "route_not_found")
}

// notify sends a notification as a provider does.
func (s *shop) notify(path, signature, body string) reply {
	s.Helper()
	req := s.request(http.MethodPost, path, body)
	req.Header.Set("Signature", signature)
	return s.do(req)
}

func TestNotification_MakesThePaymentDue(t *testing.T) {
	for _, name := range stores.Engines {
		t.Run(name, func(t *testing.T) {
			p := newTill("external")
			s := newShopOn(t, stores.Open(t, name), new(atomic.Int64), p.open)
			mustPost[dropJSON](s, "/api/drops/create", createBody)
			held := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
			begun := mustPost[checkoutJSON](s, "/api/drops/checkout", checkoutBody(held.ID))
			p.pay(t, *begun.URL)
			run := func() string {
				t.Helper()
				if err := p.service.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				got, _, err := p.service.Payment(t.Context(), drop.PaymentID(begun.Payment.ID))
				if err != nil {
					t.Fatal(err)
				}
				return got.State
			}
			const path = "/api/payments/external"
			genuine := fmt.Sprintf(`{"payment":%d}`, begun.Payment.ID)
			for _, bad := range [][2]string{{"forged", genuine}, {"", genuine}, {"genuine", ""}, {"genuine", "{"}, {"genuine", `{"payment":"x"}`}} {
				s.refused(s.notify(path, bad[0], bad[1]), http.StatusBadRequest, "notification_invalid")
			}
			if got := run(); got != "open" {
				t.Errorf("a forged notification made the payment %s", got)
			}
			if r := s.ok(s.notify(path, "genuine", `{"payment":999}`)); r.body != `{}` {
				t.Errorf("of a payment of another shop: %s", r.body)
			}
			for range 2 {
				if r := s.ok(s.notify(path, "genuine", genuine)); r.body != `{}` {
					t.Error(r.body)
				}
			}
			if got := run(); got != "captured" {
				t.Errorf("after the notification it is %s", got)
			}
		})
	}
}

// A provider sends from a few addresses, to one path, without a browser and with any media type.
func TestNotification_GetsThrough(t *testing.T) {
	s := newShop(t, newTill("stripe").open, func(c *api.Config) {
		c.AllowedOrigins = []string{"https://shop.example"}
		c.AddressLimits = limit.Rules{limit.Buy: {Burst: 1, PerSecond: 0.001}, limit.Read: {Burst: 1, PerSecond: 0.001}, limit.Operate: {Burst: 1, PerSecond: 0.001}}
	}, secretProvider(t).signIn)
	for range 5 {
		req := s.request(http.MethodPost, "/api/payments/stripe", `{"payment":1}`)
		req.Header.Set("Content-Type", "text/plain")
		req.Header.Set("Signature", "genuine")
		s.ok(s.do(req))
	}
	s.refused(s.post("/api/payments/external", "{}"), http.StatusMethodNotAllowed, "method_not_allowed") // the path of a payment
	large := `{"payment":1` + strings.Repeat(" ", 1<<20-13) + "}"
	s.ok(s.notify("/api/payments/stripe", "genuine", large))
	s.refused(s.notify("/api/payments/stripe", "genuine", large+" "), http.StatusRequestEntityTooLarge, "too_large")
	if strings.Contains(s.get("/openapi.json").body, "payments/stripe") {
		t.Error("the document describes what only a provider calls")
	}
}

func TestNotification_OfAProviderThatSendsNone(t *testing.T) {
	s := newShop(t, newTill("demo").open)
	s.refused(s.post("/api/payments/demo", "{}"), http.StatusMethodNotAllowed, "method_not_allowed")
}

type paymentRowJSON struct {
	ID            int64   `json:"id"`
	Status        string  `json:"status"`
	ReservationID int64   `json:"reservationId"`
	UserID        int64   `json:"userId"`
	Username      string  `json:"username"`
	PurchaseID    *int64  `json:"purchaseId"`
	Unsettled     bool    `json:"unsettled"`
	Reason        *string `json:"reason"`
	Tries         int     `json:"tries"`
	DueAt         *string `json:"due_at"`
}

type paymentsJSON struct {
	Payments []paymentRowJSON `json:"payments"`
	Next     *int64           `json:"next"`
}

// ids writes the numbers of a page, and where the next one begins.
func (l *paymentsJSON) ids() string {
	var b strings.Builder
	for _, p := range l.Payments {
		fmt.Fprint(&b, p.ID, " ")
	}
	if l.Next != nil {
		fmt.Fprint(&b, "next ", *l.Next)
	}
	return strings.TrimSpace(b.String())
}

func TestPayments_AreListed(t *testing.T) {
	for _, name := range stores.Engines {
		t.Run(name, func(t *testing.T) {
			p := newTill("demo")
			s := newShopOn(t, stores.Open(t, name), new(atomic.Int64), p.open)
			if r := s.ok(s.get("/api/payments")); r.body != `{"payments":[],"next":null}` {
				t.Errorf("without payments: %s", r.body)
			}
			mustPost[dropJSON](s, "/api/drops/create", createBody)
			sold := s.paid(p, 3) // payment 1
			ann := mustPost[paymentJSON](s, "/api/users", `{"username":"Ann","email":"ann@example.com"}`)
			for _, user := range []int64{4, ann.ID, ann.ID} {
				held := mustPost[reservationJSON](s, "/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":%d}`, user))
				mustPost[checkoutJSON](s, "/api/drops/checkout", checkoutBody(held.ID))
			}
			p.fails["find"] = errors.New("the line is dead")
			if _, err := p.service.Step(t.Context(), 3); err == nil {
				t.Fatal("the step does not ask the provider")
			}
			for query, want := range map[string]string{
				"":                                "4 3 2 1",
				"?limit=2":                        "4 3 next 3",
				"?limit=2&before=3":               "2 1",
				"?before=1":                       "",
				"?unsettled=false&limit=1":        "4 next 4",
				"?unsettled=true":                 "2 3 4",
				"?unsettled=true&limit=2":         "2 3 next 3",
				"?unsettled=true&after=3":         "4",
				"?unsettled=true&after=0":         "2 3 4",
				"?unsettled=true&after=99":        "",
				"?before=9007199254740991":        "4 3 2 1",
				"?limit=1000&unsettled=false":     "4 3 2 1",
				"?unsettled=true&limit=3":         "2 3 4",
				"?unsettled=true&after=2&x=y":     "3 4",
				"?before=2&unsettled=false":       "1",
				"?before=4&limit=1":               "3 next 3",
				"?unsettled=true&after=3&limit=1": "4",
			} {
				r := s.ok(s.get("/api/payments" + query))
				if got := decoded[paymentsJSON](t, r); got.ids() != want {
					t.Errorf("%s: %s, want %s", query, got.ids(), want)
				}
				d := s.document()
				d.validate(t, d.Paths["/api/payments"]["get"].Responses["200"].Content["application/json"].Schema, json.RawMessage(r.body))
			}
			rows := decoded[paymentsJSON](t, s.get("/api/payments")).Payments
			if done := rows[3]; done.PurchaseID == nil || *done.PurchaseID != sold.Purchase.ID || done.Unsettled || done.DueAt != nil || done.Reason != nil || done.UserID != 3 ||
				done.Username != "Unknown" {
				t.Errorf("%+v", done)
			}
			if rows[0].Username != "Ann" || rows[1].Username != "Ann" || rows[2].Username != "Unknown" {
				t.Errorf("the buyers are %+v", rows)
			}
			if stuck := rows[1]; stuck.Tries != 1 || stuck.Reason == nil || !strings.Contains(*stuck.Reason, "the line is dead") || stuck.DueAt == nil || stuck.PurchaseID != nil || !stuck.Unsettled {
				t.Errorf("%+v", stuck)
			}
			for _, query := range []string{
				"?unsettled=1", "?unsettled=", "?unsettled=true&unsettled=true", "?after=1", "?unsettled=true&before=1", "?before=0", "?limit=0", "?limit=1001",
				"?before=x", "?after=-1&unsettled=true", "?unsettled=false&after=1",
			} {
				s.refused(s.get("/api/payments"+query), http.StatusUnprocessableEntity, "invalid")
			}
		})
	}
}

// countedUsers counts the reads of buyers.
type countedUsers struct {
	store.Store
	reads []int
}

func (s *countedUsers) Users(ctx context.Context, ids []drop.UserID) ([]drop.User, error) {
	s.reads = append(s.reads, len(ids))
	return s.Store.Users(ctx, ids)
}

func (s *countedUsers) User(ctx context.Context, id drop.UserID) (drop.User, error) {
	s.reads = append(s.reads, 1)
	return s.Store.User(ctx, id)
}

// The names of buyers are read once for each page, and each buyer once.
func TestPayments_ReadTheirBuyersOnceForEachPage(t *testing.T) {
	p, st := newTill("demo"), &countedUsers{Store: memory.New(stores.Now)}
	s := newShopOn(t, st, new(atomic.Int64), p.open)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	for _, user := range []int{3, 4, 3} {
		s.paid(p, user)
	}
	for query, want := range map[string]string{"": "[2]", "?limit=2": "[2]", "?limit=1": "[1]", "?before=1": "[0]"} {
		st.reads = nil
		if body := s.ok(s.get("/api/payments" + query)).body; fmt.Sprint(st.reads) != want {
			t.Errorf("%q: reads of %d buyers, want %s: %s", query, st.reads, want, body)
		}
	}
}
