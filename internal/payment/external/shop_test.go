package external_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/payment/external"
	"sneakerdrop/internal/testing/paymenttest"
)

const (
	secret  external.Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	newer   external.Secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	strange external.Secret = "whsec_Ng0EiOj0QPtLqcvnsVr4X0dgWXPuO7BW"
)

var euro = drop.Currency{Code: "EUR", Decimals: 2}

// shop is a shop's checkout as it may be: it keeps payments in a map, and its buyers pay with a form.
type shop struct {
	secrets []external.Secret

	mu       sync.Mutex
	payments map[string]*sale
	order    []*sale
}

// sale is a payment at the shop, as the API tells it.
type sale struct {
	Payment  string `json:"payment"`
	State    string `json:"state"`
	Amount   string `json:"amount,omitempty"`
	Currency string `json:"currency,omitempty"`
	Receipt  string `json:"receipt,omitempty"`
	Refunded string `json:"refunded,omitempty"`
	Reason   string `json:"reason,omitempty"`

	amount string
	began  time.Time
	keys   map[string]bool
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api" {
		s.api(w, r)
		return
	}
	link, err := external.VerifyLink(s.secrets, r.URL.Query(), time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.begin(link.Payment)
	p.amount = link.Amount
	switch button := r.PostFormValue("button"); {
	case button == "Cancel" || r.Method == http.MethodGet:
		w.Header().Set("Location", link.ReturnURL)
		w.WriteHeader(http.StatusSeeOther)
	case p.State != "open":
		w.WriteHeader(http.StatusConflict)
	case button == "Pay":
		p.State, p.Amount, p.Currency, p.Receipt = "authorised", p.amount, link.Currency, "R-"+link.Payment
		w.Header().Set("Location", link.ReturnURL)
		w.WriteHeader(http.StatusSeeOther)
	case button == "Pay later":
		p.State = "pending"
		w.WriteHeader(http.StatusAccepted)
	default:
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
}

func (s *shop) begin(number string) *sale {
	p := s.payments[number]
	if p == nil {
		p = &sale{Payment: number, State: "open", began: time.Now(), keys: make(map[string]bool)}
		s.payments[number] = p
		s.order = append(s.order, p)
	}
	return p
}

// arrive lets the money of a payment arrive that is on its way.
func (s *shop) arrive(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.payments[number]
	p.State, p.Amount, p.Currency = "authorised", p.amount, "EUR"
}

func (s *shop) api(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !signed(s.secrets, r.Header, body) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var call struct{ Action, Payment, Key, Amount, From, After string }
	if err := json.Unmarshal(body, &call); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if call.Action == "since" {
		s.list(w, call.From, call.After)
		return
	}
	p := s.payments[call.Payment]
	if p == nil && call.Action == "close" {
		p = s.begin(call.Payment)
	}
	if p == nil {
		say(w, http.StatusNotFound, map[string]string{"code": "unknown_payment", "reason": "Nobody has come."})
		return
	}
	if code := p.obey(call.Action, call.Key, call.Amount); code != "" {
		say(w, http.StatusConflict, map[string]string{"code": code, "reason": "The payment is " + p.State + "."})
		return
	}
	say(w, http.StatusOK, p)
}

// obey does what the server asks, or returns why not.
func (p *sale) obey(action, key, amount string) (code string) {
	moves := map[string]string{"capture": "captured", "void": "voided"}
	switch {
	case action == "close" && p.State == "open":
		p.State, p.Reason = "failed", "closed"
	case action == "find" || action == "close":
	case action == "refund" && p.State == "captured":
		if p.keys[key] {
			return ""
		}
		if units(p.Refunded)+units(amount) > units(p.Amount) {
			return "too_much"
		}
		p.keys[key] = true
		p.Refunded = drop.MoneyOf(units(p.Refunded) + units(amount)).String()
	case moves[action] != "" && (p.State == "authorised" || p.State == moves[action]):
		p.State = moves[action]
	default:
		return "wrong_state"
	}
	return ""
}

// list answers with two payments a page.
func (s *shop) list(w http.ResponseWriter, from, after string) {
	since, err := time.Parse(time.RFC3339, from)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	skip := 0
	_, _ = fmt.Sscanf(after, "%d", &skip)
	page := struct {
		Payments []*sale `json:"payments"`
		Next     string  `json:"next,omitempty"`
	}{Payments: []*sale{}}
	for i, p := range s.order {
		if i < skip || p.began.Before(since) {
			continue
		}
		if len(page.Payments) == 2 {
			page.Next = strconv.Itoa(i)
			break
		}
		page.Payments = append(page.Payments, p)
	}
	say(w, http.StatusOK, page)
}

func say(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

// signed reports whether one of the secrets signed a request, by the library that shops use.
func signed(secrets []external.Secret, header http.Header, body []byte) bool {
	for _, s := range secrets {
		if key, err := standardwebhooks.NewWebhook(string(s)); err == nil && key.Verify(body, header) == nil {
			return true
		}
	}
	return false
}

// units is an amount of two decimals in ten-thousandths.
func units(amount string) int64 {
	whole, part, _ := strings.Cut(amount, ".")
	var n int64
	_, _ = fmt.Sscanf(whole+(part + "0000")[:4], "%d", &n)
	return n
}

// buyer pays with a form, which has a button for each way to end.
type buyer struct {
	client *http.Client
	bad    string // the button that tries a card that the bank declines
}

func newBuyer(bad string) buyer {
	return buyer{&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, bad}
}

func (b buyer) press(ctx context.Context, at payment.Checkout, button string) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at.URL, strings.NewReader(url.Values{"button": {button}}.Encode()))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := b.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode == http.StatusForbidden {
		err = fmt.Errorf("the checkout refuses the link: %s", body)
	}
	if to := answer.Header.Get("Location"); answer.StatusCode == http.StatusSeeOther && !strings.HasPrefix(to, "https://shop.example/") {
		err = fmt.Errorf("the checkout sends the buyer to %q", to)
	}
	return answer.StatusCode, err
}

