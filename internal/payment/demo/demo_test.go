package demo_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/payment/demo"
	"sneakerdrop/internal/testing/paymenttest"
)

// buyer is a browser without JavaScript. It follows no redirect.
type buyer struct{ client *http.Client }

func newBuyer() buyer {
	return buyer{&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// press sends the form of a page.
func (b buyer) press(ctx context.Context, at, button, card string) (status int, location, page string, err error) {
	form := url.Values{"do": {button}, "card": {card}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := b.client.Do(r)
	if err != nil {
		return 0, "", "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header.Get("Location"), string(body), err
}

func (b buyer) must(ctx context.Context, want int, at payment.Checkout, button, card string) error {
	status, _, page, err := b.press(ctx, at.URL, button, card)
	if err == nil && status != want {
		err = fmt.Errorf("the page answers %d to %s, want %d: %s", status, button, want, page)
	}
	return err
}

func (b buyer) Pay(ctx context.Context, at payment.Checkout) (bool, error) {
	status, location, page, err := b.press(ctx, at.URL, "pay", "4242-4242 42424242")
	if err != nil {
		return false, err
	}
	if status == http.StatusSeeOther && strings.HasPrefix(location, "https://shop.example/") {
		return true, nil
	}
	if status == http.StatusOK && strings.Contains(page, "<h1>You") && !strings.Contains(page, "<form") {
		return false, nil
	}
	return false, fmt.Errorf("the page answers %d to pay: %s", status, page)
}

func (b buyer) Decline(ctx context.Context, at payment.Checkout) error {
	return b.must(ctx, http.StatusUnprocessableEntity, at, "pay", demo.CardDeclined)
}

func (b buyer) Abandon(ctx context.Context, at payment.Checkout) error {
	return b.must(ctx, http.StatusSeeOther, at, "cancel", "")
}

func (b buyer) PayLate(ctx context.Context, at payment.Checkout) error {
	return b.must(ctx, http.StatusSeeOther, at, "pay", demo.CardLate)
}

func (b buyer) Arrive(ctx context.Context, at payment.Checkout) error {
	return b.must(ctx, http.StatusSeeOther, at, "arrive", "")
}

// serve makes a provider, and serves its page.
func serve(t *testing.T, o demo.Options) *demo.Provider {
	t.Helper()
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	o.URL = s.URL + "/demo-payment/"
	p := demo.New(o)
	mux.Handle("/demo-payment/", p.Handler())
	return p
}

func TestDemo_KeepsThePromisesOfAProvider(t *testing.T) {
	paymenttest.Run(t, func(t *testing.T) paymenttest.Harness {
		return paymenttest.Harness{Provider: serve(t, demo.Options{}), Buyer: newBuyer()}
	})
}

func order(id payment.ID) payment.Order {
	return payment.Order{
		ID: id, Amount: 119_90, Currency: drop.Currency{Code: "EUR", Decimals: 2}, Description: "Comet <b>9.5</b>",
		ReturnURL: "https://shop.example/drops/7?a=1&b=2", Expires: time.Now().Add(time.Minute),
	}
}

func start(t *testing.T, p *demo.Provider, id payment.ID) payment.Checkout {
	t.Helper()
	c, err := p.Start(t.Context(), order(id))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStart_AtOnceNeedsNoBuyer(t *testing.T) {
	p := demo.New(demo.Options{URL: "/demo-payment/", AtOnce: true})
	c := start(t, p, 1)
	if c.Found.State != payment.Authorised || c.Found.Amount != 119_90 || c.Found.Currency != "EUR" || c.Found.ID != 1 {
		t.Errorf("Start found %+v", c.Found)
	}
	if got, err := p.Capture(t.Context(), payment.Ref{ID: 1}); err != nil || got.State != payment.Captured || got.Receipt == "" {
		t.Errorf("Capture: %+v, %v", got, err)
	}
	if again := start(t, p, 1); again.Found.State != payment.Captured {
		t.Errorf("Start again found %+v", again.Found)
	}
}

// The oldest that is finished makes room. A payment that waits for its buyer is never forgotten.
func TestStart_ForgetsTheOldestFinishedPayment(t *testing.T) {
	p := demo.New(demo.Options{URL: "/demo-payment/"})
	const most = 10_000
	for id := payment.ID(1); id <= most; id++ {
		start(t, p, id)
	}
	var refused *payment.RefusedError
	if _, err := p.Start(t.Context(), order(most+1)); err == nil || errors.As(err, &refused) {
		t.Errorf("Start of one more than fit: %v, want an error that says to try again", err)
	}
	for _, id := range []payment.ID{3, 1} {
		if _, err := p.Close(t.Context(), payment.Ref{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	start(t, p, most+1)
	start(t, p, most+2)
	for id, known := range map[payment.ID]bool{1: false, 2: true, 3: false, 4: true, most: true, most + 1: true, most + 2: true} {
		if _, err := p.Find(t.Context(), payment.Ref{ID: id}); errors.Is(err, payment.ErrUnknown) == known {
			t.Errorf("payment %d: %v, want it known: %t", id, err, known)
		}
	}
	if _, err := p.Start(t.Context(), order(most+3)); err == nil {
		t.Error("a payment that waits for its buyer has made room")
	}
}

func TestStart_RefusesAnAddressThatIsNoWebPage(t *testing.T) {
	p := demo.New(demo.Options{URL: "/demo-payment/"})
	for address, good := range map[string]bool{
		"https://shop.example/a,b;c'd": true, "http://127.0.0.1:3000/": true, "/drops/7?paid=1": true,
		"": false, "drops": false, "//evil.example/": false, `/\evil.example/`: false, "javascript:alert(1)": false,
		"https://a;b.example/": false, "https://": false, "https://u:p@shop.example/": false, "https://*/": false,
	} {
		o := order(1)
		o.ReturnURL = address
		_, err := p.Start(t.Context(), o)
		if no, ok := errors.AsType[*payment.RefusedError](err); good && err != nil || !good && (!ok || no.Code != "return_url_invalid") {
			t.Errorf("Start with the return URL %q: %v, want it accepted: %t", address, err, good)
		}
	}
}

// Changed has been called when the browser is sent on, so the shop's page shows the newest state.
func TestPage_TellsTheServerBeforeTheBrowserGoesOn(t *testing.T) {
	var told []payment.Ref
	var p *demo.Provider
	p = serve(t, demo.Options{Changed: func(ref payment.Ref) {
		if found, err := p.Find(context.Background(), ref); err != nil || found.State == payment.Open {
			t.Errorf("told of %+v: %+v, %v", ref, found, err)
		}
		told = append(told, ref) // nobody else reads or writes it before the answer
	}})
	c := start(t, p, 7)
	b := newBuyer()
	for _, step := range []struct {
		button, card, to string
		told             int
	}{
		{"pay", demo.CardDeclined, "", 0},
		{"cancel", "", "https://shop.example/drops/7?a=1&b=2", 0},
		{"pay", demo.CardLate, c.Number, 1},
		{"arrive", "", "https://shop.example/drops/7?a=1&b=2", 2},
		{"arrive", "", "", 2}, // there is nothing left to arrive
		{"bounce", "", "", 2},
	} {
		_, to, page, err := b.press(t.Context(), c.URL, step.button, step.card)
		if err != nil || to != step.to || len(told) != step.told {
			t.Fatalf("%s: sent to %q, told %d times, %v; want %q and %d\n%s", step.button, to, len(told), err, step.to, step.told, page)
		}
	}
	if told[0] != (payment.Ref{ID: 7, Number: c.Number}) {
		t.Errorf("told of %+v", told[0])
	}
}

func TestPage_LateMoneyMayFail(t *testing.T) {
	p := serve(t, demo.Options{})
	c, b := start(t, p, 7), newBuyer()
	if err := b.PayLate(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if status, _, _, err := b.press(t.Context(), c.URL, "bounce", ""); status != http.StatusSeeOther || err != nil {
		t.Fatal(status, err)
	}
	if got, err := p.Find(t.Context(), payment.Ref{ID: 7}); err != nil || got.State != payment.Failed || got.Reason == "" {
		t.Errorf("Find: %+v, %v", got, err)
	}
}

// get returns a page and its policy.
func get(t *testing.T, at string) (status int, page, policy string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if h := answer.Header; h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" ||
		h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the page has the headers %v", h)
	}
	return answer.StatusCode, string(body), answer.Header.Get("Content-Security-Policy")
}

func TestPage_SaysThatItIsADemo(t *testing.T) {
	p := serve(t, demo.Options{})
	c := start(t, p, 7)
	status, page, policy := get(t, c.URL)
	for _, part := range []string{
		"This is a demo.", "No money moves", "Never type a real card number", "Pay 119.90 EUR", "Comet &lt;b&gt;9.5&lt;/b&gt;",
		`name="viewport"`, "prefers-color-scheme: dark", demo.CardPays, demo.CardDeclined, demo.CardLate, ">Cancel<",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page does not have %q:\n%s", part, page)
		}
	}
	if status != http.StatusOK || strings.Contains(page, "<script") || strings.Contains(page, "style=") {
		t.Errorf("the page answers %d:\n%s", status, page)
	}
	_, style, _ := strings.Cut(page, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"';") || strings.Contains(policy, "unsafe") ||
		!strings.HasSuffix(policy, "form-action 'self' https://shop.example") {
		t.Errorf("the policy is %q", policy)
	}
	_, _, page, err := newBuyer().press(t.Context(), c.URL, "pay", "5555 5555 5555 4444")
	if err != nil || !strings.Contains(page, "This is no test card") || strings.Contains(page, "5555") {
		t.Errorf("a card that is no test card: %v\n%s", err, page)
	}
	base := strings.TrimSuffix(c.URL, c.Number)
	for _, unknown := range []string{"", "x", c.Number + "x"} {
		status, page, policy := get(t, base+unknown)
		if status != http.StatusNotFound || !strings.Contains(page, "a restart of the server forgets them") ||
			!strings.HasSuffix(policy, "form-action 'self'") {
			t.Errorf("%q answers %d with the policy %q:\n%s", unknown, status, policy, page)
		}
	}
}

// The page reads a short form, and no other methods.
func TestPage_RefusesWhatNoBrowserSends(t *testing.T) {
	p := serve(t, demo.Options{})
	c := start(t, p, 7)
	status, _, _, err := newBuyer().press(t.Context(), c.URL, "pay", strings.Repeat("4", 5<<10))
	if err != nil || status != http.StatusBadRequest {
		t.Errorf("a long form: %d, %v", status, err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, c.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") == "" {
		t.Errorf("DELETE answers %d", answer.StatusCode)
	}
	if got, err := p.Find(t.Context(), payment.Ref{ID: 7}); err != nil || got.State != payment.Open {
		t.Errorf("Find: %+v, %v", got, err)
	}
}
