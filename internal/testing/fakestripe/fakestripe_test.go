package fakestripe_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/testing/fakestripe"
)

// post calls the fake. A lost answer has the status 0.
func post(t *testing.T, base, path, key string, form url.Values) (status int, body map[string]any, replayed bool) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+fakestripe.Key)
	request.Header["Idempotency-Key"] = []string{key}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return 0, nil, false
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body, response.Header.Get("Idempotent-Replayed") == "true"
}

func checkout() url.Values {
	return url.Values{
		"mode": {"payment"}, "success_url": {"https://shop.example"}, "line_items[0][quantity]": {"1"},
		"line_items[0][price_data][currency]": {"eur"}, "line_items[0][price_data][unit_amount]": {"1000"},
		"line_items[0][price_data][product_data][name]": {"a pair"}, "payment_intent_data[capture_method]": {"manual"},
	}
}

func TestKeys_AreHonouredAsStripeDoes(t *testing.T) {
	now := time.Now()
	s := fakestripe.New(t, fakestripe.Options{Now: func() time.Time { return now }})
	base := s.Listen()
	form := checkout()
	form.Set("expires_at", "1") // invalid: nothing is stored
	if status, _, _ := post(t, base, "/v1/checkout/sessions", "a", form); status != 400 {
		t.Fatalf("an invalid call: %d", status)
	}
	form.Set("expires_at", jsonInt(now.Add(time.Hour).Unix()))
	_, first, replayed := post(t, base, "/v1/checkout/sessions", "a", form)
	if replayed || first["id"] == nil {
		t.Fatalf("the first call: %v", first)
	}
	if _, second, replayed := post(t, base, "/v1/checkout/sessions", "a", form); !replayed || second["id"] != first["id"] {
		t.Errorf("the second call: %v, replayed %v", second, replayed)
	}
	form.Set("success_url", "https://other.example")
	if status, body, _ := post(t, base, "/v1/checkout/sessions", "a", form); status != 400 || !strings.Contains(jsonText(body), "idempotency_error") {
		t.Errorf("other parameters: %d %v", status, body)
	}
	s.Harm(fakestripe.Fault{Kind: fakestripe.Failed})
	for range 2 {
		if status, _, _ := post(t, base, "/v1/checkout/sessions", "b", form); status != 500 {
			t.Errorf("a stored failure: %d", status)
		}
	}
	s.Harm(fakestripe.Fault{Kind: fakestripe.TooMany})
	for _, want := range []int{429, 200} { // not stored
		if status, _, _ := post(t, base, "/v1/checkout/sessions", "c", form); status != want {
			t.Errorf("after too many calls: %d, want %d", status, want)
		}
	}
	now = now.Add(25 * time.Hour)
	form.Set("expires_at", jsonInt(now.Add(time.Hour).Unix()))
	if status, _, replayed := post(t, base, "/v1/checkout/sessions", "a", form); status != 200 || replayed {
		t.Errorf("a day later: %d, replayed %v", status, replayed)
	}
}

func jsonInt(n int64) string { return jsonText(n) }

func jsonText(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

func TestFaults_LoseTheAnswerOrTheCall(t *testing.T) {
	for kind, sessions := range map[fakestripe.Kind]int{
		fakestripe.Lost: 1, fakestripe.Unreached: 0, fakestripe.Doubled: 2, fakestripe.Failed: 0, fakestripe.FailedAfter: 1,
	} {
		s := fakestripe.New(t, fakestripe.Options{})
		s.Harm(fakestripe.Fault{Kind: kind})
		form := checkout()
		form.Set("expires_at", jsonInt(time.Now().Add(time.Hour).Unix()))
		status, _, _ := post(t, s.Listen(), "/v1/checkout/sessions", "", form) // without a key, both of a double act
		if n := len(s.Payments()); n != sessions {
			t.Errorf("%s: %d, and there are %d sessions, want %d", kind, status, n, sessions)
		}
	}
}

func TestDeliver_LosesDoublesMixesAndLies(t *testing.T) {
	deliver := func(seed uint64, d fakestripe.Delivery) (types []string, left int) {
		s := fakestripe.New(t, fakestripe.Options{Seed: seed})
		base := s.Listen()
		for range 10 {
			form := checkout()
			form.Set("expires_at", jsonInt(time.Now().Add(time.Hour).Unix()))
			_, body, _ := post(t, base, "/v1/checkout/sessions", "", form)
			if err := s.Pay(body["id"].(string), fakestripe.Authorise); err != nil {
				t.Fatal(err)
			}
		}
		left = s.Deliver(d, func(_ http.Header, body []byte) error {
			var e struct {
				ID, Type string
			}
			if err := json.Unmarshal(body, &e); err != nil {
				t.Fatal(err)
			}
			types = append(types, e.ID+e.Type)
			return nil
		})
		return types, left
	}
	plain, _ := deliver(1, fakestripe.Delivery{})
	mixed, _ := deliver(1, fakestripe.Delivery{Mix: true})
	again, _ := deliver(1, fakestripe.Delivery{Mix: true})
	if len(plain) != 30 || len(mixed) != 30 || jsonText(plain) == jsonText(mixed) || jsonText(mixed) != jsonText(again) {
		t.Errorf("plain %d, mixed %d, the same twice %v", len(plain), len(mixed), jsonText(mixed) == jsonText(again))
	}
	if doubled, _ := deliver(1, fakestripe.Delivery{Double: 1}); len(doubled) != 60 {
		t.Errorf("doubled: %d", len(doubled))
	}
	if lost, left := deliver(1, fakestripe.Delivery{Lose: 1}); len(lost) != 0 || left != 0 {
		t.Errorf("lost: %d, left %d", len(lost), left)
	}
	lies, _ := deliver(1, fakestripe.Delivery{Lie: func(e *fakestripe.Event) { e.Type = "payment_intent.succeeded" }})
	for _, lie := range lies {
		if !strings.HasSuffix(lie, "payment_intent.succeeded") {
			t.Errorf("it says %s", lie)
		}
	}
}

// A shop that does not take a notification gets it again.
func TestDeliver_SendsAgainWhatWasNotTaken(t *testing.T) {
	s := fakestripe.New(t, fakestripe.Options{})
	form := checkout()
	form.Set("expires_at", jsonInt(time.Now().Add(time.Hour).Unix()))
	_, body, _ := post(t, s.Listen(), "/v1/checkout/sessions", "", form)
	if err := s.Pay(body["id"].(string), fakestripe.Authorise); err != nil {
		t.Fatal(err)
	}
	answer, got := http.StatusServiceUnavailable, 0
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got++
		if n, err := io.Copy(io.Discard, r.Body); n == 0 || err != nil || r.Header.Get("Stripe-Signature") == "" {
			t.Errorf("a notification of %d bytes, %v", n, err)
		}
		w.WriteHeader(answer)
	}))
	t.Cleanup(shop.Close)
	if left := s.Deliver(fakestripe.Delivery{}, fakestripe.Post(t.Context(), shop.URL)); left != 3 || got != 3 {
		t.Errorf("%d came, and %d are left", got, left)
	}
	answer = http.StatusOK
	if left := s.Deliver(fakestripe.Delivery{}, fakestripe.Post(t.Context(), shop.URL)); left != 0 || got != 6 {
		t.Errorf("%d came, and %d are left", got, left)
	}
	if left := s.Deliver(fakestripe.Delivery{}, func(http.Header, []byte) error { return errors.New("no more") }); left != 0 {
		t.Errorf("%d are left", left)
	}
}
