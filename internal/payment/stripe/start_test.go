package stripe_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/payment/stripe"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/fakestripe"
)

func TestNew_RefusesFaultySettingsWithoutRepeatingAKey(t *testing.T) {
	const key, signing = "sk_test_abcDEF123", "whsec_abc/DEF+123="
	good := stripe.Settings{Key: key, Signing: []stripe.Secret{signing}}
	for name, c := range map[string]struct {
		change func(*stripe.Settings)
		says   string // empty: it is accepted
	}{
		"a secret key":              {func(*stripe.Settings) {}, ""},
		"a restricted key":          {func(s *stripe.Settings) { s.Key = "rk_live_abc123" }, ""},
		"two signing secrets":       {func(s *stripe.Settings) { s.Signing = append(s.Signing, "whsec_other") }, ""},
		"another URL":               {func(s *stripe.Settings) { s.URL = "http://127.0.0.1:12111" }, ""},
		"no key":                    {func(s *stripe.Settings) { s.Key = "" }, "is missing"},
		"a publishable key":         {func(s *stripe.Settings) { s.Key = "pk_test_hunter2" }, "publishable"},
		"a signing secret as key":   {func(s *stripe.Settings) { s.Key = "whsec_hunter2" }, "malformed"},
		"a space behind the key":    {func(s *stripe.Settings) { s.Key = "sk_test_hunter2 " }, "malformed"},
		"a line behind the key":     {func(s *stripe.Settings) { s.Key = "sk_test_hunter2\n" }, "malformed"},
		"no signing secret":         {func(s *stripe.Settings) { s.Signing = nil }, "is missing"},
		"an empty signing secret":   {func(s *stripe.Settings) { s.Signing = []stripe.Secret{signing, ""} }, "malformed"},
		"a key as signing secret":   {func(s *stripe.Settings) { s.Signing = []stripe.Secret{"sk_test_hunter2"} }, "malformed"},
		"a shop's name with spaces": {func(s *stripe.Settings) { s.Shop = "my shop" }, "40"},
		"a URL that is none":        {func(s *stripe.Settings) { s.URL = "stripe" }, "malformed"},
		"a URL with a password":     {func(s *stripe.Settings) { s.URL = "https://me:hunter2@proxy.example" }, "no user"},
		"a live key over http": {func(s *stripe.Settings) {
			s.Key, s.URL = "sk_live_hunter2", "http://proxy.example"
		}, "https"},
	} {
		s := good
		c.change(&s)
		_, err := stripe.New(s)
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: the error is %v; it should say %q", name, err, c.says)
		case err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: the error repeats the key: %v", name, err)
		}
	}
}

func TestSettings_AreNeverPrinted(t *testing.T) {
	s := stripe.Settings{Key: "sk_test_hunter2", Signing: []stripe.Secret{"whsec_hunter2"}}
	p, err := stripe.New(s)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&b, format, s)
		fmt.Fprintf(&b, format, &s)
		fmt.Fprintf(&b, format, p)
		fmt.Fprintf(&b, format, s.Key)
	}
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "key", s.Key)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "provider", p, "settings", s)
	if strings.Contains(b.String(), "hunter2") {
		t.Errorf("a secret is printed: %s", b.String())
	}
}

func TestStart_OpensACheckoutThatAuthorisesOnly(t *testing.T) {
	w := newWorld(t)
	order := w.order(7_000_001)
	checkout, err := w.Start(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	if checkout.URL == "" || checkout.Found != (payment.Found{ID: order.ID, Number: checkout.Number, State: payment.Open}) {
		t.Errorf("the checkout is %+v", checkout)
	}
	p := w.fake.Payments()[0]
	if p.Amount != 11999 || p.Currency != "eur" || p.Email != order.Email || p.ReferenceID != "7000001" {
		t.Errorf("Stripe has %+v", p)
	}
	if p.Metadata["sneakerdrop_payment"] != "7000001" || p.Metadata["sneakerdrop_reservation"] != "7001001" || p.Metadata["sneakerdrop_shop"] != shop {
		t.Errorf("the session's metadata is %v", p.Metadata)
	}
	if open := p.ExpiresAt.Sub(order.Expires.Truncate(time.Second)); open < 30*time.Minute || open > 35*time.Minute {
		t.Errorf("the session ends %s after the order", open)
	}
	w.pay(payment.Ref{Number: checkout.Number}, fakestripe.Authorise)
	if p = w.fake.Payments()[0]; p.IntentIs != "requires_capture" {
		t.Errorf("after the buyer paid, the payment intent is %s", p.IntentIs)
	}
	r := w.fake.Requests()[0]
	for parameter, want := range map[string]string{
		"success_url": order.ReturnURL, "cancel_url": order.ReturnURL, "payment_intent_data[metadata][sneakerdrop_payment]": "7000001",
		"line_items[0][price_data][product_data][name]": order.Description, "adaptive_pricing[enabled]": "false",
	} {
		if got := r.Form[parameter]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", parameter, got, want)
		}
	}
	if r.Key == "" || !strings.Contains(r.Key, "7000001") {
		t.Errorf("the idempotency key is %q", r.Key)
	}
}