func (b buyer) must(ctx context.Context, at payment.Checkout, button string, want int) error {
	status, err := b.press(ctx, at, button)
	if err == nil && status != want {
		err = fmt.Errorf("the checkout answers %d to %s, want %d", status, button, want)
	}
	return err
}

func (b buyer) Pay(ctx context.Context, at payment.Checkout) (bool, error) {
	status, err := b.press(ctx, at, "Pay")
	if err == nil && status != http.StatusSeeOther && status != http.StatusConflict {
		err = fmt.Errorf("the checkout answers %d to Pay", status)
	}
	return status == http.StatusSeeOther, err
}

func (b buyer) Decline(ctx context.Context, at payment.Checkout) error {
	return b.must(ctx, at, b.bad, http.StatusUnprocessableEntity)
}

func (b buyer) Abandon(ctx context.Context, at payment.Checkout) error {
	return b.must(ctx, at, "Cancel", http.StatusSeeOther)
}

// lateBuyer can also pay late, at the shop of this test.
type lateBuyer struct {
	buyer
	shop *shop
}

func (b lateBuyer) PayLate(ctx context.Context, at payment.Checkout) error {
	return b.must(ctx, at, "Pay later", http.StatusAccepted)
}

func (b lateBuyer) Arrive(_ context.Context, at payment.Checkout) error {
	b.shop.arrive(at.Number)
	return nil
}

// provider makes a provider for a checkout, with the settings of tests.
func provider(t *testing.T, at string, secrets ...external.Secret) *external.Provider {
	t.Helper()
	p, err := external.New(external.Settings{Checkout: at + "/checkout?lang=en", API: at + "/api", Secrets: secrets, Currency: euro})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestExternal_KeepsThePromisesOfAProvider(t *testing.T) {
	paymenttest.Run(t, func(t *testing.T) paymenttest.Harness {
		s := &shop{secrets: []external.Secret{secret}, payments: make(map[string]*sale)}
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		return paymenttest.Harness{
			Provider: provider(t, server.URL, secret, newer), // while the secret is changed
			Buyer:    lateBuyer{newBuyer("Pay with a bad card"), s}, Derived: true,
		}
	})
}