func TestRequests_TellStripeNothingOfTheServer(t *testing.T) {
	w := newWorld(t)
	w.captured(1)
	for _, r := range w.fake.Requests() {
		for name, values := range r.Header {
			if strings.EqualFold(name, "X-Stripe-Client-Telemetry") || strings.Contains(fmt.Sprint(values), "request_duration") {
				t.Errorf("%s %s has the header %s: %s", r.Method, r.Path, name, values)
			}
		}
	}
}

// Each call that changes something has a key of its own, made of the payment and of what is done.
func TestRequests_HaveIdempotencyKeysOfThePayment(t *testing.T) {
	w := newWorld(t)
	ref := w.captured(1)
	for _, key := range []string{"a", "b"} {
		if _, err := w.Refund(t.Context(), ref, payment.Refund{Key: key, Amount: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Void(t.Context(), w.authorised(2)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(t.Context(), w.start(3)); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, r := range w.fake.Requests() {
		if r.Method != http.MethodPost {
			continue
		}
		if seen[r.Key] || !strings.HasPrefix(r.Key, "sneakerdrop/"+shop+"/") || len(r.Key) > 255 {
			t.Errorf("%s %s has the idempotency key %q", r.Method, r.Path, r.Key)
		}
		seen[r.Key] = true
	}
	if len(seen) != 8 {
		t.Errorf("the keys are %v", seen)
	}
}

// The key goes to no other server.
func TestRequests_FollowNoRedirection(t *testing.T) {
	w := newWorld(t)
	away := httptest.NewServer(http.RedirectHandler(w.url+"/v1/checkout/sessions", http.StatusTemporaryRedirect))
	t.Cleanup(away.Close)
	w.url = away.URL
	w.Provider = w.provider(shop)
	_, err := w.Start(t.Context(), w.order(1))
	again(t, err)
	if n := len(w.fake.Requests()); n > 0 {
		t.Errorf("%d requests were redirected", n)
	}
}

// The library prints what it is answered, unless it is told not to.
func TestRequests_LogNothing(t *testing.T) {
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = out, out
	w := newWorld(t)
	ref := w.authorised(1)
	w.fake.Harm(fakestripe.Fault{Kind: fakestripe.Failed, Method: "POST"})
	_, failed := w.Capture(t.Context(), ref)
	_, unknown := w.Find(t.Context(), payment.Ref{Number: "cs_none"})
	os.Stdout, os.Stderr = stdout, stderr
	out.Close()
	printed, err := io.ReadAll(r)
	if err != nil || len(printed) > 0 || failed == nil || unknown == nil {
		t.Errorf("the calls ended with %v and %v, and printed %q, %v", failed, unknown, printed, err)
	}
}

// Whatever goes wrong on the way, an order has one checkout that a buyer was shown.
func TestStart_AskedAgainGivesTheSameCheckout(t *testing.T) {
	for kind, sessions := range map[fakestripe.Kind]int{
		"":                     1,
		fakestripe.Lost:        1,
		fakestripe.Unreached:   1,
		fakestripe.Doubled:     1,
		fakestripe.Garbled:     1,
		fakestripe.TooMany:     1,
		fakestripe.Busy:        1,
		fakestripe.Failed:      1,
		fakestripe.FailedAfter: 2, // nobody was shown the first
	} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t)
			order := w.order(1)
			if kind != "" {
				w.fake.Harm(fakestripe.Fault{Kind: kind, Method: "POST"})
			}
			start := func() (payment.Checkout, error) { return w.Start(t.Context(), order) }
			first, err := keep(t, start)
			if err != nil {
				t.Fatal(err)
			}
			w.clock.add(time.Second)
			second, err := keep(t, start)
			if err != nil || second != first {
				t.Errorf("the second answer is %+v, %v, and the first was %+v", second, err, first)
			}
			if n := len(w.fake.Payments()); n != sessions {
				t.Errorf("there are %d sessions, want %d", n, sessions)
			}
		})
	}
}

func TestStart_AskedAgainSaysWhatIsNow(t *testing.T) {
	w := newWorld(t)
	order := w.order(1)
	ref := w.authorised(1)
	checkout, err := w.Start(t.Context(), order)
	if err != nil || checkout.Number != ref.Number || checkout.Found.State != payment.Authorised {
		t.Errorf("the answer is %+v, %v", checkout, err)
	}
}

func TestStart_WhileTheFirstCallIsUnderWayIsAskedAgain(t *testing.T) {
	w := newWorld(t)
	until := make(chan struct{})
	w.fake.Harm(fakestripe.Fault{Kind: fakestripe.Late, Method: "POST", Until: until})
	type answer struct {
		checkout payment.Checkout
		err      error
	}
	first := make(chan answer, 1)
	order := w.order(1)
	go func() {
		c, err := w.Start(t.Context(), order)
		first <- answer{c, err}
	}()
	await.Until(t, "the first call has its effect", func() bool { return len(w.fake.Payments()) == 1 })
	_, err := w.Start(t.Context(), order)
	again(t, err)
	close(until)
	a := <-first
	second, err := w.Start(t.Context(), order)
	if err != nil || a.err != nil || second != a.checkout {
		t.Errorf("the answers are %+v and %+v, %v", a, second, err)
	}
}

func TestStart_ADescriptionChangedMeanwhileIsTheSameCheckout(t *testing.T) {
	w := newWorld(t)
	first := w.start(1)
	order := w.order(1)
	order.Description = "Air Seven (new), EU 42"
	checkout, err := w.Start(t.Context(), order)
	if err != nil || checkout.Number != first.Number || checkout.URL == "" {
		t.Errorf("the answer is %+v, %v", checkout, err)
	}
	order.Amount = 100
	if _, err = w.Start(t.Context(), order); refusal(err) == nil {
		t.Errorf("with another amount, the error is %v", err)
	}
}

func TestStart_ChangedAfterAFailureOfStripesIsAskedAgain(t *testing.T) {
	w := newWorld(t)
	order := w.order(1)
	w.fake.Harm(fakestripe.Fault{Kind: fakestripe.Failed, Method: "POST"})
	_, err := w.Start(t.Context(), order)
	again(t, err)
	order.Description = "Air Seven (new), EU 42"
	_, err = w.Start(t.Context(), order)
	again(t, err)
}

func TestStart_LeavesOutAnEmailThatStripeRefuses(t *testing.T) {
	w := newWorld(t)
	order := w.order(1)
	order.Email = "ada"
	for range 2 {
		if checkout, err := w.Start(t.Context(), order); err != nil || checkout.URL == "" {
			t.Fatalf("the answer is %+v, %v", checkout, err)
		}
	}
	if all := w.fake.Payments(); len(all) != 1 || all[0].Email != "" {
		t.Errorf("Stripe has %+v", all)
	}
}

func TestStart_RefusesWhatStripeCannotTake(t *testing.T) {
	for name, change := range map[string]func(*payment.Order){
		"nothing":             func(o *payment.Order) { o.Amount = 0 },
		"too little":          func(o *payment.Order) { o.Amount = 1 },
		"too much":            func(o *payment.Order) { o.Amount = 100_000_000 },
		"a step between":      func(o *payment.Order) { o.Currency.Code, o.Amount = "KWD", drop.MoneyOf(51_230) },
		"an unknown currency": func(o *payment.Order) { o.Currency.Code = "CLF" },
		"an order of the past": func(o *payment.Order) {
			o.Expires = o.Expires.Add(-time.Hour)
		},
	} {
		w := newWorld(t)
		order := w.order(1)
		change(&order)
		_, err := w.Start(t.Context(), order)
		if r := refusal(err); r == nil || r.Reason == "" || r.Code == "" {
			t.Errorf("%s: the error is %v", name, err)
		}
		if n := len(w.fake.Payments()); n != 0 {
			t.Errorf("%s: there are %d sessions", name, n)
		}
	}
}

func TestShops_WithOneAccountDoNotMix(t *testing.T) {
	w := newWorld(t)
	other := w.provider("other")
	mine := w.authorised(1)
	theirs, err := other.Start(t.Context(), w.order(1))
	if err != nil || theirs.Number == mine.Number {
		t.Fatalf("the other shop's checkout is %+v, %v", theirs, err)
	}
	if _, err := other.Capture(t.Context(), mine); err == nil {
		t.Error("the other shop captured")
	}
	if _, err := other.Capture(t.Context(), payment.Ref{Number: mine.Number}); err == nil {
		t.Error("the other shop captured by the number alone")
	}
	if f, err := other.Find(t.Context(), payment.Ref{Number: mine.Number}); err != nil || f.ID != 0 {
		t.Errorf("the other shop finds %+v, %v", f, err)
	}
	if f, err := other.Find(t.Context(), payment.Ref{ID: 1}); err != nil || f.Number != theirs.Number {
		t.Errorf("the other shop finds %+v, %v", f, err)
	}
	for f, err := range other.Since(t.Context(), w.clock.Now().Add(-time.Hour)) {
		if err != nil || f.Number != theirs.Number {
			t.Errorf("the other shop lists %+v, %v", f, err)
		}
	}
	if w.state(mine).State != payment.Authorised {
		t.Error("the payment has changed")
	}
}
